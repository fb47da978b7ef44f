"""Finding one's way in a JSON Schema: the part of it that governs a place in a value, and its unions."""

from __future__ import annotations

from collections.abc import Sequence

from assay.data.pointer import Token, look, split
from assay.schema.keywords import DEFINITIONS
from assay.types import JSON, JSONObject


def resolve(schema: JSON, root: JSONObject) -> JSONObject:
    """The schema with its own `$ref`s into `root` followed and its `allOf` merged. A boolean schema becomes an object."""
    if not isinstance(schema, dict):
        return {} if schema is not False else {"not": {}}
    seen: set[str] = set()
    while isinstance(ref := schema.get("$ref"), str) and ref.startswith("#") and ref not in seen:
        seen.add(ref)
        beside = {k: v for k, v in schema.items() if k != "$ref"}
        target = look(root, split(ref[1:]))
        schema = {**target, **beside} if isinstance(target, dict) else beside
    return _merged(schema, root) if "allOf" in schema else schema


def _merged(schema: JSONObject, root: JSONObject) -> JSONObject:
    parts = [{k: v for k, v in schema.items() if k != "allOf"}, *(resolve(part, root) for part in schema["allOf"])]
    whole: JSONObject = {}
    for part in parts:
        for key, value in part.items():
            if key in ("properties", *DEFINITIONS):
                whole[key] = {**whole.get(key, {}), **value}
            elif key == "required":
                whole[key] = [*whole.get(key, ()), *value]
            else:
                whole.setdefault(key, value)
    return whole


def branches(schema: JSONObject) -> list[JSON]:
    """The alternatives of a union schema; empty when it is none."""
    options: list[JSON] = schema.get("anyOf") or schema.get("oneOf") or []
    return options


def govern(schema: JSON, value: JSON, root: JSONObject) -> JSONObject:
    """The resolved schema for this value: of a union, the branch that the value fits best."""
    found = resolve(schema, root)
    for _ in range(_DEPTH):
        options = [resolve(option, root) for option in branches(found)]
        if not options:
            break
        beside = {key: part for key, part in found.items() if key not in _UNION}
        best: JSONObject = max(options, key=lambda option: fit(option, value, root))
        found = {**beside, **best}
    return found


_UNION = {"anyOf", "oneOf", "discriminator", "default"}
_DEPTH = 16
"""Unions within unions that are followed; a recursive alias of unions alone would never end."""


def child(schema: JSONObject, token: Token) -> JSON:
    """The schema of one key or position of a governed value, unresolved; None when nothing governs it."""
    properties = schema.get("properties", {})
    if token in properties:
        return properties[token]
    if str(token).isdecimal() and ("items" in schema or "prefixItems" in schema):
        prefix, rest = positions(schema), schema.get("items")
        return prefix[int(token)] if int(token) < len(prefix) else (rest if isinstance(rest, dict) else None)
    extra = schema.get("additionalProperties")
    return extra if isinstance(extra, dict) else None


def positions(schema: JSONObject) -> list[JSON]:
    """The schemas of an array's first items, one by one: `prefixItems`, in older drafts a list of `items`."""
    items = schema.get("items")
    found: list[JSON] = schema.get("prefixItems") or (items if isinstance(items, list) else [])
    return found


def at(root: JSONObject, tokens: Sequence[Token], data: JSON) -> JSON:
    """The schema, unresolved, that governs a place in `data`; None when the schema says nothing about it."""
    schema: JSON = root
    for token in tokens:
        if schema is None:
            return None
        schema = child(govern(schema, data, root), token)
        data = look(data, (token,))
    return schema


def fit(schema: JSONObject, value: JSON, root: JSONObject) -> int:
    """How well a value's outside fits a resolved schema: its type, its tags, its keys. More is better."""
    if "const" in schema:
        return 40 if schema["const"] == value else -10
    if "enum" in schema:
        return 40 if value in schema["enum"] else (1 if json_type(value) in types_of(schema) else -10)
    if branches(schema):
        return max(fit(resolve(option, root), value, root) for option in branches(schema))
    types = types_of(schema)
    if types and json_type(value) not in types and not (json_type(value) == "integer" and "number" in types):
        return -10
    if isinstance(value, dict):
        return 10 + _object_fit(schema, value, root)
    return 10 if types else 5


def _object_fit(schema: JSONObject, value: JSONObject, root: JSONObject) -> int:
    score = 0
    properties = schema.get("properties", {})
    for key, item in value.items():
        if key not in properties:
            score -= 1
            continue
        field = resolve(properties[key], root)
        allowed = field.get("enum", [field["const"]] if "const" in field else None)
        score += 1 if allowed is None else (20 if item in allowed else -20)
    return score - sum(2 for key in schema.get("required", ()) if key not in value)


def types_of(schema: JSONObject) -> tuple[str, ...]:
    """The types that a schema names; none when it does not."""
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def json_type(value: JSON) -> str:
    """JSON Schema's word for the type of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
