"""Typed partial values: what a type looks like while only a part of it is there."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Iterator
from dataclasses import KW_ONLY, InitVar, dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypedDict

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    ValidationInfo,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass

from assay.decode.mark import Mark
from assay.decode.partial import PartialParser
from assay.streaming import View


class Item(BaseModel):
    sku: str
    count: int = Field(default=1, gt=0)
    due: date | None = None


class Order(BaseModel):
    number: str = Field(alias="No")
    items: list[Item]
    notes: dict[str, str] = {}


TEXT = json.dumps(
    {"No": "A-1", "items": [{"sku": "x", "count": 2, "due": "2026-01-02"}, {"sku": "y", "count": 3}], "notes": {"k": "v"}},
    indent=1,
)


def marks(text: str, size: int = 1) -> Iterator[Mark]:
    parser = PartialParser()
    for i in range(0, len(text), size):
        if parser.feed(text[i : i + size]):
            yield parser.mark()


def values(annotation: Any, data: Any, **how: Any) -> list[Any]:
    view = View(annotation, **how)
    return [view.value(mark) for mark in marks(json.dumps(data, indent=1))]


def test_a_model_is_shown_with_the_fields_that_are_there() -> None:
    view = View(Order)
    first, *_ = shown = [view.value(mark) for mark in marks(TEXT)]
    assert type(first) is Order
    assert first.number == "A-1"
    assert first.model_fields_set == {"number"}
    assert first.items is None
    assert first.notes is None, "a default might not stay"
    assert [len(order.items or ()) for order in shown] == [0, 1, 1, 1, 2, 2, 2, 2, 2]
    assert shown[3].items[0] == Item(sku="x", count=2, due=date(2026, 1, 2))
    assert shown[-1] == Order.model_validate_json(TEXT)


def test_partial_values_do_not_change_when_more_comes() -> None:
    view = View(Order)
    shown = []
    for mark in marks(TEXT):
        value = view.value(mark)
        shown.append((value, repr(value), mark))
    for value, then, mark in shown:
        assert repr(value) == then
        assert repr(view.value(mark)) == then
        assert repr(View(Order).value(mark)) == then


def test_every_size_of_pieces_ends_in_the_same_value() -> None:
    for size in (1, 2, 7, 1000):
        *_, last = marks(TEXT, size)
        assert View(Order).value(last) == Order.model_validate_json(TEXT)


def test_fields_are_checked_as_the_model_checks_them_when_they_are_whole() -> None:
    seen = []

    class Person(BaseModel):
        first: str
        last: str
        age: Annotated[int, Field(ge=0)]

        @field_validator("last")
        @classmethod
        def loud(cls, value: str, info: ValidationInfo) -> str:
            seen.append((value, dict(info.data), info.context))
            return value.upper()

    shown = values(Person, {"first": "Ada", "last": "Lovelace", "age": -1}, context={"a": 1})
    assert seen == [("Lovelace", {"first": "Ada"}, {"a": 1})]
    assert shown[1].last == "LOVELACE"
    assert shown[2].age is None, "what is not valid is not shown"


def test_model_validators_run_when_an_object_is_whole_and_only_then() -> None:
    runs = []

    class Pair(BaseModel):
        low: int
        high: int

        @model_validator(mode="after")
        def ordered(self) -> Pair:
            runs.append((self.low, self.high))
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

        def model_post_init(self, _: Any) -> None:
            assert self.high is not None

    shown = values(list[Pair], [{"low": 1, "high": 2}, {"low": 4, "high": 3}, {"low": 5, "high": 6}])
    assert runs == [(1, 2), (4, 3), (5, 6)]
    assert [pair.low for pair in shown[-1]] == [1, 4, 5], "what was shown while it was open stays"


def test_an_invalid_part_of_an_object_is_left_out_and_the_rest_stays() -> None:
    shown = values(Order, {"No": "1", "items": [{"sku": "x", "count": 0}, {"sku": "y", "count": 1}]})
    assert [item.sku for item in shown[-1].items] == ["x", "y"]
    assert shown[-1].items[0].count is None


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@pydantic_dataclass
class Place:
    name: str
    at: Point


class Movie(TypedDict, total=False):
    title: str
    cast: list[str]


class Spot(NamedTuple):
    x: int
    y: int


class Box(BaseModel, frozen=True, extra="allow", strict=True):
    when: list[date]


class Strings(RootModel[list[str]]):
    pass


class Node(BaseModel):
    name: str
    inside: list[Node] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


@pytest.mark.parametrize(
    ("annotation", "data", "expected"),
    [
        (Point, {"x": 1, "y": 2}, ["Point(x=1, y=None)", "Point(x=1, y=2)"]),
        (Place, {"name": "a", "at": {"x": 1, "y": 2}}, ["Place(name='a', at=None)", "Place(name='a', at=Point(x=1, y=None))"]),
        (Movie, {"title": "t", "cast": ["a", "b"]}, ["{'title': 't'}", "{'title': 't', 'cast': ['a']}"]),
        (list[int], [1, 2, 3], ["[1]", "[1, 2]", "[1, 2, 3]"]),
        (tuple[int, str], [1, "a"], ["(1,)", "(1, 'a')"]),
        (tuple[int, ...], [1, 2], ["(1,)", "(1, 2)"]),
        (dict[str, Point], {"a": {"x": 1, "y": 2}}, ["{'a': Point(x=1, y=None)}", "{'a': Point(x=1, y=2)}"]),
        (Point | None, {"x": 1}, ["Point(x=1, y=None)"]),
        (Annotated[list[str], AfterValidator(sorted)], ["b", "a"], ["['b']", "['b', 'a']"]),
        (Strings, ["a", "b"], ["Strings(root=['a'])", "Strings(root=['a', 'b'])"]),
        (
            Node,
            {"name": "a", "inside": [{"name": "b", "inside": []}]},
            ["Node(name='a', inside=None)", "Node(name='a', inside=[Node(name='b', inside=None)])"],
        ),
        (Box, {"when": ["2026-01-02"]}, ["Box(when=[datetime.date(2026, 1, 2)])"]),
        (list[Cat | Dog], [{"kind": "cat", "lives": 9}], ["[]", "[Cat(kind='cat', lives=9)]"]),
        (list[Spot], [{"x": 1, "y": 2}], ["[]", "[Spot(x=1, y=2)]"]),
        (Cat | Dog, {"kind": "cat", "lives": 9}, ["None", "None"]),
        (set[int], [1, 2], ["None", "None"]),
        (dict[int, str], {"1": "a"}, ["None"]),
        (list[Annotated[str, BeforeValidator(str.strip)]], [" a "], ["['a']"]),
        (None, {"a": [1]}, ["{'a': [1]}", "{'a': [1]}"]),
    ],
)
def test_types_in_the_making(annotation: Any, data: Any, expected: list[str]) -> None:
    assert [repr(value) for value in values(annotation, data)][: len(expected)] == expected


def test_keys_that_a_model_may_have_are_all_known() -> None:
    class Loose(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        a: int = Field(alias="A")
        b: int = Field(validation_alias=AliasChoices("B", "bee"))

    assert [(v.a, v.b) for v in values(Loose, {"a": 1, "bee": 2})] == [(1, None), (1, 2)]


def test_unfinished_text_is_shown_where_any_beginning_of_it_fits() -> None:
    class Post(BaseModel):
        title: str
        kind: Literal["news", "newspaper"]
        stars: int

    view, parser = View(Post, unfinished=True), PartialParser()
    seen = []
    for piece in ('{"ti', 'tle": "Al', 'l", "kind": "news', 'paper", "stars": 1', "2}"):
        parser.feed(piece)
        value = view.value(parser.mark())
        seen.append((value.title, value.kind, value.stars))
    assert seen == [
        (None, None, None),
        ("Al", None, None),
        ("All", None, None),
        ("All", "newspaper", 1),
        ("All", "newspaper", 12),
    ]


def test_a_wrapper_is_not_seen() -> None:
    view, parser = View(list[int], wrapper="items"), PartialParser("{[")
    paths = parser.feed('{"items": [1, 2')
    assert view.paths(paths, parser.mark()) == ("/0",)
    assert view.value(parser.mark()) == [1]
    assert view.data(parser.mark()) == [1]
    parser.feed("]}")
    assert view.value(parser.mark()) == [1, 2]


def test_a_bare_list_in_place_of_a_wrapped_one_is_understood() -> None:
    view, parser = View(list[int], wrapper="items"), PartialParser("{[")
    paths = parser.feed("[1, 2")
    assert view.paths(paths, parser.mark()) == ("/0",)
    assert view.value(parser.mark()) == [1]


def test_a_strict_view_coerces_nothing() -> None:
    data = {"sku": "x", "count": "2"}
    assert values(Item, data)[-1].count == 2
    assert values(Item, data, strict=True)[-1].count is None
    assert values(list[Item], [{"sku": "x", "due": "2026-01-02"}], strict=True)[-1] == [Item(sku="x", due=date(2026, 1, 2))]


@dataclass
class Parcel:
    kinds: ClassVar[list[str]] = ["box", "bag"]
    weight: float
    scale: InitVar[float] = 1.0
    _: KW_ONLY
    label: str = ""
    ready: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self, scale: float) -> None:
        self.weight *= scale


@pydantic_dataclass
class Crate(Parcel):
    parcels: list[Parcel] = dataclasses.field(default_factory=list)


def test_a_dataclass_is_shown_by_its_fields_alone() -> None:
    data = {"weight": 2.5, "scale": 2, "label": "books", "parcels": [{"weight": 1, "label": "x"}]}
    shown = values(Crate, data)
    assert [value.weight for value in shown] == [2.5] * len(shown)
    assert [value.label for value in shown][:3] == [None, None, "books"]
    assert shown[-1].parcels == [Parcel(1, label="x")]
    assert all(repr(value).startswith("Crate(weight=2.5") for value in shown)


class Basket(BaseModel):
    prices: list[float]
    vat: float
    _seen: int = PrivateAttr(default=0)
    _no_default: str

    @computed_field
    @property
    def total(self) -> float:
        return sum(self.prices) * (1 + self.vat)

    @computed_field
    @cached_property
    def most(self) -> float:
        return max(self.prices) + self._seen


def test_a_model_with_computed_fields_and_private_attributes_can_be_printed_before_it_is_whole() -> None:
    shown = values(Basket, {"prices": [1, 2], "vat": 0.5})
    printed = [str(value) for value in shown]
    assert printed[0] == "prices=[1.0] vat=None total=None most=1.0"
    assert [value.total for value in shown] == [None, None, 4.5]
    assert all(isinstance(value, Basket) and value._seen == 0 for value in shown)
    assert [pickle.loads(pickle.dumps(value)).vat for value in shown] == [None, None, 0.5]  # noqa: S301  # our own
    assert shown[-1].model_dump()["total"] == 4.5
