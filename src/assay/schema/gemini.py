"""The form of a JSON Schema that Gemini takes in `responseJsonSchema`: its keywords, and nothing beside a reference.

Source: the types of Google's genai SDK 3.6. What a schema demands in other keywords is left to validation.
"""

from __future__ import annotations

from assay.schema.keywords import rebuild
from assay.schema.navigate import resolve
from assay.types import JSON, JSONObject

_KEPT = {
    "$defs", "$ref", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum",
    "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
}  # fmt: skip
_OLD = "#/definitions/"


def gemini_form(schema: JSONObject) -> JSONObject:
    """The form; definitions are looked for at the root."""
    form: JSONObject = _form(schema, schema)
    return form


def _form(part: JSON, root: JSONObject) -> JSON:
    if not isinstance(part, dict):
        return part
    if "allOf" in part or ("$ref" in part and part.keys() & (_KEPT - {"$ref", "$defs", "title", "description"})):
        part = resolve(part, root)
    if isinstance(ref := part.get("$ref"), str):
        form: JSONObject = {"$ref": f"#/$defs/{ref.removeprefix(_OLD)}" if ref.startswith(_OLD) else ref}
        part = {key: value for key, value in part.items() if key in ("$defs", "definitions")}
    else:
        form = {}
    if "definitions" in part:
        part = {**part, "$defs": {**part["definitions"], **part.get("$defs", {})}}
    if "const" in part:
        part = {**part, "enum": [part["const"]]}
    kept = {key: value for key, value in part.items() if key in _KEPT}
    return form | rebuild(kept, lambda inner: _form(inner, root))
