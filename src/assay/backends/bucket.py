"""An allowance that refills: what a rate limit is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Resource: TypeAlias = Literal["requests", "tokens"]

MINUTE, DAY = 60.0, 86400.0
_BETWEEN = (MINUTE * DAY) ** 0.5
"""Headers do not name their period. One that would refill in less than this is a minute's, else a day's."""

REFILL = 0.99
"""Of the allowed rate: the rest is for clocks that run apart."""


@dataclass(slots=True)
class Bucket:
    """What is left of an allowance. It refills evenly, from nothing to `capacity` in `period` seconds."""

    capacity: float
    period: float
    level: float
    at: float

    def refill(self, now: float) -> None:
        gained = (now - self.at) * REFILL * self.capacity / self.period
        self.level = min(self.capacity, self.level + max(0.0, gained))
        self.at = now

    def wait(self, amount: float) -> float:
        """Seconds until `amount` is there; what exceeds the capacity is let through when the bucket is full."""
        lacking = min(amount, self.capacity) - self.level
        return 0.0 if lacking <= 1e-9 else lacking * self.period / (REFILL * self.capacity)


def period_of(seconds: float) -> float:
    """The period that is meant by the time in which an allowance would refill wholly."""
    return MINUTE if seconds < _BETWEEN else DAY


def period_name(period: float) -> str:
    return "minute" if period == MINUTE else "day"
