"""Where rows come from and go to: a file per format, each with `source` (rows in) and, where it is written, a sink (rows out).

To add a format, write such a file and give it a row in `_READ` or `_WRITTEN` below. `Maker` in `record` makes records of rows;
an input is read once, front to back, and never held in memory. What cannot be asked (no text, broken JSON, bytes that are not
UTF-8) is a record with a `fault`, so that it becomes a failed row and not the end of the run.
"""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.batch.files import Owned
from assay.batch.formats import folder, jsonl, python, sheet, table
from assay.batch.formats.opening import PACKED, kind_of
from assay.batch.formats.parts import joined
from assay.batch.formats.python import Rows
from assay.batch.formats.record import Columns, ReadOptions, Record, Source
from assay.batch.formats.sink import OWN_COLUMNS, Layout, Sink, carried_name
from assay.errors import ConfigurationError

__all__ = [
    "JSON_LINES",
    "OWN_COLUMNS",
    "STDIN",
    "Columns",
    "Layout",
    "ReadOptions",
    "Record",
    "Rows",
    "Sink",
    "Source",
    "carried_name",
    "check_written",
    "files_of",
    "open_source",
    "sink",
]

STDIN = "-"
JSON_LINES = jsonl.SUFFIXES
_PARQUET = (".parquet", ".pq")


def _parquet() -> Any:
    from assay.batch.formats import arrow, parquet  # noqa: F401, PLC0415  # pyarrow is an optional extra: the first says so

    return parquet


_READ: dict[str, Callable[[Path, ReadOptions, str], Source]] = {
    **dict.fromkeys(jsonl.SUFFIXES, jsonl.source),
    **dict.fromkeys(table.SUFFIXES, table.source),
    **dict.fromkeys(_PARQUET, lambda path, options, part: _parquet().source(path, options, part)),
}
_PARTS = frozenset(_READ)
"""Formats of which a folder of files is one table."""
_READ |= dict.fromkeys(sheet.SUFFIXES, sheet.source)
_WRITTEN: dict[str, Callable[[Owned, Layout, bool], Sink]] = {
    **dict.fromkeys(jsonl.SUFFIXES, lambda owned, _, __: jsonl.JSONLSink(owned)),
    **dict.fromkeys(table.SUFFIXES, lambda owned, layout, safe: table.CSVSink(owned, layout, safe=safe)),
    **dict.fromkeys(_PARQUET, lambda owned, layout, _: _parquet().ParquetSink(owned, layout)),
}
KINDS = (
    f"{', '.join(_READ)}, each also packed ({', '.join(PACKED)}), several of a kind ('parts/*.jsonl', or a folder of them), "
    "a folder of documents, or - for JSON Lines on the standard input"
)


def open_source(given: str | Path | Rows, options: ReadOptions) -> Source:
    """An input, looked at: raises `ConfigurationError` for what cannot be read as rows, before anything is asked."""
    if not isinstance(given, str | Path):
        return python.source(given, options)
    if str(given) == STDIN:
        return jsonl.stream(sys.stdin.buffer, options)
    path = Path(given)
    found = files_of(path, options)
    if found == [path]:
        return _reader(path)(path, options, "")
    if not found:
        return folder.source(path, options)
    options.say(f"{path}: {len(found):,} {kind_of(found[0])} files, read one after the other")
    return joined(found, _reader(found[0]), options)


def files_of(path: Path, options: ReadOptions) -> list[Path]:
    """The files that make one input: the path itself, those that it matches, or the parts in a folder of nothing else.

    None: it is a folder of documents.
    """
    if path.is_dir():
        files = list(folder.files(path, options))
        kinds = {kind_of(file) for file in files if not file.name.startswith("_")}
        parts = len(kinds) == 1 and kinds <= _PARTS
        return [file for file in files if not file.name.startswith("_")] if parts else []
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207  # a whole path, absolute or not
    files = [file for file in found if file.is_file() and file.resolve() not in options.own and not folder.of_a_run(file)]
    if not files:
        raise ConfigurationError(f"no file matches {path}")
    if len({kind_of(file) for file in files}) > 1:
        raise ConfigurationError(
            f"{path} matches files of several kinds ({', '.join(sorted({kind_of(file) for file in files}))}): name one kind"
        )
    return files


def _reader(path: Path) -> Callable[[Path, ReadOptions, str], Source]:
    if not path.exists():
        raise ConfigurationError(f"there is no file {path}")
    reader = _READ.get(kind_of(path))
    if reader is None:
        raise ConfigurationError(f"{path}: batch reads {KINDS}")
    return reader


def sink(owned: Owned, layout: Layout, *, kind: str = "", safe: bool = False) -> Sink:
    """The sink for a file, by its name or by a kind. Raises `ConfigurationError` for an unknown one."""
    check_written(owned.path, kind)
    return _WRITTEN[kind or owned.path.suffix.lower()](owned, layout, safe)


def check_written(path: Path, kind: str = "") -> None:
    """Raise `ConfigurationError` for an output of a kind that is not written, or needs what is not installed."""
    kind = kind or path.suffix.lower()
    if kind not in _WRITTEN:
        raise ConfigurationError(f"{path}: batch writes {', '.join(_WRITTEN)}; for any other name, give --format")
    if kind in _PARQUET:
        _parquet()
