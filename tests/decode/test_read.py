"""`assay.decode.read`: what it promises of every text, and how well it does on texts that others collected."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.decode import Reader, Reading, read
from assay.errors import DecodeError

OUTSIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "malformed.jsonl"

keys = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
words = st.text(alphabet="abc xyzé日.-_!", max_size=12).map(str.strip)
scalars = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6).map(lambda number: round(number, 3)) | words
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
documents = st.dictionaries(keys, values, min_size=1, max_size=4) | st.lists(values, min_size=2, max_size=4)


# -- what any text gets -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="{}[]()\"'`,:\\/*# \n\tabtrue01.-+“”…\u00a0<>", max_size=60))
def test_no_text_crashes_it(text: str) -> None:
    try:
        reading = read(text)
    except DecodeError as error:
        assert error.text == text
        assert error.problems
    else:
        json.dumps(reading.value)


@settings(deadline=None, max_examples=150)
@given(values)
def test_valid_json_is_taken_as_it_is(value: object) -> None:
    assert read(json.dumps(value)) == Reading(value, candidates=(value,))


@settings(deadline=None, max_examples=60)
@given(documents)
def test_a_text_cut_anywhere_gives_a_part_of_the_value_and_says_so(value: object) -> None:
    text = json.dumps(value)
    for end in range(1, len(text)):
        try:
            reading = read(text[:end])
        except DecodeError:
            continue
        assert reading.truncated, text[:end]
        assert is_part(reading.value, value), text[:end]


@settings(deadline=None, max_examples=20)
@given(documents, st.sampled_from(["{}", "```json\n{}", "Here it is: {}"]))
def test_a_cut_text_that_cannot_be_read_says_that_it_was_cut(value: object, form: str) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1), bare_keys(json.dumps(value))):
        for end in range(2, len(text) - 1):
            try:
                read(form.format(text[:end]))
            except DecodeError as error:
                cut = text[:end].rstrip()
                whole = cut[-1:] in ("]", "}") or not re.search(r"[{\[]", cut)
                assert error.problems[0].kind == "truncated" or whole, text[:end]  # noqa: PT017


def is_part(part: object, of: object) -> bool:
    """Whether `part` is what may be left of `of` when its end is missing."""
    match part, of:
        case dict(), dict():
            return (
                all(key in of and is_part(item, of[key]) for key, item in part.items()) and list(part) == list(of)[: len(part)]
            )
        case list(), list():
            return len(part) <= len(of) and all(is_part(a, b) for a, b in zip(part, of, strict=False))
        case str(), str():
            return of.startswith(part)
        case ((int() | float()), (int() | float())):
            return json.dumps(abs(of)).startswith(json.dumps(abs(part)).removesuffix(".0"))
        case _:
            return part == of


# -- damage that the grammar knows: each is undone, alone and with others ---------------------------------------------------


def single_quotes(text: str) -> str:
    return text.replace('"', "'")


def smart_quotes(text: str) -> str:
    return re.sub(r'"([^"]*)"', r"“\1”", text)


def bare_keys(text: str) -> str:
    return re.sub(r'"([a-z_]+)":', r"\1:", text)


def trailing_commas(text: str) -> str:
    return re.sub(r"(?<=[^{\[\s,])([}\]])", r",\1", text)


def leading_commas(text: str) -> str:
    return re.sub(r"([{\[])(?=[^}\]])", r"\1, ", text)


def line_comments(text: str) -> str:
    return text.replace(", ", ', // a note, with "quotes": and {brackets}\n')


def block_comments(text: str) -> str:
    return text.replace(", ", " /* a } note */, ")


def python_literals(text: str) -> str:
    return re.sub(
        r"(?<![^\s\[])(null|true|false)(?=[,\]}])", lambda m: {"null": "None", "true": "True", "false": "False"}[m[1]], text
    )


def no_commas_between_lines(text: str) -> str:
    return re.sub(r',\s*(?=")', "\n", text)


def fenced(text: str) -> str:
    return f"Sure, here it is:\n```json\n{text}\n```\nLet me know!"


def thought(text: str) -> str:
    return f'<think>\nI need {{"a": 1}} or so.\n</think>\n{text}'


def in_prose(text: str) -> str:
    return f"The result: {text}\nIs there more?"


def called(text: str) -> str:
    return f"handle({text});"


def without_last_bracket(text: str) -> str:
    return text[:-1]


def odd_spaces(text: str) -> str:
    return text.replace(": ", ":\u00a0").replace(", ", ",\u3000")


WITHIN = (single_quotes, smart_quotes, bare_keys, trailing_commas, leading_commas, block_comments, python_literals, odd_spaces)
AROUND = (fenced, thought, in_prose, called)
ALONE = (no_commas_between_lines, line_comments, without_last_bracket)


@settings(deadline=None, max_examples=25)
@given(documents)
@pytest.mark.parametrize("damage", [*WITHIN, *AROUND, *ALONE], ids=lambda damage: damage.__name__)
def test_every_damage_is_undone_or_refused_never_misread(damage, value) -> None:
    text = damage(json.dumps(value, ensure_ascii=False))
    try:
        reading = read(text)
    except DecodeError:
        assert damage in (no_commas_between_lines, without_last_bracket), text  # these can leave two readings
    else:
        assert reading.value == value, text


@settings(deadline=None, max_examples=150)
@given(
    documents,
    st.lists(st.sampled_from(WITHIN[2:]), unique=True),
    st.sampled_from((str, single_quotes, smart_quotes)),
    st.sampled_from((str, *AROUND)),
)
def test_damages_together_are_undone(value, within, quotes, around) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for damage in within:
        text = damage(text)
    assert read(around(quotes(text))).value == value


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=3, max_size=6), min_size=1, max_size=4),
    st.booleans(),
)
def test_quoted_words_inside_a_string_need_no_escapes(sentences, as_list) -> None:
    texts = [" ".join([first, f'"{second}"', *rest]) for first, second, *rest in sentences]
    quoted = [f'"{text}"' for text in texts]
    if as_list:
        assert read(f"[{', '.join(quoted)}]").value == texts
    else:
        members = ", ".join(f'"k{i}": {text}' for i, text in enumerate(quoted))
        assert read(f"{{{members}}}").value == {f"k{i}": text for i, text in enumerate(texts)}


@settings(deadline=None, max_examples=40)
@given(documents, st.sampled_from('",:[]{}'), st.booleans(), st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 2}]))
def test_one_mark_too_few_or_too_many_is_mended_or_refused_never_misread(value, mark, doubled, style) -> None:
    text = json.dumps(value, ensure_ascii=False, **style)
    for found in re.finditer(re.escape(mark), text):
        bent = text[: found.start()] + mark * (2 if doubled else 0) + text[found.end() :]
        try:
            reading = read(bent)
        except DecodeError:
            continue
        assert reading.value == value or reading.truncated or is_json(bent), bent


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


# -- particular promises --------------------------------------------------------------------------------------------------


def test_a_repair_says_where_what_and_how() -> None:
    reading = read('{"a": [{"b~/c": \'x\'}]}')
    assert [(r.path, r.kind, r.before, r.after) for r in reading.repairs] == [("/a/0/b~0~1c", "quote", "'x'", "x")]


def test_truncation_is_told_apart_from_malformation() -> None:
    cut = read('{"a": [1, "x')
    assert cut.truncated
    assert {r.kind for r in cut.repairs} == {"cut string", "closed after truncation"}
    bent = read('{"a": [1, "x"}')
    assert not bent.truncated
    assert {r.kind for r in bent.repairs} == {"missing bracket"}


def test_the_schema_decides_between_values() -> None:
    text = 'For example {"x": 1}. So the answer is {"name": "Bo"}.'
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False}
    assert read(text, schema).value == {"name": "Bo"}
    assert read(text, schema).candidates == ({"x": 1}, {"name": "Bo"})
    with pytest.raises(DecodeError) as caught:
        read(text)
    assert caught.value.problems[0].kind == "ambiguous"


def test_the_schema_judges_what_would_be_refused_without_it() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "integer"}}}
    numbers = {"type": "array", "items": {"type": "integer"}}
    schema = {"type": "object", "properties": {"a": inner, "c": numbers}, "required": ["a"]}
    for text in (
        '{"a": {"b": 1}, "c": [2]}}',
        '{"a": {"b": 1}, "c": [2]}]}',
        '"a": {"b": 1}, "c": [2]}',
        '{"a": {"b": 1}, "c": [2]}\n}\n]',
    ):
        reading = read(text, schema)
        assert reading.value == {"a": {"b": 1}, "c": [2]}
        assert reading.repairs[0].kind == "bracket"
        with pytest.raises(DecodeError):
            read(text)
    with pytest.raises(DecodeError):
        read('{"a": {"b": 1}, "d": 2}}', schema)
    assert read("[a, b] is the output.", {"type": "array", "items": {"type": "string"}}).value == ["a", "b"]
    for text in ("x in [0, 1]", "see [1] and [2, 3] for all", 'name: "A"\ntags: []'):
        with pytest.raises(DecodeError):
            read(text, schema)


@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "Here:\n```\n{}\n```\nDone."])
@pytest.mark.parametrize("between", ["\n", "\n\n", ",\n", " "])
def test_several_values_in_one_place_are_a_list_where_one_is_wanted_and_a_problem_elsewhere(form: str, between: str) -> None:
    text = form.format(between.join(['{"b": "x", "a": 1}', '{"b": "y", "a": 2}', '{"b": "z", "a": 3}']))
    items = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    wrapped = {"type": "object", "properties": {"items": {"type": "array", "items": items}}, "required": ["items"]}
    rows = [{"b": "x", "a": 1}, {"b": "y", "a": 2}, {"b": "z", "a": 3}]
    assert Reader(wrapped, wrapper="items")(text).value == rows
    assert read(text, {"type": "array", "items": items}).value == rows
    for schema in (None, items):
        with pytest.raises(DecodeError):
            read(text, schema)


def test_lines_of_values_are_a_list_where_the_schema_wants_one() -> None:
    schema = {"type": "array", "items": {"type": "object", "required": ["a"]}}
    reading = read('{"a": 1}\n{"a": 2}\n', schema)
    assert reading.value == [{"a": 1}, {"a": 2}]
    assert reading.repairs[0].kind == "concatenated values"


def test_json_that_was_encoded_twice_is_decoded_where_the_schema_takes_no_string() -> None:
    text = json.dumps(json.dumps({"a": 1}))
    assert read(text).value == '{"a": 1}'
    reading = read(text, {"type": "object"})
    assert (reading.value, reading.repairs[0].kind) == ({"a": 1}, "encoded twice")


@pytest.mark.parametrize("form", ["{}", "{}\n", "[{}]", '{{"x": {}}}', "```json\n{}\n```", "So: {}", "{}}}"])
def test_a_repeated_key_has_one_value_or_none(form: str) -> None:
    for pair in ('"a": 1, "a": 1', '"a": 1, "a": 1.0', '"a": {"b": [1]}, "c": 0, "a": {"b": [1]}', '"a": 1, "\\u0061": 1'):
        assert json.dumps(read(form.format("{" + pair + "}")).value).count('"a"') == 1
    for pair in (
        '"a": 1, "a": 2',
        '"a": 1, "a": true',
        '"a": 1, "b": 0, "a": null',
        '"a": [1], "a": [true]',
        '"a": 1, "\\u0061": 2',
    ):
        with pytest.raises(DecodeError, match="two values"):
            read(form.format("{" + pair + "}"))


@pytest.mark.parametrize(
    "unit",
    ["[", '{"a":', "[[{", '"', "'", "{'", '["/*', "[1,", '{"a": "b, ', '["{"a"', "```", "<think>", "\\", "((", "a(", "//"],
)
def test_depth_and_size_are_bounded(unit: str) -> None:
    for text in (unit * 20_000, unit * 300 + "1"):
        try:
            read(text)
        except DecodeError as error:
            assert error.problems  # noqa: PT017


def test_nesting_is_read_as_deep_as_valid_json_may_nest() -> None:
    assert read("[" * 150 + "1," + "]" * 150).repairs
    with pytest.raises(DecodeError, match="200"):
        read("[" * 300 + "]" * 300)


# -- texts that others collected --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not OUTSIDE.exists(), reason="the outside texts are not here")
def test_outside_texts_are_read_right_or_refused_and_never_misread() -> None:
    seen: Counter[str] = Counter()
    for line in OUTSIDE.read_bytes().splitlines():
        case = json.loads(line)
        seen[outcome(case)] += 1
    readable = seen["right"] + seen["raised"]
    assert seen["misread"] == 0
    assert seen["accepted"] == 0
    assert seen["right"] >= 0.95 * readable > 200


def outcome(case: dict) -> str:
    try:
        value = read(case["text"]).value
    except DecodeError:
        return "refused" if case["reject"] else "raised"
    if case["reject"]:
        return "accepted"
    return "right" if value == case["expected"] else "misread"
