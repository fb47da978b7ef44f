"""The incremental JSON parser: however the text is cut, the same values, each shown once and for good."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from assay.decode.partial import MAX_DEPTH, PartialParser

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=12
)
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(st.text(max_size=6), VALUES, max_size=4)


@st.composite
def texts(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """A container and its JSON text, spelled in one of its ways and cut anywhere."""
    value = draw(CONTAINERS)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 3])))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return value, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def feed(*pieces: str) -> PartialParser:
    parser = PartialParser()
    for piece in pieces:
        parser.feed(piece)
    return parser


def grown(before: Any, after: Any) -> bool:
    """Whether `after` is `before` with more in it."""
    if isinstance(before, dict) and isinstance(after, dict):
        return list(before) == list(after)[: len(before)] and all(grown(value, after[key]) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) <= len(after) and all(map(grown, before, after))
    return type(before) is type(after) and before == after


@given(texts())
def test_any_cut_of_a_text_gives_the_value_that_the_whole_gives(case: tuple[Any, list[str]]) -> None:
    value, pieces = case
    parser = feed(*pieces)
    assert parser.complete
    assert not parser.stopped
    assert json.dumps(parser.mark().data()) == json.dumps(value)


@given(texts())
def test_it_reads_numbers_and_escapes_as_pydantic_does(case: tuple[Any, list[str]]) -> None:
    _, pieces = case
    try:
        expected = from_json("".join(pieces))
    except ValueError:  # half surrogates, which only Python's own parser lets through
        return
    assert feed(*pieces).mark().data() == expected


@given(texts())
def test_what_is_shown_stays(case: tuple[Any, list[str]]) -> None:
    value, pieces = case
    parser = PartialParser()
    shown: Any = None
    for piece in pieces:
        parser.feed(piece)
        now = parser.mark().data()
        assert shown is None or grown(shown, now)
        shown = now
    assert grown(shown, value)


@given(texts())
def test_a_mark_shows_later_what_it_showed_then(case: tuple[Any, list[str]]) -> None:
    parser, marks = PartialParser(), []
    for piece in case[1]:
        parser.feed(piece)
        mark = parser.mark()
        marks.append((mark, json.dumps(mark.data()), json.dumps(mark.data(unfinished=True))))
    for mark, plain, unfinished in marks:
        assert json.dumps(mark.data()) == plain
        assert json.dumps(mark.data(unfinished=True)) == unfinished


@given(texts())
def test_every_part_is_announced_once_when_it_is_there(case: tuple[Any, list[str]]) -> None:
    value, pieces = case
    parser = PartialParser()
    announced = [path for piece in pieces for path in parser.feed(piece)]
    assert announced == list(paths_inside_out(value, ""))


def paths_inside_out(value: Any, at: str) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from paths_inside_out(inner, f"{at}/" + str(key).replace("~", "~0").replace("/", "~1"))
    yield at


@given(st.text(), st.integers(0, 40))
@settings(max_examples=200)
def test_an_unfinished_string_is_a_beginning_of_the_whole_one(text: str, cut: int) -> None:
    written = json.dumps([text])
    parser = feed(written[: min(cut, len(written) - 1)])
    begun = parser.mark().data(unfinished=True)
    if begun:
        # A pair of escapes for one character may be cut between its halves; then the character is not there yet.
        assert json.loads(json.dumps([text]))[0].startswith(begun[0])


@given(st.text() | st.text('{}[]":,\\ntrue0123 \n<think>/`', max_size=60), st.integers(1, 5))
@settings(max_examples=300)
def test_no_text_breaks_it(text: str, size: int) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert feed(*pieces).mark().data() == feed(text).mark().data()


def test_strings_numbers_and_literals_are_held_back_until_they_end() -> None:
    parser = feed('{"name": "Al')
    assert parser.mark().data() == {}
    assert parser.mark().data(unfinished=True) == {"name": "Al"}
    assert parser.feed('ice"') == []
    assert parser.mark().data() == {}, "the quote may be one that was not escaped"
    assert parser.feed(', "age": 4') == ["/name"]
    assert parser.mark().data() == {"name": "Alice"}
    assert parser.mark().data(unfinished=True) == {"name": "Alice", "age": 4}
    assert parser.feed('2, "ok": tru') == ["/age"]
    assert parser.mark().data(unfinished=True) == {"name": "Alice", "age": 42}
    assert parser.feed("e}") == ["/ok", ""]
    assert parser.mark().data() == {"name": "Alice", "age": 42, "ok": True}


def test_list_items_are_there_at_once() -> None:
    parser = feed('[{"a": 1}')
    assert parser.feed(", ") == []
    assert parser.mark().data() == [{"a": 1}]
    assert not parser.complete


@pytest.mark.parametrize(
    "before",
    [
        "Here is the answer:\n\n",
        "```json\n",
        '<think>The fields {a, b} would be {"a": 0}.</think>\n',
        "<Thinking>[1]</Thinking> Sure! ",
        "Use {braces} and {{templates}}; so: ",
        "a < b, so ",
    ],
)
def test_what_stands_before_the_value_is_passed_over_however_it_is_cut(before: str) -> None:
    text = before + '{"a": 1}\n``` Done. {"a": 2}'
    for size in (1, 2, 3, len(text)):
        parser = PartialParser("{")
        shown = [path for i in range(0, len(text), size) for path in parser.feed(text[i : i + size])]
        assert shown == ["/a", ""]
        assert parser.mark().data() == {"a": 1}


MALFORMED = Path(__file__).parents[3] / "shared" / "data" / "malformed.jsonl"


@pytest.mark.skipif(not MALFORMED.exists(), reason="the collection of malformed texts is not here")
def test_nothing_is_shown_that_the_whole_reading_takes_back() -> None:
    cases = [json.loads(line) for line in MALFORMED.read_bytes().splitlines()]
    wrong = []
    for case in cases:
        if case["reject"] or case["text"] == '{"a":"b","a":"c"}':  # which of the two is meant is seen too late
            continue
        shown = feed(*case["text"]).mark().data()
        if shown not in (None, {}, []) and not grown(shown, case["expected"]):
            wrong.append((case["id"], case["text"], shown))
    assert wrong == []


def test_only_the_brackets_asked_for_begin_a_value() -> None:
    parser = PartialParser("{")
    parser.feed('As [1] says: {"a": 1}')
    assert parser.mark().data() == {"a": 1}


def test_a_comma_too_many_and_raw_line_breaks_are_read() -> None:
    assert feed('{"a": [1, 2,], "b": "x\ny",}').mark().data() == {"a": [1, 2], "b": "x\ny"}


@pytest.mark.parametrize("rest", ["nope}", "'single'}", '"a" "b"}', "01}", "1.}", "-}", '"\\x"}', "[1}", "// why\n1}"])
def test_on_anything_but_json_it_stops_and_keeps_what_it_showed(rest: str) -> None:
    parser = feed('{"a": 1, "b": ' + rest + ' {"c": 3}')
    assert parser.stopped
    assert not parser.complete
    shown = parser.mark().data()
    assert shown["a"] == 1
    assert "c" not in shown


def test_a_key_given_twice_stops_it() -> None:
    parser = feed('{"a": 1, "a": 2}')
    assert parser.stopped
    assert parser.mark().data() == {"a": 1}


def test_depth_is_bounded() -> None:
    parser = feed('{"a": 1, "b": ' + "[" * (MAX_DEPTH + 1))
    assert parser.stopped


def test_a_number_longer_than_python_converts_stops_it() -> None:
    assert feed('{"a": 1, "b": ' + "9" * 10_000 + "}").stopped
