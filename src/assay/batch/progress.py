"""What a run reports while it goes on and at its end, as plain values. The command line decides how to show them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.batch.stops import Stop
from assay.outcome import Outcome
from assay.types import Usage

WINDOW = 20.0
"""Seconds over which the current speed is measured."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a run."""

    done: int
    failed: int
    kept: int
    """Rows that earlier runs had finished."""
    reused: int
    """Rows answered without asking: the same source was answered before."""
    total: int | None
    """Rows of the input, when that is known."""
    under_way: int
    width: int
    """How many may be under way at once."""
    rows_per_second: float
    tokens_per_second: float
    usage: Usage
    elapsed: float
    held: tuple[str, float] | None
    """The limit that holds requests back, and in how many seconds all that wait are let through."""

    @property
    def left(self) -> float | None:
        """Seconds until the end at the recent speed, but at least as long as a limit delays the rows that wait now."""
        if self.total is None or self.rows_per_second <= 0:
            return None
        rows = max(0, self.total - self.done - self.failed - self.kept - self.reused)
        return max(rows / self.rows_per_second, 0.0 if self.held is None else self.held[1])


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended. `rows` and what follows it are of the whole output, earlier runs included."""

    stop: Stop | None
    """Why it ended before its input did."""
    asked: int
    """Rows that this run asked for."""
    kept: int
    reused: int
    requests: int
    """Requests to the server that this run made, re-asks and repeats included."""
    reasks: int
    repeats: int
    """Requests that the server refused or failed to answer: they were sent again, or in another form."""
    usage: Usage
    """Of this run: all attempts, failed ones included."""
    seconds: float
    rows: int
    done: int
    failed: int
    failures: Mapping[str, int]
    """Failed rows by kind."""
    repairs: Mapping[str, int]
    """Repairs by kind."""
    spent: Usage
    """Of all runs."""
    pending: int | None
    """Rows of the input that are not finished; None when the input was not read to its end."""
    second_rows: int = 0
    """Rows that this run asked of the second model."""
    second: Usage | None = None
    """What that used, which is part of `usage`; None: there was none."""
    waiting: int = 0
    """Rows that are with a provider's batch API."""


class Reporter(Protocol):
    """A follower of a run."""

    def say(self, message: str) -> None:
        """Called with a message worth a line."""
        ...

    def tick(self, progress: Progress) -> None:
        """Called several times a second."""
        ...

    def end(self, summary: Summary) -> None: ...


class Silent:
    def say(self, message: str) -> None:
        pass

    def tick(self, progress: Progress) -> None:
        pass

    def end(self, summary: Summary) -> None:
        pass


@dataclass(slots=True)
class Tally:
    """Counts of one run."""

    started: float = field(default_factory=time.monotonic)
    done: int = 0
    failed: int = 0
    kept: int = 0
    reused: int = 0
    asked: int = 0
    requests: int = 0
    reasks: int = 0
    repeats: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cost: float = 0.0
    unpriced: bool = False
    _marks: deque[tuple[float, int, int]] = field(default_factory=deque)

    def heard(self, outcome: Outcome[Any], usage: Usage) -> None:
        self.asked += 1
        attempts = len(outcome.attempts)
        self.requests += max(outcome.requests, attempts)
        self.reasks += max(0, attempts - 1)
        self.repeats += max(0, outcome.requests - attempts)
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.total_tokens += usage.total_tokens
        if usage.cost is not None:
            self.cost += usage.cost
        elif usage.total_tokens:
            self.unpriced = True

    @property
    def usage(self) -> Usage:
        """Of all attempts of this run."""
        cost = None if self.unpriced else self.cost
        return Usage(self.prompt_tokens, self.completion_tokens, total_tokens=self.total_tokens, cost=cost)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def speed(self) -> tuple[float, float]:
        """Recent rows and tokens per second."""
        now = time.monotonic()
        self._marks.append((now, self.asked, self.total_tokens))
        while len(self._marks) > 2 and self._marks[0][0] < now - WINDOW:
            self._marks.popleft()
        then, rows, tokens = self._marks[0]
        seconds = now - then
        if seconds <= 0:
            return 0.0, 0.0
        return (self.asked - rows) / seconds, (self.total_tokens - tokens) / seconds
