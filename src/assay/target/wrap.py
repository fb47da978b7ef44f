"""Types whose JSON is no object travel as the only value of one: most servers demand an object at the root."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from assay.data.pointer import look, split
from assay.schema.keywords import DEFINITIONS, rebuild
from assay.schema.navigate import resolve
from assay.types import JSON, JSONObject


def wrapper_for(schema: JSONObject) -> str | None:
    """The key under which a value of this schema travels; None when it is an object itself."""
    root = resolve(schema, schema)
    if root.get("type") == "object" or ("type" not in root and "properties" in root):
        return None
    return "items" if root.get("type") == "array" else "value"


def wrapped_type(type_: Any, wrapper: str, name: str) -> Any:
    """A typed dictionary whose only value is of the type."""
    wrapped = TypedDict(name, {wrapper: type_})  # type: ignore[misc]  # made at run time
    return with_config(ConfigDict(extra="forbid"))(wrapped)


def wrapped_schema(schema: JSONObject, wrapper: str) -> JSONObject:
    """The schema of an object whose only value is of this schema."""
    inner, aside = schema, {}
    if "$id" not in schema:  # else the schema stays a document of its own, within which all references hold
        to = f"#/properties/{wrapper}"
        moved = _moved(schema, to)
        aside = {key: moved[key] for key in ("$schema", *DEFINITIONS) if key in moved}
        inner = {key: value for key, value in moved.items() if key not in aside}
    whole = {"type": "object", "properties": {wrapper: inner}, "required": [wrapper], "additionalProperties": False}
    return {**aside, **whole}


def _moved(part: JSON, to: str) -> Any:
    if not isinstance(part, dict):
        return part
    moved = rebuild(part, lambda inner: _moved(inner, to))
    ref = part.get("$ref")
    if isinstance(ref, str) and (ref == "#" or ref.startswith("#/")) and not ref.startswith(_ASIDE):
        moved["$ref"] = to + ref[1:]
    return moved


_ASIDE = tuple(f"#/{key}/" for key in DEFINITIONS)


def inlined(schema: JSONObject) -> JSONObject:
    """The schema with a reference at its root replaced by what it refers to: servers want an object there."""
    ref = schema.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#/"):
        return schema
    return {**{key: value for key, value in schema.items() if key != "$ref"}, **look(schema, split(ref[1:]))}
