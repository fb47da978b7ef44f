"""Finding one's way in a JSON Schema: the part of it that governs a place in a value, and its unions."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from assay.data.pointer import Token, look, split
from assay.schema.keywords import UNIONS
from assay.types import JSON, JSONObject


def resolve(schema: JSON, root: JSONObject) -> JSONObject:
    """The schema with its reference followed, and what of `allOf` says its form merged. A boolean schema becomes an object."""
    return _merged(_followed(schema, root), _PARTS)


def followed(schema: JSON, root: JSONObject) -> JSONObject:
    """The schema object that a reference leads to, ignoring keywords beside the reference."""
    for _ in range(_LINKS):
        if not isinstance(schema, dict) or not isinstance(ref := schema.get("$ref"), str):
            break
        schema = _target(ref, root)
    return _object(schema)


def _followed(schema: JSON, root: JSONObject) -> JSONObject:
    for _ in range(_LINKS):
        if not isinstance(schema, dict) or not isinstance(ref := schema.get("$ref"), str):
            break
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = _object(_target(ref, root))
        schema = {**target, **beside} if beside else target
    return _object(schema)


_LINKS = 64
"""References to references that are followed."""


def _target(ref: str, root: JSONObject) -> JSON:
    return look(root, split(unquote(ref[1:]))) if ref.startswith("#") else None


def _object(schema: JSON) -> JSONObject:
    if isinstance(schema, dict):
        return schema
    return {"not": {}} if schema is False else {}


def _merged(schema: JSONObject, room: int) -> JSONObject:
    if "allOf" not in schema:
        return schema
    whole = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"] if room else ():
        for key, value in _merged(_object(part), room - 1).items():
            if key == "properties":
                whole[key] = {**value, **whole.get(key, {})}
            elif key == "required":
                whole[key] = [*whole.get(key, ()), *value]
            elif key not in _CONDITIONS:
                whole.setdefault(key, value)
    return whole


_PARTS = 16
"""`allOf` within `allOf` that is merged."""
_CONDITIONS = {*UNIONS, "$ref", "not", "if", "then", "else"}
"""What under `allOf` demands something of a value, and does not say its form."""


def branches(schema: JSONObject) -> list[JSON]:
    """The alternatives of a union schema; empty when it is not a union."""
    options: list[JSON] = schema.get("anyOf") or schema.get("oneOf") or []
    return options


def alternatives(schema: JSON, root: JSONObject) -> list[JSONObject]:
    """The resolved schemas that a union comes down to, unions within it followed; the schema itself when it is not a union."""
    found: list[JSONObject] = []
    met: set[str | int] = set()
    ahead = [schema]
    while ahead:
        part = ahead.pop()
        name = part.get("$ref", id(part)) if isinstance(part, dict) else id(part)
        if name not in met:
            met.add(name)
            here = resolve(part, root)
            options = branches(here)
            ahead += reversed(options)
            found += [] if options else [here]
    return found


def govern(schema: JSON, value: JSON, root: JSONObject) -> JSONObject:
    """The resolved schema for this value: of a union, the alternative that the value fits best."""
    whole = resolve(schema, root)
    if not branches(whole):
        return whole
    beside = {key: part for key, part in whole.items() if key not in _UNION}
    options = alternatives(whole, root) or [{}]
    best = max(options, key=lambda option: fit(option, value, root))
    return {**beside, **best}


_UNION = {*UNIONS, "discriminator", "default"}


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
    """How well a value's outside fits a resolved schema that is not a union: its type, its tags, its keys. More is better."""
    if "const" in schema:
        return 40 if schema["const"] == value else -10
    if "enum" in schema:
        return 40 if value in schema["enum"] else (1 if json_type(value) in types_of(schema) else -10)
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


def accepts_null(schema: JSON, root: JSONObject) -> bool:
    """Whether null is a value of the schema."""
    return any(map(_takes_null, alternatives(schema, root)))


def _takes_null(schema: JSONObject) -> bool:
    if "const" in schema or "enum" in schema:
        return None in schema.get("enum", [schema.get("const", 0)])
    types = types_of(schema)
    return "null" in types or (not types and "properties" not in schema and schema != {"not": {}})


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


def type_of(value: JSON) -> str:
    """The JSON Schema type of a value; `integer` for whole numbers, as 3.0 is one."""
    return "integer" if isinstance(value, float) and value.is_integer() else json_type(value)
