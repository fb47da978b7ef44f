"""Spreadsheets (XLSX, XLSM, XLSB, XLS, ODS), with calamine: a line a row, its cells between ` | `. Runs in the helper only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any, TypeVar

from assay.documents.document import Builder, Document, Wanted
from assay.documents.pages import chosen
from assay.errors import ConfigurationError

CELLS = 5_000_000
"""Of one sheet, from its first to its last: a cell far away makes millions of empty ones."""


T = TypeVar("T")


def read(data: bytes, wanted: Wanted) -> Document:
    return _opened(data, wanted, _sheets)


def rows(data: bytes, wanted: Wanted) -> tuple[str, list[list[str]]]:
    """The name of the first sheet that is shown, and its rows, all of one length."""
    return _opened(data, wanted, _table)


def _opened(data: bytes, wanted: Wanted, use: Callable[[Any, Wanted], T]) -> T:
    import python_calamine as calamine  # noqa: PLC0415  # the extra `documents`

    try:
        return use(calamine.CalamineWorkbook.from_filelike(BytesIO(data)), wanted)
    except calamine.PasswordError:
        raise ConfigurationError(f"{wanted.name} is a spreadsheet with a password: save it without one") from None
    except calamine.CalamineError as error:
        raise ConfigurationError(f"{wanted.name} is a broken spreadsheet: {error}") from None


def _sheets(book: Any, wanted: Wanted) -> Document:
    import python_calamine as calamine  # noqa: PLC0415  # the extra `documents`

    builder, notes = Builder(), []
    sheets = book.sheets_metadata
    for number in chosen(wanted.pages, len(sheets), "sheet", wanted.name):
        sheet = sheets[number - 1]
        if wanted.pages is None and sheet.visible != calamine.SheetVisibleEnum.Visible:
            notes.append(f"the hidden sheet {sheet.name!r} was left out: pages='{number}' reads it")
        elif sheet.typ == calamine.SheetTypeEnum.WorkSheet:
            builder.add(_text(book.get_sheet_by_index(number - 1), wanted.name), "sheet", number, sheet.name)
        else:
            notes.append(f"{sheet.name!r} is not a sheet of cells and was left out")
    return builder.document(notes=notes)


def _table(book: Any, wanted: Wanted) -> tuple[str, list[list[str]]]:
    import python_calamine as calamine  # noqa: PLC0415  # the extra `documents`

    for number, sheet in enumerate(book.sheets_metadata):
        if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet:
            found = book.get_sheet_by_index(number)
            _check_size(found, wanted.name)
            return sheet.name, [[_cell(cell) for cell in row] for row in found.iter_rows()]
    return "", []


def _text(sheet: Any, name: str) -> str:
    _check_size(sheet, name)
    rows = ([_cell(cell) for cell in row] for row in sheet.iter_rows())
    return "\n".join(" | ".join(_bare(row)) for row in rows if any(row))


def _check_size(sheet: Any, name: str) -> None:
    if sheet.height * sheet.width > CELLS:
        raise ConfigurationError(
            f"{name}: sheet {sheet.name!r} has {sheet.height} rows of {sheet.width} cells, more than {CELLS // 1_000_000} million cells"
        )


def _bare(row: list[str]) -> list[str]:
    """Without the empty cells at its end: those before it hold the columns in their places."""
    while not row[-1]:
        row.pop()
    return row


def _cell(value: Any) -> str:
    """As the sheet says it: whole numbers without a point, dates as ISO dates."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return " ".join(str(value).split())
