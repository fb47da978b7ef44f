"""Warnings that a schema earns before it is used, and those that it does not."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from assay.target.build import target
from assay.target.lint import DEPTH_LIMIT, STRICT_ENUM_VALUES, STRICT_PROPERTIES, TOKENS_LIMIT, depth, lint, tokens
from assay.types import Profile

STRICT = Profile(dialect="strict", strict=True)


def found(type_: Any, profile: Profile | None = None) -> set[tuple[str, str]]:
    return {(finding.path, finding.rule) for finding in lint(target(type_), profile)}


class Address(BaseModel):
    street: str | None
    city: str | None


class Clean(BaseModel):
    name: str | None = None
    mood: Literal["good", "bad", "unknown"] = "unknown"
    homes: list[Address] = []
    grade: Literal["a", "b"] | None = None


def test_a_careful_model_earns_no_warning() -> None:
    assert found(Clean) == set()


class Careless(BaseModel):
    name: str
    mood: Literal["good", "bad"]
    extra: dict[str, Any] = {}
    anything: Any = None
    both: str | None


@pytest.mark.parametrize(
    "finding",
    [
        ("/properties/name", "required"),
        ("/properties/mood", "no-way-out"),
        ("/properties/extra", "untyped-dict"),
        ("/properties/anything", "untyped"),
    ],
)
def test_a_careless_model_is_warned_of(finding: tuple[str, str]) -> None:
    assert finding in found(Careless)


def test_what_is_fine_in_a_careless_model_is_not_warned_of() -> None:
    assert not [path for path, _ in found(Careless) if path.startswith("/properties/both")]


def test_an_enum_behind_a_reference_needs_a_way_out_too_unless_null_is_one() -> None:
    class Colour(Enum):
        RED = "red"
        BLUE = "blue"

    class Must(BaseModel):
        colour: Colour

    class May(BaseModel):
        colour: Literal["red", "blue"] | None

    assert "no-way-out" in {rule for _, rule in found(Must)}
    assert "no-way-out" not in {rule for _, rule in found(May)}


def test_an_optional_field_that_may_not_be_null_is_ambiguous() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}},
        "additionalProperties": False,
    }
    assert found(schema) == {("/properties/a", "optional")}


def test_depth_and_recursion() -> None:
    class Node(BaseModel):
        kids: list[Node] = []

    assert ("/$defs/Node", "recursive") in found(Node)
    assert depth(target(Node).json_schema) == 2  # the root, and the definition that it repeats
    deep: dict[str, Any] = {"type": ["string", "null"]}
    for _ in range(DEPTH_LIMIT + 1):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    assert ("", "deep") in found(deep)
    assert ("", "deep") not in found(deep["properties"]["a"])


def test_a_dear_schema_names_its_dearest_parts() -> None:
    class Dear(BaseModel):
        cheap: str | None = None
        dear: str | None = Field(None, description="long " * TOKENS_LIMIT)

    (finding,) = lint(target(Dear))
    assert finding.rule == "tokens"
    assert "the description of /properties/dear" in finding.message
    assert str(tokens(("long " * TOKENS_LIMIT).strip())) in finding.message


def test_what_strict_mode_refuses_is_said_only_for_a_strict_server() -> None:
    class Free(BaseModel):
        notes: dict[str, str] = {}

    assert found(Free) == set()
    assert found(Free, STRICT) == {("/properties/notes", "strict")}
    assert found(Clean, STRICT) == set()


def test_what_strict_mode_does_not_enforce_is_said() -> None:
    class Bound(BaseModel):
        code: Annotated[str, Field(min_length=2)] | None = None

    assert {rule for _, rule in found(Bound, STRICT)} == {"strict-keyword"}


def test_the_limits_of_strict_mode() -> None:
    wide = {"type": "object", "properties": {f"f{n}": {"type": ["integer", "null"]} for n in range(STRICT_PROPERTIES + 1)}}
    wide["required"] = list(wide["properties"])
    assert any("properties" in f.message for f in lint(wide, STRICT) if f.rule == "strict-limit")
    many = {"type": "object", "properties": {"a": {"enum": [None, *map(str, range(STRICT_ENUM_VALUES))]}}, "required": ["a"]}
    assert any("enum values" in f.message for f in lint(many, STRICT) if f.rule == "strict-limit")


def test_a_warning_reads_as_one_line() -> None:
    for finding in lint(target(Careless), STRICT):
        text = str(finding)
        assert "\n" not in text
        assert text.endswith(f"[{finding.rule}]")
