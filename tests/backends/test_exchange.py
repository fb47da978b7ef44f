"""Retries in virtual time: a flow of a request is performed by hand, so that long waits cost none."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from assay.backends.chat import Endpoint, complete
from assay.backends.exchange import Done, Try, exchange, persist, send_once
from assay.backends.retry import RetryPolicy, retryable
from assay.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    RateLimitError,
)
from assay.flow.effects import Flow, Request, Response, Send, Sleep
from assay.flow.rounds import Rounds
from assay.types import Call, Message, Mode, RateLimits
from assay.wire.body import to_body
from servers import completion_body, error

REQUEST = Request(
    "POST", "http://model.test/v1/chat/completions", (("authorization", "Bearer gsk_secret1"),), b'{"a": 1}', 60.0
)
OK = Response(200, {}, to_body(completion_body("{}")))


def refused(status: int, headers: Mapping[str, str] | None = None, message: str = "no") -> Response:
    return Response(status, headers or {}, to_body(error(message)))


def perform(flow: Flow[Any], *answers: Response | Exception) -> tuple[Any, list[float], list[Request]]:
    """The flow's result or error, what it slept, and what it sent; the last answer is for all that follow."""
    slept: list[float] = []
    sent: list[Request] = []
    given: Any = None
    failure: Exception | None = None
    while True:
        try:
            effect = flow.send(given) if failure is None else flow.throw(failure)
        except StopIteration as end:
            return end.value, slept, sent
        except APIError as raised:
            return raised, slept, sent
        given, failure = None, None
        match effect:
            case Sleep(seconds):
                slept.append(seconds)
            case Send(request):
                answer = answers[min(len(sent), len(answers) - 1)]
                sent.append(request)
                given, failure = (None, answer) if isinstance(answer, Exception) else (answer, None)


def tried(*answers: Response | Exception, retries: int = 2, budget: float = 180.0) -> tuple[Any, list[float], list[Request]]:
    return perform(exchange(REQUEST, RetryPolicy(max_retries=retries, budget=budget)), *answers)


@pytest.mark.parametrize(
    ("headers", "message", "least", "most"),
    [
        ({"retry-after": "20"}, "", 20, 22),
        ({"retry-after": "7.66"}, "", 7.66, 8.5),
        ({"retry-after-ms": "1500"}, "", 1.5, 1.7),
        ({"retry-after": "61"}, "", 61, 62.1),
        ({"x-ratelimit-reset-tokens": "2m9.56s"}, "", 129.56, 130.6),
        ({"x-ratelimit-reset-tokens": "26ms"}, "", 0.026, 0.03),
        ({}, "Please try again in 1m0.363142857s", 60.36, 61.5),
        ({}, "Please try again in 644ms", 0.644, 0.72),
        ({"retry-after": "0"}, "", 0.37, 0.5),
        ({"retry-after": "-10"}, "", 0.37, 0.5),
        ({"retry-after": ""}, "", 0.37, 0.5),
        ({"retry-after": "whenever"}, "", 0.37, 0.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0.37, 0.5),
    ],
)
def test_a_wait_that_is_asked_is_waited(headers: dict[str, str], message: str, least: float, most: float) -> None:
    result, slept, sent = tried(refused(429, headers, message), OK)
    assert result is OK
    assert len(slept) == 1
    assert least <= slept[0] <= most
    assert sent[0].body is sent[1].body


def test_a_date_that_is_asked_is_waited_for() -> None:
    result, slept, _ = tried(refused(429, {"retry-after": formatdate(time() + 100, usegmt=True)}), OK)
    assert result is OK
    assert 90 <= slept[0] <= 102


@pytest.mark.parametrize(
    ("headers", "message", "says"),
    [
        ({"retry-after": "999"}, "", "asks to wait 999 s"),
        ({}, "on tokens per day (TPD): Limit 500000. Please try again in 9m38.016s.", "asks to wait 578 s"),
    ],
)
def test_a_wait_beyond_the_budget_fails_at_once_and_says_how_long(headers: dict[str, str], message: str, says: str) -> None:
    result, slept, sent = tried(refused(429, headers, message))
    assert isinstance(result, RateLimitError)
    assert (slept, len(sent)) == ([], 1)
    assert says in str(result)
    assert result.retry_after is not None


def test_a_longer_budget_waits_longer() -> None:
    result, slept, _ = tried(refused(429, {"retry-after": "999"}), OK, budget=2000.0)
    assert result is OK
    assert slept[0] >= 999


def test_the_backoff_grows_to_a_bound() -> None:
    result, slept, sent = tried(APIConnectionError("reset"), retries=7)
    assert isinstance(result, APIConnectionError)
    assert (result.requests, len(sent)) == (8, 8)
    assert "after 8 requests" in str(result)
    for wait, full in zip(slept, [0.5, 1, 2, 4, 8, 8, 8], strict=True):
        assert 0.75 * full <= wait <= full


def test_the_last_error_is_the_one_that_is_raised() -> None:
    result, _, _ = tried(APITimeoutError("slow"), refused(500), refused(503, {"x-request-id": "req_9"}, "over capacity"))
    assert isinstance(result, InternalServerError)
    assert result.status_code == 503
    assert "over capacity (after 3 requests; request id req_9)" in str(result)


def test_no_retries_means_one_request() -> None:
    result, slept, sent = tried(refused(500), retries=0)
    assert isinstance(result, InternalServerError)
    assert (slept, len(sent), result.requests) == ([], 1, 1)


@pytest.mark.parametrize(
    ("code", "again"), [("invalid_json", True), ("stream_cut", True), ("not_json", False), ("too_large", False), (None, False)]
)
def test_which_answers_that_are_none_are_worth_a_retry(code: str | None, again: bool) -> None:
    assert retryable(APIResponseError("x", code=code)) is again


def test_other_errors_are_never_retried() -> None:
    assert not retryable(ValueError())
    assert not retryable(APIConnectionError("x", code="certificate"))


# -- the limiter -----------------------------------------------------------------------------------------------------


class Watched:
    """A limiter that lets everything through after the waits it was given, and keeps what it was told."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.told: list[tuple[Any, ...]] = []

    def reserve(self, tokens: int) -> float:
        self.told.append(("reserve", tokens))
        return self.waits.pop(0) if self.waits else 0.0

    def settle(self, booked: int, used: int | None, limits: RateLimits | None) -> None:
        self.told.append(("settle", booked, used, limits))

    def refuse(self, booked: int, error: APIStatusError, limits: RateLimits | None) -> None:
        self.told.append(("refuse", booked, error, limits))


def test_the_limiter_is_asked_before_and_told_after() -> None:
    limiter = Watched(3.0, 0.5)
    headers = {"x-ratelimit-remaining-tokens": "90"}
    flow = complete(Endpoint("http://model.test", "m", limiter=limiter), Call((Message("user", "hi"),), Mode.TEXT, "x"))
    reply, slept, sent = perform(
        flow, refused(429, {"retry-after": "2", **headers}), APIConnectionError("reset"), Response(200, headers, OK.body)
    )
    booked = len(sent[0].body) // 4
    left = RateLimits(remaining_tokens=90)
    told = [(what, *(type(item) if isinstance(item, APIError) else item for item in rest)) for what, *rest in limiter.told]
    assert told == [
        ("reserve", booked),
        ("reserve", booked),
        ("reserve", booked),
        ("refuse", booked, RateLimitError, left),
        ("reserve", booked),
        ("settle", booked, None, None),
        ("reserve", booked),
        ("settle", booked, 15, left),
    ]
    assert slept[:2] == [3.0, 0.5]
    assert (reply.requests, reply.limits) == (3, left)


def test_an_interrupted_request_is_settled_with_the_limiter() -> None:
    def once(trying: Try) -> Flow[Done[Response]]:
        return Done((yield from send_once(trying.request)))

    limiter = Watched()
    flow = persist(once, REQUEST, RetryPolicy(), limiter, 7)
    assert isinstance(next(flow), Send)
    flow.close()
    assert limiter.told == [("reserve", 7), ("settle", 7, None, None)]


# -- tenacity --------------------------------------------------------------------------------------------------------


def test_what_is_relied_on_of_tenacity() -> None:
    """`stop`, `wait` and `retry` are functions of a state that knows the attempt, the coming sleep and the exception."""
    seen: list[RetryCallState] = []
    rule = Retrying(stop=stop_after_attempt(3), wait=wait_fixed(2), retry=retry_if_exception_type(KeyError))
    watching = rule.copy(wait=lambda state: seen.append(state) or 2.0)
    rounds = Rounds(watching)
    assert [rounds.after(KeyError("a")), rounds.after(KeyError("b")), rounds.after(KeyError("c"))] == [2.0, 2.0, None]
    assert seen[0].attempt_number == 3
    assert Rounds(rule).after(ValueError("x")) is None
