"""The evidence of one answer: where each of its values is, and which are not there. Looked up on first use."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from assay.data.paths import put
from assay.ground.choose import Chooser
from assay.ground.find import Spot, spots
from assay.ground.fold import Folded, fold
from assay.ground.leaves import Leaf, Rule, leaves
from assay.ground.meaning import Printed
from assay.ground.near import Around, stretch
from assay.ground.quotes import quote
from assay.schema.not_stated import REASONS, REPAIR, left_null
from assay.types import JSON, JSONObject, Repair, Span

LIKE = 60.0
"""Per cent of the letters of a text that must agree with what is shown as the nearest."""


class Evidence:
    """Of `text`, the JSON of a value, within `source`. It travels in a pickle, found or not."""

    __slots__ = ("_found", "_parts", "_prefix", "_quotes", "_repairs", "_root", "_schema", "_source", "_text")

    def __init__(
        self,
        text: str,
        source: str,
        root: JSONObject,
        *,
        wrapper: str | None = None,
        repairs: Sequence[Repair] = (),
        quotes: Mapping[str, Sequence[str]] | None = None,
        parts: Sequence[tuple[int, int]] = (),
    ) -> None:
        """`root` is the schema of what the model wrote, whose only value under `wrapper`, if any, the value is.

        `quotes` are passages that the model gave for a path. `parts` says of a source of several messages where in `source`
        the text of which message begins: pairs of position and message.
        """
        self._text, self._source, self._root = text, source, root
        self._schema = root if wrapper is None else root.get("properties", {}).get(wrapper, {})
        self._prefix = "" if wrapper is None else f"/{wrapper}"
        self._repairs, self._quotes, self._parts = repairs, quotes or {}, parts
        self._found: tuple[tuple[Span, ...], tuple[str, ...]] | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """In document order of the value."""
        return self._look()[0]

    @property
    def ungrounded(self) -> tuple[str, ...]:
        """The pointers of the values that are to stand in the source, and do not."""
        return self._look()[1]

    @property
    def not_stated(self) -> dict[str, str]:
        """Why fields that may abstain are null."""
        told = {r.path.removeprefix(self._prefix): r.before for r in self._repairs if r.kind == REPAIR}
        return {path: told.get(path, REASONS[0]) for path in left_null(json.loads(self._text), self._schema, self._root)}

    def _look(self) -> tuple[tuple[Span, ...], tuple[str, ...]]:
        if self._found is None:
            self._found = self._locate()
        return self._found

    def _locate(self) -> tuple[tuple[Span, ...], tuple[str, ...]]:
        data = json.loads(self._text)
        text = Folded(self._source)
        wanted = self._leaves()
        quoted = {path: _quoted(passages, text) for path, passages in self._quotes.items()}
        found = Finder(text, self.printed_as(), self.message_of).all(leaf for leaf in wanted if leaf.rule != "quote")
        chosen = Chooser(self._source, found).choose(data)
        spans: list[Span] = []
        nowhere: list[str] = []
        for leaf in wanted:
            mine = [chosen[leaf.path]] if leaf.path in chosen else quoted.get(leaf.path, [])
            spans += [
                Span(leaf.path, place.start, place.end, place.match, message=self.message_of(place.start)) for place in mine
            ]
            if not mine and leaf.counts:
                nowhere.append(leaf.path)
        return tuple(spans), tuple(nowhere)

    def rule(self, path: str) -> Rule:
        """What a marker says of a value."""
        return next((leaf.rule for leaf in self._leaves() if leaf.path == path), "")

    def nearest(self, path: str) -> str | None:
        """What in the source is most like a value that does not stand there; None when nothing is."""
        wanted = next((leaf for leaf in self._leaves() if leaf.path == path), None)
        if wanted is None:
            return None
        place = Finder(Folded(self._source), {}, self.message_of).nearest(wanted)
        return None if place is None else self._source[slice(*place)]

    def _leaves(self) -> list[Leaf]:
        return list(leaves(json.loads(self._text), self._schema, self._root))

    def message_of(self, start: int) -> int | None:
        """The message whose text a position of the source belongs to."""
        at = bisect_right(self._parts, (start, len(self._source))) - 1
        return self._parts[at][1] if at >= 0 else None

    def printed_as(self) -> dict[str, str]:
        """What a value was before it was coerced: the print that the model copied."""
        return {
            repair.path.removeprefix(self._prefix): before
            for repair in self._repairs
            if repair.kind == "coerced" and isinstance(before := _data(repair.before), str)
        }


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _quoted(passages: Iterable[str], text: Folded) -> list[Spot]:
    return [Spot(start, end, 0.0, "quote") for passage in passages for start, end in quote(passage, text)]


class Finder:
    """Finds the places of values in one text: each text and number once, however often it occurs in the answer."""

    def __init__(self, text: Folded, prints: Mapping[str, str], message_of: Callable[[int], int | None]) -> None:
        """`message_of` says which message a position belongs to: no value stands in two."""
        self._text, self._prints, self._message_of = text, prints, message_of
        self._printed, self._around = Printed(text), Around(text)
        self._known: dict[tuple[str, str], list[Spot]] = {}

    def all(self, wanted: Iterable[Leaf]) -> dict[str, list[Spot]]:
        """The places of each value that has any, by its path."""
        found = {}
        for leaf in wanted:
            if its := self._of(leaf):
                found[leaf.path] = its
        return found

    def _of(self, leaf: Leaf) -> list[Spot]:
        if (print_ := self._prints.get(leaf.path)) is not None:
            copied = [place._replace(match="value") for place in self._known_or("text", print_)]
            if copied:
                return copied
        return self._known_or(leaf.kind, leaf.value)

    def _known_or(self, kind: str, value: JSON) -> list[Spot]:
        key = (kind, repr(value))
        if key not in self._known:
            self._known[key] = [
                place for place in self._look(kind, value) if self._message_of(place.start) == self._message_of(place.end - 1)
            ]
        return self._known[key]

    def _look(self, kind: str, value: JSON) -> list[Spot]:
        match kind:
            case "number":
                shown = repr(value)
                return [self._exact(place, shown) for place in self._printed.number(value)]
            case "date" | "time" | "date-time":
                look = {"date": self._printed.date, "time": self._printed.time, "date-time": self._printed.moment}[kind]
                by_meaning = [self._exact(place, value) for place in look(value)]
                return by_meaning or self._literally(value)
            case _:
                return self._literally(value) or self._loosely(value)

    def nearest(self, leaf: Leaf) -> tuple[int, int] | None:
        """The place of what is most like a value."""
        match leaf.kind:
            case "number":
                return self._printed.nearest(leaf.value)
            case "text":
                return stretch(fold(leaf.value), self._text, cutoff=LIKE)
            case _:
                return None

    def _exact(self, place: Spot, shown: str) -> Spot:
        return place._replace(match="exact") if self._text.source[place.start : place.end] == shown else place

    def _literally(self, value: str) -> list[Spot]:
        return spots(value, self._text)

    def _loosely(self, value: str) -> list[Spot]:
        if value.strip().replace(".", "", 1).lstrip("-").isdecimal() and (numbers := self._printed.number(value.strip())):
            return numbers
        return self._around.tight(value) or self._around.words(value) or self._around.near(value)


def as_printed(data: JSON, text: str, schema: JSONObject) -> JSON:
    """A value with its numbers, dates and times as a text prints them; what does not stand there as the value says it."""
    evidence = Evidence(json.dumps(data), text, schema)
    prints = {span.path: text[span.start : span.end] for span in evidence.spans}
    for leaf in leaves(data, schema, schema):
        if leaf.kind != "text":
            shown = prints.get(leaf.path, leaf.value if isinstance(leaf.value, str) else json.dumps(leaf.value))
            data = put(data, leaf.path, shown)
    return data
