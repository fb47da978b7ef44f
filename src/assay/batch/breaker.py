"""When every answer is a 5xx or no connection is made, the run waits for the server instead of failing row after row."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

TRIP = 5
"""After this many rows in a row, with no other answer between them, the run waits."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before the first probe, doubled for each further one."""
PATIENCE = 3600.0
"""Seconds that a run waits for a server that answered before, or says that it is overloaded."""
DOUBT = 10.0
"""Seconds that it waits for one that never answered and only says that it failed: that may be the requests' own fault."""


class Breaker(Generic[T]):
    """Keeps the rows that reached no server until it is known whether only they or all rows fail.

    Closed: rows are asked. Open: only one is now and then, the probe. Call `put` for a row that reached no server, `heard` after any other answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._aside: list[T] = []
        self._opened_at: float | None = None
        self._wait = FIRST_WAIT
        self._probe_at = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @property
    def has_rows(self) -> bool:
        """Whether rows, or the whole run, wait for another answer."""
        return bool(self._aside) or self._opened_at is not None

    @property
    def left(self) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._probe_at - self._clock()) if self.is_open else 0.0

    def put(self, row: T) -> bool:
        """A row reached no server; returns whether the run begins to wait now."""
        self._aside.append(row)
        if self.is_open:
            if self._probing:
                self._probing = False
                self._wait = min(LONGEST_WAIT, self._wait * 2)
                self._probe_at = self._clock() + self._wait
            return False
        if len(self._aside) < TRIP:
            return False
        self._opened_at = self._clock()
        self._wait = FIRST_WAIT
        self._probe_at = self._opened_at + self._wait
        return True

    def probe(self) -> T | None:
        """The row to ask now, alone; None before its time, or while another is on its way."""
        if not self.is_open or self._probing or not self._aside or self.left > 0:
            return None
        self._probing = True
        return self._aside.pop(0)

    def exhausted(self, *, hopeful: bool) -> bool:
        """Whether the wait was long enough."""
        return self._opened_at is not None and self._clock() - self._opened_at > (PATIENCE if hopeful else DOUBT)

    def heard(self) -> tuple[list[T], float | None]:
        """The server answered: the rows that were kept, and how long the run waited, None when it did not."""
        rows, self._aside = self._aside, []
        waited = None if self._opened_at is None else self._clock() - self._opened_at
        self._opened_at, self._probing = None, False
        return rows, waited
