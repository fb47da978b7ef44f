"""The strict form of a JSON Schema: what servers that enforce a schema exactly can take.

Every property is required, every object closed, an optional field may be null instead of missing, and keywords that
such servers refuse are gone. `from_strict` leads an answer back: whatever the strict form accepts, the original accepts
after it, but for the bounds and patterns that the strict form cannot say; validation checks those in any case.
"""

from __future__ import annotations

from assay.data.pointer import join
from assay.errors import SchemaError
from assay.schema.keywords import DEFINITIONS, NOTES
from assay.schema.navigate import branches, child, govern, json_type, resolve
from assay.types import JSON, JSONObject


class NotStrict(SchemaError):  # noqa: N818  # a signal that the plain form is due
    """The schema allows what no strict form can say; `path` leads to the place in the schema."""


_KEPT = {
    "type", "description", "enum", "const", "$ref", "pattern", "format", "multipleOf", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
}  # fmt: skip
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def strict_form(schema: JSONObject) -> JSONObject:
    """The strict form; `NotStrict` when objects have free keys or values of any type."""
    root = _strict(schema, schema, ())
    definitions: JSONObject = {
        key: {name: _strict(part, schema, (key, name)) for name, part in schema[key].items()}
        for key in DEFINITIONS
        if key in schema
    }
    return {**root, **definitions}


def _strict(schema: JSON, root: JSONObject, way: tuple[str | int, ...]) -> JSONObject:
    if not isinstance(schema, dict) or not schema.keys() - NOTES:
        raise NotStrict(f"{join(way) or 'the root'} allows any value", path=join(way))
    if "allOf" in schema:
        schema = resolve(schema, root)
    if "prefixItems" in schema or isinstance(schema.get("items"), list):
        raise NotStrict(f"{join(way)} is a tuple: strict arrays have items of one type", path=join(way))
    for key in ("not", "if", "patternProperties", "dependentRequired", "dependentSchemas", "propertyNames", "contains"):
        if key in schema:
            raise NotStrict(f"{join(way) or 'the root'} has {key!r}", path=join((*way, key)))
    if "$ref" in schema:  # a server refuses keywords beside a reference; its description is in the prompt
        schema = {"$ref": schema["$ref"]} if not schema.keys() - _BESIDE else resolve(schema, root)
    form = {key: value for key, value in schema.items() if key in _KEPT}
    if "type" not in form and ("enum" in form or "const" in form):
        form["type"] = _types_of(form.get("enum", [form.get("const")]))
    if form.get("format") not in _FORMATS:
        form.pop("format", None)
    if options := branches(schema):
        form["anyOf"] = [_strict(option, root, (*way, "anyOf", n)) for n, option in enumerate(options)]
    if "items" in schema:
        form["items"] = _strict(schema["items"], root, (*way, "items"))
    elif _is(schema, "array"):
        raise NotStrict(f"{join(way)} is an array of anything", path=join(way))
    if _is(schema, "object") or "properties" in schema:
        form |= _closed(schema, root, way)
    return form


_BESIDE = NOTES | {"$ref"}


def _types_of(values: list[JSON]) -> str | list[str]:
    types = list(dict.fromkeys(map(json_type, values)))
    return types[0] if len(types) == 1 else types


def _is(schema: JSONObject, type_: str) -> bool:
    types = schema.get("type", ())
    return type_ == types or type_ in types if not isinstance(types, str) else types == type_


def _closed(schema: JSONObject, root: JSONObject, way: tuple[str | int, ...]) -> JSONObject:
    free = schema.get("additionalProperties")
    properties = schema.get("properties")
    if properties is None or isinstance(free, dict) or (free is True):
        raise NotStrict(f"{join(way) or 'the root'} has free keys", path=join(way))
    required = set(schema.get("required", ()))
    if any(name not in properties for name in required):
        raise NotStrict(f"{join(way) or 'the root'} requires keys that it does not describe", path=join(way))
    form = {}
    for name, part in properties.items():
        strict = _strict(part, root, (*way, "properties", name))
        form[name] = strict if name in required else _or_null(strict, root)
    return {"type": schema.get("type", "object"), "properties": form, "required": list(form), "additionalProperties": False}


def _or_null(schema: JSONObject, root: JSONObject) -> JSONObject:
    if accepts_null(schema, root):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    description = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [{k: v for k, v in schema.items() if k != "description"}, {"type": "null"}], **description}


def accepts_null(schema: JSON, root: JSONObject) -> bool:
    """Whether null is a value of the schema."""
    schema = resolve(schema, root)
    if options := branches(schema):
        return any(accepts_null(option, root) for option in options)
    if "const" in schema or "enum" in schema:
        return None in schema.get("enum", [schema.get("const", 0)])
    return _is(schema, "null") or ("type" not in schema and "properties" not in schema)


def from_strict(data: JSON, schema: JSONObject) -> JSON:
    """An answer in the strict form as the original schema takes it: optional fields that are null and may not be are left out."""
    return _back(data, schema, schema)


def _back(data: JSON, schema: JSON, root: JSONObject) -> JSON:
    if not isinstance(data, dict | list):
        return data
    schema = govern(schema, data, root)
    if isinstance(data, list):
        return [_back(item, child(schema, n), root) for n, item in enumerate(data)]
    required = schema.get("required", ())
    parts = schema.get("properties", {})
    return {
        key: _back(value, child(schema, key), root)
        for key, value in data.items()
        if not (value is None and key in parts and key not in required and not accepts_null(parts[key], root))
    }
