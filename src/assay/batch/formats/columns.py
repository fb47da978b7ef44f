"""From a JSON Schema to Arrow: the type of a column, and how a JSON value is brought into it.

The type comes from the JSON Schema of the target alone, never from the data. What Arrow has no type for (values of several
kinds, recursive ones, anything) is kept as JSON text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from pydantic_core import to_json

from assay.batch.formats.arrow import PREFIX, restored, typed
from assay.schema.navigate import resolve
from assay.types import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Column:
    """A type, and how a JSON value is brought into it."""

    type: pa.DataType
    convert: Callable[[JSON], Any]

    def array(self, values: list[JSON]) -> pa.Array:
        """Raises what Arrow or `convert` raises for a value that does not fit."""
        return pa.array([self.convert(value) for value in values], type=self.type)


@dataclass(frozen=True, slots=True)
class Carried(Column):
    """A column whose type the input itself named."""

    def array(self, values: list[JSON]) -> pa.Array:
        return restored(values, self.type)


# -- types of the schema -----------------------------------------------------------------------------------------------


def column_of(schema: JSONObject) -> Column:
    """The column for values of a JSON Schema."""
    return _column(schema, schema, ())


def _column(schema: JSON, root: JSONObject, above: tuple[int, ...]) -> Column:
    """`above` are the objects that this schema lies in, by the identity of their properties: a recursive one has no type."""
    kinds = _kinds(resolve(schema, root), root)
    if len(kinds) != 1:
        return _NUMBER if {kind for kind, _ in kinds} == {"integer", "number"} else _AS_JSON
    kind, schema = kinds[0]
    if kind in _SCALARS:
        return _DATE if kind == "string" and schema.get("format") == "date" else _SCALARS[kind]
    if kind == "array" and isinstance(schema.get("items"), dict):
        return _list(_column(schema["items"], root, above))
    properties = schema.get("properties")
    if kind == "object" and properties and id(properties) not in above:
        above = (*above, id(properties))
        return _struct({name: _column(inner, root, above) for name, inner in properties.items()}, schema)
    if kind == "object" and not properties and isinstance(schema.get("additionalProperties"), dict):
        return _map(_column(schema["additionalProperties"], root, above))
    return _AS_JSON


def _kinds(schema: JSONObject, root: JSONObject) -> list[tuple[str, JSONObject]]:
    """The kinds of value that a schema allows, null aside, each with the part of the schema that describes it."""
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [kind for part in schema[word] for kind in _kinds(resolve(part, root), root)]
    if "type" not in schema and ("enum" in schema or "const" in schema):
        values = schema.get("enum", [schema.get("const")])
        return [(kind, schema) for kind in dict.fromkeys(_NAMES.get(type(value), "any") for value in values) if kind != "null"]
    types = schema.get("type", "any")
    return [(kind, schema) for kind in (types if isinstance(types, list) else [types]) if kind != "null"]


_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def _same(value: JSON) -> Any:
    return value


def _json_text(value: JSON) -> Any:
    return None if value is None else to_json(value).decode()


def _date(value: JSON) -> Any:
    return None if value is None else date.fromisoformat(value)


_AS_JSON = Column(pa.string(), _json_text)
_NUMBER = Column(pa.float64(), lambda value: None if value is None else float(value))
_DATE = Column(pa.date32(), _date)
_SCALARS = {
    "string": Column(pa.string(), _same),
    "integer": Column(pa.int64(), _same),
    "number": _NUMBER,
    "boolean": Column(pa.bool_(), _same),
}


def _list(item: Column) -> Column:
    return Column(pa.list_(item.type), lambda value: None if value is None else [item.convert(v) for v in value])


def _map(item: Column) -> Column:
    def convert(value: JSON) -> Any:
        return None if value is None else [(key, item.convert(inner)) for key, inner in value.items()]

    return Column(pa.map_(pa.string(), item.type), convert)


def _struct(fields: Mapping[str, Column], schema: JSONObject) -> Column:
    if schema.get("additionalProperties") not in (None, False):  # keys that no one foresees: they must not be lost
        return _AS_JSON

    def convert(value: JSON) -> Any:
        return None if value is None else {name: field.convert(value.get(name)) for name, field in fields.items()}

    return Column(pa.struct([pa.field(name, field.type) for name, field in fields.items()]), convert)


# -- of the output -------------------------------------------------------------------------------------------------------------

_ERROR = _struct({"kind": _SCALARS["string"], "message": _SCALARS["string"]}, {})
_USAGE = _struct(
    {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"), _SCALARS["integer"]),
        "total_tokens": _SCALARS["integer"],
        "requests": _SCALARS["integer"],
        "cost": _NUMBER,
    },
    {},
)
_REPAIRS = _list(_struct(dict.fromkeys(("path", "kind", "before", "after"), _SCALARS["string"]), {}))


def row_columns(value: JSONObject, id_: str, carried: Mapping[str, str]) -> dict[str, Column]:
    """The columns of the output. `id_` and `carried` name the kind of value that the input had there."""
    return {
        "id": _carried(id_),
        "value": column_of(value),
        "error": _ERROR,
        "attempts": _SCALARS["integer"],
        "usage": _USAGE,
        "repairs": _REPAIRS,
        "model": _SCALARS["string"],
        "ungrounded": _list(_SCALARS["string"]),
        **{name: _carried(kind) for name, kind in carried.items()},
    }


def _carried(kind: str) -> Column:
    if kind.startswith(PREFIX):
        return Carried(typed(kind), _same)
    return _SCALARS.get(kind, _AS_JSON)
