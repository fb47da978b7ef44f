"""Where rows come from: JSON Lines, CSV, Parquet, a folder of text files, the standard input, any iterable.

A source is read once, front to back, and never held in memory. What cannot be asked (no text, broken JSON, bytes that are
not UTF-8) is a record with a `fault`, so that it becomes a failed row and not the end of the run.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Generator, Iterable, Mapping, Sized
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from pydantic_core import from_json

from assay.errors import ConfigurationError
from assay.types import JSON, frozen

STDIN = "-"
JSON_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")
KINDS = f"{', '.join(JSON_LINES + TABLES + PARQUET)}, a folder of text files, or - for JSON Lines on the standard input"

BATCH_ROWS = 256
"""Rows that are taken out of a Parquet file at a time."""

Rows: TypeAlias = Iterable[str | Mapping[str, Any]]
"""What Python code gives: texts, or mappings from column to value."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns mean what. The others are carried through."""

    text: str = "text"
    id: str = "id"


@frozen
class Record:
    """One row as it was read."""

    line: int
    """Where it stands, counted from 1: the line of a file, or the row of a table without lines."""
    id: JSON
    text: str
    carried: Mapping[str, JSON] = field(default_factory=dict)
    fault: str = ""
    """Why it cannot be asked; empty when it can."""


def read(source: str | Path | Rows, columns: Columns | None = None) -> Generator[Record, None, None]:
    """The records of a source, which is opened with the first one. Raises what `check` raises."""
    columns = columns or Columns()
    if not isinstance(source, str | Path):
        return _iterable(source, columns)
    if str(source) == STDIN:
        return _json_lines(sys.stdin.buffer, columns)
    return _file(Path(source), columns)


def check(source: str | Path | Rows, columns: Columns | None = None) -> None:
    """Raise `ConfigurationError` for a file that cannot be read as rows, before anything is done."""
    if isinstance(source, str | Path) and str(source) != STDIN:
        with closing(read(source, columns)) as records:
            next(records, None)


def count(source: str | Path | Rows) -> int | None:
    """How many rows a source has, where that can be told without reading it as rows; of a table the lines, roughly as many."""
    if not isinstance(source, str | Path):
        return len(source) if isinstance(source, Sized) else None
    if str(source) == STDIN:
        return None
    path = Path(source)
    if path.is_dir():
        return sum(not name.startswith(".") for _, _, files in os.walk(path) for name in files)
    if path.suffix.lower() in PARQUET:
        return None
    with _opened(path) as file:
        lines = sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))
    return lines - (path.suffix.lower() in TABLES)


def _file(path: Path, columns: Columns) -> Generator[Record, None, None]:
    kind = path.suffix.lower()
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise ConfigurationError(f"there is no file {path}")
    if kind in JSON_LINES:
        return _json_file(path, columns)
    if kind in TABLES:
        return _table(path, "\t" if kind == ".tsv" else ",", columns)
    if kind in PARQUET:
        return _parquet(path, columns)
    raise ConfigurationError(f"{path}: batch reads {KINDS}")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


# -- JSON Lines ------------------------------------------------------------------------------------------------------


def _json_file(path: Path, columns: Columns) -> Generator[Record, None, None]:
    with _opened(path) as file:
        yield from _json_lines(file, columns)


def _json_lines(file: BinaryIO, columns: Columns) -> Generator[Record, None, None]:
    for number, line in enumerate(file, 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield _json_line(number, text, columns)


def _json_line(number: int, line: bytes, columns: Columns) -> Record:
    try:
        row = from_json(line)
    except ValueError as error:
        return _faulty(number, line, _why(line, error))
    if isinstance(row, str):
        return _record(number, {columns.text: row}, columns)
    if not isinstance(row, dict):
        return _faulty(number, line, f"a {type(row).__name__} is no row: a line is an object with the key {columns.text!r}")
    return _record(number, row, columns)


def _why(line: bytes, error: ValueError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as broken:
        return f"not UTF-8: byte 0x{line[broken.start]:02x} at byte {broken.start + 1} of the line"
    return f"not JSON: {error}"


def _faulty(number: int, raw: bytes, why: str) -> Record:
    # The raw text makes the key: the row is looked at again as soon as it is mended.
    return Record(number, number, raw.decode("utf-8", "surrogateescape"), fault=f"line {number}: {why}")


# -- tables ------------------------------------------------------------------------------------------------------------


_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not UTF-8."""


def _table(path: Path, delimiter: str, columns: Columns) -> Generator[Record, None, None]:
    _opened(path).close()
    # A document may be longer than the 128 kB that the csv module takes for a broken file. The setting is the module's own.
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader, None)
        if header is None:
            raise ConfigurationError(f"{path} is empty: its first line names the columns")
        if columns.text not in header:
            raise ConfigurationError(f"{path} has no column {columns.text!r}: --text names one of {', '.join(header)}")
        line = reader.line_num
        for row in reader:
            if row:
                yield _table_row(line + 1, header, row, columns)
            line = reader.line_num


def _table_row(number: int, header: list[str], row: list[str], columns: Columns) -> Record:
    raw = ",".join(row)
    if _NOT_UTF8.search(raw):
        return Record(number, number, raw, fault=f"line {number}: not UTF-8")
    if len(row) != len(header):
        return Record(number, number, raw, fault=f"line {number}: {len(row)} fields, where the header has {len(header)}")
    return _record(number, dict(zip(header, row, strict=True)), columns)


def _parquet(path: Path, columns: Columns) -> Generator[Record, None, None]:
    from assay.batch.parquet import read_rows  # noqa: PLC0415  # pyarrow is an optional extra

    for number, row in enumerate(read_rows(path, columns.text, BATCH_ROWS), 1):
        yield _record(number, row, columns)


# -- folders and iterables -----------------------------------------------------------------------------------------------


def _folder(root: Path) -> Generator[Record, None, None]:
    number = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if not name.startswith("."):
                number += 1
                yield _text_file(number, Path(folder, name), root)


def _text_file(number: int, path: Path, root: Path) -> Record:
    name = path.relative_to(root).as_posix()
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Record(number, name, f"{name}\0{len(data)}", fault=f"{name}: not UTF-8 at byte {error.start + 1}")
    except OSError as error:
        return Record(number, name, name, fault=f"{name}: {error.strerror}")
    if not text.strip():
        return Record(number, name, text, fault=f"{name}: empty")
    return Record(number, name, text)


def _iterable(rows: Rows, columns: Columns) -> Generator[Record, None, None]:
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            yield _record(number, {columns.text: row}, columns)
        elif isinstance(row, Mapping):
            yield _record(number, dict(row), columns)
        else:
            raise ConfigurationError(f"row {number} is a {type(row).__name__}: give texts, or mappings with {columns.text!r}")


def _record(number: int, row: dict[str, Any], columns: Columns) -> Record:
    """A record of a row's columns; `row` is used up."""
    text = row.pop(columns.text, None)
    id_ = row.pop(columns.id, None)
    if id_ is None:
        id_ = number
    if isinstance(text, str) and text.strip():
        return Record(number, id_, text, row)
    if text is None:
        has = f"; it has {', '.join(row)}" if row else ""
        fault = f"no text in {columns.text!r}{has}"
    else:
        fault = "the text is empty" if isinstance(text, str) else f"{columns.text!r} is a {type(text).__name__}, not a text"
    return Record(number, id_, repr(text), row, fault=f"line {number}: {fault}")
