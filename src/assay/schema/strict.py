"""The form of a JSON Schema for strict structured output, and the way back.

OpenAI documents this form; Groq and others took it over: every property is required, every object closed, an optional field
may be null instead of missing, and keywords that such servers refuse are gone. `from_strict` leads an answer back: whatever the
strict form accepts, the original accepts after it, but for the bounds and patterns that the strict form cannot say; validation
checks those in any case.
"""

from __future__ import annotations

from assay.data.pointer import join
from assay.errors import SchemaError
from assay.schema.keywords import DEFINITIONS, Way, changed
from assay.schema.llama import portable
from assay.schema.navigate import branches, json_type, types_of
from assay.schema.required import Required
from assay.types import JSON, JSONObject


class NotStrict(SchemaError):  # noqa: N818  # a signal that the plain form is due
    """The schema allows what the strict form cannot express; `path` leads to the place in the schema."""


_KEPT = {
    "type", "description", "enum", "const", "$ref", "pattern", "format", "multipleOf", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
}  # fmt: skip
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
_NEVER = (
    "not", "if", "patternProperties", "dependentRequired", "dependentSchemas", "propertyNames", "contains", "allOf",
    "unevaluatedItems",
)  # fmt: skip


def strict_form(schema: JSONObject) -> JSONObject:
    """The strict form; raises `NotStrict` when objects have free keys or values of any type."""
    if branches(schema):
        raise NotStrict("the root is a union: a strict schema must be an object", path="")
    _check(schema, ())
    return _strict(Required(schema).schema)


def from_strict(data: JSON, schema: JSONObject) -> JSON:
    """An answer in the strict form as the original schema takes it: optional fields that are null and may not be are left out."""
    return Required(schema).undo(data)


def _check(schema: JSON, way: Way) -> None:
    """Refuse what the strict form cannot express."""
    where = join(way) or "the root"
    if not isinstance(schema, dict) or not schema.keys() & _SAYING:
        raise NotStrict(f"{where} allows any value", path=join(way))
    if "prefixItems" in schema or isinstance(schema.get("items"), list):
        raise NotStrict(f"{where} is a tuple: strict arrays must have items of one type", path=join(way))
    for key in _NEVER:
        if key in schema:
            raise NotStrict(f"{where} has {key!r}", path=join((*way, key)))
    if "$ref" not in schema and not branches(schema) and "items" not in schema and "array" in types_of(schema):
        raise NotStrict(f"{where} is an array of anything", path=join(way))
    if "object" in types_of(schema) or "properties" in schema:
        _check_keys(schema, way)
    for key in ("properties", "items", "anyOf", "oneOf", *DEFINITIONS):
        inner = schema.get(key, {})
        for step, part in (
            inner.items() if key in ("properties", *DEFINITIONS) else enumerate(inner) if isinstance(inner, list) else ()
        ):
            _check(part, (*way, key, step))
        if key == "items" and "items" in schema:
            _check(inner, (*way, key))


_SAYING = {"$ref", "anyOf", "const", "enum", "oneOf", "properties", "type"}
"""Each of these says what kind of value is allowed."""


def _check_keys(schema: JSONObject, way: Way) -> None:
    properties, where = schema.get("properties"), join(way) or "the root"
    if not properties or schema.get("additionalProperties", False) is not False:
        raise NotStrict(f"{where} has free keys", path=join(way))
    if any(name not in properties for name in schema.get("required", ())):
        raise NotStrict(f"{where} requires keys that it does not describe", path=join(way))


def _strict(schema: JSON) -> JSONObject:
    if "$ref" in schema:  # a server refuses keywords beside a reference; its description is in the prompt
        return {"$ref": schema["$ref"], **{key: changed(key, schema[key], _strict) for key in DEFINITIONS if key in schema}}
    form = {key: value for key, value in schema.items() if key in _KEPT}
    if "type" not in form and ("enum" in form or "const" in form):
        form["type"] = _types_of(form.get("enum", [form.get("const")]))
    if form.get("format") not in _FORMATS:
        form.pop("format", None)
    if not portable(form.get("pattern", "")):
        del form["pattern"]
    form |= {key: changed(key, schema[key], _strict) for key in ("anyOf", "items") if key in schema}
    if "properties" in schema:
        form |= {"type": schema.get("type", "object"), "properties": changed("properties", schema["properties"], _strict)}
        form |= {"required": list(form["properties"]), "additionalProperties": False}
    return form | {key: changed(key, schema[key], _strict) for key in DEFINITIONS if key in schema}


def _types_of(values: list[JSON]) -> str | list[str]:
    types = list(dict.fromkeys(map(json_type, values)))
    return types[0] if len(types) == 1 else types
