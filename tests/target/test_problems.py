"""What is wrong with a value is said by its place in the data, what stands there, and what is wanted, in words."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    field_validator,
    model_validator,
)

from assay.data.pointer import look, split
from assay.target.build import target
from assay.target.problems import Invalid, rank
from assay.types import Problem


class Size(Enum):
    S = "small"
    L = "large"


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")
    street: str
    zip: str = Field(pattern=r"^\d{5}$")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Order(BaseModel):
    name: str
    count: Annotated[int, Field(ge=1, le=5)]
    price: Decimal = Decimal(0)
    day: dt.date = dt.date(2024, 1, 1)
    size: Size = Size.S
    state: Literal["open", "shut"] = "open"
    ship: Address | None = None
    lines: list[Address] = []
    extra: dict[str, str | Address] = {}
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    any_pet: Cat | Dog | None = None
    alias: int = Field(0, alias="anAlias")
    key: UUID | None = None
    page: HttpUrl | None = None
    tags: Annotated[list[str], Field(max_length=2)] = []
    code: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    counts: dict[int, int] = {}
    loud: bool = True

    @field_validator("name")
    @classmethod
    def no_digits(cls, value: str) -> str:
        if any(c.isdigit() for c in value):
            raise ValueError("a name without digits")
        return value


GOOD: dict[str, Any] = {"name": "n", "count": 1}


def problems(type_: Any, data: Any) -> list[tuple[str, Any, str, str]]:
    with pytest.raises(Invalid) as caught:
        target(type_).validate(data)
    return [(p.path, p.said, p.want, p.kind) for p in caught.value.problems]


CASES: list[tuple[dict[str, Any], tuple[str, Any, str, str]]] = [
    ({"count": "many"}, ("/count", "many", "an integer from 1 to 5", "type")),
    ({"count": 9}, ("/count", 9, "at most 5", "value")),
    ({"count": None}, ("/count", None, "an integer from 1 to 5", "type")),
    ({"name": "R2D2"}, ("/name", "R2D2", "a name without digits", "value")),
    ({"name": 5}, ("/name", 5, "a string", "type")),
    ({"price": "cheap"}, ("/price", "cheap", "a number", "value")),
    ({"day": "yesterday"}, ("/day", "yesterday", "a date like 2024-03-05", "value")),
    ({"day": []}, ("/day", [], "a date like 2024-03-05", "type")),
    ({"size": "huge"}, ("/size", "huge", 'one of "small", "large"', "value")),
    ({"state": "ajar"}, ("/state", "ajar", 'one of "open", "shut"', "value")),
    ({"state": None}, ("/state", None, 'one of "open", "shut"', "type")),
    ({"ship": {"street": "s"}}, ("/ship/zip", None, r"a string that matches ^\d{5}$", "missing")),
    ({"ship": {"street": "s", "zip": "1"}}, ("/ship/zip", "1", r"a string that matches ^\d{5}$", "value")),
    ({"ship": {"street": "s", "zip": "12345", "po": 1}}, ("/ship/po", 1, "no such key", "extra")),
    ({"ship": "here"}, ("/ship", "here", 'an object with "street", "zip" or null', "type")),
    ({"lines": {}}, ("/lines", {}, "an array of objects", "type")),
    ({"lines": [{"street": 1, "zip": "12345"}]}, ("/lines/0/street", 1, "a string", "type")),
    ({"extra": {"a/b": {"street": "s"}}}, ("/extra/a~1b/zip", None, r"a string that matches ^\d{5}$", "missing")),
    ({"extra": {"x": 3}}, ("/extra/x", 3, 'a string or an object with "street", "zip"', "type")),
    ({"pet": {"kind": "cat"}}, ("/pet/lives", None, "an integer", "missing")),
    ({"pet": {"kind": "cow"}}, ("/pet", {"kind": "cow"}, "\"kind\": one of 'cat', 'dog'", "value")),
    ({"pet": {}}, ("/pet", None, 'the key "kind"', "missing")),
    ({"any_pet": {"kind": "dog", "tricks": [1]}}, ("/any_pet/tricks/0", 1, "a string", "type")),
    ({"any_pet": {"kind": "cat", "lives": "nine"}}, ("/any_pet/lives", "nine", "an integer", "type")),
    ({"anAlias": "x"}, ("/anAlias", "x", "an integer", "type")),
    ({"key": "abc"}, ("/key", "abc", "a UUID or null", "value")),
    ({"page": "nowhere"}, ("/page", "nowhere", "a URL that begins with 'http' or 'https' or null", "value")),
    ({"tags": ["a", "b", "c"]}, ("/tags", ["a", "b", "c"], "at most 2 items", "value")),
    ({"code": "abcd"}, ("/code", "abcd", "at most 3 characters", "value")),
    ({"loud": "perhaps"}, ("/loud", "perhaps", "true or false", "type")),
]


@pytest.mark.parametrize(("wrong", "problem"), CASES, ids=lambda v: str(v)[:50])
def test_a_type_says_what_is_wrong(wrong: dict[str, Any], problem: tuple[str, Any, str, str]) -> None:
    assert problems(Order, GOOD | wrong) == [problem]


SCHEMA: dict[str, Any] = {
    "$defs": {"address": {"type": "object", "required": ["street"], "properties": {"street": {"type": "string"}}, "additionalProperties": False}},
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "count": {"type": "integer", "minimum": 1, "maximum": 5},
        "day": {"type": "string", "format": "date"},
        "state": {"enum": ["open", "shut"]},
        "kind": {"const": "k"},
        "ship": {"anyOf": [{"$ref": "#/$defs/address"}, {"type": "null"}]},
        "pet": {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind", "lives"]},
                {"type": "object", "properties": {"kind": {"const": "dog"}, "tricks": {"type": "array"}}, "required": ["kind"]},
            ]
        },
        "tags": {"type": "array", "maxItems": 2, "uniqueItems": True, "items": {"type": "string"}},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "step": {"multipleOf": 5},
    },
    "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"count": "x"}, ("/count", "x", "an integer from 1 to 5", "type")),
        ({"count": 9}, ("/count", 9, "at most 5", "value")),
        ({"day": "soon"}, ("/day", "soon", "a date like 2024-03-05", "value")),
        ({"state": "ajar"}, ("/state", "ajar", 'one of "open", "shut"', "value")),
        ({"state": None}, ("/state", None, 'one of "open", "shut"', "type")),
        ({"kind": "j"}, ("/kind", "j", '"k"', "value")),
        ({"ship": {}}, ("/ship/street", None, "a string", "missing")),
        ({"ship": {"street": "s", "x": 1}}, ("/ship/x", 1, "no such key", "extra")),
        ({"ship": 3}, ("/ship", 3, 'an object with "street" or null', "type")),
        ({"pet": {"kind": "cat"}}, ("/pet/lives", None, "an integer", "missing")),
        ({"pet": {"kind": "dog", "tricks": 1}}, ("/pet/tricks", 1, "an array", "type")),
        ({"tags": ["a", "a"]}, ("/tags", ["a", "a"], "no item twice", "value")),
        ({"tags": ["a", "b", "c"]}, ("/tags", ["a", "b", "c"], "at most 2 items", "value")),
        ({"code": "A"}, ("/code", "A", "a string that matches ^[a-z]+$", "value")),
        ({"step": 3}, ("/step", 3, "a multiple of 5", "value")),
        ({"other": 1}, ("/other", 1, "no such key", "extra")),
        ({"name": "n"}, ("/name", "n", "at least 2 characters", "value")),
    ],
)
def test_a_json_schema_says_the_same(wrong: dict[str, Any], problem: tuple[str, Any, str, str]) -> None:
    assert problems(SCHEMA, {"name": "nn"} | wrong) == [problem]


def test_a_missing_key_of_a_schema_is_named() -> None:
    assert problems(SCHEMA, {}) == [("/name", None, "a string of at least 2 characters", "missing")]


def test_the_whole_of_another_kind_has_the_empty_path() -> None:
    assert problems(Address, [1]) == [("", [1], 'an object with "street", "zip"', "type")]
    assert problems(SCHEMA, "x")[0][0] == ""


def test_the_telling_problem_comes_first() -> None:
    found = problems(Order, {"count": 9, "extra": 3, "tags": [1], "state": "ajar"})
    assert [(path, kind) for path, _, _, kind in found] == [
        ("/extra", "type"),
        ("/tags/0", "type"),
        ("/name", "missing"),
        ("/count", "value"),
        ("/state", "value"),
    ]


def test_unreadable_text_ranks_before_all_and_nothing_is_said_twice() -> None:
    cut = Problem("", None, "the whole", "truncated")
    wrong = Problem("/a", 1, "a string", "type")
    assert rank([wrong, cut, wrong]) == (cut, wrong)


def test_aliases_of_every_kind_lead_into_the_data() -> None:
    class Flat(BaseModel):
        a: int = Field(validation_alias="firstOne")
        b: int = Field(validation_alias=AliasChoices("bee", "be"))
        c: int = Field(validation_alias=AliasPath("deep", 0, "c"))

    assert problems(Flat, {"firstOne": "x", "be": "y", "deep": [{"c": "z"}]}) == [
        ("/firstOne", "x", "an integer", "type"),
        ("/be", "y", "an integer", "type"),
        ("/deep/0/c", "z", "an integer", "type"),
    ]
    assert problems(Flat, {"firstOne": 1, "bee": 1})[0][0] in ("/c", "/deep/0/c")


def test_a_validator_of_a_whole_model_points_at_the_model() -> None:
    class Range(BaseModel):
        low: int
        high: int

        @model_validator(mode="after")
        def ordered(self) -> Range:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    class Holder(BaseModel):
        ranges: list[Range]

    found = problems(Holder, {"ranges": [{"low": 1, "high": 2}, {"low": 3, "high": 2}]})
    assert found == [("/ranges/1", {"low": 3, "high": 2}, "low is above high", "value")]


def test_a_wrapped_function_leaves_no_trace_in_the_path() -> None:
    def even(value: int) -> int:
        if value % 2:
            raise ValueError("an even number")
        return value

    type_ = dict[str, list[Annotated[int, AfterValidator(even)] | None]]
    assert problems(type_, {"int": [2, 3]}) == [("/int/1", 3, "an even number", "value")]


def test_a_wrong_key_is_told_from_a_wrong_value() -> None:
    found = problems(dict[int, int], {"x": 1})
    assert found == [("/x", 1, "a key that is an integer", "value")]


def test_no_problem_names_pydantic_or_a_url() -> None:
    for wrong, _ in CASES:
        for _, _, want, _ in problems(Order, GOOD | wrong):
            assert "pydantic" not in want
            assert "://" not in want


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~1", max_size=3) | st.sampled_from(["cat", "open"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*Order.model_fields, "street", "zip", "kind", "lives", "int", "a/b"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(_JSON, st.sampled_from([Order, SCHEMA, list[Order], dict[str, int | list[Cat | Dog]]]))
def test_problems_stand_where_they_say(data: Any, type_: Any) -> None:
    try:
        target(type_).validate(data)
    except Invalid as invalid:
        assert invalid.problems
        for problem in invalid.problems:
            if problem.kind != "missing":
                assert look(data, split(problem.path)) == problem.said
            assert problem.want


def test_many_problems_cost_no_more_each_than_few() -> None:
    many = [{"name": 1, "count": 9} for _ in range(500)]
    made = target(list[Order])
    start = time.process_time()
    with pytest.raises(Invalid) as caught:
        made.validate(many)
    assert len(caught.value.problems) == 1000
    assert time.process_time() - start < 5  # a bound against quadratic cost, not a benchmark
