"""Arrow's values as JSON, and back: a column's values go through the journal in a form that keeps their type.

Text, numbers and truth values are themselves. Times, dates and decimals are texts as Arrow writes them (ISO 8601, to the last
digit); one that no text can say (the year 20000) is its count of units since 1970, and a duration is that always. Bytes are
base64. A dictionary column is its values. What Arrow cannot bring back (unions, bytes inside of lists) stays JSON.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate
from typing import Any

from assay.batch.formats.record import unique
from assay.errors import ConfigurationError
from assay.types import JSON

try:
    import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
    import pyarrow.compute as pc  # type: ignore[import-untyped]
except ImportError as missing:
    raise ConfigurationError(
        'tables of Arrow, pandas or Polars, and Parquet, need pyarrow: pip install "assay[parquet]"'
    ) from missing

ArrowError: type[Exception] = pa.ArrowException
PREFIX = "arrow:"
"""Before a type where kinds of columns are named."""
_DAY = "1970-01-01 "


def named(schema: pa.Schema) -> dict[str, str]:
    """The types of columns as texts, those that come back as they were."""
    names = unique(list(schema.names))
    return {name: _name(kind) for name, field in zip(names, schema, strict=True) if _comes_back(kind := _bare(field.type))}


def typed(name: str) -> pa.DataType:
    """The type that a text names."""
    data = base64.b64decode(name.removeprefix(PREFIX))
    return pa.ipc.read_schema(pa.BufferReader(data)).field(0).type


def _name(kind: pa.DataType) -> str:
    return PREFIX + base64.b64encode(pa.schema([pa.field("", kind)]).serialize().to_pybytes()).decode()


# -- as JSON -----------------------------------------------------------------------------------------------------------


def opened(table: Any) -> pa.RecordBatchReader:
    """The batches of what other libraries call a table or a frame."""
    return pa.RecordBatchReader.from_stream(table)


def rows(batches: Iterable[pa.RecordBatch], texts: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """The rows of batches, each a dict of what JSON has. Of the columns `texts` bytes are texts, too; those that are not
    UTF-8 stay as `surrogateescape` leaves them.
    """
    for batch in batches:
        names = unique(list(batch.schema.names))
        columns = [
            _as_text(column) if name in texts and _binary(_bare(column.type)) else plain(column)
            for name, column in zip(names, batch.columns, strict=True)
        ]
        for cells in zip(*columns, strict=True):
            yield dict(zip(names, cells, strict=True))


def plain(column: pa.Array) -> list[JSON]:
    """The values of a column as JSON has them."""
    kind = _bare(column.type)
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if _binary(kind):
        return [None if value is None else base64.urlsafe_b64encode(value).decode() for value in column.to_pylist()]
    shadow = _shadow(kind)
    if shadow is None:
        return [_said(value) for value in column]
    if shadow == column.type:
        return column.to_pylist()  # type: ignore[no-any-return]
    values = column.cast(shadow).to_pylist()
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return _iso(values, column, kind)
    return values  # type: ignore[no-any-return]


def _as_text(column: pa.Array) -> list[JSON]:
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in column.to_pylist()]


def _iso(values: list[str | None], column: pa.Array, kind: pa.DataType) -> list[JSON]:
    """Texts of times with a `T`; a year that has not four digits cannot be read again, so it stays a number."""
    if not pa.types.is_time(kind) and any(
        (value is not None and not value[:4].isdigit()) or (value and value[4] != "-") for value in values
    ):
        counts = column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()).to_pylist()
        return [
            text.replace(" ", "T", 1) if text is not None and text[:4].isdigit() and text[4] == "-" else count
            for text, count in zip(values, counts, strict=True)
        ]
    return [None if value is None else value.replace(" ", "T", 1) for value in values]


def _said(scalar: pa.Scalar) -> JSON:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return str(scalar)


def _bare(kind: pa.DataType) -> pa.DataType:
    """A type without the parts that say nothing about its values."""
    if isinstance(kind, pa.BaseExtensionType):
        return _bare(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _bare(kind.value_type)
    return kind


def _binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _shadow(kind: pa.DataType) -> pa.DataType | None:
    """The type to cast to, so that Python's values are JSON's; None when there is none."""
    types = pa.types
    if types.is_duration(kind):
        return pa.int64()
    if types.is_temporal(kind) and not types.is_interval(kind):
        return pa.string()
    if types.is_decimal(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_primitive(kind) or types.is_null(kind):
        return None if types.is_interval(kind) else kind
    return _nested(kind)


def _nested(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_struct(kind):
        fields = [(field.name, _shadow(_bare(field.type))) for field in kind]
        twice = len({name for name, _ in fields}) < len(fields)
        return None if twice or any(inner is None for _, inner in fields) else pa.struct(fields)
    if pa.types.is_map(kind):
        key, item = _shadow(_bare(kind.key_type)), _shadow(_bare(kind.item_type))
        return None if key is None or item is None else pa.map_(key, item)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _shadow(_bare(kind.value_type))
        return None if inner is None else pa.list_(inner)
    return None


# -- and back ----------------------------------------------------------------------------------------------------------


def _comes_back(kind: pa.DataType) -> bool:
    if _binary(kind):
        return True
    try:
        restored([], kind)
    except (pa.ArrowException, TypeError):
        return False
    return _shadow(kind) is not None


def restored(values: list[JSON], kind: pa.DataType) -> pa.Array:
    """A column of this type out of the values that `plain` made. Raises Arrow's errors for others."""
    if _binary(kind):
        return pa.array([None if value is None else base64.urlsafe_b64decode(value) for value in values], kind)
    if pa.types.is_floating(kind):
        return pa.array([None if value is None else float(value) for value in values], pa.float64()).cast(kind)
    if pa.types.is_time(kind):
        moments = [None if value is None else _DAY + value for value in values]
        return pa.array(moments, pa.string()).cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_temporal(kind) and any(isinstance(value, int) for value in values):
        return pa.concat_arrays(
            [restored([value], kind) if not isinstance(value, int) else _counted(value, kind) for value in values]
        )
    shadow = _shadow(kind)
    if pa.types.is_nested(kind) and shadow is not None:
        return _restored_nested(values, kind)
    if shadow is None or shadow == kind:
        return pa.array(values, kind)
    return pa.array(values, shadow).cast(kind)


def _restored_nested(values: list[JSON], kind: pa.DataType) -> pa.Array:
    missing = pa.array([value is None for value in values], pa.bool_())
    if pa.types.is_struct(kind):
        fields = [restored([(value or {}).get(field.name) for value in values], _bare(field.type)) for field in kind]
        bare = [pa.field(field.name, _bare(field.type)) for field in kind]
        return pa.StructArray.from_arrays(fields, fields=bare, mask=missing)
    offsets = pa.array([0, *accumulate(len(value or ()) for value in values)], pa.int32())
    flat = [item for value in values for item in value or ()]
    if pa.types.is_map(kind):
        keys = restored([key for key, _ in flat], _bare(kind.key_type))
        items = restored([item for _, item in flat], _bare(kind.item_type))
        return pa.MapArray.from_arrays(offsets, keys, items, mask=missing)
    inner = restored(flat, _bare(kind.value_type))
    return pa.ListArray.from_arrays(offsets, inner, mask=missing).cast(kind)


def _counted(count: int, kind: pa.DataType) -> pa.Array:
    return pa.array([count], pa.int32() if pa.types.is_date32(kind) else pa.int64()).cast(kind)
