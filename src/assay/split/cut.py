"""A text cut into pieces: at the ends of paragraphs, lines and sentences, never inside a character, every offset kept.

Neighbours share some text, so that what a border cuts stands whole in one of them. Before a piece stand the headings that it is
under and the header of the table that it begins in: copies, whose offsets lead to the originals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from assay.types import frozen

_HEADING = re.compile(r"^(#{1,6}) [^\n]*", re.MULTILINE)
_ROW = re.compile(r"^[^\n]*(?:^\||[^|\n] \| )[^\n]*$", re.MULTILINE)
_BORDERS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。！？])\s|(?<=[。！？])"), re.compile(r"\s"))  # noqa: RUF001
"""Where a piece may begin, the best first: a paragraph, a line, a sentence, a word."""
GAP = "\n…\n"
"""Between what stands before a piece, and it."""
HEAD_SHARE = 0.2
"""Of a piece that headings and a table's header may take."""


@frozen
class Piece:
    """A stretch of a text, and what is shown before it."""

    start: int
    end: int
    text: str
    """What is asked about: heads, and `source[start:end]`."""
    heads: tuple[tuple[int, int], ...] = ()

    def absolute(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a stretch of `text` stands in the source; None for one that is in no one place there."""
        at = 0
        for first, last in self.heads:
            if at <= start and end <= at + last - first:
                return first + start - at, first + end - at
            at += last - first + 1
        begin = len(self.text) - (self.end - self.start)
        return (self.start + start - begin, self.start + end - begin) if start >= begin else None

    def halves(self, source: str) -> tuple[Piece, ...]:
        """The piece cut in two, which share a tenth."""
        size = self.end - self.start
        return tuple(
            piece_of(source, self.start + piece.start, self.start + piece.end)
            for piece in cut(source[self.start : self.end], size * 11 // 20 + 1, size // 20)
        )


def cut(source: str, size: int, overlap: int) -> list[Piece]:
    """The pieces of a text, of up to `size` characters, of which up to `overlap` are those at the end of the piece before."""
    from semantic_text_splitter import TextSplitter  # noqa: PLC0415  # only for who has a long text

    splitter = TextSplitter(max(1, size - overlap), trim=False)
    borders = [start for start, _ in splitter.chunk_indices(source)] + [len(source)]
    pieces = []
    for before, end in pairwise(borders):
        start = _back(source, before, overlap) if before and overlap else before
        pieces.append(piece_of(source, start, end, most=int(size * HEAD_SHARE)))
    return [piece for piece in pieces if piece.text.strip()]


def piece_of(source: str, start: int, end: int, *, most: int = 400) -> Piece:
    """A piece with its heads, as far as they take up to `most` characters."""
    heads = tuple(_heads(source, start, most))
    shown = "\n".join(source[first:last] for first, last in heads)
    return Piece(start, end, (shown + GAP if shown else "") + source[start:end], heads)


def _back(source: str, border: int, overlap: int) -> int:
    """Where a piece begins that shares about `overlap` characters, at most, with the one before: at the best border there."""
    low, high = max(0, border - overlap), max(0, border - overlap // 2)
    for pattern in _BORDERS:
        found = pattern.search(source, low, high)
        if found is not None:
            return found.end()
    while low < border and _goes_on(source, low):
        low += 1
    return low


def _goes_on(source: str, at: int) -> bool:
    """Whether the sign belongs to the one before it: accents, joiners, parts of an emoji."""
    return unicodedata.combining(source[at]) > 0 or source[at] in "\u200d\ufe0f" or source[at - 1 : at] == "\u200d"


def _heads(source: str, start: int, most: int) -> Iterator[tuple[int, int]]:
    """The headings above a place, from the outermost in, and the first row of the table that it is in."""
    for first, last in [*_path(source, start), *_table(source, start)]:
        most -= last - first + 1
        if most < 0:
            return
        yield first, last


def _path(source: str, start: int) -> list[tuple[int, int]]:
    path: list[tuple[int, int, int]] = []
    for match in _HEADING.finditer(source, 0, start):
        level = len(match[1])
        path = [above for above in path if above[0] < level]
        path.append((level, *match.span()))
    own = _HEADING.match(source, start)
    if own is not None:
        path = [above for above in path if above[0] < len(own[1])]
    return [(first, last) for _, first, last in path]


def _table(source: str, start: int) -> list[tuple[int, int]]:
    """The first row of a table, when `start` is in a later one."""
    line = source.rfind("\n", 0, start) + 1
    if not _is_row(source, line):
        return []
    first = line
    while first and _is_row(source, above := source.rfind("\n", 0, first - 1) + 1):
        first = above
    return [] if first == line == start or first >= start else [(first, source.find("\n", first))]


def _is_row(source: str, at: int) -> bool:
    end = source.find("\n", at)
    return _ROW.fullmatch(source, at, len(source) if end < 0 else end) is not None
