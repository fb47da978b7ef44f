"""A row as it was read, and what makes one of a line's columns: which name it, which are its text."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from assay.batch.formats.nulls import is_null
from assay.batch.formats.prompt import NoText, Prompt
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How an input is read."""

    columns: Columns = Columns()
    delimiter: str | None = None
    """Of CSV; None: what the file's name says."""
    encoding: str | None = None
    """Of text files; None: UTF-8, or what a byte order mark says."""
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

    def __init__(self, columns: Columns, part: str = "") -> None:
        self._columns, self._part = columns, part
        self._prompt = Prompt(columns.text, columns.template, keep_text=columns.keep_text)
        self._named: bool | None = True if columns.id is not None else None

    def has_columns(self, names: list[str], path: Path, hint: str = "") -> None:
        """Raise `ConfigurationError` where a column that was asked for is none of these."""
        there = f"{', '.join(map(repr, names))}{hint}"
        for name in self._prompt.columns:
            if name not in names:
                raise ConfigurationError(f"{path} has no column {name!r}: --text names one of {there}")
        if self._columns.id is not None and self._columns.id not in names:
            raise ConfigurationError(f"{path} has no column {self._columns.id!r}: --id names one of {there}")
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
        try:
            text = self._prompt.text(row)
        except NoText as fault:
            return self._faulty(number, id_, str(fault), repr(fault.said), row)
        return Record(number, id_, text, row)

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
