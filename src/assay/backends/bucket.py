"""An allowance that refills: what a rate limit is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

Resource: TypeAlias = Literal["requests", "tokens"]

MINUTE, DAY = 60.0, 86400.0
_BETWEEN = (MINUTE * DAY) ** 0.5
"""Headers do not name their period. An allowance that would refill in less time than this is per minute, else per day."""

REFILL = 0.99
"""Share of the allowed rate that is used: the rest makes up for clocks that differ."""


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


class Recent:
    """How many requests were sent in the last minute. They are counted in steps, so memory does not grow with their number."""

    STEP = 0.1
    """Seconds."""

    def __init__(self) -> None:
        self._steps: deque[list[float]] = deque()  # when it began, and how many were sent in it
        self.count = 0.0

    def add(self, now: float) -> None:
        steps = self._steps
        if not steps or now - steps[-1][0] >= self.STEP:
            steps.append([now, 0.0])
            while steps[0][0] < now - MINUTE:
                self.count -= steps.popleft()[1]
        steps[-1][1] += 1
        self.count += 1

    def seconds(self, now: float) -> float:
        """For how long they have been sent."""
        return now - self._steps[0][0] if self._steps else 0.0


def period_of(seconds: float) -> float:
    """The period that is meant by the time in which an allowance would refill wholly."""
    return MINUTE if seconds < _BETWEEN else DAY


def period_name(period: float) -> str:
    return "minute" if period == MINUTE else "day"
