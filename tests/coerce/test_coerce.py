"""Coercion: what a schema plainly means is turned and recorded, what could mean two things is a problem."""

from __future__ import annotations

import copy
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay.coerce import Coercer, coerce

NUMBER, INTEGER, STRING, BOOLEAN = ({"type": kind} for kind in ("number", "integer", "string", "boolean"))
NULL = {"type": "null"}
DATE = {"type": "string", "format": "date"}
MOMENT = {"type": "string", "format": "date-time"}
CLOCK = {"type": "string", "format": "time"}
PERSON = {"type": "object", "properties": {"age": INTEGER, "born": DATE}, "required": ["age"]}


def array(items: object) -> dict:
    return {"type": "array", "items": items}


def any_of(*branches: dict) -> dict:
    return {"anyOf": list(branches)}


TURNED = [
    ("12,111.0", NUMBER, 12111.0), ("1,234,567", NUMBER, 1234567), ("1.234.567 €", NUMBER, 1234567), ("$1,200.50", NUMBER, 1200.5), ("1.234,56", NUMBER, 1234.56), ("€ 5", NUMBER, 5),
    ("1 234", INTEGER, 1234), ("1'234'567", INTEGER, 1234567), ("-$5", NUMBER, -5), ("−5", INTEGER, -5), ("12,5", NUMBER, 12.5),
    ("12", INTEGER, 12), ("12,111", INTEGER, 12111), (3.0, INTEGER, 3), ("3.0", INTEGER, 3), ("1e3", NUMBER, 1000.0),
    ("yes", BOOLEAN, True), ("No", BOOLEAN, False), ("TRUE", BOOLEAN, True),
    (50266, STRING, "50266"),
    ("2024/3/5", DATE, "2024-03-05"), ("2024-3-5", DATE, "2024-03-05"), ("March 5, 2024", DATE, "2024-03-05"),
    ("5th of March 2024", DATE, "2024-03-05"), ("Tue, 5 Mar 2024", DATE, "2024-03-05"), ("20240305", DATE, "2024-03-05"),
    ("25/12/2024", DATE, "2024-12-25"), ("12/25/2024", DATE, "2024-12-25"), ("05.05.2024", DATE, "2024-05-05"),
    ("2024-03-05 10:30", MOMENT, "2024-03-05T10:30:00"), ("March 5, 2024 at 3:30 PM", MOMENT, "2024-03-05T15:30:00"),
    ("2024-03-05T10:30+0200", MOMENT, "2024-03-05T10:30:00+02:00"), ("3:30 pm", CLOCK, "15:30:00"), ("12 am", CLOCK, "00:00:00"),
    ("RED", {"enum": ["red", "green"]}, "red"), ("in progress", {"type": "string", "enum": ["IN_PROGRESS"]}, "IN_PROGRESS"),
    ("1", {"enum": [1, 2]}, 1), ("Yes", {"const": "yes"}, "yes"),
    ({"age": 5}, array(PERSON), [{"age": 5}]), ([{"age": 5}], PERSON, {"age": 5}), ("x", array(STRING), ["x"]), (["x"], STRING, "x"),
    ('{"age": "5"}', PERSON, {"age": 5}), ("[1, 2]", array(INTEGER), [1, 2]),
    ("12", any_of(INTEGER, NULL), 12), ("", any_of(INTEGER, NULL), None), ("null", {"type": ["integer", "null"]}, None),
    ("March 5, 2024", any_of(DATE, NULL), "2024-03-05"), ("12", any_of(INTEGER, NUMBER), 12),
    ({"age": "5"}, any_of(PERSON, NULL), {"age": 5}), ("7", {"allOf": [INTEGER]}, 7),
]  # fmt: skip


@pytest.mark.parametrize(("value", "schema", "meant"), TURNED)
def test_what_is_plainly_meant_is_turned_and_recorded(value, schema, meant) -> None:
    before = copy.deepcopy(value)
    coerced = coerce(value, schema)
    assert coerced.value == meant
    assert type(coerced.value) is type(meant)
    assert {repair.kind for repair in coerced.repairs} == {"coerced"}
    assert not coerced.problems
    assert value == before


LEFT = [
    (5, INTEGER), (5, NUMBER), (5.5, INTEGER), ("x", INTEGER), ("12 kg", NUMBER), (True, INTEGER), (None, INTEGER),
    ("maybe", BOOLEAN), (1, BOOLEAN), (1.10, STRING), (True, STRING), ("today", DATE), ("2024-02-31", DATE), ("2024-03-05T10:00:00", DATE),
    ("2024-03-05", DATE), ("2024-03-05", MOMENT), ("2024-03-05T10:30:00Z", MOMENT), ("blue", {"enum": ["red"]}), (None, array(STRING)),
    ([1, 2], INTEGER), ({"x": 1}, array(PERSON)), ("12", any_of(INTEGER, STRING)), ("yes", any_of(BOOLEAN, STRING)), ("null", any_of(STRING, NULL)),
    ("9" * 1000, NUMBER), ("2024/3/5", STRING), ("12,111", {}), ({"extra": "5"}, PERSON),
]  # fmt: skip


@pytest.mark.parametrize(("value", "schema"), LEFT)
def test_what_fits_or_means_nothing_plain_is_left_alone(value, schema) -> None:
    coerced = coerce(value, schema)
    assert coerced.value is value
    assert (coerced.repairs, coerced.problems) == ((), ())


AMBIGUOUS = [
    ("01/02/03", DATE), ("01/02/2003", DATE), ("5-6-24", DATE), ("01/02/2003 10:00", MOMENT), ("01/02/2003", any_of(DATE, NULL)),
    ("1.234", INTEGER), ("$1.234", NUMBER), ("1.234", NUMBER), ("12,111", NUMBER), ("1.000", INTEGER), ("1,234", any_of(INTEGER, NUMBER)), ("50%", NUMBER), ("x, y", array(STRING)), ("A", {"enum": ["a", "a "]}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "schema"), AMBIGUOUS)
def test_what_could_mean_two_things_is_a_problem_and_stays(value, schema) -> None:
    coerced = coerce({"x": value}, {"type": "object", "properties": {"x": schema}})
    assert coerced.value == {"x": value}
    assert not coerced.repairs
    assert [(problem.path, problem.said, problem.kind) for problem in coerced.problems] == [("/x", value, "ambiguous")]


def test_repairs_name_their_place() -> None:
    schema = {"type": "object", "properties": {"a/b": {"$ref": "#/$defs/People"}}, "$defs": {"People": array(PERSON)}}
    coerced = Coercer(schema)({"a/b": [{"age": 1}, {"age": "2", "born": "2024/1/2"}]})
    assert [(r.path, r.before, r.after) for r in coerced.repairs] == [
        ("/a~1b/1/age", '"2"', "2"),
        ("/a~1b/1/born", '"2024/1/2"', '"2024-01-02"'),
    ]


def test_a_recursive_schema_is_followed() -> None:
    node = {"type": "object", "properties": {"n": INTEGER, "next": any_of({"$ref": "#"}, NULL)}}
    assert coerce({"n": "1", "next": {"n": "2", "next": None}}, node).value == {"n": 1, "next": {"n": 2, "next": None}}


def test_a_union_of_objects_takes_the_branch_that_can_be_meant() -> None:
    cat = {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": INTEGER}, "required": ["kind"]}
    dog = {"type": "object", "properties": {"kind": {"const": "dog"}, "legs": INTEGER}, "required": ["kind"]}
    coerced = coerce({"kind": "dog", "legs": "4"}, {"oneOf": [cat, dog]})
    assert coerced.value == {"kind": "dog", "legs": 4}


@settings(deadline=None, max_examples=100)
@given(st.integers(-(10**9), 10**9), st.sampled_from(["{:,}", "{}", " {} ", "{}.0", "{:_}"]))
def test_a_printed_integer_comes_back(value: int, form: str) -> None:
    assert coerce(form.format(value), INTEGER).value == value


@settings(deadline=None, max_examples=100)
@given(
    st.dates(min_value=date(1000, 1, 1)),
    st.sampled_from(["%Y/%m/%d", "%B %d, %Y", "%d %b %Y", "%A, %d %B %Y", "%Y.%m.%d", "%Y%m%d"]),
)
def test_a_printed_date_comes_back(value, form: str) -> None:
    assert coerce(value.strftime(form), DATE).value == value.isoformat()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40), st.sampled_from([NUMBER, INTEGER, BOOLEAN, DATE, MOMENT, CLOCK, array(NUMBER), PERSON]))
def test_no_text_crashes_it(value: str, schema: dict) -> None:
    coerced = coerce(value, schema)
    assert coerced.value == value or coerced.repairs


# -- a value that was coerced before ---------------------------------------------------------------------------------------

_PARTS = [
    NUMBER, INTEGER, STRING, BOOLEAN, DATE, PERSON, array(INTEGER), array(PERSON), any_of(INTEGER, NULL), any_of(PERSON, STRING),
    {"enum": ["red", "dark blue"]}, {"$ref": "#/$defs/person"}, {"allOf": [INTEGER, {"minimum": 3}]},
]  # fmt: skip
_SAID = [
    "12,111", "1,5", "3.0", 3.0, "yes", "n/a", "", None, [], {}, [5], ["5"], "[1, 2]", "03/04/2024", "March 5, 2024", "RED", 7,
    "a, b", {"age": "5"}, {"age": 5, "born": "2024/3/5"}, [{"age": "6"}], '{"age": "5"}',
]  # fmt: skip
_BESIDE = [
    {}, {"type": "object"}, {"type": ["object", "null"]}, {"additionalProperties": INTEGER},
    {"allOf": [{"properties": {"a": INTEGER}}]}, any_of({"properties": {"a": INTEGER}, "required": ["b"]}, PERSON),
]  # fmt: skip
_KEYS = st.sampled_from(["a", "b", "c", "x/y"])
_VALUES = st.dictionaries(_KEYS, st.sampled_from(_SAID))
_WHOLE = st.builds(
    lambda properties, beside: {"properties": properties, "$defs": {"person": PERSON}, **beside},
    st.dictionaries(_KEYS, st.sampled_from(_PARTS), min_size=1),
    st.sampled_from(_BESIDE),
)


@settings(deadline=None, max_examples=300)
@given(_WHOLE, _VALUES, _VALUES)
def test_what_was_coerced_before_need_not_be_again(schema: dict, said: dict, corrected: dict) -> None:
    """As in a re-ask: some parts are given anew, the doubtful ones among them or not."""
    coercer = Coercer(schema)
    before = coercer(said)
    assume("" not in [problem.path for problem in before.problems])  # then the whole is asked for again
    corrected = {key: value for key, value in corrected.items() if key in schema["properties"]}
    merged = {**before.value, **corrected}
    doubtful = {problem.path.split("/")[1].replace("~1", "/") for problem in before.problems}
    assert coercer.anew(merged, frozenset(corrected) | doubtful) == coercer(merged)


def test_what_was_not_named_is_not_looked_at() -> None:
    schema = {"type": "object", "properties": {"a": INTEGER, "b": INTEGER}}
    assert Coercer(schema).anew({"a": "1", "b": "2"}, frozenset({"b"})).value == {"a": "1", "b": 2}
