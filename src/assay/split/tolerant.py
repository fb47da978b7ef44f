"""The schema that a piece is asked with: the target's, with everything nullable and no least number of anything."""

from __future__ import annotations

from assay.schema.keywords import rebuild
from assay.types import JSON, JSONObject

_LEAST = frozenset(
    {"minItems", "minProperties", "minLength", "minContains", "contains", "required", "dependentRequired", "dependencies"}
    | {"dependentSchemas", "if", "then", "else", "not", "unevaluatedProperties", "default"}
)
"""What a piece need not meet: the whole has to."""


def tolerant(schema: JSONObject) -> JSONObject:
    """A schema that what one piece says of a value fits."""
    changed: JSONObject = _loose(schema)
    return changed


def _loose(schema: JSON) -> JSON:
    if not isinstance(schema, dict):
        return schema
    loose = rebuild(schema, _loose)
    discriminators = _constants(loose)
    kept = {key: value for key, value in loose.items() if key not in _LEAST}
    if discriminators:
        kept["required"] = discriminators
    if "oneOf" in kept:  # with nulls more than one may fit
        kept["anyOf"] = kept.pop("oneOf")
    if isinstance(properties := kept.get("properties"), dict):
        kept["properties"] = {name: part if name in discriminators else _nullable(part) for name, part in properties.items()}
    if isinstance(values := kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = _nullable(values)
    return kept


def _constants(schema: JSONObject) -> list[str]:
    """The properties that tell the members of a union apart."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return []
    return [name for name in schema.get("required", ()) if isinstance(part := properties.get(name), dict) and "const" in part]


def _nullable(schema: JSON) -> JSON:
    if not isinstance(schema, dict) or _takes_null(schema):
        return schema
    if isinstance(kind := schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    outer = {key: schema[key] for key in ("description", "title") if key in schema}
    return {**outer, "anyOf": [{key: value for key, value in schema.items() if key not in outer}, {"type": "null"}]}


def _takes_null(schema: JSONObject) -> bool:
    kind = schema.get("type")
    if kind == "null" or (isinstance(kind, list) and "null" in kind) or not schema:
        return True
    return any(isinstance(option, dict) and _takes_null(option) for option in schema.get("anyOf", ()) if option)
