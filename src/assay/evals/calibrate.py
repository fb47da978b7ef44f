"""The confidence from which values can be accepted without a check: a threshold with a guaranteed error rate.

A model's figure for a value (`outcome.confidence`) ranks values; which chance of being right it stands for is learned here, on cases
with gold. The threshold is the lowest for which, by the rule of conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster,
2022), the share of a document's values that are accepted and wrong is at most `error` on average over new documents:

    (n / (n + 1)) * mean over the n cases of that share + 1 / (n + 1) <= error

It holds for any model and any kind of figures, if new documents are like the cases (exchangeable with them), and on
average over samples of cases, not for each. With few cases it can guarantee little: no threshold passes below 1 / (n + 1).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from assay.errors import ConfigurationError
from assay.evals.rules import Rules
from assay.evals.run import Result
from assay.evals.score import INVENTED, RIGHT, WRONG, verdicts

NEVER = 2.0
"""A threshold that no confidence reaches: everything needs review."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One value of an answer."""

    path: str
    confidence: float
    """0 for a value for which the model gave no figure."""
    right: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The effect of a threshold on some cases."""

    documents: int
    values: int
    accepted: int
    wrong: int
    """Of the accepted ones."""

    @property
    def coverage(self) -> float:
        """The share of values that are accepted."""
        return self.accepted / self.values if self.values else 0.0

    @property
    def error(self) -> float:
        """The share of all values that are accepted and wrong: what is promised."""
        return self.wrong / self.values if self.values else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold, what it guarantees, and what it was learned on."""

    threshold: float
    """Values with this confidence or more are accepted; above 1: none is."""
    promised: float
    """At most this share of a document's values is accepted and wrong, on average over documents like the cases."""
    model: str
    documents: int
    values: int

    def accepts(self, confidence: float) -> bool:
        return confidence >= self.threshold

    def write(self, path: Path) -> None:
        """Raises `ConfigurationError` when it cannot be written."""
        try:
            path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}") from None

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Raises `ConfigurationError` for a file of another kind."""
        try:
            known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{field.name: known[field.name] for field in fields(cls)})
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(f"{path} is not a file that assay eval --calibrate wrote") from None


def judged(result: Result, rules: Rules | None = None) -> list[Judged]:
    """The values of an answer, each with its confidence and whether it is right; of a failed extraction none."""
    if not result.outcome.ok:
        return []
    sure = result.outcome.confidence
    return [
        Judged(path, sure.get(path, 0.0), score is RIGHT)
        for _, score, path in verdicts(result.case.gold, result.value, rules or {})
        if score in (RIGHT, WRONG, INVENTED)
    ]


def calibrate(cases: Sequence[Sequence[Judged]], error: float, model: str = "") -> Calibration:
    """The threshold that guarantees `error`, learned on the values of each case. Raises `ConfigurationError` unless 0 < error < 1."""
    if not 0 < error < 1:
        raise ConfigurationError(f"error must be above 0 and below 1; got {error!r}")
    told = sorted({value.confidence for case in cases for value in case if value.confidence > 0}, reverse=True)
    best = NEVER
    for threshold in told:
        if _risk(cases, threshold) > error:
            break
        best = threshold
    return Calibration(best, error, model, len(cases), sum(map(len, cases)))


def _risk(cases: Sequence[Sequence[Judged]], threshold: float) -> float:
    wrong = sum(sum(not v.right and v.confidence >= threshold for v in case) / len(case) for case in cases if case)
    return (wrong + 1) / (len(cases) + 1)


def share(cases: Iterable[Sequence[Judged]], threshold: float) -> Share:
    """The effect of a threshold on these cases."""
    kept = list(cases)
    values = [value for case in kept for value in case]
    accepted = [value for value in values if value.confidence >= threshold]
    return Share(len(kept), len(values), len(accepted), sum(not value.right for value in accepted))


def halves(found: Sequence[Result], rules: Rules | None = None) -> tuple[list[list[Judged]], list[list[Judged]]]:
    """The cases taken in turns: one half to learn a threshold on, the other to check it."""
    every = [judged(result, rules) for result in found if result.ran]
    return every[::2], every[1::2]
