"""Where an offset of a document's text stands: on which page, and where on it."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from assay.types import Box, Place

_WORD = struct.Struct("<IIffff")
"""A word: where it begins and ends in the text, and its box."""


def pack(words: Iterable[tuple[int, int, float, float, float, float]]) -> bytes:
    """Words with their boxes, in the order of the text."""
    return b"".join(_WORD.pack(*word) for word in words)


@dataclass(frozen=True, slots=True)
class Places:
    """The parts of a text and, packed, the boxes of its words: both in the order of the text."""

    parts: tuple[Place, ...] = ()
    words: bytes = b""

    def of(self, start: int, end: int) -> Place | None:
        """The part that a stretch stands in, with the box around it; one that goes on beyond it says until where."""
        at = bisect_right(self.parts, start, key=lambda part: part.start) - 1
        if at < 0:
            return None
        part = self.parts[at]
        last = self.parts[max(at, bisect_left(self.parts, end, key=lambda part: part.start) - 1)]
        until = last.number if last is not part else None
        return replace(part, box=_around(self._boxes(start, min(end, part.end))), until=until)

    def boxes(self, start: int, end: int) -> tuple[Box, ...]:
        """The boxes of a stretch, those of one line joined."""
        lines: list[Box] = []
        for box in self._boxes(start, end):
            if lines and _one_line(lines[-1], box):
                lines[-1] = _around([lines[-1], box]) or box
            else:
                lines.append(box)
        return tuple(lines)

    def _boxes(self, start: int, end: int) -> list[Box]:
        at = bisect_right(range(len(self.words) // _WORD.size), start, key=lambda word: self._word(word)[1])
        boxes = []
        while at < len(self.words) // _WORD.size and (word := self._word(at))[0] < end:
            boxes.append(_cut(word, start, end))
            at += 1
        return boxes

    def _word(self, at: int) -> tuple[int, int, float, float, float, float]:
        return _WORD.unpack_from(self.words, at * _WORD.size)


def _cut(word: tuple[int, int, float, float, float, float], start: int, end: int) -> Box:
    """The part of a word's box that the stretch covers, its letters taken to be equally wide."""
    first, last, left, bottom, right, top = word
    letter = (right - left) / max(1, last - first)
    return (left + letter * max(0, start - first), bottom, right - letter * max(0, last - end), top)


def _one_line(a: Box, b: Box) -> bool:
    return b[1] < (a[1] + a[3]) / 2 < b[3] and b[0] >= a[0]


def _around(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    left, bottom, right, top = zip(*boxes, strict=True)
    return (min(left), min(bottom), max(right), max(top))


def unpack(words: bytes) -> Iterable[tuple[int, int, float, float, float, float]]:
    """What `pack` packed."""
    return _WORD.iter_unpack(words)
