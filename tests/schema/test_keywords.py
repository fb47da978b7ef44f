"""The one table of keywords: all of the drafts' are in it, and what is data is never taken for a schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_specifications import REGISTRY

from assay.schema.keywords import KEYWORDS, Holds, parts, rebuild, references, walk
from assay.schema.llama import bounded, llama_form
from assay.target.build import target

METASCHEMAS = sorted(REGISTRY)


def _called(part: Any) -> Any:
    return {"title": "met", **part} if isinstance(part, dict) else part


@pytest.mark.parametrize("uri", METASCHEMAS)
def test_every_keyword_of_every_draft_is_in_the_table(uri: str) -> None:
    known = set(REGISTRY.contents(uri).get("properties", {}))
    assert known - KEYWORDS.keys() <= {"$defs", "format-assertion", "format-annotation"}


SCHEMA = {"type": "string"}
HOLDING = [(name, holds) for name, holds in sorted(KEYWORDS.items()) if holds]
DATA = sorted(name for name, holds in KEYWORDS.items() if not holds)


@pytest.mark.parametrize(("name", "holds"), HOLDING)
def test_schemas_are_found_and_changed_in_every_form_that_a_keyword_takes(name: str, holds: Holds) -> None:
    forms: dict[Holds, Any] = {Holds.SCHEMA: SCHEMA, Holds.LIST: [SCHEMA, "a"], Holds.MAP: {"enum": SCHEMA, "b": ["c"]}}
    for value in (value for form, value in forms.items() if form in holds):
        assert [part for _, part in walk({name: value})][1:] == [SCHEMA]
        assert "met" in str(rebuild({name: value}, _called))


@pytest.mark.parametrize("name", [*DATA, "x-unknown"])
def test_data_is_never_walked(name: str) -> None:
    for value in ({"$ref": "#/x"}, [{"$ref": "#/x"}], {"a": {"$ref": "#/x"}}):
        outer = {"properties": {"a": {name: value}}}
        assert list(references(outer)) == []
        assert rebuild(outer, _called) == {"properties": {"a": {"title": "met", name: value}}}


def test_lists_of_names_are_no_schemas() -> None:
    assert list(parts({"type": ["string", "null"], "dependencies": {"a": ["b"]}, "required": ["a"]})) == []


@pytest.mark.parametrize("keyword", ["enum", "const", "default", "examples"])
def test_a_reference_that_is_data_stays_when_a_schema_is_wrapped(keyword: str) -> None:
    data = {"$ref": "#/x"} if keyword in ("const", "default") else [{"$ref": "#/x"}]
    made = target({"type": "array", "items": {keyword: data}}).json_schema
    assert made["properties"]["items"]["items"] == {keyword: data}


@pytest.mark.parametrize("items", [{"items": [SCHEMA | {"format": "uri"}]}, {"prefixItems": [SCHEMA | {"format": "uri"}]}])
def test_the_llama_form_reaches_into_tuples_of_every_draft(items: dict[str, Any]) -> None:
    inner = {"type": "array", "uniqueItems": True, **items}
    tuples = {"type": "array", "items": [inner, {"type": "object", "patternProperties": {"a": SCHEMA}, "properties": {}}]}
    text = str(llama_form(tuples))
    assert "uniqueItems" not in text
    assert "patternProperties" not in text
    assert "uri" not in text


def test_bounds_reach_every_string() -> None:
    schema = {"type": "object", "properties": {"a": {"items": [SCHEMA]}, "b": {"not": SCHEMA}, "c": {"oneOf": [SCHEMA]}}}
    assert str(bounded(schema, characters=9, items=2)).count("'maxLength': 9") == 3
