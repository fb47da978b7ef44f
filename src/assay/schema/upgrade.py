"""One schema of any draft in the words of 2020-12. What stands within it stays as it is.

It says the same but for what no later draft can say; validation goes by the schema as it was given.
"""

from __future__ import annotations

from assay.schema.keywords import IDENTITY, NOTES
from assay.types import JSON, JSONObject

NEWEST = 2020
"""The draft 2020-12. The others are 3, 4, 6, 7 and 2019."""

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def upgraded(schema: JSONObject, draft: int) -> JSONObject:
    """The schema without its names, its reference (if it has one) as `$ref`."""
    new = {key: value for key, value in schema.items() if key not in IDENTITY or (key == "id" and not isinstance(value, str))}
    if draft <= 7 and isinstance(new.get("$ref"), str):  # its neighbours do not count there
        return {key: value for key, value in new.items() if key == "$ref" or key in NOTES}
    if draft <= 4:
        _boolean_bounds(new)
    if draft == 3:
        _draft_3(new)
    if draft < NEWEST and isinstance(new.get("items"), list):
        new["prefixItems"] = new.pop("items")
        new |= {"items": new.pop("additionalItems")} if "additionalItems" in new else {}
    new.pop("additionalItems", None)
    if draft <= 7:
        _dependencies(new)
    return new


def reference(schema: JSONObject) -> tuple[str, str] | None:
    """The keyword and the text of a schema's reference, whichever way its draft writes it."""
    return next(((key, schema[key]) for key in REFERENCES if isinstance(schema.get(key), str)), None)


def _boolean_bounds(new: JSONObject) -> None:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(flag := new.get(exclusive), bool):
            del new[exclusive]
            if flag and bound in new:
                new[exclusive] = new.pop(bound)


def _dependencies(new: JSONObject) -> None:
    for name, needs in new.pop("dependencies", {}).items():
        kind = "dependentSchemas" if isinstance(needs, dict | bool) else "dependentRequired"
        new[kind] = {**new.get(kind, {}), name: [needs] if isinstance(needs, str) else needs}


def _draft_3(new: JSONObject) -> None:
    new.pop("required", None)  # a word about the property itself: it is read where the properties are
    needed = [
        name for name, part in new.get("properties", {}).items() if isinstance(part, dict) and part.get("required") is True
    ]
    if needed:
        new["required"] = needed
    if "divisibleBy" in new:
        new["multipleOf"] = new.pop("divisibleBy")
    if "extends" in new:
        extends = new.pop("extends")
        new["allOf"] = [*(extends if isinstance(extends, list) else [extends])]
    if "type" in new and (options := _types(new.pop("type"))):
        new |= options
    if "disallow" in new and (options := _types(new.pop("disallow"))):
        new["not"] = options


def _types(types: JSON) -> JSONObject:
    """Draft 3's types, where schemas stand among the names and `any` takes all."""
    listed = types if isinstance(types, list) else [types]
    if "any" in listed or not listed:
        return {}
    if all(isinstance(one, str) for one in listed):
        return {"type": types}
    return {"anyOf": [{"type": one} if isinstance(one, str) else one for one in listed]}
