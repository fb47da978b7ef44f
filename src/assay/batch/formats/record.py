"""A row as it was read, and what makes one of a line's columns: which name it, which are its text."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from assay.batch.formats.nulls import is_null
from assay.batch.formats.prompt import NoText, Prompt
from assay.documents import Document, read
from assay.errors import ConfigurationError
from assay.types import JSON, frozen

PEEK = 100
"""Rows of a file that are looked at before anything is asked, for columns that none of them has."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns mean what. The others are carried through."""

    text: str | tuple[str, ...] = "text"
    """The column with the text, or several, which are joined under their names."""
    id: str | None = None
    """The column that names a row. None: `id` where the input has it, else rows are numbered by their lines."""
    template: str = ""
    """A jinja2 template that makes the text out of a row's columns; then `text` is not looked at."""
    keep_text: bool = False
    """Carry the columns of the text through, too."""
    file: str | None = None
    """The column with the path of a row's document, from the folder of the input; then `text` is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How an input is read."""

    columns: Columns = Columns()
    delimiter: str | None = None
    """Of CSV; None: what the file's name says."""
    encoding: str | None = None
    """Of text files; None: UTF-8, or what a byte order mark says."""
    pages: str | None = None
    """Of documents: which pages, slides or sheets; None: all."""
    ocr: str | None = None
    """The program that reads pages of documents that are images; None: none."""
    images: bool = False
    """Whether all pages of documents are to be shown as images, not only those without text."""
    folder: Path = Path()
    """From which the paths of a column of files lead."""
    own: frozenset[Path] = frozenset()
    """Files that the run writes: no part of its input, wherever they lie."""
    say: Callable[[str], None] = field(default=lambda _: None, compare=False)


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
    document: Document | None = None
    """What it is asked about, when that was read from a file; `text` is then its key."""

    @property
    def source(self) -> str | Document:
        return self.text if self.document is None else self.document


def document_record(number: int, path: Path, name: str, id_: JSON, carried: Mapping[str, JSON], options: ReadOptions) -> Record:
    """The record of a file that is a document; one that cannot be read, or that says nothing, is a fault."""
    try:
        found = read(path, options.pages, encoding=options.encoding, ocr=options.ocr, name=name)
    except ConfigurationError as error:
        return Record(number, id_, f"\0{name}\0{error}", carried, str(error))
    if not found.text.strip() and not found.blank:
        return Record(number, id_, f"\0{name}\0empty", carried, f"{name}: empty")
    return Record(number, id_, found.key, carried, document=found if options.images else found.light())


Records: TypeAlias = Generator[Record, None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An input that was looked at: nothing of it is wrong as a whole."""

    records: Callable[[], Records]
    count: Callable[[], int | None] = lambda: None
    """How many rows there are, where that can be told without reading them as rows."""
    again: bool = True
    """Whether it can be read more than once."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Columns whose types the input itself names, in the words of `assay.batch.formats.arrow`."""


class Maker:
    """Makes records of the rows of one file."""

    def __init__(self, columns: Columns, part: str = "", options: ReadOptions | None = None) -> None:
        self._columns, self._part = columns, part
        self._options = options or ReadOptions(columns=columns)
        self._prompt = Prompt(columns.text, columns.template, keep_text=columns.keep_text)
        self._named: bool | None = True if columns.id is not None else None

    def has_columns(self, names: list[str], path: Path | str, hint: str = "") -> None:
        """Raise `ConfigurationError` where a requested column is not one of these."""
        there = f"{', '.join(map(repr, names))}{hint}"
        if self._columns.file is not None and self._columns.file not in names:
            raise ConfigurationError(f"{path} has no column {self._columns.file!r}: --file must be one of {there}")
        for name in self._prompt.columns if self._columns.file is None else ():
            if name not in names:
                raise ConfigurationError(f"{path} has no column {name!r}: --text must be one of {there}")
        if self._columns.id is not None and self._columns.id not in names:
            raise ConfigurationError(f"{path} has no column {self._columns.id!r}: --id must be one of {there}")
        self._named = self.id_column in names

    @property
    def id_column(self) -> str:
        return "id" if self._columns.id is None else self._columns.id

    def record(self, number: int, row: dict[str, Any]) -> Record:
        """A record of a row's columns; `row` is used up."""
        id_ = row.pop(self.id_column, None)
        if self._named is None:  # the first row says whether rows have names
            self._named = id_ is not None
        if is_null(id_):
            id_ = None if self._named else self._number(number)
        if self._columns.file is not None:
            return self._of_file(number, id_, row, self._columns.file)
        try:
            text = self._prompt.text(row)
        except NoText as fault:
            return self._faulty(number, id_, str(fault), repr(fault.said), row)
        return Record(number, id_, text, row)

    def _of_file(self, number: int, id_: JSON, row: dict[str, Any], column: str) -> Record:
        path = row.get(column)
        if not isinstance(path, str) or not path.strip():
            return self._faulty(number, id_, f"{column} has no path", repr(path), row)
        return document_record(number, self._options.folder / path, path, id_, row, self._options)

    def unreadable(self, number: int, raw: str, why: str, id_: JSON = None) -> Record:
        """The record of a line of which no row can be made. It has the name that can still be read in it, or none."""
        return self._faulty(number, id_, why, raw, {})

    def _faulty(self, number: int, id_: JSON, why: str, raw: str, row: dict[str, Any]) -> Record:
        fault = f"{self._part} line {number}: {why}".lstrip()
        # What makes the key: the row is looked at again as soon as it is mended, and shares its fault with no other row.
        return Record(number, id_, f"\0{fault}\0{raw}", row, fault)

    def _number(self, number: int) -> JSON:
        return f"{self._part}:{number}" if self._part else number


def unique(names: list[str]) -> list[str]:
    """The names of columns, each once: the second `note` is `note.2`."""
    taken = set(names)
    found: list[str] = []
    for name in names:
        new, count = name, 1
        while new in found:
            count += 1
            new = f"{name}.{count}"
            new = new if new not in taken else name
        found.append(new)
    return found
