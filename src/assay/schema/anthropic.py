"""The form of a JSON Schema that Anthropic enforces: closed objects whose optional properties stay optional.

Source: its documentation of structured outputs, November 2026, and requests that were refused. At most 24 optional properties and
16 unions; no recursion, no bounds, no free keys. `NotStrict` says that a schema has no such form: a tool takes it then.
"""

from __future__ import annotations

from assay.data.pointer import join
from assay.schema.keywords import DEFINITIONS, NOTES, walk
from assay.schema.navigate import branches, resolve, types_of
from assay.schema.strict import NotStrict
from assay.types import JSON, JSONObject

MOST_OPTIONAL, MOST_UNIONS = 24, 16

_KEPT = {"type", "description", "enum", "const"}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_REFUSED = (
    "not", "if", "patternProperties", "dependentRequired", "dependentSchemas", "propertyNames", "contains", "prefixItems",
)  # fmt: skip
_BESIDE = NOTES | {"$ref"}

Way = tuple[str | int, ...]


def anthropic_form(schema: JSONObject) -> JSONObject:
    """The form; raises `NotStrict` when there is none within the limits. Definitions are looked for at the root."""
    form = _form(schema, schema, ())
    for key in DEFINITIONS:
        if key in schema:
            form[key] = {name: _form(part, schema, (key, name)) for name, part in schema[key].items()}
    objects = [part for _, part in walk(form) if "properties" in part]
    optional = sum(len(part["properties"]) - len(part["required"]) for part in objects)
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for _, part in walk(form))
    if optional > MOST_OPTIONAL or unions > MOST_UNIONS:
        raise NotStrict(
            f"{optional} optional properties and {unions} unions: at most {MOST_OPTIONAL} and {MOST_UNIONS} are allowed"
        )
    return form


def _form(part: JSON, root: JSONObject, way: Way) -> JSONObject:
    if not isinstance(part, dict) or not part.keys() - NOTES:
        raise NotStrict(f"{join(way) or 'the root'} allows any value", path=join(way))
    if "allOf" in part or ("$ref" in part and part.keys() - _BESIDE):
        part = resolve(part, root)
    if "$ref" in part:
        return {"$ref": part["$ref"]}
    for key in _REFUSED:
        if key in part:
            raise NotStrict(f"{join(way) or 'the root'} has {key!r}", path=join((*way, key)))
    form = {key: value for key, value in part.items() if key in _KEPT}
    if part.get("format") in _FORMATS:
        form["format"] = part["format"]
    if part.get("minItems") in (0, 1):
        form["minItems"] = part["minItems"]
    if options := branches(part):
        form["anyOf"] = [_form(option, root, (*way, "anyOf", n)) for n, option in enumerate(options)]
    if "array" in types_of(part):
        form["items"] = _form(part.get("items"), root, (*way, "items"))
    if "properties" in part or "object" in types_of(part):
        form |= _closed(part, root, way)
    return form


def _closed(part: JSONObject, root: JSONObject, way: Way) -> JSONObject:
    properties = part.get("properties")
    if properties is None or part.get("additionalProperties") not in (None, False):
        raise NotStrict(f"{join(way) or 'the root'} has free keys", path=join(way))
    required = [name for name in part.get("required", ()) if name in properties]
    inner = {}
    for name, schema in properties.items():
        form = _form(schema, root, (*way, "properties", name))
        inner[name] = form if name in required else _without_null(form, schema)
    return {"type": "object", "properties": inner, "required": required, "additionalProperties": False}


def _without_null(form: JSONObject, schema: JSON) -> JSONObject:
    """An optional property that is null when it is left out does not need an explicit null: each union counts against the limit."""
    if not isinstance(schema, dict) or schema.get("default") is not None:
        return form
    types = form.get("type")
    if isinstance(types, list) and "null" in types and "enum" not in form:
        kept = [type_ for type_ in types if type_ != "null"]
        return {**form, "type": kept[0] if len(kept) == 1 else kept}
    options = [option for option in form.get("anyOf", ()) if option.get("type") != "null"]
    if not options or len(options) == len(form["anyOf"]):
        return form
    rest = {key: value for key, value in form.items() if key != "anyOf"}
    if len(options) > 1:
        return {**rest, "anyOf": options}
    return options[0] if "$ref" in options[0] else {**options[0], **rest}
