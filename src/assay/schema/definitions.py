"""How the definitions of a schema lead to each other: which recur, which grow when each place that refers to one writes it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from assay.schema.keywords import references, walk
from assay.schema.navigate import followed
from assay.types import JSONObject

DEEP = 40
"""Schemas that are written out within each other, before the next definition is only named."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """What is known of a schema's references."""

    uses: Counter[str]
    leads: Mapping[str, Counter[str]]
    """Where each leads, and in how many places."""
    looped: frozenset[str]
    """Those that lead back to themselves."""
    own: Mapping[str, int]
    """Schemas and listed values that stand in each."""
    depth: Mapping[str, int]
    """Schemas within each other in each."""

    @classmethod
    def of(cls, schema: JSONObject) -> Definitions:
        uses = Counter(ref for _, ref in references(schema))
        leads: dict[str, Counter[str]] = {}
        own: dict[str, int] = {}
        depth: dict[str, int] = {}
        for ref in uses:
            leads[ref], own[ref], depth[ref] = _looked_at(followed({"$ref": ref}, schema))
        return cls(uses, leads, _looped(leads), own, depth)

    def inner_first(self) -> list[str]:
        """The references that do not lead back to themselves, each after those that it leads to."""
        graph = {ref: leads.keys() - self.looped for ref, leads in self.leads.items() if ref not in self.looped}
        return list(TopologicalSorter(graph).static_order())

    def apart(self, big: Callable[[str, int], bool]) -> set[str]:
        """The references that are to be written by name: what recurs, what lies too deep, and what `big` says.

        `big` is asked with a reference and the size of what it would write out, what is named within counted as one.
        """
        named, weight, depth = set(self.looped), dict.fromkeys(self.looped, 1), dict.fromkeys(self.looped, 0)
        for ref in self.inner_first():
            inner = self.leads.get(ref, Counter())
            weight[ref] = self.own.get(ref, 1) + sum(count * weight[one] for one, count in inner.items())
            depth[ref] = self.depth.get(ref, 1) + max((depth[one] for one in inner), default=0)
            if big(ref, weight[ref]) or depth[ref] > DEEP:
                named.add(ref)
                weight[ref], depth[ref] = 1, 0
        return named


def _looked_at(schema: JSONObject) -> tuple[Counter[str], int, int]:
    """The references in a definition, its schemas and listed values, and how many schemas lie within each other."""
    inner: Counter[str] = Counter()
    size = deep = 0
    for way, part in walk(schema):
        size, deep = size + 1 + len(part.get("enum", ())), max(deep, len(way))
        if isinstance(ref := part.get("$ref"), str):
            inner[ref] += 1
    return inner, size, 1 + deep // 2


def _looped(leads: Mapping[str, Counter[str]]) -> frozenset[str]:
    """Those that lead back to themselves: the strongly connected ones, found in one pass (Tarjan)."""
    looped: set[str] = set()
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    for start in leads:
        ahead: list[tuple[str, Iterator[str]]] = [] if start in number else [(start, iter(leads[start]))]
        while ahead:
            here, others = ahead[-1]
            if here not in number:
                number[here] = low[here] = len(number)
                open_.append(here)
                is_open.add(here)
            other = next(others, None)
            if other is not None:
                if other not in number:
                    ahead.append((other, iter(leads.get(other, ()))))
                elif other in is_open:
                    low[here] = min(low[here], number[other])
                continue
            ahead.pop()
            if ahead:
                low[ahead[-1][0]] = min(low[ahead[-1][0]], low[here])
            if low[here] == number[here]:
                at = open_.index(here) if open_[-1] != here else len(open_) - 1
                group = open_[at:]
                del open_[at:]
                is_open.difference_update(group)
                if len(group) > 1 or here in leads.get(here, ()):
                    looped.update(group)
    return frozenset(looped)
