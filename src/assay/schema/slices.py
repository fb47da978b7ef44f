"""The parts of a schema that can stand alone, for questions about the parts of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from assay.data.pointer import split
from assay.schema.keywords import DEFINITIONS, KEYWORDS
from assay.schema.navigate import at, resolve
from assay.schema.passes import trim
from assay.schema.render import render
from assay.types import JSON, JSONObject, PromptStyle


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a schema."""

    schema: JSONObject
    """Able to stand alone."""
    form: str = ""
    """How it is written in a question; empty for a scalar, whose problem says everything."""


_NOTHING = Slice({})


class Slices:
    """`Slices(schema).at(pointer, data)`: built once per schema; a part is cut out when it is first asked for."""

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema
        # By identity: what governs a place is always an object of the schema itself, which lives as long as this.
        self._cut: dict[int, Slice] = {}

    def at(self, pointer: str, data: JSON = None) -> Slice:
        """The part that governs a place in the data; that of `{}` when nothing does.

        Which branch of a union is on the way is decided by the data. At the place itself a union is kept whole.
        """
        part = at(self._schema, split(pointer), data)
        if not isinstance(part, dict):
            return _NOTHING
        found = self._cut.get(id(part))
        if found is None:
            found = self._cut[id(part)] = _slice(part, self._schema)
        return found


def _slice(part: JSONObject, root: JSONObject) -> Slice:
    definitions = {key: root[key] for key in DEFINITIONS if key in root}
    if "$ref" in part:
        part = {key: value for key, value in resolve(part, root).items() if key not in DEFINITIONS}
    schema = trim({**definitions, **part})
    return Slice(schema, render(schema, PromptStyle.TEMPLATE) if schema.keys() & _INSIDE else "")


_INSIDE = {name for name, holds in KEYWORDS.items() if holds and name != "type"} - set(DEFINITIONS) | {"$ref"}
