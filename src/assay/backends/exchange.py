"""One request, with retries: sent, judged, and sent again as long as that makes sense and the limits allow it.

`persist` is the loop; what one try does is passed to it as a flow, so that whole answers and streams share it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from assay.backends.conceal import conceal
from assay.backends.failures import host
from assay.backends.gate import Gate
from assay.backends.limiter import Limiter
from assay.backends.retry import RetryPolicy
from assay.backends.transports.unpack import MAX_BODY
from assay.errors import APIError, APIResponseError, APIStatusError, ErrorResponse, Reason
from assay.flow import urls
from assay.flow.effects import Flow, Incoming, Open, Read, Request, Response, Send, Sleep
from assay.flow.rounds import Rounds
from assay.types import RateLimits, frozen
from assay.wire.errors import status_error
from assay.wire.headers import rate_limits

T = TypeVar("T")

MAX_REDIRECTS = 5
_SHOWN = 200
"""Characters of a redirect's address in a message."""
MAX_ERROR_BODY = 1024 * 1024
"""Bytes read of an error answer to a streamed request: enough for any message."""
BRIEF = 120
"""Characters kept of an error that a retry overcame."""
SHORTEST_TRY = 1.0
"""The least seconds that a retry gets."""
OVERLOADED = frozenset({429, 498, 503, 529})
"""Statuses that slow down every user of a shared limiter."""


@frozen
class Done(Generic[T]):
    """The result of one try: the value, and what a limiter needs to know."""

    value: T
    used: int | None = None
    """Tokens."""
    limits: RateLimits | None = None


@frozen
class Try:
    """One try of a request."""

    request: Request
    number: int
    """Its number, counted from 1."""
    since: float
    """When the first began, on the monotonic clock, moved by the time spent waiting for a limiter since."""
    failed: tuple[str, ...] = ()
    """What happened to those before it."""

    def seconds(self) -> float:
        """The time of all tries so far, with the waits between them."""
        return time.monotonic() - self.since


Once = Callable[[Try], Flow[Done[T]]]
"""Performs a try. It raises an `APIError` when it fails."""


def exchange(request: Request, retry: RetryPolicy) -> Flow[Response]:
    """A response of status 200 to 299. Raises an `APIError`."""
    return (yield from persist(_sent, request, retry))


def persist(once: Once[T], request: Request, retry: RetryPolicy, limiter: Limiter | None = None, tokens: int = 0) -> Flow[T]:
    """The value of the first try that succeeds. Raises the last error. `tokens` are booked with the limiter for each try."""
    waits = retry.max_retries > 0 or not isinstance(
        limiter, Gate
    )  # who is not to try again learns at once what the server says
    rounds: Rounds | None = None
    budget, requests, spent = 0.0, 0, 0.0
    failed: tuple[str, ...] = ()
    while True:
        while waits and limiter is not None and (pause := limiter.reserve(tokens)) > 0:
            yield Sleep(pause)
        requests += 1
        started = time.monotonic()
        try:
            done = yield from once(Try(request, requests, started - spent, failed))
        except APIError as error:
            crowded = _tell_failure(limiter, tokens, error)
            if rounds is None:
                rounds, budget = retry.rounds(), retry.seconds(request.timeout)
            spent += time.monotonic() - started
            left = budget - spent
            if crowded and left > 0:  # refused for the others' sake: no fault of the request, and nothing to be patient with
                failed += (_briefly(error, request),)
                continue
            wait = rounds.after(error)
            if wait is None or wait >= left or (retry.patience is not None and wait > retry.patience):
                raise _final(error, requests, request, left) from None
            yield Sleep(wait)
            spent += wait
            failed += (_briefly(error, request),)
            request = _within(request, left - wait)
        except BaseException:  # broken off: its booking would stand for ever
            _tell_failure(limiter, tokens, None)
            raise
        else:
            if limiter is not None:
                limiter.settle(tokens, done.used, done.limits)
            return done.value


def _tell_failure(limiter: Limiter | None, tokens: int, error: APIError | None) -> bool:
    """Whether the request was only one too many at once."""
    if limiter is None:
        return False
    if not isinstance(error, APIStatusError):
        limiter.settle(tokens, None, None)
    elif error.status_code in OVERLOADED and error.reason is not Reason.NO_CREDIT:
        return limiter.refuse(tokens, error, rate_limits(error.response.headers))
    else:
        limiter.settle(tokens, None, rate_limits(error.response.headers))
    return False


def _sent(trying: Try) -> Flow[Done[Response]]:
    return Done((yield from send_once(trying.request)))


def send_once(request: Request) -> Flow[Response]:
    """One try for a whole response; redirects within the origin are followed."""
    for _ in range(MAX_REDIRECTS):
        response: Response = yield Send(request)
        if 200 <= response.status < 300:
            return response
        if not 300 <= response.status < 400:
            raise status_error(response.status, response.headers, response.body)
        request = redirected(request, response.status, response.headers)
    raise _too_many(request)


def open_once(request: Request) -> Flow[Incoming]:
    """One try for an opened response; redirects within the origin are followed."""
    for _ in range(MAX_REDIRECTS):
        incoming: Incoming = yield Open(request)
        if 200 <= incoming.status < 300:
            return incoming
        if not 300 <= incoming.status < 400:
            raise status_error(incoming.status, incoming.headers, (yield from read_all(incoming, MAX_ERROR_BODY)))
        request = redirected(request, incoming.status, incoming.headers)
    raise _too_many(request)


def read_all(incoming: Incoming, limit: int = MAX_BODY) -> Flow[bytes]:
    """The rest of an opened response's body, `limit` bytes at most."""
    chunks: list[bytes] = []
    size = 0
    while size < limit and (chunk := (yield Read(incoming))):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)[:limit]


def redirected(request: Request, status: int, headers: Mapping[str, str]) -> Request:
    """The request that a redirect asks for. Raises `APIResponseError` where following it would show the key or the text to
    another host, or would turn the request into another one.
    """
    location = headers.get("location", "")
    kept = status in {307, 308} or (request.method in {"GET", "HEAD"} and status in {301, 302, 303})
    try:
        target = urls.redirected(request.url, location)
    except ValueError as error:
        why = str(error)
    else:
        if kept and location:
            return replace(request, url=target)
        why = "this is not an answer to the request"
    raise APIResponseError(
        f"{status}: {host(request)} redirects to {urls.shown(location)[:_SHOWN]!a}: {why}; set base_url to the address of the API",
        code="redirect",
        response=ErrorResponse(status, headers, ""),
    )


def _too_many(request: Request) -> APIResponseError:
    return APIResponseError(f"{host(request)} redirects in a loop: {MAX_REDIRECTS} times in a row", code="redirect")


def _within(request: Request, left: float) -> Request:
    """The request with a timeout that ends with the budget, but leaves time for an answer."""
    left = max(left, SHORTEST_TRY)
    return replace(request, timeout=left if request.timeout is None else min(request.timeout, left))


def _briefly(error: APIError, request: Request) -> str:
    """One line about an error that a retry overcame."""
    conceal(error, request)
    line = " ".join(error.message.split())
    return line if len(line) <= BRIEF else f"{line[: BRIEF - 1]}…"


def _final(error: APIError, requests: int, request: Request, left: float) -> APIError:
    """The error as its user sees it: with what was tried, and without the key."""
    error.requests = requests
    notes = []
    if requests > 1:
        notes.append(f"after {requests} requests")
    if error.request_id:
        notes.append(f"request id {error.request_id}")
    if error.retry_after is not None and error.retry_after >= left:
        notes.append(
            f"the server asks to wait {error.retry_after:.0f} s, but this request may take only {max(left, 0):.0f} s more"
        )
    error.add("; ".join(notes))
    conceal(error, request)
    return error
