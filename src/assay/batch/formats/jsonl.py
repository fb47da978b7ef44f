"""JSON Lines: a row is an object on a line of its own. Read, and written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json

from assay.batch.files import Growing
from assay.batch.formats.opening import LONGEST, encoding_of, kind_of, known, lines, not_of, opened
from assay.batch.formats.record import PEEK, Maker, ReadOptions, Record, Records, Source
from assay.batch.journal import Finished
from assay.batch.journal import lines as json_lines
from assay.types import JSON

SUFFIXES = (".jsonl", ".ndjson")


def source(path: Path, options: ReadOptions, part: str = "") -> Source:
    encoding = encoding_of(path, options)
    _check(path, encoding, options)

    def records() -> Records:
        with opened(path) as file:
            yield from _records(file, encoding, options, Maker(options.columns, part, options))

    def count() -> int | None:
        with opened(path) as file:
            blocks = iter(partial(file.read, 1 << 20), b"")
            return sum(block.count(b"\n") for block in blocks) if path.suffix.lower() == kind_of(path) else None

    return Source(records=records, count=count)


def stream(file: IO[bytes], options: ReadOptions) -> Source:
    """Rows that come from the standard input, each as soon as it is there."""
    encoding = known(options.encoding or "utf-8")
    return Source(records=lambda: _records(file, encoding, options, Maker(options.columns, "", options)), again=False)


def _check(path: Path, encoding: str, options: ReadOptions) -> None:
    """A column that none of the first rows has is a wrong name, not a hundred failed rows."""
    with opened(path) as file, closing(lines(file, encoding)) as found:
        rows = [row for line in islice(found, PEEK) if isinstance(row := _value(line), dict)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if rows:
        Maker(options.columns).has_columns(names, path)


def _value(line: bytes) -> JSON:
    with suppress(ValueError):
        return from_json(line)
    return None


def _records(file: IO[bytes], encoding: str, options: ReadOptions, make: Maker) -> Records:
    with closing(lines(file, encoding)) as found:
        for number, line in enumerate(found, 1):
            if text := line.strip():
                yield _record(number, text, options, make)


def _record(number: int, line: bytes, options: ReadOptions, make: Maker) -> Record:
    if len(line) > LONGEST:
        return make.unreadable(number, repr(line[:64]), f"longer than {LONGEST:,} bytes")
    try:
        row = from_json(line)
    except ValueError as error:
        return make.unreadable(number, *_broken(line, error, options), _name(line, make.id_column))
    if isinstance(row, dict):
        return make.record(number, row)
    if isinstance(row, str) and isinstance(options.columns.text, str):
        return make.record(number, {options.columns.text: row})
    return make.unreadable(
        number, repr(line), f"a {type(row).__name__} is not a row: a line must be an object with {_wanted(options)}"
    )


def _wanted(options: ReadOptions) -> str:
    return f"the key {options.columns.text!r}"


def _broken(line: bytes, error: ValueError, options: ReadOptions) -> tuple[str, str]:
    """The line that serves as a key, and why it cannot be read."""
    try:
        return line.decode(), f"not JSON: {error}"
    except UnicodeDecodeError:
        return line.decode("utf-8", "surrogateescape"), not_of(line, options.encoding)


def _name(line: bytes, column: str) -> JSON:
    """The name of a row that cannot be read, where that stands before the fault."""
    with suppress(ValueError):
        row: Any = from_json(line.decode("utf-8", "replace"), allow_partial=True)
        name = row.get(column) if isinstance(row, dict) else None
        return None if isinstance(name, str) and "\ufffd" in name else name
    return None


class JSONLSink(Growing):
    def append(self, rows: Iterable[Finished]) -> None:
        self.write("".join(json_lines(rows)).encode())

    def assemble(self, rows: Iterable[Finished]) -> None:
        self.replace(line.encode() for line in json_lines(rows))


class ErrorsSink(JSONLSink):
    """The errors file: the failed rows, each with its reason, the last reply and its problems. No failure, no file."""

    def append(self, rows: Iterable[Finished]) -> None:
        failed = [row for row in rows if not row.ok]
        if failed:
            self.write("".join(map(_error_line, failed)).encode())

    def assemble(self, rows: Iterable[Finished]) -> None:
        failed = (_error_line(row).encode() for row in rows if not row.ok)
        first = next(failed, None)
        if first is not None:
            self.replace(chunk for part in ((first,), failed) for chunk in part)
        else:
            self.remove()


def _error_line(finished: Finished) -> str:
    row = finished.row
    return f'{{"id":{row.id},"line":{row.line},{finished.detail}}}\n'
