"""Types whose JSON is not an object travel as the only value of one: most servers demand an object at the root."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from assay.schema.navigate import resolve
from assay.types import JSONObject


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
    """The schema, in its plain form, of an object whose only value is of this schema."""
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    aside = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    whole = {"type": "object", "properties": {wrapper: inner}, "required": [wrapper], "additionalProperties": False}
    return {**aside, **whole}
