"""The order in which the lines of a page are read: as they were drawn, unless that tears a table or two columns apart.

Most programs draw a page in reading order, and no geometry is as right as that. Two faults are worth repairing: a table that was drawn
column by column, or in any order (its rows are put together again), and two columns of text drawn line by line across both.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import mean, median

from assay.documents.formats.pdf_lines import Line

CELL = 30
"""Characters of a line, on average, up to which it is a cell of a table and no line of a column."""
TORN = 2
"""Rows torn apart from which on a page is read by rows."""
COLUMN = 5
"""Lines that a column of text has at least."""


def ordered(lines: list[Line]) -> list[list[Line]]:
    """The rows of a page in reading order; a row is mostly one line, in a table the cells that stand beside each other."""
    if len(lines) < 3:
        return _as_drawn(lines)
    if (columns := _columns(lines)) is not None:
        return [[line] for line in columns]
    rows = _rows(lines)
    drawn = {id(line): at for at, line in enumerate(lines)}
    tables = [row for row in rows if len(row) > 1 and mean(line.length for line in row) <= CELL]
    torn = [row for row in tables if any(drawn[id(b)] - drawn[id(a)] != 1 for a, b in pairwise(row))]
    return rows if len(torn) >= TORN and 2 * len(torn) >= len(tables) else _as_drawn(lines)


def _as_drawn(lines: list[Line]) -> list[list[Line]]:
    """One row for lines drawn one after the other that stand beside each other: PDFium had them on one line of text."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and _beside(rows[-1][-1], line) and line.left >= rows[-1][-1].right:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _rows(lines: list[Line]) -> list[list[Line]]:
    """Lines that stand beside each other, from the top of the page to its bottom, each row from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -(line.top + line.bottom)):
        if rows and _beside(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _beside(a: Line, b: Line) -> bool:
    shared = min(a.top, b.top) - max(a.bottom, b.bottom)
    return shared > 0.5 * min(a.height, b.height)


def _columns(lines: list[Line]) -> list[Line] | None:
    """Two columns of text that were drawn line by line across both, one after the other; None where there are none."""
    gutter = _gutter(lines)
    if gutter is None:
        return None
    left = [line for line in lines if line.right <= gutter]
    right = [line for line in lines if line.left >= gutter]
    if min(len(left), len(right)) < COLUMN or min(mean(line.length for line in side) for side in (left, right)) <= CELL:
        return None
    sides = [line.left >= gutter for line in lines if line.right <= gutter or line.left >= gutter]
    if sum(a != b for a, b in pairwise(sides)) < min(len(left), len(right)):
        return None
    top = max(line.top for line in left + right)
    bottom = min(line.bottom for line in left + right)
    across = [line for line in lines if line.left < gutter < line.right]
    if any(bottom < line.bottom and line.top < top for line in across):
        return None
    above = [line for line in across if line.bottom >= top - line.height]
    return above + left + right + [line for line in across if line not in above]


def _gutter(lines: list[Line]) -> float | None:
    """Where a page is divided: between the ends of the lines on the left and the beginnings of those on the right."""
    middle = (min(line.left for line in lines) + max(line.right for line in lines)) / 2
    left = [line.right for line in lines if line.right < middle * 1.1 and line.left < middle * 0.5]
    right = [line.left for line in lines if line.left > middle * 0.9]
    if not left or not right:
        return None
    edge, start = max(left), median(right)
    return (edge + start) / 2 if edge < start else None
