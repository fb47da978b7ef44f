"""Tables as text: CSV and TSV. Read, and written with a column for each field of the value."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json, to_json

from assay.batch.files import Growing, Owned
from assay.batch.formats.opening import ESCAPED, encoding_of, guess, kind_of, opened, texts
from assay.batch.formats.record import Maker, ReadOptions, Record, Records, Source, unique
from assay.batch.formats.sink import OWN_COLUMNS, Layout
from assay.batch.journal import Finished
from assay.batch.journal import lines as json_lines
from assay.errors import ConfigurationError
from assay.types import JSON, JSONObject

SUFFIXES = (".csv", ".tsv")

# -- in ----------------------------------------------------------------------------------------------------------------


def source(path: Path, options: ReadOptions, part: str = "") -> Source:
    table = _Table(path, options)
    table.check()
    return Source(records=lambda: table.records(Maker(options.columns, part, options)), count=lambda: table.rows)


class _Table:
    """A file of CSV. It is read through once before anything is asked: what is wrong with it as a whole is found then."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options = path, options
        self.encoding = encoding_of(path, options)
        self.delimiter = _delimiter(path, options.delimiter)
        self.rows = 0

    def check(self) -> None:
        with opened(self.path) as file, closing(self._rows(file)) as rows:
            self._header(rows)
            self.rows = sum(1 for _ in rows)

    def records(self, make: Maker) -> Records:
        with opened(self.path) as file, closing(self._rows(file)) as rows:
            header = self._header(rows, make)
            id_at = header.index(make.id_column) if make.id_column in header else None
            for line, cells, fault in rows:
                yield self._record(line, header, cells, fault, make, id_at)

    def _header(self, rows: Iterator[tuple[int, list[str], str]], make: Maker | None = None) -> list[str]:
        line, names, fault = next(rows, (0, [], ""))
        if not line:
            raise ConfigurationError(f"{self.path} is empty: its first line must name the columns")
        joined = ",".join(names)
        if ESCAPED.search(joined):
            raw = joined.encode("utf-8", "surrogateescape")
            raise ConfigurationError(f"{self.path}, line {line}: the names of the columns are not UTF-8{guess(raw)}")
        if fault:
            raise ConfigurationError(f"{self.path}, line {line}: {fault}")
        texts = self.options.columns.text
        for wanted in (texts,) if isinstance(texts, str) else texts:
            if names.count(wanted) > 1:
                raise ConfigurationError(
                    f"{self.path} has {names.count(wanted)} columns named {wanted!r}, so the text is ambiguous: rename one of them"
                )
        (make or Maker(self.options.columns)).has_columns(names, self.path, self._other_delimiter(names))
        return unique(names)

    def _other_delimiter(self, names: list[str]) -> str:
        """A hint where the columns are plainly separated by something else."""
        if len(names) > 1 or not names:
            return ""
        found = max(";\t|,", key=names[0].count)
        return f". Is the delimiter {found!r}? --delimiter says so" if found in names[0] else ""

    def _rows(self, file: IO[bytes]) -> Generator[tuple[int, list[str], str], None, None]:
        """The line, the cells and the fault of every row that is not empty, the header's first."""
        # A document may be longer than the 128 kB that the csv module takes for a broken file. The setting is the module's own.
        csv.field_size_limit(sys.maxsize)
        with texts(file, self.encoding, newline="") as found:
            reader = csv.reader(found, delimiter=self.delimiter, strict=True)
            while (row := self._row(reader)) is not None:
                if row[1] or row[2]:
                    yield row

    def _row(self, reader: Any) -> tuple[int, list[str], str] | None:
        begins = reader.line_num + 1
        try:
            return begins, next(reader), ""
        except StopIteration:
            return None
        except csv.Error as error:
            # Strict, since the lenient reader makes one row of all lines between two quotes that are out of place.
            if reader.line_num > begins or "unexpected end" in str(error):
                raise ConfigurationError(
                    f"{self.path}, line {begins}: a quoted field is not closed where it should end "
                    f"(read up to line {reader.line_num}): close it, or double the quotes inside the field"
                ) from None
            return begins, [], f"{error}: double the quotes inside the field"
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{self.path}, line {begins}: not {self.encoding}: {error.reason}") from None

    def _record(self, line: int, header: list[str], cells: list[str], fault: str, make: Maker, id_at: int | None) -> Record:
        raw = ",".join(cells)
        if not fault and ESCAPED.search(raw):
            known = self.options.encoding
            fault = f"not {known}" if known else f"not UTF-8{guess(raw.encode('utf-8', 'surrogateescape'))}"
        if not fault and len(cells) != len(header):
            fault = f"{len(cells)} fields, where the header has {len(header)}"
        if not fault:
            return make.record(line, dict(zip(header, cells, strict=True)))
        name = cells[id_at] if id_at is not None and id_at < len(cells) else None
        return make.unreadable(line, raw, fault, None if name and ESCAPED.search(name) else name or None)


def _delimiter(path: Path, given: str | None) -> str:
    if given is None:
        return "\t" if kind_of(path) == ".tsv" else ","
    found = {"tab": "\t", "\\t": "\t"}.get(given.lower(), given)
    if len(found) != 1 or found in '"\r\n':
        raise ConfigurationError(f"--delimiter must be one character, or 'tab'; got {given!r}")
    return found


# -- out ---------------------------------------------------------------------------------------------------------------

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet takes for a formula."""


class CSVSink(Growing):
    """A table: the fields of the value are columns `value.NAME`; anything that is not a scalar is JSON text."""

    def __init__(self, owned: Owned, layout: Layout, *, safe: bool = False) -> None:
        super().__init__(owned)
        self._layout, self._delimiter, self._safe = layout, "\t" if kind_of(owned.path) == ".tsv" else ",", safe
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
        for line in json_lines(rows):
            writer.writerow(self._cells(from_json(line), carried))
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
        yield buffer.getvalue().encode()

    def _header(self, carried: tuple[str, ...]) -> list[str]:
        value = [f"value.{name}" for name in self._fields] or ["value"]
        return ["id", *map(self._cell, value), *OWN_COLUMNS[2:], *map(self._cell, carried)]

    def _cells(self, row: JSONObject, carried: tuple[str, ...]) -> list[str]:
        value, error = row["value"], row["error"]
        values = [(value or {}).get(name) for name in self._fields] if self._fields else [value]
        said = None if error is None else f"{error['kind']}: {error['message']}"
        rest = [said, *(row.get(name) for name in OWN_COLUMNS[3:]), *(row.get(name) for name in carried)]
        return [self._cell(cell) for cell in [row["id"], *values, *rest]]

    def _cell(self, cell: JSON) -> str:
        match cell:
            case None:
                return ""
            case str():
                return f"'{cell}" if self._safe and cell.startswith(FORMULA) else cell
            case _:
                return to_json(cell).decode()
