"""How the definitions of a schema lead to each other: which recur, which grow when each place that refers to one writes it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
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
        targets = {ref: followed({"$ref": ref}, schema) for ref in uses}
        leads = {ref: Counter(inner for _, inner in references(target)) for ref, target in targets.items()}
        own = {ref: sum(1 + len(part.get("enum", ())) for _, part in walk(target)) for ref, target in targets.items()}
        depth = {ref: 1 + max(len(way) for way, _ in walk(target)) // 2 for ref, target in targets.items()}
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


def _looped(leads: Mapping[str, Counter[str]]) -> frozenset[str]:
    """Those that lead back to themselves; what leads to nothing, or is led to by nothing, is taken away first."""
    left = {ref: set(inner) for ref, inner in leads.items()}
    while ends := {ref for ref, inner in left.items() if not inner & left.keys()}:
        left = {ref: inner for ref, inner in left.items() if ref not in ends}
    return frozenset(ref for ref in left if ref in _reached(ref, left))


def _reached(start: str, leads: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = set(leads[start])
    while ahead:
        ref = ahead.pop()
        if ref not in found:
            found.add(ref)
            ahead |= leads.get(ref, set())
    return found
