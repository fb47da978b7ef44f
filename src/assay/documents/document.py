"""What comes out of a file, whatever its format: its text, where the parts of it stand, and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from assay.data.places import Places
from assay.types import Box, Place, Span


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read: a source of `extract`, `run`, `map`. Offsets of spans count in `text`."""

    text: str
    places: tuple[Place, ...] = ()
    """Pages, sheets, slides, attachments: they cover the text, in order, without overlap. Empty for a text without parts."""
    notes: tuple[str, ...] = ()
    """What was left out, and what a reader should know: `2 hidden sheets were left out`."""
    name: str = ""
    """The file's name, as errors call it."""
    blank: tuple[int, ...] = ()
    """Numbers of the pages that have no text: images, for a model that sees, or for OCR."""
    words: bytes = field(default=b"", repr=False)
    """Where each word stands on its page, packed: see `assay.data.places`. Empty where the format has no boxes."""
    data: bytes = field(default=b"", repr=False)
    """The file itself, kept where pages of it can be shown to a model as images."""

    @property
    def key(self) -> str:
        """What tells documents apart: the text, with a digest of the file where pages of it are images."""
        return f"{self.text}\0{hashlib.sha256(self.data).hexdigest()}" if self.blank else self.text

    def light(self) -> Document:
        """Without the file, when no page of it has to be shown."""
        return self if self.blank else replace(self, data=b"")

    def place(self, span: Span) -> Place | None:
        """The page (sheet, slide ...) of a span of this text, with its box on the page where that is known."""
        return Places(self.places, self.words).of(span.start, span.end)

    def boxes(self, span: Span) -> tuple[Box, ...]:
        """The boxes of a span, one a line, in points from the page's lower left corner; none where they are not known."""
        return Places(self.places, self.words).boxes(span.start, span.end)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a file."""

    name: str = "the source"
    """What errors call it."""
    pages: tuple[int, ...] | None = None
    """Numbers of pages, slides or sheets, counted from 1; None: all."""
    encoding: str | None = None


class Builder:
    """Puts a text together from parts, each with its place: what `Document.places` promises holds by construction."""

    def __init__(self, between: str = "\n\n") -> None:
        self._texts: list[str] = []
        self._places: list[Place] = []
        self._between = between
        self._length = 0

    @property
    def length(self) -> int:
        """Characters so far: where the next part's text begins, once there is one."""
        return self._length + (len(self._between) if self._texts else 0)

    def add(self, text: str, kind: str, number: int, name: str = "") -> int:
        """Add a part; where its text begins. The sign between two parts belongs to the earlier one."""
        if self._texts:
            self._texts.append(self._between)
            self._length += len(self._between)
            last = self._places[-1]
            self._places[-1] = Place(last.kind, last.number, last.name, last.start, self._length)
        start = self._length
        self._texts.append(text)
        self._length += len(text)
        self._places.append(Place(kind, number, name, start, self._length))
        return start

    def document(self, *, notes: Iterable[str] = (), blank: Iterable[int] = (), words: bytes = b"") -> Document:
        return Document("".join(self._texts), tuple(self._places), tuple(notes), blank=tuple(blank), words=words)
