"""Which items of two lists are meant to be the same. Their order says nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeAlias

from assay.data.paths import leaves
from assay.data.pointer import join, split
from assay.evals.same import canonical
from assay.types import JSON

Pair: TypeAlias = tuple[int | None, int | None]
"""The positions of an item in each list; None where the other list has no such item."""


def align(gold: Sequence[JSON], said: Sequence[JSON]) -> Iterator[Pair]:
    """Pair the items off, those with the most values in common first; what is equal then comes near in position.

    Objects with nothing in common are paired in order, so that what is wrong in them is called wrong. Scalars are not: one that
    gold does not have is no wrong form of another.
    """
    partner = _matched(gold, said)
    taken = set(partner.values())
    rest = iter([at for at, item in enumerate(said) if at not in taken and isinstance(item, dict | list)])
    for at, item in enumerate(gold):
        if at in partner:
            yield at, partner[at]
        else:
            yield at, next(rest, None) if isinstance(item, dict | list) else None
    yield from ((None, at) for at in rest)
    yield from ((None, at) for at, item in enumerate(said) if at not in taken and not isinstance(item, dict | list))


def _matched(gold: Sequence[JSON], said: Sequence[JSON]) -> dict[int, int]:
    """The partner in `said` of each item of `gold` that has one."""
    common = _in_common([_values(item) for item in gold], [_values(item) for item in said])
    # A tie between (i, j) and (j, i) is none: they do not exclude each other. So the result is the same from both sides.
    ranked = sorted(common, key=lambda pair: (-common[pair], abs(pair[0] - pair[1]), min(pair)))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for mine, theirs in ranked:
        if mine not in partner and theirs not in taken:
            partner[mine] = theirs
            taken.add(theirs)
    return partner


def _in_common(gold: Sequence[Counter[Hashable]], said: Sequence[Counter[Hashable]]) -> Counter[tuple[int, int]]:
    """How many values two items share, for those that share any."""
    having: dict[Hashable, list[int]] = defaultdict(list)
    for at, values in enumerate(said):
        for value in values:
            having[value].append(at)
    common: Counter[tuple[int, int]] = Counter()
    for mine, values in enumerate(gold):
        for value, times in values.items():
            for theirs in having[value]:
                common[mine, theirs] += min(times, said[theirs][value])
    return common


def _values(item: JSON) -> Counter[Hashable]:
    """An item's values, each with its field."""
    return Counter((field_of(path), canonical(value)) for path, value in leaves(item) if value not in (None, "", [], {}))


def field_of(path: str) -> str:
    """The field that a place belongs to: its path without the positions in lists, `/items/*/price`."""
    return join(["*" if step.isdecimal() else step for step in split(path)])
