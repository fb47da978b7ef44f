"""Which of two models is better on the same cases, and whether the difference is more than chance.

Both have answered the same documents, so they are compared document by document. The interval of a difference is that of the
paired bootstrap (documents drawn with replacement, the middle 95 % of the differences), its p that of a paired permutation
(how often a difference as large comes about when it is left to chance which of the two gave which answer). Sources: Efron and
Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 15; Dror and others, The Hitchhiker's Guide to Testing
Statistical Significance in NLP (2018), which recommends both for F1.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from assay.evals.score import Score
from assay.types import JSON

DRAWS = 2000
"""Of the bootstrap, and of the permutation."""
MIDDLE = 0.95


@dataclass(frozen=True, slots=True)
class Scored:
    """One case as one model had it: what a comparison needs of a `Result`, or of a line that an earlier run kept."""

    id: JSON
    text: str
    gold: JSON
    value: JSON
    scores: Mapping[str, Score]
    ran: bool
    """Whether the model answered at all."""
    valid: bool
    cost: float | None
    tokens: int
    seconds: float

    @property
    def exact(self) -> bool:
        return self.valid and all(score.faultless for score in self.scores.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """What the second has more than the first, of one figure."""

    first: float | None
    second: float | None
    low: float
    """Where the 95 % interval of the difference begins."""
    high: float
    p: float
    """Of a difference as large by chance alone, 0 to 1."""

    @property
    def change(self) -> float:
        return (self.second or 0.0) - (self.first or 0.0)

    @property
    def real(self) -> bool:
        """Whether chance is an unlikely reason for it: p below 0.05."""
        return self.p < 1 - MIDDLE


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the cases that both of them answered."""

    first: str
    second: str
    cases: int
    not_run: tuple[JSON, ...]
    """Ids of cases that one of them did not answer at all (a server's failure): they count for neither."""
    total: Difference
    """F1 over all fields."""
    exact: Difference
    """The share of documents right in every field."""
    fields: Mapping[str, Difference]
    """F1 by field."""
    apart: tuple[tuple[Scored, Scored], ...]
    """The cases in which they differ in a field's score."""


def versus(first: str, ones: Sequence[Scored], second: str, others: Sequence[Scored], *, seed: int = 0) -> Comparison:
    """Compare two models' results, case by case (by id). The same seed gives the same draws."""
    theirs = {_key(other): other for other in others}
    pairs = [(one, theirs[_key(one)]) for one in ones if _key(one) in theirs]
    both = [(one, other) for one, other in pairs if one.ran and other.ran]
    fields = list(dict.fromkeys(field for pair in both for scored in pair for field in scored.scores))
    draw = _Draws(len(both), random.Random(seed))  # noqa: S311  # resampling, no secret
    return Comparison(
        first,
        second,
        len(both),
        tuple(one.id for one, other in pairs if not (one.ran and other.ran)),
        draw.difference([(_all(one), _all(other)) for one, other in both]),
        draw.difference([((int(one.exact), 1), (int(other.exact), 1)) for one, other in both]),
        {field: draw.difference([(_f1(one, field), _f1(other, field)) for one, other in both]) for field in fields},
        tuple((one, other) for one, other in both if one.scores != other.scores),
    )


def _key(scored: Scored) -> str:
    return repr(scored.id)


Part = tuple[int, int]
"""What a case adds to the upper and to the lower side of a share: F1 is 2 right over (2 right + 2 wrong + omitted + invented)."""


def _part(score: Score) -> Part:
    return 2 * score.right, 2 * score.right + 2 * score.wrong + score.omitted + score.invented


def _f1(scored: Scored, field: str) -> Part:
    return _part(scored.scores.get(field, Score()))


def _all(scored: Scored) -> Part:
    return _part(sum(scored.scores.values(), Score()))


class _Draws:
    """The same draws of cases for every figure."""

    def __init__(self, cases: int, random_: random.Random) -> None:
        every = range(cases)
        self._weights = [_times(random_.choices(every, k=cases), cases) for _ in range(DRAWS if cases else 0)]
        self._swaps = [[random_.getrandbits(1) for _ in every] for _ in range(DRAWS if cases else 0)]

    def difference(self, parts: Sequence[tuple[Part, Part]]) -> Difference:
        (up, down), (up2, down2) = ([[pair[side][n] for pair in parts] for n in (0, 1)] for side in (0, 1))
        first, second = _share(sum(up), sum(down)), _share(sum(up2), sum(down2))
        change = (second or 0.0) - (first or 0.0)
        drawn = sorted(
            (_share(_dot(w, up2), _dot(w, down2)) or 0.0) - (_share(_dot(w, up), _dot(w, down)) or 0.0) for w in self._weights
        )
        more_up, more_down = ([b - a for a, b in zip(*sides, strict=True)] for sides in ((up, up2), (down, down2)))
        sums = sum(up), sum(down), sum(up2), sum(down2)
        chance = sum(abs(_swapped(sums, _dot(s, more_up), _dot(s, more_down))) >= abs(change) - 1e-12 for s in self._swaps)
        at: Callable[[float], float] = lambda share: drawn[min(int(share * len(drawn)), len(drawn) - 1)] if drawn else 0.0  # noqa: E731
        return Difference(first, second, at((1 - MIDDLE) / 2), at((1 + MIDDLE) / 2), (1 + chance) / (1 + len(self._swaps)))


def _times(drawn: Sequence[int], cases: int) -> list[int]:
    """How often each case was drawn."""
    weights = [0] * cases
    for case in drawn:
        weights[case] += 1
    return weights


def _dot(weights: Sequence[int], values: Sequence[int]) -> int:
    return sum(map(mul, weights, values))


def _swapped(sums: tuple[int, int, int, int], up: int, down: int) -> float:
    """The difference when some cases' answers change sides: `up` and `down` are what the second had more in those."""
    ours, of_ours, theirs, of_theirs = sums
    return (_share(theirs - up, of_theirs - down) or 0.0) - (_share(ours + up, of_ours + down) or 0.0)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
