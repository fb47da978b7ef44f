"""Parquet, through pyarrow (the extra `assay[parquet]`): rows in, and rows out with columns typed from the schema.

A column's type comes from the JSON Schema of the target alone, never from the data. What Parquet has no type for (values of
several kinds, recursive ones, anything) is kept as JSON text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from assay.batch.errors import StorageError
from assay.batch.journal import Finished, lines
from assay.errors import ConfigurationError
from assay.schema.navigate import resolve
from assay.types import JSON, JSONObject

try:
    import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]
except ImportError as missing:
    raise ConfigurationError('Parquet needs pyarrow: pip install "assay[parquet]"') from missing

ROW_GROUP = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """A type, and how a JSON value is brought into it."""

    type: pa.DataType
    convert: Callable[[JSON], Any]


def read_rows(path: Path, text: str, size: int) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file; values that JSON does not have (dates, decimals) are written as JSON writes them."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigurationError(f"{path} is no Parquet file that can be read: {error}") from None
    with file:
        if text not in file.schema_arrow.names:
            raise ConfigurationError(f"{path} has no column {text!r}: --text names one of {', '.join(file.schema_arrow.names)}")
        for batch in file.iter_batches(batch_size=size):
            yield from batch.to_pylist()


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


# -- writing -------------------------------------------------------------------------------------------------------------

_ERROR = _struct({"kind": _SCALARS["string"], "message": _SCALARS["string"]}, {})
_USAGE = _struct(
    {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"), _SCALARS["integer"]),
        "total_tokens": _SCALARS["integer"],
        "cost": _NUMBER,
    },
    {},
)
_REPAIRS = _list(_struct(dict.fromkeys(("path", "kind", "before", "after"), _SCALARS["string"]), {}))


def row_columns(value: JSONObject, id_: str, carried: Mapping[str, str]) -> dict[str, Column]:
    """The columns of the output. `id_` and `carried` name the kind of value that the input had there."""
    return {
        "id": _SCALARS.get(id_, _AS_JSON),
        "value": column_of(value),
        "error": _ERROR,
        "attempts": _SCALARS["integer"],
        "usage": _USAGE,
        "repairs": _REPAIRS,
        "model": _SCALARS["string"],
        **{name: _SCALARS.get(kind, _AS_JSON) for name, kind in carried.items()},
    }


def write_rows(path: Path, rows: Iterable[Finished], columns: Mapping[str, Column]) -> None:
    """Write a whole Parquet file. Raises `StorageError` for a value that does not fit its column."""
    schema = pa.schema([pa.field(name, column.type) for name, column in columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        texts = lines(rows)
        while group := [from_json(line) for line in islice(texts, ROW_GROUP)]:
            writer.write_table(_table(group, columns, schema))
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _table(group: list[JSONObject], columns: Mapping[str, Column], schema: pa.Schema) -> pa.Table:
    arrays = [_array(group, name, column) for name, column in columns.items()]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(group: list[JSONObject], name: str, column: Column) -> pa.Array:
    try:
        return pa.array([column.convert(row.get(name)) for row in group], type=column.type)
    except (pa.ArrowException, ValueError, OverflowError, AttributeError, TypeError) as error:
        raise StorageError(
            f"a value of {name!r} does not fit its Parquet column ({column.type}): {error}. "
            "The journal has all rows: write the output as .jsonl instead"
        ) from None
