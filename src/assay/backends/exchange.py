"""One request, persistently: sent, judged, and sent again while that makes sense and the limits allow.

`persist` is the loop; what one try does is given to it as a flow, so that whole answers and streams share it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from assay.backends.conceal import conceal
from assay.backends.failures import host
from assay.backends.limits import Limiter
from assay.backends.retry import RetryPolicy, remaining
from assay.backends.unpack import MAX_BODY
from assay.effects import Flow, Incoming, Open, Read, Request, Response, Send, Sleep
from assay.errors import APIError, APIResponseError, APIStatusError, ErrorResponse
from assay.types import RateLimits
from assay.wire.errors import status_error
from assay.wire.headers import rate_limits

T = TypeVar("T")

MAX_REDIRECTS = 5
MAX_ERROR_BODY = 1024 * 1024
"""Bytes read of an error answer to a streamed request: enough for any message."""
OVERLOADED = frozenset({429, 498, 503, 529})
"""Statuses that slow down all who share a limiter."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What one try brought: the value, and what a limiter wants to know."""

    value: T
    used: int | None
    limits: RateLimits | None


@dataclass(frozen=True, slots=True)
class Sent(Generic[T]):
    """What a request brought in the end: the value, how many requests it took, and seconds from the first to the end."""

    value: T
    requests: int
    seconds: float


Once = Callable[[Request], Flow[Done[T]]]
"""One try of a request. It raises the kin of `APIError` when it fails."""


def exchange(request: Request, retry: RetryPolicy, limiter: Limiter | None = None, tokens: int = 0) -> Flow[Response]:
    """A response of status 200 to 299. Raises the kin of `APIError`. `tokens` are booked with the limiter."""
    return (yield from persist(send_once, request, retry, limiter, tokens)).value


def open_stream(request: Request, retry: RetryPolicy, limiter: Limiter | None = None, tokens: int = 0) -> Flow[Incoming]:
    """An opened response of status 200 to 299, its body to be read with `Read`. Raises the kin of `APIError`."""
    return (yield from persist(open_once, request, retry, limiter, tokens)).value


def persist(
    once: Once[T], request: Request, retry: RetryPolicy, limiter: Limiter | None = None, tokens: int = 0
) -> Flow[Sent[T]]:
    """The value of the first try that succeeds. Raises the last error."""
    yield from _admission(limiter, tokens)
    started = time.monotonic()
    rounds = retry.rounds()
    requests = 0
    while True:
        requests += 1
        try:
            done: Done[T] = yield from once(request)
        except APIError as error:
            _tell(limiter, tokens, error)
            wait = rounds.after(error)
            if wait is None:
                raise _final(error, requests, request, remaining(retry, started)) from None
            yield Sleep(wait)
            yield from _admission(limiter, tokens)
            request = _within(request, remaining(retry, started))
        else:
            if limiter is not None:
                limiter.settle(tokens, done.used, done.limits)
            return Sent(done.value, requests, time.monotonic() - started)


def send_once(request: Request) -> Flow[Done[Response]]:
    """One try for a whole response; redirects within the origin are followed."""
    for _ in range(MAX_REDIRECTS):
        response: Response = yield Send(request)
        if 200 <= response.status < 300:
            return Done(response, None, rate_limits(response.headers))
        if not 300 <= response.status < 400:
            raise status_error(response.status, response.headers, response.body)
        request = redirected(request, response.status, response.headers)
    raise _too_many(request)


def open_once(request: Request) -> Flow[Done[Incoming]]:
    """One try for an opened response; redirects within the origin are followed."""
    for _ in range(MAX_REDIRECTS):
        incoming: Incoming = yield Open(request)
        if 200 <= incoming.status < 300:
            return Done(incoming, None, rate_limits(incoming.headers))
        if not 300 <= incoming.status < 400:
            body = yield from read_all(incoming, MAX_ERROR_BODY)
            raise status_error(incoming.status, incoming.headers, body)
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
    target = urljoin(request.url, headers.get("location", ""))
    old, new = urlsplit(request.url), urlsplit(target)
    same = (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port)
    kept = status in {307, 308} or (request.method in {"GET", "HEAD"} and status in {301, 302, 303})
    if same and kept and "location" in headers:
        return replace(request, url=target)
    why = "it is no answer to this request" if same else "another origin, where neither the key nor the text is sent"
    raise APIResponseError(
        f"{status}: {host(request)} redirects to {new.scheme}://{new.hostname or ''}: {why}; set base_url to where the API is",
        code="redirect",
        response=ErrorResponse(status, headers, ""),
    )


def _too_many(request: Request) -> APIResponseError:
    return APIResponseError(f"{host(request)} redirects in a circle: {MAX_REDIRECTS} times in a row", code="redirect")


def _within(request: Request, left: float) -> Request:
    """The request with a timeout that ends with the budget."""
    return replace(request, timeout=left if request.timeout is None else min(request.timeout, max(left, 0.001)))


def _admission(limiter: Limiter | None, tokens: int) -> Flow[None]:
    while limiter is not None and (wait := limiter.reserve(tokens)) > 0:
        yield Sleep(wait)


def _tell(limiter: Limiter | None, tokens: int, error: APIError) -> None:
    if limiter is None:
        return
    limits = rate_limits(error.response.headers) if error.response is not None else None
    if isinstance(error, APIStatusError) and error.status_code in OVERLOADED:
        limiter.refuse(tokens, error, limits)
    else:
        limiter.settle(tokens, None, limits)


def _final(error: APIError, requests: int, request: Request, left: float) -> APIError:
    """The error as its user sees it: with what was tried, and without the key."""
    error.requests = requests
    notes = []
    if requests > 1:
        notes.append(f"after {requests} requests")
    if error.request_id:
        notes.append(f"request id {error.request_id}")
    if error.retry_after is not None and error.retry_after >= left:
        notes.append(f"the server asks to wait {error.retry_after:.0f} s, and this request may take {max(left, 0):.0f} s more")
    if notes:
        error.message = f"{error.message} ({'; '.join(notes)})"
        error.args = (error.message,)
    conceal(error, request)
    return error
