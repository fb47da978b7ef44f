"""Which items of two pieces are the same: not those that are equal, but those that stand at the same place."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping

from assay.split.cut import Piece
from assay.types import JSON, Span, frozen

Places = Mapping[str, tuple[int, int]]
"""Where the parts of an item stand in the source, by their path within it."""


@frozen
class Read:
    """What one question about a piece gave."""

    number: int
    """The piece's, counted from 1."""
    piece: Piece
    data: JSON
    spans: tuple[Span, ...]
    """In the source, by paths within `data`."""
    turn: int = 0
    """Of several passes over the piece."""


@frozen
class View:
    """A value as one piece gave it."""

    read: Read
    path: str
    value: JSON

    def child(self, token: str | int, value: JSON) -> View:
        return View(self.read, f"{self.path}/{_escaped(token)}", value)

    @property
    def place(self) -> tuple[int, int] | None:
        """Spans of a value that is neither a list nor an object."""
        return next(((span.start, span.end) for span in self.read.spans if span.path == self.path), None)

    def places(self) -> Places:
        """Of the parts of a list's item, and its own under ""."""
        below = f"{self.path}/"
        return {
            span.path[len(self.path) :]: (span.start, span.end)
            for span in self.read.spans
            if span.path == self.path or span.path.startswith(below)
        }


def _escaped(token: str | int) -> str:
    return str(token).replace("~", "~0").replace("/", "~1")


@frozen
class Item:
    """An item of a list, with all views of it."""

    views: tuple[View, ...]
    places: Places

    @property
    def start(self) -> int:
        """Where it stands; an item that stands nowhere comes where its piece begins."""
        return min((start for start, _ in self.places.values()), default=self.views[0].read.piece.start)


def united(views: Iterable[View], *, unique: bool = False, key: str | None = None) -> list[Item]:
    """The items of a list in the order of the text: those seen twice once, with all views of them.

    `unique`: the schema says that no two are equal. `key`: items with the same value under it are one, wherever they stand.
    """
    known = _Known(unique=unique, key=key)
    for view in views:
        known.add(view, view.places())
    items = known.items
    return items if len({view.read.turn for item in items for view in item.views}) < 2 else sorted(items, key=lambda i: i.start)


class _Known:
    """The items so far, found again by the ends of their places, their keys or their values: not by looking at each."""

    def __init__(self, *, unique: bool, key: str | None) -> None:
        self.items: list[Item] = []
        self._unique, self._key = unique, key
        self._at: dict[Hashable, list[int]] = {}

    def add(self, view: View, places: Places) -> None:
        marks = list(self._marks(view, places))
        at = self._find(view, places, marks)
        if at is None:
            at = len(self.items)
            self.items.append(Item((view,), places))
        else:
            item = self.items[at]
            self.items[at] = Item((*item.views, view), {**places, **item.places})
        for mark in marks:
            if at not in (found := self._at.setdefault(mark, [])):
                found.append(at)

    def _find(self, view: View, places: Places, marks: list[Hashable]) -> int | None:
        for at in sorted({at for mark in marks for at in self._at.get(mark, ())}, reverse=True):
            item = self.items[at]
            if (self._key is not None and _same_key(item, view, self._key)) or (
                self._unique and same(item.views[0].value, view.value)
            ):
                return at
            if _share_text(item, view) and _same_place(item, view, places):
                return at
        return None

    def _marks(self, view: View, places: Places) -> Iterator[Hashable]:
        """What two views of one item have in common: of a part of it, one end at least."""
        for path, (start, end) in places.items():
            yield path, "start", start
            yield path, "end", end
        if self._key is not None and isinstance(view.value, dict) and (named := view.value.get(self._key)) is not None:
            yield "key", folded(named)
        if self._unique or not places:
            yield "value", folded(view.value)


def _same_key(item: Item, view: View, key: str) -> bool:
    mine = view.value.get(key) if isinstance(view.value, dict) else None
    if mine is None:
        return False
    return any(isinstance(other.value, dict) and same(other.value.get(key), mine) for other in item.views)


def _share_text(item: Item, view: View) -> bool:
    """Whether a view is of a text that an earlier one saw, too; what one answer gives twice stands there twice."""
    mine = view.read
    if any(other.read is mine for other in item.views):
        return False
    return any(_overlap(other.read.piece, mine.piece) for other in item.views)


def _overlap(a: Piece, b: Piece) -> bool:
    """What stands before a piece, its headings, is of another's text as well."""
    return any(start < a.end and a.start < end for start, end in ((b.start, b.end), *b.heads))


def _same_place(item: Item, view: View, places: Places) -> bool:
    """Whether more of what stands somewhere stands at the same place than at another one."""
    if not places or not item.places:
        return not places and not item.places and any(same(other.value, view.value) for other in item.views)
    same = other = 0
    for path, (start, end) in places.items():
        if path in item.places:
            first, last = item.places[path]
            length = min(end - start, last - first)
            if start < last and first < end:
                same += length
            else:
                other += length
    return same > other


def same(a: JSON, b: JSON) -> bool:
    """Equal but for case and white space."""
    return a == b if not (isinstance(a, str) and isinstance(b, str)) else folded(a) == folded(b)


def folded(value: JSON) -> str:
    """Equal for values that are the same."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else json.dumps(value, sort_keys=True)
