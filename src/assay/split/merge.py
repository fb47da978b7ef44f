"""One value out of what the pieces gave, by type and without a model.

Lists are joined in the order of the text, an item seen twice is taken once. Objects are merged field by field, mappings key by
key. Of single values the first one that stands in the text counts, and the others that differ from it are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.data.pointer import split as steps
from assay.errors import ConfigurationError
from assay.options import Split
from assay.outcome import Conflict, Told
from assay.schema.navigate import at, govern, positions
from assay.split.seen import Item, Read, View, folded, same, united
from assay.types import JSON, JSONObject, Span


@dataclass(slots=True)
class Merged:
    """The whole value as JSON data, where it stands, and what the pieces did not agree on."""

    data: JSON
    spans: list[Span] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    origin: dict[str, tuple[Read, ...]] = field(default_factory=dict)
    """The pieces that the value at a path came from."""


def merge(reads: Sequence[Read], schema: JSONObject, rule: Split) -> Merged:
    """Merge what the pieces gave, which is in the form of `schema`. Raises `ConfigurationError` for a conflict that must be an error."""
    merged = Merged(None)
    ordered = sorted(reads, key=lambda read: (read.turn, read.piece.start))
    views = [View(read, "", read.data) for read in ordered if read.data is not None]
    merged.data = _Merger(schema, rule, merged).value(views, "")
    return merged


class _Merger:
    def __init__(self, root: JSONObject, rule: Split, merged: Merged) -> None:
        self._root, self._rule, self._out = root, rule, merged

    def value(self, views: Sequence[View], path: str, *, one: bool = False) -> JSON:
        """`one`: the views are of one item, seen several times: where they differ one of them was cut, which is not a conflict."""
        given = [view for view in views if view.value is not None]
        self._out.origin[path] = tuple({id(view.read): view.read for view in given}.values())
        if not given:
            return None
        if all(isinstance(view.value, dict) for view in given):
            return self._object(given, path, one=one)
        if all(isinstance(view.value, list) for view in given) and not self._is_tuple(given[0].value, path):
            return self._list(given, path)
        return self._scalar(given, path, one=one)

    def _object(self, views: Sequence[View], path: str, *, one: bool) -> JSON:
        keys = dict.fromkeys(key for view in views for key in view.value)
        return {
            key: self.value(
                [view.child(key, view.value.get(key)) for view in views if key in view.value], _below(path, key), one=one
            )
            for key in keys
        }

    def _list(self, views: Sequence[View], path: str) -> JSON:
        items = [view.child(position, item) for view in views for position, item in enumerate(view.value)]
        schema = govern(at(self._root, steps(path), None), views[0].value, self._root)
        unique = bool(schema.get("uniqueItems"))
        key = self._rule.key if all(isinstance(item.value, dict) for item in items) else None
        found = united(items, unique=unique, key=key)
        return [self._item(item, f"{path}/{position}", keyed=key is not None) for position, item in enumerate(found)]

    def _item(self, item: Item, path: str, *, keyed: bool) -> JSON:
        return self.value(item.views, path, one=not keyed)

    def _is_tuple(self, value: JSON, path: str) -> bool:
        return bool(positions(govern(at(self._root, steps(path), None), value, self._root)))

    def _scalar(self, views: Sequence[View], path: str, *, one: bool) -> JSON:
        standing = [view for view in views if view.place is not None]
        chosen = self._longest(standing or views) if one else self._chosen(standing or list(views))
        if (place := chosen.place) is not None:
            match = next(span.match for span in chosen.read.spans if span.path == chosen.path)
            self._out.spans.append(Span(path, *place, match, piece=chosen.read.number))
        others = [view for view in views if not same(view.value, chosen.value)]
        if others and not one:
            self._tell(path, chosen, others)
        return chosen.value

    def _longest(self, views: Sequence[View]) -> View:
        """Of one value seen several times the one that is not cut."""
        return max(views, key=lambda view: len(view.value) if isinstance(view.value, str) else 0)

    def _chosen(self, views: Sequence[View]) -> View:
        match self._rule.conflict:
            case "last":
                return views[-1]
            case "most":
                return self._most(views)
            case _:
                return views[0]

    def _most(self, views: Sequence[View]) -> View:
        counts = Counter(folded(view.value) for view in views)
        return max(views, key=lambda view: counts[folded(view.value)])

    def _tell(self, path: str, chosen: View, others: Iterable[View]) -> None:
        told: dict[Any, Told] = {}
        for view in (chosen, *others):
            told.setdefault(folded(view.value), Told(view.value, view.read.number, *(view.place or (None, None))))
        if len(told) < 2:
            return
        conflict = Conflict(path, chosen.value, tuple(told.values()))
        if self._rule.conflict == "error":
            raise ConfigurationError(f"the pieces of the document do not agree on {conflict}")
        self._out.conflicts.append(conflict)


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def starts(spans: Iterable[Span], prefix: str, count: int) -> list[int | None]:
    """Where each item of the list whose items have paths with this prefix begins in the source; None for one that stands nowhere."""
    found: dict[str, int] = {}
    for span in spans:
        if span.path.startswith(prefix):
            position = span.path[len(prefix) :].partition("/")[0]
            found[position] = min(span.start, found.get(position, span.start))
    return [found.get(str(position)) for position in range(count)]
