"""The limiter for calls without one of their own: after a refusal every call waits as long as the server asked.

It delays nothing else. A wait longer than `LONGEST` is not kept: such a call is sent, and fails at once with what the server says.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from assay.backends.retry import DEFAULT_BUDGET
from assay.errors import APIStatusError
from assay.types import RateLimits

LONGEST = DEFAULT_BUDGET
"""The most seconds that a call may be delayed."""
SPREAD = 0.1
"""Random share of the wait, so that not all calls come back at once."""


class Gate:
    """A `Limiter` for the calls of one client to one model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_at = 0.0

    def reserve(self, tokens: int) -> float:
        del tokens
        left = self._open_at - self._clock()
        return left + random.uniform(0, min(SPREAD * left, 1.0)) if 0 < left <= LONGEST else 0.0  # noqa: S311

    def settle(self, booked: int, used: int | None, limits: RateLimits | None) -> None:
        """Does nothing: a success says nothing about a refusal."""

    def refuse(self, booked: int, error: APIStatusError, limits: RateLimits | None) -> bool:
        del booked, limits
        if error.retry_after is not None:
            self._open_at = max(self._open_at, self._clock() + error.retry_after)
        return False


class Gates:
    """A gate for each model that a client is asked for: their limits are separate."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    def of(self, model: str) -> Gate:
        return self._gates.setdefault(model, Gate())
