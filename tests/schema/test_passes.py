"""What the passes over a schema keep and what they change, for schemas made at random and for those of real models."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from assay.data.pointer import join, look, split
from assay.schema.keywords import walk
from assay.schema.navigate import at
from assay.schema.passes import NotStrict, form, from_strict, llama_form, strict_form, trim
from assay.schema.slices import Slices
from assay.target.build import target
from assay.types import Dialect

# -- schemas with data -------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["a", "b", "c", "title", "$ref", "type", "x/y"])
_LEAVES = st.one_of(
    st.builds(lambda low, n: {"type": "integer", "minimum": low, "maximum": low + n}, st.integers(-5, 5), st.integers(0, 9)),
    st.just({"type": "string", "title": "Noise", "default": ""}),
    st.just({"type": "string", "format": "date", "description": "A day."}),
    st.just({"type": "boolean"}),
    st.just({"type": "number", "exclusiveMinimum": 0}),
    st.just({"enum": ["p", "q", None]}),
    st.just({"const": "k", "type": "string"}),
    st.just({"type": ["integer", "null"]}),
    st.just({"$ref": "#/$defs/leaf"}),
    st.just({"$ref": "#/$defs/tree"}),
)
_DEFS = {
    "leaf": {"type": "object", "properties": {"v": {"type": "integer", "title": "V"}}, "required": ["v"]},
    "tree": {"type": "object", "properties": {"v": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
    "unused": {"type": "string"},
}  # fmt: skip


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    @st.composite
    def build(draw: st.DrawFn) -> Any:
        properties = draw(st.dictionaries(_NAMES, inner, min_size=1, max_size=4))
        required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
        return {"type": "object", "title": "Thing", "properties": properties, "required": required}

    return build()


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = st.builds(lambda items: {"type": "array", "items": items, "uniqueItems": False}, inner)
    unions = st.builds(lambda key, options: {key: options}, st.sampled_from(["anyOf"]), st.lists(inner, min_size=1, max_size=3))
    return st.one_of(_objects(inner), arrays, unions)


SCHEMAS = _objects(st.recursive(_LEAVES, _more, max_leaves=8)).map(lambda schema: {**schema, "$defs": _DEFS})


def values(schema: Any, root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema, made of the schema itself."""
    if "$ref" in schema:
        return st.deferred(lambda: values(look(root, split(schema["$ref"][1:])), root))
    if "anyOf" in schema:
        return st.one_of([values(option, root) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    match schema["type"]:
        case "object":
            parts = {name: values(part, root) for name, part in schema["properties"].items()}
            required = {name: part for name, part in parts.items() if name in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional={n: p for n, p in parts.items() if n not in required})
        case "array":
            return st.lists(values(schema["items"], root), max_size=2)
        case "integer":
            return st.integers(schema.get("minimum", -9), schema.get("maximum", 9))
        case "number":
            return st.floats(0.5, 9)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string":
            return st.just("2024-03-05") if schema.get("format") == "date" else st.text("xyz", max_size=3)
        case _:
            return st.integers(-9, 9) | st.none()


def valid(schema: Any, data: Any) -> bool:
    return Draft202012Validator(schema).is_valid(data)


class Address(BaseModel):
    """Where someone lives."""

    street: str = Field(description="Street and number")
    zip: str | None = None


class Email(BaseModel):
    kind: Literal["email"]
    at: str


class Phone(BaseModel):
    kind: Literal["phone"]
    number: str
    area: int = 0


class Person(BaseModel):
    name: str
    home: Address
    contacts: list[Annotated[Email | Phone, Field(discriminator="kind")]] = []
    tags: set[str] = set()
    notes: dict[str, str] = {}


class Tree(BaseModel):
    name: str
    kids: list[Tree] = []


_some = settings(max_examples=80, deadline=None)


@_some
@given(st.data())
def test_trim_changes_no_meaning(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS)
    trimmed = trim(schema)
    for value in (data.draw(values(schema, schema)), data.draw(values(data.draw(SCHEMAS), schema))):
        assert valid(schema, value) == valid(trimmed, value)


@_some
@given(SCHEMAS)
def test_every_pass_leaves_its_input_alone_and_gives_the_same_bytes_again(schema: Any) -> None:
    before = copy.deepcopy(schema)
    for work in (trim, strict_form, llama_form, lambda s: form(s, "plain"), lambda s: form(s, "llama.cpp")):
        assert json.dumps(work(schema)) == json.dumps(work(copy.deepcopy(schema)))
    assert schema == before
    assert trim(trim(schema)) == trim(schema)


@_some
@given(st.data())
def test_whatever_the_strict_form_accepts_the_original_accepts_without_nulls_of_optional_fields(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS)
    strict = strict_form(schema)
    value = data.draw(values(strict, strict))
    assert valid(strict, value)
    assert valid(schema, from_strict(value, schema))


class Everything(BaseModel):
    home: Address
    day: dt.date | None
    other: Annotated[Email | Phone, Field(discriminator="kind")] | None = None
    level: Literal["low", "high"] = "low"
    sizes: list[int] = []
    tree: Tree | None = None
    pair: str | int = 0


@_some
@given(st.data(), st.sampled_from([Everything, Address, list[Email | Phone], Tree, Literal["a", "b"] | None]))
def test_models_take_what_their_strict_form_takes(data: st.DataObject, type_: Any) -> None:
    made = target(type_)
    strict = strict_form(made.json_schema)
    value = data.draw(values(strict, strict))
    made.validate(from_strict(value, made.json_schema), strict=True)


@_some
@given(SCHEMAS)
def test_the_strict_form_is_strict(schema: Any) -> None:
    for _, part in walk(strict_form(schema)):
        if "properties" in part:
            assert part["required"] == list(part["properties"])
            assert part["additionalProperties"] is False
        assert not part.keys() & {"oneOf", "allOf", "title", "default", "uniqueItems", "minLength"}


@_some
@given(st.data())
def test_whatever_the_llama_form_accepts_the_original_accepts_once_it_is_undone(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS)
    sent = llama_form(schema)
    value = data.draw(values(sent, sent))
    assert valid(sent, value)
    assert valid(schema, from_strict(value, schema))


@_some
@given(st.data())
def test_a_slice_accepts_what_stands_at_its_place(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS)
    value = data.draw(values(schema, schema))
    for name, inner in value.items():
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        part = Slices(schema).at(pointer, value).schema
        assert part
        Draft202012Validator.check_schema(part)
        assert valid(part, inner)


@_some
@given(st.data())
def test_a_slice_that_was_cut_for_one_value_is_right_for_all(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS)
    slices = Slices(schema)
    for value in data.draw(st.lists(values(schema, schema), min_size=2, max_size=4)):
        for way in _places(value):
            assert slices.at(join(way), value) == Slices(schema).at(join(way), value)


@_some
@given(st.data())
def test_what_governs_a_place_is_an_object_of_the_schema_itself(data: st.DataObject) -> None:
    """Else what is kept of a part would be kept for something that is gone."""
    schema = data.draw(SCHEMAS)
    value = data.draw(values(schema, schema))
    of_the_schema = {id(part) for _, part in walk(schema)}
    for way in _places(value):
        part = at(schema, way, value)
        assert part is None or id(part) in of_the_schema


def _places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*way, key))


# -- cases -------------------------------------------------------------------------------------------------------------


def test_trim_drops_noise_keeps_descriptions_and_inlines_what_is_used_once() -> None:
    trimmed = trim(target(Person).json_schema)
    assert '"title"' not in json.dumps(trimmed)
    assert trimmed["properties"]["home"]["description"] == "Where someone lives."
    assert trimmed["properties"]["home"]["properties"]["street"] == {"type": "string", "description": "Street and number"}
    assert "$defs" not in trimmed


def test_trim_keeps_properties_that_are_called_like_keywords() -> None:
    class Book(BaseModel):
        title: str
        default: int = 1

    assert list(trim(target(Book).json_schema)["properties"]) == ["title", "default"]


def test_trim_keeps_recursion() -> None:
    trimmed = trim(target(Tree).json_schema)
    assert trimmed["$defs"].keys() == {"Tree"}
    assert valid(trimmed, {"name": "a", "kids": [{"name": "b"}]})
    assert not valid(trimmed, {"name": "a", "kids": [{}]})


def test_recursion_survives_the_strict_form() -> None:
    strict = strict_form(target(Tree).json_schema)
    assert valid(strict, {"name": "a", "kids": [{"name": "b", "kids": None}]})
    assert not valid(strict, {"name": "a", "kids": [{"name": "b"}]})
    assert from_strict({"name": "a", "kids": [{"name": "b", "kids": None}]}, target(Tree).json_schema) == {
        "name": "a",
        "kids": [{"name": "b"}],
    }


@pytest.mark.parametrize(
    "type_", [dict[str, int], list[dict[str, str]], Person, tuple[int, str], list[Any], {"type": "object"}]
)
def test_what_has_no_strict_form_says_where(type_: Any) -> None:
    with pytest.raises(NotStrict) as caught:
        strict_form(target(type_).json_schema)
    assert caught.value.path in str(caught.value)
    assert form(target(type_).json_schema, "strict")[1] is False


def test_nulls_that_mean_something_stay() -> None:
    schema = target(Phone | Address).json_schema
    data = {"value": {"street": "s", "zip": None}}
    assert from_strict(data, schema) == data
    assert from_strict({"value": {"kind": "phone", "number": "1", "area": None}}, schema) == {
        "value": {"kind": "phone", "number": "1"}
    }


def test_the_llama_form_has_nothing_that_turns_a_grammar_off() -> None:
    class Wide(BaseModel):
        page: str = Field(json_schema_extra={"format": "uri"})
        raw: bytes
        tags: set[str]
        look: str = Field(json_schema_extra={"pattern": "^(?=a)b"})
        fine: str = Field(pattern="^[a-z]+$")
        keyed: dict[Literal["a", "b"], int]

    made = llama_form(target(Wide).json_schema)
    text = json.dumps(made)
    for word in ("uri", "binary", "uniqueItems", "(?=", "propertyNames"):
        assert word not in text
    assert made["additionalProperties"] is False
    assert made["properties"]["fine"]["pattern"] == "^[a-z]+$"


DATA = {
    "name": "n",
    "home": {"street": 1},
    "contacts": [{"kind": "phone", "number": 3}, {"kind": "email"}],
    "notes": {"a/b": 3},
}


@pytest.mark.parametrize(
    ("pointer", "part"),
    [
        ("/name", {"type": "string"}),
        ("/home/street", {"type": "string", "description": "Street and number"}),
        ("/contacts/0/number", {"type": "string"}),
        ("/contacts/0/area", {"type": "integer", "default": 0}),
        ("/contacts/1/at", {"type": "string"}),
        ("/contacts/1/number", {}),
        ("/notes/a~1b", {"type": "string"}),
        ("/nothing/here", {}),
    ],
)
def test_a_slice_follows_references_lists_unions_and_free_keys(pointer: str, part: dict[str, Any]) -> None:
    assert target(Person).slices.at(pointer, DATA).schema == part


def test_a_slice_stands_alone_also_within_another_schema() -> None:
    part = target(Tree).slices.at("/kids/0", {"kids": [{}]}).schema
    around = {"type": "object", "properties": {"/kids/0": part}, "required": ["/kids/0"]}
    for dialect in ("plain", "strict", "llama.cpp"):
        made, _ = form(around, dialect)
        Draft202012Validator(made).validate({"/kids/0": {"name": "a", "kids": [{"name": "b", "kids": []}]}})
        assert not valid(made, {"/kids/0": {"name": "a", "kids": [{"name": 3, "kids": []}]}})


@pytest.mark.parametrize(
    ("schema", "data", "form"),
    [
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, 1, "integer or string"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, '"...": integer'),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [1, "b"], "[integer, string]"),
        ({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}, {"a": 1}, "keys matching ^a"),
        ({"type": "string"}, "a", ""),
    ],
)
def test_a_slice_with_an_inside_shows_its_form(schema: dict[str, Any], data: Any, form: str) -> None:
    whole = {"type": "object", "properties": {"part": schema}}
    made = Slices(whole).at("/part", {"part": data}).form
    assert form in made
    assert bool(made) is bool(form)


_CONDITIONS: list[dict[str, Any]] = [
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
    {"dependentRequired": {"a": ["b"]}},
    {"dependentSchemas": {"a": {"required": ["b"]}}},
    {"not": {"required": ["a"]}},
    {"patternProperties": {"^x": {"type": "string"}}},
    {"propertyNames": {"maxLength": 3}},
    {"contains": {"type": "integer"}},
    {"additionalProperties": {"type": "string"}, "type": "object", "properties": {"a": {"type": "string"}}},
]


@_some
@given(st.data(), st.sampled_from(_CONDITIONS))
def test_what_no_exact_form_says_is_never_sent_as_exact(data: st.DataObject, condition: dict[str, Any]) -> None:
    schema = copy.deepcopy(data.draw(SCHEMAS))
    places = [part for way, part in walk(schema) if way[:1] != ("$defs",)]
    data.draw(st.sampled_from(places)).update(condition)
    for dialect in get_args(Dialect):
        assert form(schema, dialect)[1] is False
