"""The words of a page with their boxes, as lines in the order in which they were drawn."""

from __future__ import annotations

import re
from ctypes import byref, c_double
from itertools import pairwise
from typing import Any

from assay.types import Box, frozen

JOINED = "\ufffe"
"""What PDFium puts where a word was broken at the end of a line."""
_WORD = re.compile(r"[^\s\ufffe]+")
GAP = 1.6
"""Between two words of a line, in heights of it, from which on they are two lines: columns, or the cells of a table."""


@frozen
class Word:
    """A word, or what stands of it on one line."""

    text: str
    box: Box
    hyphened: bool = False
    """It goes on with the next word: the hyphen at the end of the line is taken out."""


@frozen
class Line:
    """Words that stand beside each other."""

    words: tuple[Word, ...]
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def length(self) -> int:
        return sum(len(word.text) for word in self.words) + len(self.words) - 1


def lines_of(textpage: Any) -> list[Line]:
    """The lines of a page as drawn, divided where a gap shows that two things stand beside each other."""
    text = textpage.get_text_range()
    index = _Index(textpage, text)
    lines: list[Line] = []
    at = 0
    for raw in text.splitlines(keepends=True):
        words = [
            Word(match[0], index.box(at + match.start(), at + match.end()), raw[match.end() : match.end() + 1] == JOINED)
            for match in _WORD.finditer(raw)
        ]
        lines += _divided(words)
        at += len(raw)
    return lines


class _Index:
    """From an offset in PDFium's text to the box of the character there."""

    def __init__(self, textpage: Any, text: str) -> None:
        import pypdfium2.raw as pdfium  # noqa: PLC0415  # the extra `documents`

        self._pdfium, self._textpage = pdfium, textpage
        self._box = c_double(), c_double(), c_double(), c_double()
        self._wide = _wide(text)

    def box(self, start: int, end: int) -> Box:
        first, last = self._char(start), self._char(end - 1)
        return first if end - start == 1 else _over(first, last)

    def _char(self, at: int) -> Box:
        index = self._pdfium.FPDFText_GetCharIndexFromTextIndex(self._textpage, at + self._wide(at))
        left, right, bottom, top = self._box
        if index < 0 or not self._pdfium.FPDFText_GetCharBox(
            self._textpage, index, byref(left), byref(right), byref(bottom), byref(top)
        ):
            return (0.0, 0.0, 0.0, 0.0)
        return (left.value, bottom.value, right.value, top.value)


def _wide(text: str) -> Any:
    """How many signs before an offset are two UTF-16 units, as PDFium counts."""
    if text.isascii() or max(text, default="") < "\U00010000":
        return lambda _: 0
    before = [0]
    for sign in text:
        before.append(before[-1] + (sign > "\uffff"))
    return before.__getitem__


def _over(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _divided(words: list[Word]) -> list[Line]:
    if not words:
        return []
    parts = [[words[0]]]
    for before, word in pairwise(words):
        height = max(before.box[3] - before.box[1], word.box[3] - word.box[1], 1.0)
        beside = before.box[1] < word.box[3] and word.box[1] < before.box[3]
        if not before.hyphened and (not beside or word.box[0] - before.box[2] > GAP * height or word.box[2] < before.box[0]):
            parts.append([])
        parts[-1].append(word)
    return [_line(part) for part in parts]


def _line(words: list[Word]) -> Line:
    box = words[0].box
    for word in words[1:]:
        box = _over(box, word.box)
    return Line(tuple(words), *box)


def text_of(rows: list[list[Line]]) -> tuple[str, list[tuple[int, int, Box]]]:
    """The text of a page, and the box of each of its words. A row's lines stand on one line of text, two spaces between."""
    parts: list[str] = []
    boxes: list[tuple[int, int, Box]] = []
    length = 0
    for row in rows:
        for line in row:
            for word in line.words:
                boxes.append((length, length + len(word.text), word.box))
                last = word is line.words[-1]
                after = "" if word.hyphened and not last else "" if last else " "
                parts += (word.text, after)
                length += len(word.text) + len(after)
            between = "\n" if line is row[-1] else "  "
            parts.append(between)
            length += len(between)
    return "".join(parts).rstrip(), boxes
