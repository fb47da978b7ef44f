"""What Python code gives: texts, mappings from column to value, or a table of Arrow, pandas, Polars or DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any, TypeAlias

from assay.batch.formats.nulls import is_null
from assay.batch.formats.record import PEEK, Maker, ReadOptions, Records, Source
from assay.errors import ConfigurationError

Rows: TypeAlias = Iterable[str | Mapping[str, Any]]
"""Texts, or mappings from column to value; a table of Arrow, pandas, Polars or DuckDB is one, too."""


def source(rows: Rows, options: ReadOptions) -> Source:
    if hasattr(rows, "__arrow_c_stream__") and any(hasattr(rows, name) for name in ("columns", "schema")):  # no lone column
        return _table(rows, options)
    if isinstance(rows, Mapping | bytes | bytearray) or not isinstance(rows, Iterable):
        raise ConfigurationError(
            f"the input is a {type(rows).__name__}: give a path, a table, or an iterable of texts or mappings"
        )
    if isinstance(rows, Sequence):
        _check(rows[:PEEK], options)
    count = len(rows) if isinstance(rows, Sized) else None
    return Source(
        records=lambda: _records(rows, Maker(options.columns, "", options), options),
        count=lambda: count,
        again=iter(rows) is not rows,
    )


def _check(rows: Sequence[Any], options: ReadOptions) -> None:
    """A column that none of the first rows has is a wrong name, not a hundred failed rows."""
    names = list(dict.fromkeys(str(name) for row in rows if isinstance(row, Mapping) for name in row))
    if names:
        Maker(options.columns).has_columns(names, "the input")


def _records(rows: Iterable[Any], make: Maker, options: ReadOptions) -> Records:
    text = options.columns.text
    for number, row in enumerate(rows, 1):
        if isinstance(row, Mapping):
            yield make.record(number, {str(name): None if is_null(value) else value for name, value in row.items()})
        elif isinstance(text, str):
            yield make.record(number, {text: row})
        else:
            raise ConfigurationError(f"row {number} is a {type(row).__name__}: several columns are asked for, so give mappings")


def _table(table: Any, options: ReadOptions) -> Source:
    from assay.batch.formats import arrow, parquet  # noqa: PLC0415  # pyarrow is an optional extra

    name, once = type(table).__name__, hasattr(table, "read_next_batch")
    try:
        reader = arrow.opened(table)
    except (ImportError, arrow.ArrowError) as error:
        if hasattr(table, "to_dict"):  # a frame of pandas with a column of several kinds: its rows are read one by one
            return source(table.to_dict("records"), options)
        raise ConfigurationError(f"the {name} cannot be read as a table: {error}") from None
    parquet.check(reader.schema, name, options)
    return Source(
        records=lambda: parquet.records(reader if once else arrow.opened(table), options),
        count=lambda: len(table) if isinstance(table, Sized) else None,
        types=arrow.named(reader.schema),
        again=not once,
    )
