"""The limiter that keeps to the limits it is given or learns from the server.

The model is the one that Groq's refusals show (`Limit 15000, Used 11972, Requested 4351. Please try again in 5.289s`): a
bucket that holds a whole period's allowance and refills evenly. A server that enforces in another way corrects it: by its
headers after every answer, and by its refusals.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from assay.backends import crowd
from assay.backends.bucket import DAY, MINUTE, REFILL, Bucket, Recent, Resource, period_name, period_of
from assay.errors import APIStatusError, AssayError
from assay.types import RateLimits
from assay.wire.reasons import CLIP

POLL = 1.0
"""The most seconds after which a waiting request asks again, so that a stop is noticed."""
PATIENCE = 2.0
"""Seconds past its time after which a place in the queue is given up: its holder was cancelled."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds that all requests wait after a refusal that does not say how long: the first, doubled while refusals go on."""
LONGEST_ASKED = 3600.0
"""The most seconds that a server may delay all requests: then one is sent again, whatever the server said."""
SHRINK, CREEP, QUICKEN, FASTEST, GROW_AFTER = 0.97, 0.002, 1.35, 0.25, 5.0
"""How a guessed rate is corrected: down at the next refusal; after every so many seconds without one up again, by steps that
begin small and quicken, since a guess may be far too low."""

_MESSAGE = re.compile(
    r"on (?:[a-z]{1,20} )?(tokens|requests) per (minute|day)\b.{0,80}?Limit (\d{1,15})(?:, Used (\d{1,15}))?",
    re.IGNORECASE | re.DOTALL,
)


class LimiterStopped(AssayError):  # noqa: N818  # not an error: what was asked for
    """The limiter was stopped while a request waited for its turn: it was not sent."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A turn in the queue, held by the task or thread that asked."""

    queue: object
    tokens: int
    due: float = 0.0


_mine: ContextVar[_Turn | None] = ContextVar("assay_limiter_place", default=None)
"""The place that the running task or thread holds: every task has a context of its own, every thread too."""


class RateLimiter:
    """Keeps to requests and tokens per minute and day: given ones, and those that headers and refusals report.

    First come, first served: each waiting request has a place in one queue, so a retry does not lose against newcomers, and
    after a pause not all come back at once.
    """

    def __init__(
        self,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        rpd: float | None = None,
        tpd: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Turn] = deque()
        self._buckets: dict[tuple[Resource, float], Bucket] = {}
        self._given: dict[tuple[Resource, float], float] = {}
        self._flying = {"requests": 0.0, "tokens": 0.0}
        self._recent = Recent()
        self._crowd = crowd.Crowd()
        self._refused_at: float | None = None
        self._step = CREEP
        self._open_at = 0.0
        self._refused_in_a_row = 0
        self._stopped = False
        self.refused = 0
        """Requests that the server refused."""
        given: tuple[tuple[Resource, float, float | None], ...] = (
            ("requests", MINUTE, rpm),
            ("tokens", MINUTE, tpm),
            ("requests", DAY, rpd),
            ("tokens", DAY, tpd),
        )
        for resource, period, limit in given:
            if limit is not None:
                self._given[resource, period] = limit
                self._learn(resource, period, limit, limit, clock())

    # -- the port: see `assay.backends.limiter` ------------------------------------------------------------------------

    def reserve(self, tokens: int) -> float:
        with self._lock:
            if self._stopped:
                raise LimiterStopped("the run was stopped before this request was sent")
            now = self._refilled()
            self._grow(now)
            self._crowd.grow(now)
            if not self._queue and self._wait(1, tokens, now) <= 0:  # nobody waits: straight through
                self._book(tokens, now)
                return 0.0
            place = _mine.get()
            if place is None or place.queue is not self._queue:
                place = _Turn(self._queue, tokens)
                _mine.set(place)
            place.tokens = tokens
            self._give_up_left_places(place, now)
            if place not in self._queue:
                self._queue.append(place)
            wait = min(self._turn(place, now), POLL)
            place.due = now + wait
            if wait > 0:
                return max(wait, 0.001)
            self._queue.remove(place)
            _mine.set(None)
            self._book(tokens, now)
            return 0.0

    def settle(self, booked: int, used: int | None, limits: RateLimits | None) -> None:
        with self._lock:
            now = self._refilled()
            self._land(booked)
            self._refused_in_a_row = 0
            if used is not None:
                self._give(0, booked - used)
            self._read(limits, now)

    def refuse(self, booked: int, error: APIStatusError, limits: RateLimits | None) -> bool:
        with self._lock:
            now = self._refilled()
            self._land(booked)
            self._give(1, booked)  # what is refused is not counted
            self.refused += 1
            nameless = error.status_code == 429 and error.retry_after is None and limits is None
            if nameless and not _MESSAGE.search(error.message) and self._crowd.refused(self._flying["requests"], now):
                return True
            first = now >= self._open_at
            self._refused_in_a_row += first
            wait = error.retry_after
            if wait is None:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (self._refused_in_a_row - 1))
            wait = min(wait, LONGEST_ASKED)
            self._open_at = max(self._open_at, now + wait)
            self._read(limits, now)
            said = self._read_message(error.message, now) or _explains(limits, booked)
            if first and not said and error.status_code == 429:
                self._guess(wait, now)
            return False

    # -- for the one who runs it -----------------------------------------------------------------------------------------

    def stop(self) -> None:
        """From now on `reserve` raises `LimiterStopped`; what is under way is not touched."""
        self._stopped = True

    def known(self) -> dict[str, float]:
        """The limits in force, given or learned: `{"requests/minute": 30.0, ...}`."""
        with self._lock:
            return {f"{kind}/{period_name(period)}": bucket.capacity for (kind, period), bucket in self._buckets.items()}

    def holding(self) -> tuple[str, float] | None:
        """What holds requests back now, and in how many seconds all that wait are let through; None when nothing does."""
        with self._lock:
            if not self._queue:
                return None
            now = self._refilled()
            if self._open_at > now:
                return "asked to wait", self._open_at - now
            waiting = {"requests": len(self._queue), "tokens": sum(place.tokens for place in self._queue)}
            waits = [
                (bucket.wait(waiting[kind]), f"{kind}/{period_name(period)}")
                for (kind, period), bucket in self._buckets.items()
            ]
            wait, name = max(waits, default=(0.0, ""))
            return (name, wait) if wait > 0 else None

    @property
    def counts_tokens(self) -> bool:
        """Whether a limit on tokens is in force, so that a smaller `max_tokens` lets more requests through."""
        return any(kind == "tokens" for kind, _ in self._buckets)

    # -- inside ------------------------------------------------------------------------------------------------------------

    def _refilled(self) -> float:
        now = self._clock()
        for bucket in self._buckets.values():
            bucket.refill(now)
        return now

    def _give_up_left_places(self, mine: _Turn, now: float) -> None:
        while self._queue and self._queue[0] is not mine and now > self._queue[0].due + PATIENCE:
            self._queue.popleft()

    def _turn(self, place: _Turn, now: float) -> float:
        """Seconds until this place's turn: all before it go first.

        Behind somebody, or behind the gate, it comes a little later than the one before, even where nothing else is known.
        """
        requests, tokens = 1, place.tokens
        for other in self._queue:
            if other is place:
                break
            requests += 1
            tokens += other.tokens
        wait = self._wait(requests, tokens, now)
        if requests > 1 or now < self._open_at:
            wait = max(wait, max(0.0, self._open_at - now) + 0.001 * requests)
        return wait

    def _wait(self, requests: int, tokens: int, now: float) -> float:
        """Seconds until this much may be sent."""
        wait = max(0.0, self._open_at - now)
        if requests > self._crowd.room(self._flying["requests"]):
            wait = max(wait, crowd.POLL)
        for (kind, _), bucket in self._buckets.items():
            wait = max(wait, bucket.wait(requests if kind == "requests" else tokens))
        return wait

    def _book(self, tokens: int, now: float) -> None:
        self._flying["requests"] += 1
        self._flying["tokens"] += tokens
        self._give(-1, -tokens)
        self._recent.add(now)

    def _land(self, booked: int) -> None:
        self._flying["requests"] -= 1
        self._flying["tokens"] -= booked

    def _give(self, requests: int, tokens: int) -> None:
        """Give back, or take where it is negative."""
        for (kind, _), bucket in self._buckets.items():
            bucket.level = min(bucket.capacity, bucket.level + (requests if kind == "requests" else tokens))

    # -- learning ----------------------------------------------------------------------------------------------------------

    def _learn(self, resource: Resource, period: float, capacity: float, level: float, now: float) -> Bucket:
        capacity = min(capacity, self._given.get((resource, period), capacity))
        bucket = self._buckets.get((resource, period))
        if bucket is None:
            bucket = self._buckets[resource, period] = Bucket(capacity, period, min(capacity, level), now)
        bucket.capacity = max(capacity, 1.0)
        return bucket

    def _read(self, limits: RateLimits | None, now: float) -> None:
        if limits is not None:
            self._header("requests", limits.limit_requests, limits.remaining_requests, limits.reset_requests, now)
            self._header("tokens", limits.limit_tokens, limits.remaining_tokens, limits.reset_tokens, now)

    def _header(self, kind: Resource, limit: int | None, left: int | None, reset: float | None, now: float) -> None:
        if not limit or left is None:
            return
        period = self._period(kind, limit, left, reset)
        if period is None:
            return
        bucket = self._learn(kind, period, limit, left, now)
        # What is under way may or may not be in the server's figure yet: the truth lies between these two.
        bucket.level = min(max(bucket.level, left - self._flying[kind]), left)

    def _period(self, kind: Resource, limit: int, left: int, reset: float | None) -> float | None:
        known = [period for (k, period), bucket in self._buckets.items() if k == kind and bucket.capacity == limit]
        if known:
            return known[0]
        if not reset or left >= limit:
            return None
        return period_of(limit * reset / (limit - left))

    def _read_message(self, message: str, now: float) -> bool:
        found = _MESSAGE.search(message[:CLIP])
        if found is None:
            return False
        kind: Resource = "tokens" if found[1].lower() == "tokens" else "requests"
        period = MINUTE if found[2].lower() == "minute" else DAY
        limit, used = float(found[3]), float(found[4] or found[3])
        bucket = self._learn(kind, period, limit, limit - used, now)
        bucket.level = min(bucket.level, limit - used)
        return True

    def _guess(self, wait: float, now: float) -> None:
        """A 429 that does not name a limit: the rate is what was let through so far."""
        bucket = self._buckets.get(("requests", MINUTE))
        if bucket is not None:
            capacity = bucket.capacity * (1.0 if self._refused_at is None else SHRINK)
        else:
            through = self._recent.count - self._flying["requests"] - self.refused
            if through < 1:  # nothing is known of a server that refuses from the start: the wait alone holds all back
                return
            capacity = through / (1 + self._recent.seconds(now) / MINUTE)
        bucket = self._learn("requests", MINUTE, capacity, 1.0, now)
        bucket.level = 1.0 - wait * REFILL * bucket.capacity / MINUTE
        self._step, self._refused_at = CREEP, now

    def _grow(self, now: float) -> None:
        if self._refused_at is None or now - self._refused_at < GROW_AFTER:
            return
        self._refused_at = now
        bucket = self._buckets["requests", MINUTE]
        wanted = bucket.capacity * (1 + self._step)
        bucket.capacity = min(wanted, self._given.get(("requests", MINUTE), wanted))
        self._step = min(FASTEST, self._step * QUICKEN)


def _explains(limits: RateLimits | None, booked: int) -> bool:
    """Whether the headers show what is used up."""
    if limits is None:
        return False
    return limits.remaining_requests == 0 or (limits.remaining_tokens is not None and limits.remaining_tokens < booked)
