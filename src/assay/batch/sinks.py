"""Where finished rows go: a file that grows while the run goes on, and is put together anew from the journal when need be.

A sink never decides what is finished; the journal does. `append` adds rows that were just recorded, in the order in which
they finished. `assemble` replaces the whole file by the rows it is given, in their order, atomically: the file is the old one
or the new one at every moment. A full disk leaves whole rows behind.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from pydantic_core import from_json, to_json

from assay.batch.errors import StorageError
from assay.batch.journal import Finished, lines
from assay.batch.sources import JSON_LINES, PARQUET, TABLES
from assay.errors import ConfigurationError
from assay.types import JSONObject

OWN_COLUMNS = ("id", "value", "error", "attempts", "usage", "repairs", "model")
"""Of a row that goes out. A column of the input with one of these names is carried through as `input.NAME`."""


class Sink(Protocol):
    path: Path

    @property
    def stale(self) -> bool:
        """Whether what was appended is not all there is to write, so that the file must be assembled in the end."""
        ...

    def append(self, rows: Iterable[Finished]) -> None: ...
    def assemble(self, rows: Iterable[Finished]) -> None: ...
    def close(self) -> None: ...


class Layout(Protocol):
    """What a sink must know of the rows to lay out columns."""

    @property
    def value(self) -> JSONObject:
        """The JSON Schema of the values."""
        ...

    @property
    def id(self) -> str:
        """The JSON type of the ids, `mixed` when there are several."""
        ...

    @property
    def carried(self) -> Mapping[str, str]:
        """The columns carried through, and the JSON type of each."""
        ...


def sink(path: Path, layout: Layout) -> Sink:
    """The sink for a file, by its name. Raises `ConfigurationError` for a kind that there is none for."""
    kind = path.suffix.lower()
    if kind in JSON_LINES:
        return JSONLSink(path)
    if kind in TABLES:
        return CSVSink(path, layout, "\t" if kind == ".tsv" else ",")
    if kind in PARQUET:
        return ParquetSink(path, layout)
    raise ConfigurationError(f"{path}: batch writes {', '.join(JSON_LINES + TABLES + PARQUET)}")


class _Growing:
    """A file that grows by whole rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def stale(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        """Append all of it or nothing."""
        with _storage(self.path):
            if self._fd is None:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            before = os.fstat(self._fd).st_size
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except OSError:
                os.ftruncate(self._fd, before)
                raise

    def replace(self, chunks: Iterable[bytes]) -> None:
        self.close()
        with _replacing(self.path) as file:
            file.writelines(chunks)

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            with _storage(self.path):
                os.fsync(fd)
                os.close(fd)


class JSONLSink(_Growing):
    def append(self, rows: Iterable[Finished]) -> None:
        self.write("".join(lines(rows)).encode("utf-8", "replace"))

    def assemble(self, rows: Iterable[Finished]) -> None:
        self.replace(line.encode("utf-8", "replace") for line in lines(rows))


class ErrorsSink(JSONLSink):
    """The errors file: the failed rows, each with its reason, the last reply and its problems. No failure, no file."""

    def append(self, rows: Iterable[Finished]) -> None:
        failed = [row for row in rows if not row.ok]
        if failed:
            self.write("".join(map(_error_line, failed)).encode("utf-8", "replace"))

    def assemble(self, rows: Iterable[Finished]) -> None:
        failed = (_error_line(row).encode("utf-8", "replace") for row in rows if not row.ok)
        first = next(failed, None)
        if first is not None:
            self.replace(chunk for part in ((first,), failed) for chunk in part)
        else:
            self.close()
            with _storage(self.path):
                self.path.unlink(missing_ok=True)


def _error_line(finished: Finished) -> str:
    row = finished.row
    return f'{{"id":{row.id},"line":{row.line},{finished.detail}}}\n'


class CSVSink(_Growing):
    """A table: the fields of the value are columns `value.NAME`; what is no scalar is JSON text."""

    def __init__(self, path: Path, layout: Layout, delimiter: str) -> None:
        super().__init__(path)
        self._layout, self._delimiter = layout, delimiter
        self._fields = tuple(layout.value.get("properties", ()))
        self._carried: tuple[str, ...] | None = None

    @property
    def stale(self) -> bool:
        """Columns turned up after the header was written."""
        return self._carried != tuple(self._layout.carried)

    def append(self, rows: Iterable[Finished]) -> None:
        self.write(b"".join(self._chunks(rows)))

    def assemble(self, rows: Iterable[Finished]) -> None:
        self._carried = None
        self.replace(self._chunks(rows))

    def _chunks(self, rows: Iterable[Finished]) -> Iterator[bytes]:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter=self._delimiter)
        carried = self._carried
        if carried is None:
            carried = self._carried = tuple(self._layout.carried)
            writer.writerow(self._header(carried))
        for line in lines(rows):
            writer.writerow(self._cells(from_json(line), carried))
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
        yield buffer.getvalue().encode()

    def _header(self, carried: tuple[str, ...]) -> list[str]:
        value = [f"value.{name}" for name in self._fields] or ["value"]
        return ["id", *value, *OWN_COLUMNS[2:], *carried]

    def _cells(self, row: JSONObject, carried: tuple[str, ...]) -> list[str]:
        value, error = row["value"], row["error"]
        values = [(value or {}).get(name) for name in self._fields] if self._fields else [value]
        said = None if error is None else f"{error['kind']}: {error['message']}"
        rest = [said, *(row[name] for name in OWN_COLUMNS[3:]), *(row.get(name) for name in carried)]
        return [_cell(cell) for cell in [row["id"], *values, *rest]]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return to_json(value).decode()


class ParquetSink:
    """Written whole: a Parquet file has no end that could grow. While the run goes on the journal alone has the rows."""

    def __init__(self, path: Path, layout: Layout) -> None:
        from assay.batch import parquet  # noqa: PLC0415  # pyarrow is an optional extra

        self.path, self._layout, self._parquet = path, layout, parquet

    @property
    def stale(self) -> bool:
        return True

    def append(self, rows: Iterable[Finished]) -> None:
        pass

    def assemble(self, rows: Iterable[Finished]) -> None:
        layout = self._layout
        columns = self._parquet.row_columns(layout.value, layout.id, layout.carried)
        part = _part(self.path)
        with _storage(self.path), _removed_on_failure(part):
            self._parquet.write_rows(part, rows, columns)
            _move(part, self.path)

    def close(self) -> None:
        pass


# -- files -----------------------------------------------------------------------------------------------------------


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when it is whole and on the disk."""
    part = _part(path)
    with _storage(path), _removed_on_failure(part):
        with part.open("wb", buffering=1024 * 1024) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _move(part, path)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _move(part: Path, path: Path) -> None:
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name must survive a power cut, too
    finally:
        os.close(folder)


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from None
