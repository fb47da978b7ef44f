"""Extracted data against gold, field by field.

A field is a place in the data with the indexes of lists left out: `amounts[].unit`. Items of lists are compared by their
index. Texts are the same when they differ in case and white space only; numbers, when they are equal. An absent key, null
and an empty list or object all say that there is no value.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.paths import leaves
from assay.pointer import split
from assay.types import JSON


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one field's values; scores add with `+`."""

    right: int = 0
    wrong: int = 0
    """Another value than gold's."""
    missed: int = 0
    """No value where gold has one."""
    invented: int = 0
    """A value where gold has none."""
    empty: int = 0
    """Rightly no value."""

    @property
    def gold(self) -> int:
        """Values that gold has."""
        return self.right + self.wrong + self.missed

    @property
    def accuracy(self) -> float | None:
        """The share of gold's values that are right; None when gold has none."""
        return self.right / self.gold if self.gold else None

    def __add__(self, other: Score) -> Score:
        if not isinstance(other, Score):
            return NotImplemented
        return Score(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.invented + other.invented,
            self.empty + other.empty,
        )


def compare(gold: JSON, said: JSON) -> dict[str, Score]:
    """A score for each field that gold or the answer has. `said` is None when there is no answer."""
    wanted, given = dict(leaves(gold)), dict(leaves(said))
    scores: dict[str, Score] = {}
    for path in wanted | given:
        if _above_another(path, wanted, given):
            continue
        field = _field(path)
        scores[field] = scores.get(field, Score()) + _judge(wanted.get(path), given.get(path))
    return scores


def _above_another(path: str, wanted: dict[str, JSON], given: dict[str, JSON]) -> bool:
    """Whether a place without a value on one side has values inside it on the other: those are counted there."""
    return _nothing(wanted.get(path)) and _nothing(given.get(path)) and any(p.startswith(f"{path}/") for p in wanted | given)


def _judge(gold: JSON, said: JSON) -> Score:
    if _nothing(gold):
        return Score(empty=1) if _nothing(said) else Score(invented=1)
    if _nothing(said):
        return Score(missed=1)
    return Score(right=1) if _folded(gold) == _folded(said) else Score(wrong=1)


def _nothing(value: JSON) -> bool:
    return value is None or value in ("", [], {})


def _folded(value: JSON) -> JSON:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    return (value,) if isinstance(value, bool) else value  # True is not 1


def _field(path: str) -> str:
    parts = ["[]" if step.isdigit() else f".{step}" for step in split(path)]
    return "".join(parts).removeprefix(".") or "value"
