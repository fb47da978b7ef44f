"""The forms that Anthropic and Gemini take: what stays, what goes, and what has no such form."""

from __future__ import annotations

from typing import Any

import pytest

from assay.schema.passes import form
from assay.types import JSONObject


def an_object(required: list[str] | None = None, **properties: Any) -> JSONObject:
    return {"type": "object", "properties": properties, "required": required or []}


def optional(count: int) -> JSONObject:
    return an_object(**{f"f{n}": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None} for n in range(count)})


def anthropic(schema: JSONObject) -> tuple[Any, bool]:
    return form(schema, "anthropic")


def test_anthropics_optional_fields_stay_optional_without_their_null() -> None:
    schema = an_object(
        ["name", "maybe"],
        name={"type": "string", "minLength": 3, "pattern": "^A"},
        maybe={"anyOf": [{"type": "integer"}, {"type": "null"}]},
        note={"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None, "description": "When."},
        kept={"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 5},
        tags={"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 9},
        kind={"oneOf": [{"const": "a"}, {"const": "b"}]},
    )
    sent, exact = anthropic(schema)
    assert exact
    assert sent["required"] == ["name", "maybe"]
    assert sent["additionalProperties"] is False
    assert sent["properties"] == {
        "name": {"type": "string"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "note": {"type": "string", "format": "date", "description": "When."},
        "kept": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "tags": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "kind": {"anyOf": [{"const": "a"}, {"const": "b"}]},
    }


def test_anthropics_limits() -> None:
    assert anthropic(optional(24))[1]
    assert not anthropic(optional(25))[1]
    unions = {f"f{n}": {"anyOf": [{"type": "string"}, {"type": "integer"}]} for n in range(17)}
    assert not anthropic(an_object(list(unions), **unions))[1]


TREE = {"$ref": "#/$defs/Tree", "$defs": {"Tree": an_object(next={"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]})}}


@pytest.mark.parametrize(
    "schema",
    [
        an_object(free={"type": "object", "additionalProperties": {"type": "string"}}),
        an_object(any={}),
        an_object(pair={"type": "array", "prefixItems": [{"type": "string"}]}),
        {**an_object(tree={"$ref": "#/$defs/Tree"}), "$defs": TREE["$defs"]},
    ],
)
def test_what_anthropic_has_no_form_for(schema: JSONObject) -> None:
    assert not anthropic(schema)[1]


def test_geminis_keywords() -> None:
    schema = {
        **an_object(
            ["kind", "place"],
            kind={"const": "a"},
            size={"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
            name={"type": "string", "pattern": "^A", "minLength": 2},
            place={"$ref": "#/definitions/Place"},
            other={"$ref": "#/definitions/Place"},
        ),
        "definitions": {"Place": {**an_object(["city"], city={"type": "string"}), "patternProperties": {"^x": {}}}},
    }
    sent, exact = form(schema, "gemini")
    assert not exact
    assert sent["properties"]["kind"]["enum"] == ["a"]
    text = str(sent)
    for keyword in ("const", "pattern", "exclusiveMaximum", "multipleOf", "minLength", "definitions", "patternProperties"):
        assert f"'{keyword}'" not in text
    assert sent["properties"]["place"] == {"$ref": "#/$defs/Place"}
    assert sent["$defs"]["Place"]["required"] == ["city"]
    assert "minimum" in text
