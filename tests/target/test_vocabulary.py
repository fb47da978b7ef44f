"""Keywords that are checked otherwise than jsonschema does: the same verdicts, at the right place, with every pattern read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator, Draft202012Validator

from assay.target.build import target
from assay.target.problems import Invalid
from assay.types import Problem

_LETTERS: dict[str, Any] = {r"^\p{L}+$": {"type": "integer"}}
_OLD = "http://json-schema.org/draft-07/schema#"


def problems(schema: dict[str, Any], data: Any) -> list[Problem]:
    try:
        target({"type": "object", **schema}).validate(data)
    except Invalid as invalid:
        return list(invalid.problems)
    return []


@pytest.mark.parametrize(
    "draft", ["https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema"]
)
@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": _LETTERS, "unevaluatedProperties": False},
        {"patternProperties": _LETTERS, "additionalProperties": False},
        {"allOf": [{"patternProperties": _LETTERS}], "unevaluatedProperties": False},
        {"$ref": "#/$defs/b", "unevaluatedProperties": False, "$defs": {"b": {"patternProperties": _LETTERS}}},
        {"dependentSchemas": {"ä": {"patternProperties": _LETTERS}}, "unevaluatedProperties": False},
        {"if": {"patternProperties": _LETTERS}, "unevaluatedProperties": False},
        {"anyOf": [False, {"patternProperties": _LETTERS}], "unevaluatedProperties": False},
    ],
)
def test_a_pattern_that_python_does_not_read_says_which_keys_are_known(draft: str, schema: dict[str, Any]) -> None:
    assert problems({"$schema": draft, **schema}, {"ä": 1}) == []
    assert [(p.path, p.kind) for p in problems({"$schema": draft, **schema}, {"ä": 1, "b2": 1})] == [("/b2", "extra")]


def test_a_key_that_is_left_over_is_checked_where_it_stands() -> None:
    found = problems({"properties": {"a": True}, "unevaluatedProperties": {"type": "string"}}, {"a": 1, "b": 2})
    assert [(p.path, p.want) for p in found] == [("/b", "a string")]


@pytest.mark.parametrize(
    ("schema", "data", "paths"),
    [
        ({"properties": {"a": False}}, {"a": 1}, ["/a"]),
        ({"properties": {"a": {"properties": {"b": False}}}}, {"a": {"b": 1}}, ["/a/b"]),
        ({"patternProperties": {"^a": False}}, {"ab": 1}, ["/ab"]),
        ({"allOf": [{"properties": {"a": True}, "additionalProperties": False}]}, {"b": 1}, ["/b"]),
        ({"dependentSchemas": {"a": {"properties": {"b": False}}}}, {"a": 1, "b": 1}, ["/b"]),
        ({"properties": {"a": {"items": False}}}, {"a": [1, 2]}, ["/a/0", "/a/1"]),
        ({"properties": {"a": {"prefixItems": [True, False]}}}, {"a": [1, 2]}, ["/a/1"]),
        ({"properties": {"a": {"prefixItems": [True], "items": False}}}, {"a": [1, 2]}, ["/a/1"]),
        ({"$schema": _OLD, "properties": {"a": {"items": [True], "additionalItems": False}}}, {"a": [1, 2]}, ["/a/1"]),
        ({"$schema": _OLD, "properties": {"a": {"items": True, "additionalItems": False}}}, {"a": [1, 2]}, []),
        ({"properties": {"a": {"anyOf": [False, {"items": {"type": "string"}}]}}}, {"a": [1]}, ["/a/0"]),
    ],
)
def test_what_is_forbidden_is_named_where_it_stands(schema: dict[str, Any], data: Any, paths: list[str]) -> None:
    assert [p.path for p in problems(schema, data)] == paths


_LEAVES = st.sampled_from([True, False, {"type": "integer"}, {"type": "string"}])
_KEYS = st.sampled_from(["a", "b", "c"])


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(_KEYS, _LEAVES, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b|c"]), _LEAVES, max_size=1),
            "additionalProperties": _LEAVES,
            "unevaluatedProperties": _LEAVES,
            "dependentSchemas": st.dictionaries(_KEYS, inner, max_size=1),
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


@given(
    schema=_objects(st.recursive(_LEAVES, _objects, max_leaves=4)),
    free=_LEAVES,
    data=st.dictionaries(_KEYS, st.sampled_from([1, "x"])),
)
def test_the_verdict_is_that_of_jsonschema(schema: dict[str, Any], free: Any, data: dict[str, Any]) -> None:
    whole = {"type": "object", **schema, "unevaluatedProperties": free}
    assert (problems(whole, data) == []) == Draft202012Validator(whole).is_valid(data)
    if "additionalProperties" not in str(schema) and "unevaluatedProperties" not in str(schema):
        # Where jsonschema reads the schemas that these hold in that draft as maps of names.
        older = {"$schema": Draft201909Validator.META_SCHEMA["$schema"], **whole}
        assert (problems(older, data) == []) == Draft201909Validator(older).is_valid(data)
