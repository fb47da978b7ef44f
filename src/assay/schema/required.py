"""Every property required: one that may be left out may be null instead. And the way back.

A server that constrains decoding lets a model end an object as soon as it may, and small models do: fields that may be left out
are left out, whatever the text says. A field that must be written is looked for; null says that there is nothing.
"""

from __future__ import annotations

from assay.schema.accept import Acceptor
from assay.schema.keywords import changed
from assay.schema.navigate import accepts_null, branches, child, fit, followed
from assay.types import JSON, JSONObject

_CONDITIONS = {
    "allOf", "dependentRequired", "dependentSchemas", "else", "if", "maxProperties", "minProperties", "not", "then",
    "unevaluatedProperties",
}  # fmt: skip
"""What is said of an object's keys as a whole: where all are there it says another thing. Validation sees to it."""
_TOLD = {"$defs", "additionalProperties", "anyOf", "items", "oneOf", "patternProperties", "prefixItems", "properties"}
"""Where schemas say what a value is, not what it is not."""


class Required:
    """`schema` is a schema in its plain form with every property required; `undo` leads a value of it back."""

    def __init__(self, schema: JSONObject) -> None:
        self._root = schema
        self._added: dict[int, frozenset[str]] = {}
        """The properties that may be null only here, by the identity of their object's schema."""
        self.schema: JSONObject = self._asked(schema)
        self._accepts = Acceptor(self.schema)

    def _asked(self, part: JSON) -> JSON:
        if not isinstance(part, dict):
            return part
        form = {("anyOf" if key == "oneOf" else key): self._inner(key, value) for key, value in part.items()}
        properties = part.get("properties")
        if not properties:
            return form
        form = {key: value for key, value in form.items() if key not in _CONDITIONS}
        given = part.get("required", ())
        added = {name for name, inner in properties.items() if name not in given and not accepts_null(inner, self._root)}
        form["properties"] = {name: or_null(inner) if name in added else inner for name, inner in form["properties"].items()}
        form["required"] = [*properties, *(name for name in given if name not in properties)]
        self._added[id(form)] = frozenset(added)
        return form

    def _inner(self, key: str, value: JSON) -> JSON:
        return changed(key, value, self._asked) if key in _TOLD else value

    @property
    def adds(self) -> bool:
        """Whether some property may be null here that may not be in the original."""
        return any(self._added.values())

    def undo(self, data: JSON) -> JSON:
        """A value of the form as the original takes it: without nulls that stand for what is left out."""
        try:
            return self._back(data, self.schema)
        except RecursionError:  # nested more deeply than anybody means: validation says so
            return data

    def _back(self, data: JSON, part: JSON) -> JSON:
        if not isinstance(data, dict | list) or part is None:
            return data
        schema = self._chosen(data, part)
        if isinstance(data, list):
            return [self._back(item, child(schema, at)) for at, item in enumerate(data)]
        added = self._added.get(id(schema), frozenset())
        return {
            key: self._back(value, child(schema, key)) for key, value in data.items() if value is not None or key not in added
        }

    def _chosen(self, data: JSON, part: JSON) -> JSONObject:
        """Of a union, the alternative that takes the value and knows most of its keys."""
        schema = followed(part, self.schema)
        while options := [followed(option, self.schema) for option in branches(schema)]:
            taking = [option for option in options if self._accepts(data, option)]
            known = max(_known(option, data) for option in taking) if taking else 0
            near = [option for option in taking if _known(option, data) == known]
            schema = near[0] if near else max(options, key=lambda option: fit(option, data, self.schema))
        return schema


def _known(schema: JSONObject, data: JSON) -> int:
    """How many of the keys a schema describes; a union, as any of its alternatives may."""
    return len(schema.get("properties", {}).keys() & data.keys()) if isinstance(data, dict) else 0


def or_null(schema: JSON) -> JSONObject:
    """The schema, or null. A schema that is not a union stays the same object within it."""
    if isinstance(schema, dict) and "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}
