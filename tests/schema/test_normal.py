"""The plain form: one dialect, references that hold, what holds at once in one schema; and the verdict that stays jsonschema's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from assay import JSONSchema
from assay.errors import SchemaError
from assay.schema.keywords import KEYWORDS, references, walk
from assay.schema.normal import normal
from assay.schema.passes import form
from assay.target.build import Target, target
from assay.target.problems import Invalid

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
D3, D4, D7 = (f"http://json-schema.org/draft-0{n}/schema#" for n in (3, 4, 7))
D2019 = "https://json-schema.org/draft/2019-09/schema"


def takes(made: Target[Any], data: Any) -> bool:
    try:
        made.validate(data if made.wrapper is None else {made.wrapper: data})
    except Invalid as invalid:
        assert invalid.problems
        return False
    return True


BASE = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
SIDED = {
    "$ref": "#/$defs/base",
    "properties": {"age": NUMBER},
    "required": ["age"],
    "$defs": {"base": BASE},
}


def test_what_stands_beside_a_reference_counts() -> None:
    made = target(SIDED)
    assert [takes(made, data) for data in ({"name": "a"}, {"name": "a", "age": "x"}, {"name": "a", "age": 1})] == [
        False,
        False,
        True,
    ]
    assert made.json_schema["properties"] == {"age": NUMBER, "name": TEXT}
    assert set(made.json_schema["required"]) == {"name", "age"}


def test_what_stands_beside_a_nested_reference_is_sent_with_it() -> None:
    inner = {key: value for key, value in SIDED.items() if key != "$defs"}
    made = target({"type": "object", "properties": {"who": inner}, "$defs": SIDED["$defs"]})
    for dialect in ("plain", "nullable", "strict", "llama.cpp"):
        assert "'age'" in str(form(made.json_schema, dialect)) and "'name'" in str(form(made.json_schema, dialect))


@pytest.mark.parametrize("draft", [D4, D7])
def test_what_stands_beside_a_reference_does_not_count_in_older_drafts(draft: str) -> None:
    schema = {**SIDED, "$schema": draft, "$ref": "#/definitions/base", "definitions": {"base": BASE}}
    made = target(schema)
    assert takes(made, {"name": "a"})
    assert made.json_schema["properties"] == {"name": TEXT}


WAYS = {
    "by $id": ({"$ref": "item.json"}, {"$id": "http://x.test/root.json", "$defs": {"i": {"$id": "item.json", **TEXT}}}),
    "by absolute $id": ({"$ref": "urn:i"}, {"$defs": {"i": {"$id": "urn:i", **TEXT}}}),
    "by anchor": ({"$ref": "#here"}, {"$defs": {"i": {"$anchor": "here", **TEXT}}}),
    "by dynamic anchor": ({"$dynamicRef": "#here"}, {"$defs": {"i": {"$dynamicAnchor": "here", **TEXT}}}),
    "into a property": ({"$ref": "#/$defs/box/properties/w"}, {"$defs": {"box": {"properties": {"w": TEXT}}}}),
    "with a space": ({"$ref": "#/$defs/my%20type"}, {"$defs": {"my type": TEXT}}),
    "with escapes": ({"$ref": "#/%24defs/a~1b"}, {"$defs": {"a/b": TEXT}}),
    "into another key": ({"$ref": "#/components/x"}, {"components": {"x": TEXT}}),
    "of draft 4": (
        {"$ref": "http://x.test/r#i"},
        {"$schema": D4, "id": "http://x.test/r", "definitions": {"i": {"id": "#i", **TEXT}}},
    ),
    "of draft 7": ({"$ref": "#/definitions/box/items/0"}, {"$schema": D7, "definitions": {"box": {"items": [TEXT]}}}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("union", [False, True])
def test_references_of_every_kind_hold(way: str, union: bool) -> None:
    ref, around = WAYS[way]
    made = target({"type": "object", "properties": {"a": {"anyOf": [ref, {"type": "null"}]} if union else ref}, **around})
    assert takes(made, {"a": "x"})
    assert not takes(made, {"a": 1})
    assert all(ref.startswith("#/$defs/") for _, ref in references(made.json_schema))
    assert "string" in str(form(made.json_schema, "plain")[0]["properties"]["a"])


@pytest.mark.parametrize(("to", "good"), [(True, True), (False, False)])
def test_a_reference_may_lead_to_a_boolean(to: bool, good: bool) -> None:
    made = target({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": to}})
    assert takes(made, {"a": 1}) is good


def test_roots_that_refer_to_themselves_and_old_generators_nodes() -> None:
    for ref in ({"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"$recursiveRef": "#"}):
        schema = {"$schema": D2019, "type": "object", "properties": {"name": TEXT, "kid": ref}, "required": ["name"]}
        made = target(schema)
        assert takes(made, {"name": "a", "kid": {"name": "b", "kid": {"name": "c"}}})
        assert not takes(made, {"name": "a", "kid": {"name": "b", "kid": {}}})
        assert made.worked_example()
        listed = target({**schema, "type": "array", "items": ref, "properties": {}, "required": []})
        assert takes(listed, [[], [[]]])


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"$ref": "#"}, "itself"),
        ({"$anchor": "a", "anyOf": [TEXT, {"$ref": "#a"}]}, "itself"),
        ({"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}]}, "itself"),
        ({"$schema": D2019, "anyOf": [TEXT, {"$recursiveRef": "#"}]}, "itself"),
        ({"$id": "http://x.test/a", "not": {"$ref": "http://x.test/a"}}, "itself"),
        ({"dependentSchemas": {"a": {"$ref": "#"}}}, "itself"),
        ({"oneOf": [{"$ref": "#/$defs/dog"}], "$defs": {"dog": {"allOf": [{"$ref": "#"}]}}}, "itself"),
        ({"$ref": "#/$defs/no"}, "it does not exist"),
        ({"items": {"$ref": "#nowhere"}}, "it does not exist"),
        ({"items": {"$ref": "other.json"}}, "nothing is fetched"),
        ({"items": {"$ref": "http://x.test/other.json#/a"}}, "nothing is fetched"),
        ({"$ref": "#/x", "x": "text"}, "is not a schema"),
        ({"$schema": 1}, "not a known JSON Schema draft"),
        ({"$schema": "http://x.test/mine"}, "not a known JSON Schema draft"),
        ({"type": "strin"}, "is not a JSON Schema"),
        ({"pattern": "(["}, "pattern"),
    ],
)
def test_what_is_no_schema_says_why(schema: dict[str, Any], word: str) -> None:
    with pytest.raises(SchemaError, match=word):
        target(JSONSchema(schema))


def nested(depth: int, key: str = "items") -> dict[str, Any]:
    schema: dict[str, Any] = dict(TEXT)
    for _ in range(depth):
        schema = {key: [schema, schema] if key == "allOf" else schema}
    return schema


@pytest.mark.parametrize("schema", [nested(300), nested(5000), nested(18, "allOf"), {"enum": [nested(400)]}])
def test_what_can_not_be_checked_in_bounded_work_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"deep|doubles"):
        target(JSONSchema(schema))


@pytest.mark.parametrize("address", ["https://json-schema.org/draft-07/schema", "http://json-schema.org/draft-07/schema"])
def test_a_draft_is_known_by_every_spelling_of_its_address(address: str) -> None:
    made = target({"$schema": address, "$id": "http://x.test/a", "type": "array", "items": [TEXT, NUMBER]})
    assert takes(made, ["a", 1])
    assert not takes(made, ["a", "b"])


OLD = [
    (D4, {"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
    (D4, {"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
    (D7, {"items": [TEXT], "additionalItems": False}, {"prefixItems": [TEXT], "items": False}),
    (D7, {"dependencies": {"a": ["b"], "c": TEXT}}, {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": TEXT}}),
    (D3, {"divisibleBy": 2}, {"multipleOf": 2}),
    (D3, {"type": ["string", {"type": "integer"}]}, {"anyOf": [TEXT, NUMBER]}),
    (D3, {"type": "any"}, {}),
    (D3, {"disallow": "string"}, {"not": TEXT}),
    (D3, {"properties": {"a": {"required": True, **TEXT}}}, {"properties": {"a": TEXT}, "required": ["a"]}),
    (D3, {"extends": {"properties": {"a": TEXT}}, "properties": {"b": NUMBER}}, {"properties": {"b": NUMBER, "a": TEXT}}),
]


@pytest.mark.parametrize(("draft", "old", "new"), OLD)
def test_older_words_are_said_in_the_newest(draft: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    before = copy.deepcopy(old)
    made = target({"$schema": draft, "type": "object", "properties": {"a": old}}).json_schema
    assert made["properties"]["a"] == new
    assert old == before


BOTH = [
    ({"allOf": [{"type": ["string", "null"]}, TEXT]}, TEXT),
    ({"allOf": [{"minimum": 1}, {"minimum": 3, "type": "integer"}]}, {"minimum": 3, "type": "integer"}),
    ({"enum": ["a", 1, 2], "type": "integer"}, {"enum": [1, 2], "type": "integer"}),
    ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {"enum": ["b"]}),
    ({"allOf": [{"pattern": "a"}, {"pattern": "b"}]}, {"pattern": "a", "allOf": [{"pattern": "b"}]}),
    ({"description": "d", "allOf": [{"$ref": "#/$defs/t"}]}, {"description": "d", "$ref": "#/$defs/t"}),
    ({"type": "object", "properties": {"a": TEXT}, "oneOf": [{"properties": {"b": NUMBER}}, {"properties": {"c": NUMBER}}]},
     {"oneOf": [{"type": "object", "properties": {"a": TEXT, "b": NUMBER}}, {"type": "object", "properties": {"a": TEXT, "c": NUMBER}}]}),
    ({**BASE, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {**BASE, "allOf": [{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}]}),
    ({"anyOf": [TEXT, False]}, TEXT),
    ({"anyOf": [False, False]}, False),
]  # fmt: skip


@pytest.mark.parametrize(("given", "one"), BOTH)
def test_what_holds_at_once_is_one_schema(given: dict[str, Any], one: Any) -> None:
    assert normal({"properties": {"a": given}, "$defs": {"t": TEXT}})["properties"]["a"] == one


def test_two_recursive_types_at_once_end() -> None:
    a = {"type": "object", "properties": {"kid": {"$ref": "#/$defs/A"}, "a": TEXT}}
    b = {"type": "object", "properties": {"kid": {"$ref": "#/$defs/B"}, "b": TEXT}}
    made = normal({"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}], "$defs": {"A": a, "B": b}})
    both = made["$defs"]["A_and_B"]
    assert both["properties"].keys() == {"kid", "a", "b"}
    assert both["properties"]["kid"] == {"$ref": "#/$defs/A_and_B"}


def test_the_plain_form_knows_only_the_newest_words() -> None:
    schema = {"$schema": D4, "id": "http://x.test/a", "type": "object", "definitions": {"x": TEXT}, "properties": {
        "id": {"$ref": "#/definitions/x"}, "b": {"items": [{"dependencies": {"a": ["b"]}}]}}}  # fmt: skip
    made = target(schema).json_schema
    assert made["properties"]["id"] == {"$ref": "#/$defs/x"}
    gone = {"id", "$id", "$schema", "$anchor", "definitions", "dependencies", "additionalItems", "$dynamicRef", "$recursiveRef"}
    for _, part in walk(made):
        assert part.keys() <= KEYWORDS.keys() - gone
