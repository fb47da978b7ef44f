"""Two schemas that hold for the same value, as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.schema.keywords import NOTES
from assay.schema.navigate import type_of, types_of
from assay.types import JSON, JSONObject

Join = Callable[[JSON, JSON], JSON]
"""Joins two parts; a caller may follow references in it."""

_LEAST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
_MOST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}


def merge(a: JSON, b: JSON, join: Join) -> JSON:
    """What takes the values that both take. What cannot be said in one schema stays under `allOf`."""
    if a is True or b is True or a == b:
        return b if a is True else a
    if not isinstance(a, dict) or not isinstance(b, dict):
        return False
    whole: JSONObject = {**a}
    left: JSONObject = {}
    objects = _objects(a, b, join)
    for key, value in b.items():
        if key in objects or key in NOTES or key == "allOf":
            if key in NOTES:
                whole.setdefault(key, value)
            continue
        if key not in whole:
            whole[key] = value
        elif whole[key] != value and not _together(whole, key, value, join):
            left[key] = value
    whole |= objects
    rest = [*a.get("allOf", ()), *b.get("allOf", ()), *([left] if left else [])]
    return settled(whole | ({"allOf": rest} if rest else {}))


def _together(whole: JSONObject, key: str, value: Any, join: Join) -> bool:
    """Narrow a keyword of `whole` by another value of it; returns whether that is possible."""
    mine = whole[key]
    match key:
        case "type":
            whole[key] = _common(types_of(whole), types_of({"type": value}))
        case "required":
            whole[key] = list(dict.fromkeys([*mine, *value]))
        case "enum":
            whole[key] = [member for member in mine if member in value]
        case "items" | "contains" | "propertyNames":
            whole[key] = join(mine, value)
        case "prefixItems":
            longer = max(mine, value, key=len)
            whole[key] = [join(x, y) for x, y in zip(mine, value, strict=False)] + longer[min(len(mine), len(value)) :]
        case "uniqueItems":
            whole[key] = mine or value
        case "not":
            whole[key] = {"anyOf": [mine, value]}
        case "dependentRequired" | "dependentSchemas":
            if mine.keys() & value.keys():
                return False
            whole[key] = mine | value
        case _ if key in _LEAST:
            whole[key] = min(mine, value)
        case _ if key in _MOST:
            whole[key] = max(mine, value)
        case _ if key.startswith("x-"):
            pass
        case _:
            return False
    return True


def _common(mine: tuple[str, ...], others: tuple[str, ...]) -> JSON:
    both = [t for t in mine if t in others or (t == "integer" and "number" in others)]
    both += [t for t in others if t == "integer" and "number" in mine and t not in both]
    return both[0] if len(both) == 1 else both


def _objects(a: JSONObject, b: JSONObject, join: Join) -> JSONObject:
    """The keywords of an object's keys, which tell on each other: what one side describes, the other's free keys may refuse."""
    if not any(key in side for side in (a, b) for key in _FREE):
        return {}
    made: JSONObject = {}
    properties = {name: part for name in _names(a, b) if (part := join(_of_key(a, name), _of_key(b, name))) is not False}
    patterns: JSONObject = {**a.get("patternProperties", {})}
    for pattern, part in b.get("patternProperties", {}).items():
        patterns[pattern] = join(patterns[pattern], part) if pattern in patterns else part
    free = join(a.get("additionalProperties", True), b.get("additionalProperties", True))
    if properties or "properties" in a or "properties" in b:
        made["properties"] = properties
    if patterns:
        made["patternProperties"] = patterns
    if free is not True or "additionalProperties" in a or "additionalProperties" in b:
        made["additionalProperties"] = free
    return made


_FREE = ("properties", "patternProperties", "additionalProperties")


def _names(a: JSONObject, b: JSONObject) -> list[str]:
    return list(dict.fromkeys([*a.get("properties", {}), *b.get("properties", {})]))


def _of_key(schema: JSONObject, name: str) -> JSON:
    """What a schema says of a key: nothing for certain where a pattern may match it."""
    properties = schema.get("properties", {})
    if name in properties or "patternProperties" in schema:
        return properties.get(name, True)
    return schema.get("additionalProperties", True)


def settled(schema: JSONObject) -> JSON:
    """A merged schema without values that its types rule out; False when nothing is left."""
    types = types_of(schema)
    if "type" in schema and not types:
        return False
    if "enum" in schema:
        members = [value for value in schema["enum"] if not types or _is_of(value, types)]
        if "const" in schema:
            members = [value for value in members if value == schema["const"]]
        return {**schema, "enum": members} if members else False
    if "const" in schema and types and not _is_of(schema["const"], types):
        return False
    return schema


def _is_of(value: JSON, types: tuple[str, ...]) -> bool:
    kind = type_of(value)
    return kind in types or (kind == "integer" and "number" in types)
