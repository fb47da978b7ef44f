"""A text cut at every border of a span into flat pieces, so that spans may cross; of a long one, windows around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from assay.types import Span, frozen

WHOLE = 200_000
"""Characters up to which a text is shown whole."""
AROUND = 400
"""Characters shown on either side of a span of a longer one."""


@frozen
class Piece:
    """A stretch of the text."""

    text: str
    spans: tuple[int, ...] = ()
    """The spans that cover it, by their position."""
    begins: tuple[int, ...] = ()
    """Those of them that begin here."""
    left_out: int = 0
    """Characters that are not shown in its place."""


def pieces(source: str, spans: Sequence[Span]) -> Iterator[Piece]:
    """The text in its order."""
    at = 0
    for start, end in _windows(source, spans):
        if start > at:
            yield Piece("", left_out=start - at)
        yield from _cut(source, spans, start, end)
        at = end
    if at < len(source):
        yield Piece("", left_out=len(source) - at)


def _windows(source: str, spans: Sequence[Span]) -> list[tuple[int, int]]:
    if len(source) <= WHOLE:
        return [(0, len(source))]
    joined = [(0, AROUND)]
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(0, span.start - AROUND), min(len(source), span.end + AROUND)
        if start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(source: str, spans: Sequence[Span], first: int, last: int) -> Iterator[Piece]:
    inside = sorted((at for at, span in enumerate(spans) if first <= span.start < last), key=lambda at: spans[at].start)
    borders = sorted({first, last, *(edge for at in inside for edge in (spans[at].start, min(spans[at].end, last)))})
    open_: list[int] = []
    coming = 0
    for start, end in pairwise(borders):
        open_ = [at for at in open_ if spans[at].end > start]
        begins = []
        while coming < len(inside) and spans[inside[coming]].start == start:
            begins.append(inside[coming])
            coming += 1
        open_ += begins
        yield Piece(source[start:end], tuple(open_), tuple(begins))
