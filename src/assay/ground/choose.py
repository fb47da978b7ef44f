"""Which place belongs to a value that occurs more than once.

A list's items go forward through the text without overlap, unless those that stand there only once show that it does not
follow the text. A record's fields stand together: distance counts, and each border of a line or sentence between them. Two
values do not share a place while another is free. Nothing is assumed about the order of fields.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.data.pointer import join
from assay.ground.find import Spot
from assay.types import JSON

LINE, SENTENCE, PARAGRAPH = 40, 20, 80
"""What a border between two fields of a record counts for, in characters of distance."""
FAR = 600
"""Characters of distance beyond which one place is as far as another."""
BACK = 400.0
"""Charge for an item that stands before the one before it in its list."""
TAKEN = 200.0
"""Charge for a place that another value has."""
ANCHORS = 400
"""Places of a record's rarest value that are tried as the place of the record."""
DISORDER = 0.25
"""Share of neighbours in a list that may be in the wrong order before the list counts as unordered."""

_BORDERS = re.compile(r"\n\s*\n|\n|[.!?;](?=\s)|[。！？；]")  # noqa: RUF001  # full-width signs


class _Used:
    """Places in use; they may overlap."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []

    def add(self, place: Spot) -> None:
        insort(self._places, (place.start, place.end))

    def holds(self, place: Spot) -> bool:
        at = bisect_left(self._places, (place.start, place.end))
        before = self._places[max(0, at - 3) : at]
        return any(end > place.start for _, end in before) or (at < len(self._places) and self._places[at][0] < place.end)


@dataclass(slots=True)
class Chooser:
    """Chooses for one text. `found` has the places of every value, by its pointer."""

    source: str
    found: Mapping[str, Sequence[Spot]]
    chosen: dict[str, Spot] = field(default_factory=dict)
    _taken: _Used = field(default_factory=_Used)
    _borders: list[int] = field(default_factory=list)
    _weights: list[int] = field(default_factory=list)
    """What all borders up to each of `_borders` count for together."""

    def __post_init__(self) -> None:
        total = 0
        for border in _BORDERS.finditer(self.source):
            sign = border[0]
            total += PARAGRAPH if sign.count("\n") > 1 else LINE if sign == "\n" else SENTENCE
            self._borders.append(border.start())
            self._weights.append(total)

    def choose(self, data: JSON) -> dict[str, Spot]:
        """The place of each value that has one."""
        self._node(data, (), None)
        return self.chosen

    # -- the shape of the answer ---------------------------------------------------------------------------------------

    def _node(self, data: JSON, way: tuple[str | int, ...], near: tuple[int, int] | None) -> None:
        if isinstance(data, list):
            self._list(data, way, near)
        elif isinstance(data, dict):
            self._object(data, way, near)
        elif (path := join(way)) in self.found:
            self._take(path, self._best(path, near))

    def _object(self, data: dict[str, JSON], way: tuple[str | int, ...], near: tuple[int, int] | None) -> None:
        """Lists of records first: they are told apart best, and what they take is not left for the fields beside them."""
        inner = [(key, value) for key, value in data.items() if isinstance(value, dict | list)]
        for key, value in sorted(inner, key=lambda item: not _has_records(item[1])):
            self._node(value, (*way, key), near)
        leaves = [join((*way, key)) for key, value in data.items() if not isinstance(value, dict | list)]
        self._together([path for path in leaves if path in self.found], near if way else None, hull=bool(way))

    def _list(self, data: list[JSON], way: tuple[str | int, ...], near: tuple[int, int] | None) -> None:
        if any(isinstance(item, dict | list) for item in data):
            self._records(data, way, near)
            return
        paths = [path for at in range(len(data)) if (path := join((*way, at))) in self.found]
        if near is not None:
            self._together(paths, near, hull=True)
        else:
            self._forward(paths)

    # -- a list of values ----------------------------------------------------------------------------------------------

    def _forward(self, paths: Sequence[str]) -> None:
        ordered = _ordered([self.found[path] for path in paths])
        if _follows(ordered):
            for path, place in zip(paths, ordered, strict=True):
                self._take(path, _free(place, self.found[path], self._taken))
            return
        for path in sorted(paths, key=self._rarity):
            self._take(path, self._best(path, None))

    def _rarity(self, path: str) -> tuple[int, int]:
        """The most certain first: values with few places, among equals the longest."""
        first = self.found[path][0]
        return len(self.found[path]), first.start - first.end

    # -- records -------------------------------------------------------------------------------------------------------

    def _records(self, data: list[JSON], way: tuple[str | int, ...], near: tuple[int, int] | None) -> None:
        records = [(at, [path for path in _own_leaves(item, (*way, at)) if path in self.found]) for at, item in enumerate(data)]
        known = [(at, paths) for at, paths in records if paths]
        anchors = [self._anchors(paths, near) for _, paths in known]
        ordered = _ordered(anchors)
        places = _spread(ordered, anchors) if _follows(ordered) else self._apart(anchors)
        homes = {at: (place.start, place.end) for (at, _), place in zip(known, places, strict=True)}
        for at, paths in records:
            self._together(paths, homes.get(at, near), hull=True)
        for at, item in enumerate(data):
            for key, inner in _inner_records(item):
                self._node(inner, (*way, at, *key), homes.get(at, near))

    def _anchors(self, paths: Sequence[str], near: tuple[int, int] | None) -> list[Spot]:
        """Where the record may stand: the places of its rarest value, each with what it costs to have the other values near."""
        rarest = min(paths, key=self._rarity)
        others = [self.found[path] for path in paths if path != rarest]
        places = self.found[rarest]
        if len(places) > ANCHORS:
            places = places[:ANCHORS]
        made = []
        for place in places:
            cost = place.charge + sum(self._nearest(place.start, place.end, options) for options in others)
            if near is not None:
                cost += self._distance(place.start, place.end, *near)
            made.append(place._replace(charge=cost))
        return made

    def _nearest(self, start: int, end: int, options: Sequence[Spot]) -> float:
        at = bisect_left(options, (start,))
        around = options[max(0, at - 2) : at + 2]
        return min((self._distance(start, end, place.start, place.end) + place.charge for place in around), default=FAR)

    def _apart(self, options: Sequence[Sequence[Spot]]) -> list[Spot]:
        """A place for each, none twice while another is free; the longest first, since it may hold shorter ones."""
        places: dict[int, Spot] = {}
        used = _Used()
        for at in sorted(range(len(options)), key=lambda at: (options[at][0].start - options[at][0].end, len(options[at]))):
            best = min(options[at], key=lambda place: place.charge + (TAKEN if used.holds(place) else 0))
            used.add(best)
            places[at] = best
        return [places[at] for at in range(len(options))]

    def _together(self, paths: Sequence[str], home: tuple[int, int] | None, *, hull: bool) -> None:
        """Fields of one record: the rarest first, each of the others near to those that have their place."""
        for path in sorted(paths, key=self._rarity):
            if path in self.chosen:
                continue
            best = self._best(path, home)
            self._take(path, best)
            if hull:
                home = (best.start, best.end) if home is None else (min(home[0], best.start), max(home[1], best.end))
        self._sort_equals(paths)

    def _sort_equals(self, paths: Sequence[str]) -> None:
        """Equal items of one list go forward."""
        equals: dict[tuple[str, int], list[str]] = {}
        for path in paths:
            equals.setdefault((path.rpartition("/")[0], id(self.found[path])), []).append(path)
        for alike in equals.values():
            if len(alike) > 1 and alike[0].rpartition("/")[2].isdigit():
                places = sorted(self.chosen[path] for path in alike)
                self.chosen.update(zip(alike, places, strict=True))

    def _best(self, path: str, near: tuple[int, int] | None) -> Spot:
        def cost(place: Spot) -> float:
            far = 0.0 if near is None else float(self._distance(place.start, place.end, *near))
            return place.charge + far + (TAKEN if self._taken.holds(place) else 0.0)

        return min(self.found[path], key=cost)

    # -- distance and occupation -------------------------------------------------------------------------------------

    def _distance(self, start: int, end: int, other_start: int, other_end: int) -> int:
        """Characters between two places, and what the borders between them count for."""
        first, last = (end, other_start) if end <= other_start else (other_end, start)
        if last <= first:
            return 0
        at, to = bisect_left(self._borders, first), bisect_left(self._borders, last)
        crossed = (self._weights[to - 1] if to else 0) - (self._weights[at - 1] if at else 0)
        return min(last - first + crossed, FAR)

    def _take(self, path: str, place: Spot) -> None:
        self.chosen[path] = place
        self._taken.add(place)


def _free(place: Spot, options: Sequence[Spot], used: _Used) -> Spot:
    """The place, or when it is taken the nearest free one."""
    if not used.holds(place):
        return place
    free = [other for other in options if not used.holds(other)]
    return min(free, key=lambda other: abs(other.start - place.start), default=place)


def _spread(places: Sequence[Spot], options: Sequence[Sequence[Spot]]) -> list[Spot]:
    """The places, none twice while another is free."""
    used = _Used()
    spread = []
    for place, others in zip(places, options, strict=True):
        spread.append(_free(place, others, used))
        used.add(spread[-1])
    return spread


def _has_records(value: JSON) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict | list) for item in value)


def _own_leaves(item: JSON, way: tuple[str | int, ...]) -> Iterable[str]:
    """The values of a record itself: not those of lists of records within it."""
    if isinstance(item, dict):
        for key, value in item.items():
            if not _has_records(value):
                yield from _own_leaves(value, (*way, key))
    elif isinstance(item, list):
        for at, value in enumerate(item):
            yield from _own_leaves(value, (*way, at))
    else:
        yield join(way)


def _inner_records(item: JSON, way: tuple[str | int, ...] = ()) -> Iterable[tuple[tuple[str | int, ...], JSON]]:
    if isinstance(item, dict):
        for key, value in item.items():
            if _has_records(value):
                yield (*way, key), value
            else:
                yield from _inner_records(value, (*way, key))


def _follows(ordered: Sequence[Spot]) -> bool:
    """Whether a list goes with the text: then few of its items had to be sought before the one before them."""
    back = sum(place.start < before.start for before, place in itertools.pairwise(ordered))
    return back < 2 or back <= DISORDER * (len(ordered) - 1)


def _ordered(options: Sequence[Sequence[Spot]]) -> list[Spot]:
    """One place for each so that they go forward through the text at the least charge; among equals the earliest (Viterbi)."""
    costs: list[list[float]] = []
    froms: list[list[int]] = []
    previous: Sequence[Spot] = ()
    for places in options:
        cost, from_ = _step(previous, costs[-1] if costs else [], places)
        costs.append(cost)
        froms.append(from_)
        previous = places
    chosen: list[Spot] = []
    at = min(range(len(costs[-1])), key=costs[-1].__getitem__) if costs else 0
    for places, from_ in zip(reversed(options), reversed(froms), strict=True):
        chosen.append(places[at])
        at = from_[at]
    chosen.reverse()
    return chosen


def _step(previous: Sequence[Spot], costs: Sequence[float], places: Sequence[Spot]) -> tuple[list[float], list[int]]:
    """The cheapest way to each place from those of the item before: free when it goes forward, else for a charge."""
    if not previous:
        return [place.charge for place in places], [0] * len(places)
    anywhere = min(range(len(costs)), key=costs.__getitem__)
    cheapest, best, passed = float("inf"), 0, 0
    reached, froms = [], []
    for place in places:
        while passed < len(previous) and previous[passed].end <= place.start:
            if costs[passed] < cheapest:
                cheapest, best = costs[passed], passed
            passed += 1
        forward = cheapest <= costs[anywhere] + BACK
        reached.append(place.charge + (cheapest if forward else costs[anywhere] + BACK))
        froms.append(best if forward else anywhere)
    return reached, froms
