"""The form of a JSON Schema for llama.cpp and llguidance grammars: closed objects, without keywords that turn a grammar off.

llguidance silently drops the whole grammar when it meets some keywords, so these are taken out; what they demand is
left to validation.
"""

from __future__ import annotations

import re

from assay.schema.keywords import MARKERS, changed, rebuild
from assay.schema.navigate import types_of
from assay.schema.required import Required
from assay.types import JSON, JSONObject

_DROPPED = {"uniqueItems", "propertyNames", "not", "if", "then", "else", "contains", "patternProperties", "dependentRequired"}
_DROPPED |= {"dependentSchemas", "unevaluatedProperties", "title", "default", "examples", "$schema", "$id", "description"}
_DROPPED |= {
    "allOf",
    "minContains",
    "maxContains",
    "discriminator",
    "minProperties",
    "maxProperties",
    "unevaluatedItems",
    "$comment",
}
_DROPPED |= MARKERS
_FORMATS = {"date", "date-time", "time", "uuid"}


def llama_form(schema: JSONObject) -> JSONObject:
    """The schema as a grammar can enforce it; what it allows beyond the original, validation refuses."""
    return _closed(Required(schema).schema)


def _closed(schema: JSONObject) -> JSONObject:
    form: JSONObject = {}
    for key, value in schema.items():
        if key in _DROPPED or (key == "format" and value not in _FORMATS) or (key == "pattern" and not portable(value)):
            continue
        form["anyOf" if key == "oneOf" else key] = changed(key, value, _part)
    if "patternProperties" in schema:  # which keys get which values cannot be said: each may get any of them
        free = [schema.get("additionalProperties", True), *schema["patternProperties"].values()]
        kinds = [_part(part) for part in free if part is not False]
        form["additionalProperties"] = True if True in kinds else kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if form.get("properties"):
        form.setdefault("additionalProperties", False)
    elif form.get("additionalProperties") is False:
        del form["additionalProperties"]
    return form


def _part(schema: JSON) -> JSON:
    return _closed(schema) if isinstance(schema, dict) else schema


def portable(pattern: str) -> bool:
    """Whether servers' grammars take a pattern: no looking around, no references back, no flags, no classes by property."""
    return not _OWN.search(pattern)


_OWN = re.compile(r"\(\?(?!:)|\\[1-9kpPbBAZzG]|[*+?}]\+")


def bounded(schema: JSONObject, *, characters: int, items: int) -> JSONObject:
    """The schema with a bound on each string and list that has none of its own."""
    form = rebuild(schema, lambda part: bounded(part, characters=characters, items=items) if isinstance(part, dict) else part)
    types = types_of(schema)
    if "string" in types and not schema.keys() & {"enum", "const", "pattern", "format", "maxLength"}:
        form["maxLength"] = max(characters, schema.get("minLength", 0))
    if "array" in types and not schema.keys() & {"enum", "const", "prefixItems", "maxItems"}:
        form["maxItems"] = max(items, schema.get("minItems", 0))
    return form
