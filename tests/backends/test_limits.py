"""The limiter against servers that enforce limits as Groq does, in simulated time."""

from __future__ import annotations

import heapq
import itertools
from contextvars import copy_context
from dataclasses import dataclass, field

import pytest

from assay.backends.limits import LimiterStopped, RateLimiter
from assay.errors import ErrorResponse, RateLimitError
from assay.types import RateLimits


@dataclass
class Bucket:
    limit: float
    period: float = 60.0
    level: float = field(default=-1.0)
    at: float = 0.0

    def left(self, now: float) -> float:
        if self.level < 0:
            self.level = self.limit
        self.level = min(self.limit, self.level + (now - self.at) * self.limit / self.period)
        self.at = now
        return self.level


@dataclass
class Server:
    """Enforces requests and tokens per minute; books `max_tokens` and gives back what was not used."""

    rpm: float = 1e9
    tpm: float = 1e9
    headers: bool = True
    explains: bool = True
    requests: Bucket = field(init=False)
    tokens: Bucket = field(init=False)
    served: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.requests, self.tokens = Bucket(self.rpm), Bucket(self.tpm)

    def arrive(self, now: float, asked: int) -> RateLimitError | None:
        for name, short, bucket, amount in (
            ("requests", "RPM", self.requests, 1),
            ("tokens", "TPM", self.tokens, asked),
        ):
            if bucket.left(now) < amount:
                self.refused += 1
                wait = (amount - bucket.level) * bucket.period / bucket.limit
                used = bucket.limit - bucket.level
                detail = f"on {name} per minute ({short}): Limit {bucket.limit:.0f}, Used {used:.0f}, Requested {amount}. "
                message = "429: " + (detail if self.explains else "") + f"Please try again in {wait:.3f}s."
                return RateLimitError(message, retry_after=wait, response=ErrorResponse(429))
        self.requests.level -= 1
        self.tokens.level -= asked
        self.served += 1
        return None

    def limits(self, now: float) -> RateLimits | None:
        if not self.headers:
            return None
        left = self.tokens.left(now)
        reset = (self.tpm - left) * 60 / self.tpm
        return RateLimits(limit_tokens=int(self.tpm), remaining_tokens=int(left), reset_tokens=reset)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def simulate(
    limiter: RateLimiter, server: Server, clock: Clock, *, seconds: float, workers=16, asked=500, used=300, latency=0.4
):
    """Workers that ask the limiter, send, and report, for so many simulated seconds."""
    contexts = [copy_context() for _ in range(workers)]
    start = clock.now
    events = [(start, number, "ask") for number in range(workers)]
    heapq.heapify(events)
    while events and events[0][0] < start + seconds:
        clock.now, number, what = heapq.heappop(events)
        if what == "ask":
            wait = contexts[number].run(limiter.reserve, asked)
            if wait > 0:
                heapq.heappush(events, (clock.now + wait, number, "ask"))
                continue
            refusal = server.arrive(clock.now, asked)
            if refusal is not None:
                limiter.refuse(asked, refusal, server.limits(clock.now))
                heapq.heappush(events, (clock.now + refusal.retry_after, number, "ask"))
                continue
            # latencies differ from worker to worker, so that answers come out of order
            heapq.heappush(events, (clock.now + latency * (0.5 + number / workers), number, "done"))
        else:
            server.tokens.left(clock.now)
            server.tokens.level += asked - used
            limiter.settle(asked, used, server.limits(clock.now))
            heapq.heappush(events, (clock.now, number, "ask"))


def allowed(server: Server, seconds: float, used=300) -> float:
    by_requests = server.rpm * (1 + seconds / 60)
    by_tokens = server.tpm * (1 + seconds / 60) / used
    return min(by_requests, by_tokens)


@pytest.mark.parametrize(
    ("server", "given"),
    [
        (Server(rpm=300), {"rpm": 300}),
        (Server(rpm=30), {"rpm": 30}),
        (Server(tpm=60_000), {"tpm": 60_000}),
        (Server(tpm=60_000, headers=False), {"tpm": 60_000}),
        (Server(rpm=200, tpm=50_000), {"rpm": 200, "tpm": 50_000}),
        (Server(tpm=60_000), {}),  # learnt from headers
        (Server(rpm=300), {}),  # learnt from the first refusal's message
        (Server(rpm=300, tpm=60_000, headers=False), {}),
    ],
)
def test_a_run_reaches_the_allowed_rate_and_is_hardly_ever_refused(server, given):
    clock = Clock()
    seconds = 600
    simulate(RateLimiter(**given, clock=clock), server, clock, seconds=seconds)
    assert server.served >= 0.95 * allowed(server, seconds)
    learning = 0 if given else 16  # nothing given: at most one round of the workers meets a limit unprepared
    assert server.refused - learning <= 0.01 * server.served


def test_a_rate_that_nobody_names_is_found():
    server, clock = Server(rpm=300, headers=False, explains=False), Clock()
    limiter = RateLimiter(clock=clock)
    simulate(limiter, server, clock, seconds=1200)
    assert server.served >= 0.95 * allowed(server, 1200)
    assert server.refused <= 0.01 * server.served


def test_a_guess_that_was_far_too_low_is_outgrown():
    server, clock = Server(rpm=300, headers=False, explains=False), Clock()
    server.requests.level, server.requests.at = 2.0, clock.now  # somebody else used the key up before
    simulate(RateLimiter(clock=clock), server, clock, seconds=1200)
    assert server.served >= 0.7 * 300 * 20


def test_the_limits_learnt_are_told():
    server, clock = Server(rpm=300, tpm=60_000), Clock()
    limiter = RateLimiter(clock=clock)
    simulate(limiter, server, clock, seconds=120, asked=100, used=50)
    assert limiter.known() == {"tokens/minute": 60_000, "requests/minute": 300}
    assert limiter.counts_tokens


def test_a_header_of_a_daily_limit_is_told_from_one_of_a_minute():
    limiter = RateLimiter()
    limiter.reserve(10)
    limiter.settle(10, 10, RateLimits(limit_requests=14400, remaining_requests=14370, reset_requests=180.0))
    assert limiter.known() == {"requests/day": 14400}


def test_a_pause_asked_for_holds_all_and_ends_without_a_herd():
    clock = Clock()
    limiter = RateLimiter(rpm=60, clock=clock)
    contexts = [copy_context() for _ in range(20)]
    assert contexts[0].run(limiter.reserve, 1) == 0
    message = "429: Rate limit reached on requests per minute (RPM): Limit 60, Used 60, Requested 1. Please try again in 5s."
    limiter.refuse(1, RateLimitError(message, retry_after=5.0, response=ErrorResponse(429)), None)
    went: list[float] = []
    until = clock.now + 15
    due = dict.fromkeys(range(20), clock.now)
    while due and clock.now < until:
        number = min(due, key=due.__getitem__)
        clock.now = max(clock.now, due.pop(number))
        wait = contexts[number].run(limiter.reserve, 1)
        if wait:
            due[number] = clock.now + wait
        else:
            went.append(clock.now - 1000.0)
    assert went[0] >= 5.0
    assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(went[5:]))
    assert len([moment for moment in went if moment < 5.02]) <= 6  # what five seconds allow, not all twenty


def test_first_come_first_served():
    clock = Clock()
    limiter = RateLimiter(rpm=60, clock=clock)
    for _ in range(60):
        assert copy_context().run(limiter.reserve, 1) == 0
    early, late = copy_context(), copy_context()
    assert early.run(limiter.reserve, 1) > 0
    clock.now += 1.02  # one more is allowed: a newcomer must leave it to the one who waits
    assert late.run(limiter.reserve, 1) > 0
    assert early.run(limiter.reserve, 1) == 0


def test_what_holds_requests_back_is_told_with_the_time_until_all_are_through():
    clock = Clock()
    limiter = RateLimiter(rpm=600, clock=clock)
    for _ in range(600):
        assert copy_context().run(limiter.reserve, 1) == 0
    assert limiter.holding() is None
    for _ in range(30):  # each by itself waits a tenth of a second only
        assert copy_context().run(limiter.reserve, 1) > 0
    name, seconds = limiter.holding() or ("", 0.0)
    assert name == "requests/minute"
    assert seconds == pytest.approx(3.0, rel=0.05)


def test_a_place_in_the_queue_that_was_left_does_not_block_the_others():
    clock = Clock()
    limiter = RateLimiter(rpm=60, clock=clock)
    for _ in range(60):
        copy_context().run(limiter.reserve, 1)
    assert copy_context().run(limiter.reserve, 1) > 0  # cancelled: never asks again
    other = copy_context()
    assert other.run(limiter.reserve, 1) > 0
    clock.now += 10
    assert other.run(limiter.reserve, 1) == 0


def test_a_request_larger_than_the_limit_is_let_through_to_be_refused_by_the_server():
    clock = Clock()
    assert RateLimiter(tpm=1000, clock=clock).reserve(5000) == 0


def test_a_stopped_limiter_lets_nothing_through():
    limiter = RateLimiter()
    limiter.stop()
    with pytest.raises(LimiterStopped):
        limiter.reserve(1)


def test_a_429_that_says_nothing_is_too_many_at_once_first_and_a_rate_when_one_comes_alone():
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    bare = RateLimitError("429", response=ErrorResponse(429))
    assert [limiter.reserve(1) for _ in range(4)] == [0.0] * 4
    assert limiter.refuse(1, bare, None)
    assert limiter.refuse(1, bare, None)
    assert 0 < limiter.reserve(1) < 0.1, "two are under way, and no more are taken"
    limiter.settle(1, 1, None)
    clock.now += 0.1
    assert limiter.reserve(1) == 0.0
    limiter.settle(1, 1, None)
    assert not limiter.refuse(1, bare, None), "it was alone: this is no matter of how many"
    assert limiter.reserve(1) >= 0.9


def test_after_a_while_one_more_is_tried_and_less_often_when_it_is_refused():
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    bare = RateLimitError("429", response=ErrorResponse(429))
    for _ in range(3):
        limiter.reserve(1)
    limiter.refuse(1, bare, None)
    waits = []
    for _ in range(3):
        started = clock.now
        while limiter.reserve(1) > 0:
            clock.now += 0.5
        waits.append(clock.now - started)
        limiter.refuse(1, bare, None)
    assert waits == [5.0, 10.0, 20.0]
