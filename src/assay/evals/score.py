"""Extracted data against gold, field by field.

A field is a path with a `*` for the positions in lists: `/items/*/price`; "" is the whole of a bare value. An absent key, null,
an empty text, list or object all say that there is no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assay.data.pointer import join
from assay.evals.align import align
from assay.evals.rules import Rules, Same, is_set
from assay.evals.same import same
from assay.types import JSON


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a field's values; scores add with `+`."""

    right: int = 0
    wrong: int = 0
    """A different value from gold's."""
    omitted: int = 0
    """No value where gold has one."""
    invented: int = 0
    """A value where gold has none."""
    empty: int = 0
    """Correctly no value."""

    @property
    def precision(self) -> float | None:
        """The share of the answer's values that are right; None when it has none."""
        return _share(self.right, self.right + self.wrong + self.invented)

    @property
    def recall(self) -> float | None:
        """The share of gold's values that the answer has right; None when gold has none."""
        return _share(self.right, self.right + self.wrong + self.omitted)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, 0 to 1; None when there was nothing to find and nothing was given."""
        return _share(2 * self.right, 2 * self.right + 2 * self.wrong + self.omitted + self.invented)

    @property
    def faultless(self) -> bool:
        return not (self.wrong or self.omitted or self.invented)

    def __add__(self, other: Score) -> Score:
        if not isinstance(other, Score):
            return NotImplemented
        return Score(
            self.right + other.right,
            self.wrong + other.wrong,
            self.omitted + other.omitted,
            self.invented + other.invented,
            self.empty + other.empty,
        )


RIGHT, WRONG, OMITTED, INVENTED, EMPTY = Score(right=1), Score(wrong=1), Score(omitted=1), Score(invented=1), Score(empty=1)

Verdict: TypeAlias = tuple[str, Score, str]
"""A field, how one value of it was, and the JSON Pointer to it in the answer (for an omitted one: to where it would be)."""


def compare(gold: JSON, said: JSON, rules: Rules | None = None) -> dict[str, Score]:
    """A score for each field that gold or the answer has. `said` is None when there is no answer; `rules` say how fields are compared."""
    scores: dict[str, Score] = {}
    for field, score, _ in verdicts(gold, said, rules or {}):
        scores[field] = scores.get(field, Score()) + score
    return scores


def verdicts(gold: JSON, said: JSON, rules: Rules, field: str = "", path: str = "") -> Iterator[Verdict]:
    """One verdict for each value on either side."""
    if _nothing(gold) and _nothing(said):
        yield field, EMPTY, path
    elif is_set(rules, field):
        yield field, _judge(gold, said, rules[field]), path
    elif isinstance(gold, dict) and isinstance(said, dict):
        for key in gold | said:
            step = join((key,))
            yield from verdicts(gold.get(key), said.get(key), rules, field + step, path + step)
    elif isinstance(gold, list) and isinstance(said, list):
        for mine, theirs in align(gold, said):
            ours, other = (None if at is None else items[at] for items, at in ((gold, mine), (said, theirs)))
            yield from verdicts(ours, other, rules, f"{field}/*", f"{path}/{'-' if theirs is None else theirs}")
    elif isinstance(gold, dict | list) or isinstance(said, dict | list):
        yield from _all(gold, OMITTED, field, path)
        yield from _all(said, INVENTED, field, path)
    else:
        yield field, _judge(gold, said, rules.get(field, same)), path


def _all(data: JSON, score: Score, field: str, path: str) -> Iterator[Verdict]:
    """The same verdict for every value in the data: the other side has nothing of the kind."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _all(value, score, field + join((key,)), path + join((key,)))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _all(value, score, f"{field}/*", f"{path}/{at}")
    elif not _nothing(data):
        yield field, score, path


def _judge(gold: JSON, said: JSON, alike: Same) -> Score:
    if _nothing(gold):
        return INVENTED
    if _nothing(said):
        return OMITTED
    return RIGHT if alike(gold, said) else WRONG


def _nothing(value: JSON) -> bool:
    return value is None or value in ("", [], {})


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
