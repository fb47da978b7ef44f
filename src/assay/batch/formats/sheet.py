"""Spreadsheets (XLSX, XLS, ODS ...), through the extra `documents`: the first sheet, whose first row names the columns.

They are opened in the helper process of `assay.documents`, with its bounds. Cells are text, as the sheet says them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from assay.batch.formats.opening import LONGEST, opened
from assay.batch.formats.record import Maker, ReadOptions, Records, Source, unique
from assay.documents import helper
from assay.documents.document import Wanted
from assay.documents.kind import Kind, kind_of
from assay.errors import ConfigurationError

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def source(path: Path, options: ReadOptions, part: str = "") -> Source:
    with opened(path) as file:
        data = file.read(LONGEST + 1)
    if len(data) > LONGEST or kind_of(data, path.name) is not Kind.SHEET:
        raise ConfigurationError(
            f"{path} is not a spreadsheet of up to {LONGEST // 1_000_000} MB: batch reads those, and text files"
        )
    if importlib.util.find_spec("python_calamine") is None:
        raise ConfigurationError(f"{path} is a spreadsheet: pip install 'assay[documents]' to read it")
    name, rows = helper.rows("sheet", data, Wanted(str(path)))
    if not rows:
        raise ConfigurationError(f"{path}, sheet {name!r}, is empty: its first row must name the columns")
    header, *cells = rows
    names = unique(header)
    Maker(options.columns, part).has_columns(header, path, f" in its sheet {name!r}")

    def records() -> Records:
        make = Maker(options.columns, part, options)
        make.has_columns(header, path)
        for number, row in enumerate(cells, 2):
            if any(row):
                yield make.record(number, dict(zip(names, row, strict=True)))

    return Source(records=records, count=lambda: len(cells))
