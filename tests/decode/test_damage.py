"""Texts as models bend JSON, by the kind of damage: each is read as its one meaning, or refused."""

from __future__ import annotations

import pytest

from assay.decode import read
from assay.errors import DecodeError

READ = {
    "fences": [
        ('Here you are:\n```json\n{"a": 1}\n```\nAnything else?', {"a": 1}),
        ("```\n[1, 2]\n```", [1, 2]),
        ("~~~json\n{'a': 1}\n~~~", {"a": 1}),
        ('```json {"a": 1} ```', {"a": 1}),
        ('```JSON\r\n{"a": 1}\r\n```', {"a": 1}),
        ('First run:\n```bash\nls {a,b}\n```\nthen:\n```json\n{"ok": true}\n```', {"ok": True}),
        ('```json\n{"code": "```py\\nx = 1\\n```"}\n```', {"code": "```py\nx = 1\n```"}),
        ('```json\n{"code": "```py\nx = {1: 2}\n```", "n": 1}\n```', {"code": "```py\nx = {1: 2}\n```", "n": 1}),
        ('```json\n{"a": [1, 2\n```', {"a": [1, 2]}),
        ('`{"a": 1}`', {"a": 1}),
        ('```json\n{"a": 1}\n```\n```json\n{"a": 1}\n```', {"a": 1}),
    ],
    "thinking": [
        ('<think>maybe {"a": 0}?</think>{"a": 1}', {"a": 1}),
        ('<think>\nmaybe {"a": 0}?\n</think>\n\n```json\n{"a": 1}\n```', {"a": 1}),
        ('so it is {"a": 0} or more\n</think>\n{"a": 1}', {"a": 1}),
        ('<think>the fields are easy\n{"a": 1}', {"a": 1}),
        ('<think></think>{"a": "</think>"}', {"a": "</think>"}),
        ('{"html": "<think>x</think> {y}", "n": 1,}', {"html": "<think>x</think> {y}", "n": 1}),
        ('<Reasoning>hm [1]</Reasoning> {"a": 1}', {"a": 1}),
    ],
    "prose": [
        ('The answer is {"a": 1}.', {"a": 1}),
        ('According to [1], it is {"a": 2} (see [2]).', {"a": 2}),
        ("I'd say {name} is wrong, so: {\"name\": \"Bo\"}", {"name": "Bo"}),
        ("The list is [1, 2, 3].", [1, 2, 3]),
        ("result = {'a': None};", {"a": None}),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('Output: {"a": {"b": []}} -- done', {"a": {"b": []}}),
    ],
    "quotes": [
        ("{'a': 'it\\'s'}", {"a": "it's"}),
        ("{'a': 'it's fine', 'b': 1}", {"a": "it's fine", "b": 1}),
        ("{“a”: “b”, “c”: 1}", {"a": "b", "c": 1}),
        ("{‘a’: ‘b’}", {"a": "b"}),
        ('{"a": "say “hi” now", \'b\': 1}', {"a": "say “hi” now", "b": 1}),
        ('{"a": \'he said "x"\'}', {"a": 'he said "x"'}),
        ('{"a": """one "two" three"""}', {"a": 'one "two" three'}),
        ("{`a`: `b`}", {"a": "b"}),
        ("['a', \"b\", 'c']", ["a", "b", "c"]),
    ],
    "inner quotes": [
        ('{"a": "she said "hello" to me", "b": 2}', {"a": 'she said "hello" to me', "b": 2}),
        ('{"a": "she said "hello", then left", "b": 2}', {"a": 'she said "hello", then left', "b": 2}),
        ('{"a": "she said "hello"", "b": 2}', {"a": 'she said "hello"', "b": 2}),
        ('{"a": ""hello" she said", "b": 2}', {"a": '"hello" she said', "b": 2}),
        ('{"a": "a 24" screen", "b": 2}', {"a": 'a 24" screen', "b": 2}),
        ('["he said "a" and "b" too", "c"]', ['he said "a" and "b" too', "c"]),
        ('["he said "yes", "no" and left", "c"]', ['he said "yes", "no" and left', "c"]),
        ('{"a": "{"b": 1}"}', {"a": '{"b": 1}'}),
        ('{"a": "{"b": "x", "c": "y"}", "d": 1}', {"a": '{"b": "x", "c": "y"}', "d": 1}),
        ('{"a": "the list ["x", "y"] is short", "d": 1}', {"a": 'the list ["x", "y"] is short', "d": 1}),
        ('{"a": "x "y": z", "d": 1}', {"a": 'x "y": z', "d": 1}),
        ('{"html": "<a href="x.html" class="y">z</a>", "n": 1}', {"html": '<a href="x.html" class="y">z</a>', "n": 1}),
        ('{"html": "<a href="x.html">"}', {"html": '<a href="x.html">'}),
    ],
    "missing quotes": [
        ('{"a: 1, "b": 2}', {"a": 1, "b": 2}),
        ('{a": 1, "b": 2}', {"a": 1, "b": 2}),
        ('{"a": x", "b": 2}', {"a": "x", "b": 2}),
        ('{"a": "x, "b": 2}', {"a": "x", "b": 2}),
        ('{"a": "x\n"b": 2}', {"a": "x", "b": 2}),
        ('{"a": "x\', "b": 2}', {"a": "x", "b": 2}),
        ('{"a": {"b": "c}}', {"a": {"b": "c"}}),
        ('{"a": "say \\"b\\", "c": 1}', {"a": 'say "b"', "c": 1}),
        ('{"u": "https://x.org/?q=1, "b": [2]}', {"u": "https://x.org/?q=1", "b": [2]}),
    ],
    "unquoted": [
        ("{a: 1, b_c: two words, d-e: x}", {"a": 1, "b_c": "two words", "d-e": "x"}),
        ("{name: Ann Lee\nage: 5}", {"name": "Ann Lee", "age": 5}),
        ("{a: 10:30, b: 2024-01-02}", {"a": "10:30", "b": "2024-01-02"}),
        ("{url: https://x.org/a?b=c, n: 1}", {"url": "https://x.org/a?b=c", "n": 1}),
        ("[red, green, blue]", ["red", "green", "blue"]),
        ("{a: it's ok, b: 1}", {"a": "it's ok", "b": 1}),
        ('{"a": 12 apples, "b": 1}', {"a": "12 apples", "b": 1}),
        ("{id: 007}", {"id": "007"}),
    ],
    "commas": [
        ('{"a": 1,, "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "x" "b": "y"}', {"a": "x", "b": "y"}),
        ('{"a": {"x": 1} "b": [1] "c": 3}', {"a": {"x": 1}, "b": [1], "c": 3}),
        ("[1 2 3]", [1, 2, 3]),
        ('{"a":1"b":true"c":2}', {"a": 1, "b": True, "c": 2}),
        ('[1"a"]', [1, "a"]),
        ("[,1,2,]", [1, 2]),
        ('[{"a": 1} {"a": 2},]', [{"a": 1}, {"a": 2}]),
        ('{"a": "x",\n"b": "y",\n}', {"a": "x", "b": "y"}),
        ('["a"\n"b",\n"c"]', ["a", "b", "c"]),
    ],
    "colons": [
        ('{"a" 1, "b" "x"}', {"a": 1, "b": "x"}),
        ('{"a" = 1, "b" => 2}', {"a": 1, "b": 2}),
        ('{"a" [1], "b" {"c": 1}}', {"a": [1], "b": {"c": 1}}),
    ],
    "comments": [
        ('{"a": 1, // one\n"b": 2 /* two */}', {"a": 1, "b": 2}),
        ('# answer\n{"a": 1 # one\n}', {"a": 1}),
        ('{"a": "http://x" // no "comment": in it\n, "b": "#1"}', {"a": "http://x", "b": "#1"}),
        ('{/* a: 1, */ "b": 2}', {"b": 2}),
        ("{a: foo // bar\n, b: 1}", {"a": "foo", "b": 1}),
    ],
    "python": [
        ("{'a': True, 'b': False, 'c': None, 'd': (1, 2)}", {"a": True, "b": False, "c": None, "d": [1, 2]}),
        ("{u'a': b'x', 'c': r'\\d'}", {"a": "x", "c": "\\d"}),
        ("[1_000, 0x1F, .5, 5., +3, -.5]", [1000, 31, 0.5, 5.0, 3, -0.5]),
        ("{'a': nan, 'b': 1}", {"a": "nan", "b": 1}),
    ],
    "javascript": [
        ("{a: undefined, b: NaN, c: -Infinity}", {"a": None, "b": None, "c": None}),
        ('{"_id": ObjectId("5f"), "n": NumberLong(2), "d": new Date("2024-01-01")}', {"_id": "5f", "n": 2, "d": "2024-01-01"}),
        ('callback([1, "a"]);', [1, "a"]),
        ("window.cb({a: 1})", {"a": 1}),
        ('{"a": "one " + "two" + \'three\'}', {"a": "one twothree"}),
        ("const x = {a: 1};\n", {"a": 1}),
        ("[1, 2, 3, ...]", [1, 2, 3]),
        ('{"a": 1, ...}', {"a": 1}),
    ],
    "strings": [
        ('{"a": "tab\there", "b": "line\nbreak"}', {"a": "tab\there", "b": "line\nbreak"}),
        ('{"re": "\\d+\\.\\w", "n": 1}', {"re": "\\d+\\.\\w", "n": 1}),
        ('{"tex": "\\alpha \\( x \\)"}', {"tex": "\\alpha \\( x \\)"}),
        ('{"a": "\\x41\\u00e9\\\'"}', {"a": "Aé'"}),
        ('{"a": "\\ud83d\\ude00",}', {"a": "😀"}),
        ('{"dir": "C:\\dir\\", "b": 1}', {"dir": "C:\\dir\\", "b": 1}),
        ('{\\"a\\": \\"b\\", \\"c\\": [1]}', {"a": "b", "c": [1]}),
    ],
    "brackets": [
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('[{"a": 1, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"a": [1, 2, "b": 3}', {"a": [1, 2], "b": 3}),
        ('{"a": [{"b": 1], "c": 2}', {"a": [{"b": 1}], "c": 2}),
        ('[{"a": 1}}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": ["x", "y"}', {"a": ["x", "y"]}),
    ],
    "numbers": [
        ('{"a": 1,234, "b": 2}', {"a": 1234, "b": 2}),
        ('{"a": 1/2, "b": 10-20, "c": 1.2.3}', {"a": "1/2", "b": "10-20", "c": "1.2.3"}),
        ('{"a": $5, "b": 50%}', {"a": "$5", "b": "50%"}),
        ('{"a": 1e3, "b": 1E-2,}', {"a": 1000.0, "b": 0.01}),
    ],
    "white space": [
        ('{\u00a0"a":\u30001,\u2003"b": 2}', {"a": 1, "b": 2}),
        ('\u200b{"a": 1}\u200b', {"a": 1}),
        ('{\\n"a": 1,\\n"b": [2]\\n}', {"a": 1, "b": [2]}),
    ],
}  # fmt: skip

CUT = [
    ('{"a": 1, "b": [1, 2', {"a": 1, "b": [1, 2]}),
    ('{"a": 1, "b', {"a": 1}),
    ('{"a": 1, "b"', {"a": 1}),
    ('{"a": 1, "b":', {"a": 1}),
    ('{"a": "some te', {"a": "some te"}),
    ('{"a": "x\\', {"a": "x"}),
    ('{"a": "x\\u00', {"a": "x"}),
    ('{"a": tru', {"a": True}),
    ("[1, 2, fal", [1, 2, False]),
    ('{"a": 1.', {"a": 1}),
    ('{"a": [{"b": "c"}, {"b', {"a": [{"b": "c"}, {}]}),
    ("[", []),
    ("{", {}),
    ('Sure:\n```json\n{"a": [1,', {"a": [1]}),
    ('{"a": "he said "yes" and', {"a": 'he said "yes" and'}),
    ('<think>x</think>{"a": 1', {"a": 1}),
]

REFUSED = [
    "",
    "  \n",
    "I cannot help with that.",
    "Name: Bo, age: 5",
    "see [1] and [2]",
    "Use {name} here.",
    '{"a": 1} or {"a": 2}',
    '{"a": 1}\n{"a": 2}',
    "```json\n[1]\n```\n```json\n[2]\n```",
    '{"a": 1}, "b": 2}',
    '"a": {"b": 1}, "c": 2}',
    '["lorem", "ipsum" dolor", "x"]',
    '{"a": "he said "x"}',
    "{a: one, two, b: 3}",
    '{"a": 1,,,"a": 2}',
    '{"a" "b" "c"}',
    '<think>is it {"a": 1}? No, {"a": 2}? Hm',
    "{]",
    "}{",
    '{"a": x b: y}',
    '{"a": foo(1, 2)}',
    "null and void",
    '{"a": "x""}',
    '{"a"": 1, "b": 2}',
    '{"a":: 1}',
    '{"a": [true false]}',
    '{"a": truefalse}',
    '{"a": 1; "b": 2}',
    '{"a": ["b", c"]}',
    '{"a": "1"}"',
    '{"a": 1]}',
    '{"a": hello, world: yes"}',
    '{"l": [{"t": "x y}, {"t": "z"}], "n": 1}',
    "{'l': ['a\", 'b'], 'n': 1}",
    '{"l": [{"a": 1}, "a": 2}], "n": 3}',
    '{"l": [[]}',
    '{"a": []]}',
    '{"a": {"b": 1}]}',
    '{"a": [[1, 2}',
    '[{"a": {"b": 1, "c": 2}]',
    '{"a": {"b": 1}, "c": 2}}',
    '{"a": [[, 1}',
    "[0, 1]]",
    '[1, 2], "x"]',
    '["a", }, 1]',
    '[{}, {"a": 1]}]',
    '{"a": "b": 1}',
    '{"b": [", []], "a": null}',
    '["", 1, ", "-a"]',
    '["a"", false, "x"]',
    '{"a"":[""]}',
    '{"a": 2"}',
    '["x", b"]',
    "[01]",
    "[1null, 2]",
    "[0-120]",
    '{"a": c}"}',
    '[[1], )"]',
    '{"a": ""}x}"}',
    '"ab": "{ a: c", "z": {}}',
    '[[1], "]',
    '[0, (y"]',
    '[1, #"\n]',
    '{"c": ["x", [ y"}, 2]',
    '{"a: ":", "b": 1}',
    '{"a: [":", 1], "b": 2}',
    '{"a": ["[", 1 "x]"]}',
    '{"a": [\'x"]}',
    '[{"a": {"b": 1, "b": 1}]',
]


@pytest.mark.parametrize(
    ("text", "value"), [pytest.param(*case, id=f"{kind}-{i}") for kind, cases in READ.items() for i, case in enumerate(cases)]
)
def test_a_bent_text_is_read_as_what_it_means(text: str, value: object) -> None:
    reading = read(text)
    assert reading.value == value
    assert reading.repairs


@pytest.mark.parametrize(("text", "value"), CUT)
def test_a_cut_text_gives_what_was_there_and_says_that_it_was_cut(text: str, value: object) -> None:
    reading = read(text)
    assert reading.value == value
    assert reading.truncated


@pytest.mark.parametrize("text", REFUSED)
def test_a_text_without_one_meaning_is_refused(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read(text)
    assert caught.value.text == text
    assert caught.value.problems
