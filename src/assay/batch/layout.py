"""The columns of the output: the value's from the schema, the others from what the input has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from assay.batch.formats import Record, carried_name
from assay.batch.formats.parts import MIXED
from assay.batch.rows import text
from assay.schema.keywords import DEFINITIONS
from assay.target.build import Target
from assay.types import JSON, JSONObject

_KINDS: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_WIDEST = 2**63
"""Of integers that have a column: beyond it they are written as JSON."""


class Layout:
    """What is known of the columns so far. The value's never change; of the others the kinds of all values are gathered.

    `types` are those that the input itself names: they hold, whatever the values are.
    """

    def __init__(
        self, target: Target[Any], known: str = "", types: Mapping[str, str] | None = None, id_column: str = "id"
    ) -> None:
        self.value = bare(target)
        self._types = {carried_name(name): kind for name, kind in (types or {}).items() if name != id_column}
        self._id_type = (types or {}).get(id_column, "")
        found: dict[str, Any] = from_json(known) if known else {"id": "", "carried": {}}
        self.id: str = found["id"]
        self._carried: dict[str, str] = found["carried"]

    @property
    def carried(self) -> Mapping[str, str]:
        return self._carried

    def dump(self) -> str:
        return text({"id": self.id, "carried": self._carried})

    def see(self, record: Record) -> None:
        self.id = _with(self.id, self._id_type or _kind(record.id))
        for name, value in record.carried.items():
            name_out = carried_name(name)
            known = self._carried.get(name_out, "")
            kind = self._types.get(name_out) or _kind(value)
            if known not in (MIXED, kind) or name_out not in self._carried:
                self._carried[name_out] = _with(known, kind)


def _kind(value: JSON) -> str:
    """The kind of a value; None fits every kind."""
    if value is None:
        return ""
    if type(value) is int and not -_WIDEST <= value < _WIDEST:
        return MIXED
    return _KINDS.get(type(value), MIXED)


def _with(known: str, kind: str) -> str:
    """The kind of a column in which values of both kinds stand."""
    if not kind or known == kind:
        return known
    if not known:
        return kind
    return "number" if {known, kind} == {"integer", "number"} else MIXED


def bare(target: Target[Any]) -> JSONObject:
    """The schema of the values, without the object that wraps them on the wire."""
    if target.wrapper is None:
        return target.json_schema
    aside = {key: target.json_schema[key] for key in DEFINITIONS if key in target.json_schema}
    return {**target.json_schema["properties"][target.wrapper], **aside}
