"""Parquet, through pyarrow (the extra `assay[parquet]`). Read, and written with columns typed from the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pydantic_core import from_json

from assay.batch.errors import StorageError
from assay.batch.files import Owned, replacing
from assay.batch.formats import arrow
from assay.batch.formats.columns import Column, column_of, row_columns
from assay.batch.formats.opening import ESCAPED, guess
from assay.batch.formats.record import Maker, ReadOptions, Record, Records, Source
from assay.batch.formats.sink import Layout
from assay.batch.journal import Finished, lines
from assay.errors import ConfigurationError
from assay.types import JSON, JSONObject

SUFFIXES = (".parquet", ".pq")
BATCH_ROWS = 256
"""Rows that are taken out of a file at a time."""
ROW_GROUP = 10_000

_MISFITS = (pa.ArrowException, ValueError, OverflowError, AttributeError, TypeError)

# -- in ----------------------------------------------------------------------------------------------------------------


def source(path: Path, options: ReadOptions, part: str = "") -> Source:
    with _file(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows

    def batches() -> Iterator[Any]:
        with _file(path) as file:
            yield from _told(file.iter_batches(batch_size=BATCH_ROWS), path)

    check(schema, path, options)
    return Source(records=lambda: records(batches(), options, part), count=lambda: rows, types=arrow.named(schema))


def check(schema: pa.Schema, path: Path | str, options: ReadOptions) -> None:
    """Raise `ConfigurationError` where a table lacks a requested column, or has one twice."""
    names = list(schema.names)
    columns = options.columns
    for name in (columns.text,) if isinstance(columns.text, str) else columns.text:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"{path} has {names.count(name)} columns named {name!r}, so the text is ambiguous: rename one of them"
            )
    Maker(columns).has_columns(names, path)


def records(batches: Iterable[pa.RecordBatch], options: ReadOptions, part: str = "") -> Records:
    """The records of a table's batches."""
    text = options.columns.text
    make = Maker(options.columns, part, options)
    for number, row in enumerate(arrow.rows(batches, (text,) if isinstance(text, str) else text), 1):
        yield _record(number, row, text, make) if isinstance(text, str) else make.record(number, row)


def _record(number: int, row: dict[str, Any], text: str, make: Maker) -> Record:
    raw = row.get(text)
    if not isinstance(raw, str) or not ESCAPED.search(raw):
        return make.record(number, row)
    why = guess(raw.encode("utf-8", "surrogateescape")).partition(":")[0]
    return make.unreadable(number, raw, f"bytes in {text!r} that are not UTF-8{why}", row.get(make.id_column))


def _file(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigurationError(f"{path} is not a readable Parquet file: {error}") from None


def _told(batches: Iterator[Any], path: Path) -> Iterator[Any]:
    try:
        yield from batches
    except (OSError, pa.ArrowException) as error:
        raise ConfigurationError(f"{path} is broken: {error}") from None


# -- out ---------------------------------------------------------------------------------------------------------------


class ParquetSink:
    """Written at once: a Parquet file cannot be appended to. While the run goes on only the journal has the rows."""

    stale = True

    def __init__(self, owned: Owned, layout: Layout) -> None:
        self.owned, self._layout = owned, layout
        self._value = column_of(layout.value)

    def misfit(self, value: JSON) -> str:
        """Why a value cannot be written; empty when it can."""
        try:
            self._value.array([value])
        except _MISFITS as error:
            return f"the value does not fit its Parquet column ({self._value.type}): {error}"
        return ""

    def append(self, rows: Iterable[Finished]) -> None:
        pass

    def assemble(self, rows: Iterable[Finished]) -> None:
        layout = self._layout
        columns = row_columns(layout.value, layout.id, layout.carried)
        schema = pa.schema([pa.field(name, column.type) for name, column in columns.items()])
        with replacing(self.owned) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            texts = lines(rows)
            while group := [from_json(line) for line in islice(texts, ROW_GROUP)]:
                arrays = [_array(group, name, column) for name, column in columns.items()]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    def close(self) -> None:
        pass


def _array(group: list[JSONObject], name: str, column: Column) -> pa.Array:
    try:
        return column.array([row.get(name) for row in group])
    except _MISFITS as error:
        raise StorageError(
            f"a value of {name!r} does not fit its Parquet column ({column.type}): {error}. "
            "The journal has all rows: write the output as .jsonl instead"
        ) from None
