"""The form of a JSON Schema for llama.cpp and llguidance grammars: closed objects, nothing that turns a grammar off.

llguidance silently drops the whole grammar when it meets some keywords, so these are taken out; what they demand is
left to validation.
"""

from __future__ import annotations

import re

from assay.types import JSON, JSONObject

_DROPPED = {"uniqueItems", "propertyNames", "not", "if", "then", "else", "contains", "patternProperties", "dependentRequired"}
_DROPPED |= {"dependentSchemas", "unevaluatedProperties", "title", "default", "examples", "$schema", "$id", "description"}
_DROPPED |= {"minContains", "maxContains", "discriminator", "minProperties", "maxProperties", "unevaluatedItems", "$comment"}
_FORMATS = {"date", "date-time", "time", "uuid"}
_LOOK_AROUND = re.compile(r"\(\?[=!<]")
_NAMED = ("properties", "$defs", "definitions")


def llama_form(schema: JSONObject) -> JSONObject:
    """The schema as a grammar can enforce it; what it allows beyond the original, validation refuses."""
    form: JSONObject = {}
    for key, value in schema.items():
        if key in _DROPPED or (key == "format" and value not in _FORMATS):
            continue
        if key == "pattern" and _LOOK_AROUND.search(str(value)):
            continue
        form["anyOf" if key == "oneOf" else key] = _inside(key, value)
    if "properties" in form:
        form.setdefault("additionalProperties", False)
    return form


def _inside(key: str, value: JSON) -> JSON:
    if key in _NAMED and isinstance(value, dict):
        return {name: _part(part) for name, part in value.items()}
    if key in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
        return [_part(part) for part in value]
    return llama_form(value) if isinstance(value, dict) and key in ("items", "additionalProperties") else value


def _part(schema: JSON) -> JSON:
    return llama_form(schema) if isinstance(schema, dict) else schema
