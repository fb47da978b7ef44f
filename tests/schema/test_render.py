"""A schema as the prompt shows it: every field, its type, its limits, in few characters, the same every time."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from assay.schema.render import render
from assay.target.build import target
from assay.types import PromptStyle


class Address(BaseModel):
    street: str
    zip: Annotated[str, Field(pattern=r"^\d{5}$")]
    country: str | None = None


class Person(BaseModel):
    name: str = Field(description="The full name,\nas printed")
    age: Annotated[int, Field(ge=0, le=150)]
    size: Literal["s", "l"] = Field("s", examples=["l"])
    born: dt.date | None = None
    kind: Literal["a", "b"]
    tags: list[str] = []
    fee: Decimal
    home: Address
    notes: dict[str, str | int] = {}
    corner: tuple[int, int]


class Node(BaseModel):
    value: int
    kids: list[Node] = []


class Shop(BaseModel):
    bill: Address
    ship: Address
    tree: Node


TEMPLATE = r"""{
  "name": string, // The full name, as printed
  "age": integer (from 0 to 150),
  "size": "s" | "l" (default "s"), // e.g. "l"
  "born": string (date) or null,
  "kind": "a" | "b",
  "tags": [string] (optional),
  "fee": number,
  "home": {"street": string, "zip": string (matching ^\d{5}$), "country": string or null},
  "notes": {
    "...": string or integer // any keys
  } (optional),
  "corner": [integer, integer]
}"""

FIELDS = r"""name: string. The full name, as printed
age: integer (from 0 to 150)
size: "s" | "l" (default "s"). e.g. "l"
born: string (date) or null
kind: "a" | "b"
tags: array of string (optional)
fee: number
home: object
home.street: string
home.zip: string (matching ^\d{5}$)
home.country: string or null
notes: object (optional)
notes.<key>: string or integer (any keys)
corner: [integer, integer]"""


def shown(type_: Any, style: PromptStyle) -> str:
    return render(target(type_).json_schema, style)


def test_the_template_shows_a_type_where_each_value_goes() -> None:
    assert shown(Person, PromptStyle.TEMPLATE) == TEMPLATE


def test_the_field_list_has_a_line_for_each_field() -> None:
    assert shown(Person, PromptStyle.FIELDS) == FIELDS


def test_the_schema_is_json_without_noise() -> None:
    text = shown(Person, PromptStyle.SCHEMA)
    assert '"title"' not in text
    assert ": " not in text.replace("The full name", "")
    target(json.loads(text)).validate(
        {"name": "n", "age": 1, "fee": 1, "corner": [0, 0], "kind": "a", "home": {"street": "s", "zip": "12345"}}
    )


def test_a_type_that_recurs_is_named_once() -> None:
    assert shown(Node, PromptStyle.TEMPLATE) == '{"value": integer, "kids": [Node] (optional)}\nwhere Node is again all of this'
    text = shown(Shop, PromptStyle.TEMPLATE)
    assert text.startswith('{"bill": Address, "ship": Address, "tree": Node}\nwhere Address is {"street"')
    assert text.endswith('where Node is {"value": integer, "kids": [Node] (optional)}')
    fields = shown(Shop, PromptStyle.FIELDS).splitlines()
    assert fields[:4] == ["bill: Address", "ship: Address", "tree: Node", "where Address has:"]


def test_compact_forms_are_shorter_than_the_schema() -> None:
    for type_ in (Person, Shop, Node, list[Address]):
        schema, template, fields = (len(shown(type_, style)) for style in PromptStyle)
        assert template < schema * 0.7
        assert fields < schema * 0.7


@pytest.mark.parametrize("style", PromptStyle)
def test_the_whole_prompt_is_the_same_for_a_schema_that_is_built_again(style: PromptStyle) -> None:
    schema = target(Person).json_schema
    assert render(json.loads(json.dumps(schema)), style) == render(schema, style)


_TYPES = st.recursive(
    st.sampled_from([str, int, float, bool, dt.date, Decimal, Literal["x", "y"], Any, Node, Address, None]),
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),  # type: ignore[valid-type]
        inner.map(lambda t: dict[str, t]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),  # type: ignore[valid-type]
        st.dictionaries(st.sampled_from(["alpha", "beta", "gamma"]), inner, min_size=1).map(
            lambda fields: create_model("Made", **{name: (type_, ...) for name, type_ in fields.items()})
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(_TYPES)
def test_every_style_names_every_field(type_: Any) -> None:
    schema = target(type_).json_schema
    names = {name for part in (schema, *schema.get("$defs", {}).values()) for name in part.get("properties", {})}
    for style in PromptStyle:
        text = render(schema, style)
        assert all(name in text for name in names)


@settings(max_examples=60, deadline=None)
@given(_TYPES)
def test_every_type_has_an_example_that_fits(type_: Any) -> None:
    made = target(type_)
    made.validate(made.example())
