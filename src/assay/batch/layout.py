"""The columns of the output: the value's from the schema, the others from what the input has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from assay.batch.rows import carried_name, text
from assay.batch.sources import Record
from assay.schema.keywords import DEFINITIONS
from assay.target.build import Target
from assay.types import JSON, JSONObject

_KINDS: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
MIXED = "mixed"


class Layout:
    """What is known of the columns so far. The value's never change; of the others the kinds of all values are gathered."""

    def __init__(self, target: Target[Any], known: str = "") -> None:
        self.value = bare(target)
        found: dict[str, Any] = from_json(known) if known else {"id": "", "carried": {}}
        self.id: str = found["id"]
        self._carried: dict[str, str] = found["carried"]

    @property
    def carried(self) -> Mapping[str, str]:
        return self._carried

    def dump(self) -> str:
        return text({"id": self.id, "carried": self._carried})

    def see(self, record: Record) -> None:
        self.id = _joined(self.id, record.id)
        for name, value in record.carried.items():
            name_out = carried_name(name)
            known = self._carried.get(name_out, "")
            if known != MIXED and known != _KINDS.get(type(value)):
                self._carried[name_out] = _joined(known, value)


def _joined(known: str, value: JSON) -> str:
    """The kind of a column in which this value stands, too. None fits every kind."""
    if value is None:
        return known
    kind = _KINDS.get(type(value), MIXED)
    if known in ("", kind):
        return kind
    return "number" if {known, kind} == {"integer", "number"} else MIXED


def bare(target: Target[Any]) -> JSONObject:
    """The schema of the values, without the object that wraps them on the wire."""
    if target.wrapper is None:
        return target.json_schema
    aside = {key: target.json_schema[key] for key in DEFINITIONS if key in target.json_schema}
    return {**target.json_schema["properties"][target.wrapper], **aside}
