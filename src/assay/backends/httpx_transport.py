"""Transports over an `httpx` client that the user brings: its proxies, TLS, hooks and transport settings then apply.

The client stays the user's: closing one of these does not close it. `Request.timeout` is a total here too, which httpx has not: an
awaited request is cancelled at its deadline, a blocking one is done in a thread of `assay.backends.workers` (so event hooks run there).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from assay.backends.failures import cannot_be_sent, connect_timed_out, connection_failed, timed_out
from assay.backends.incoming import LONGEST, AsyncBody, Body
from assay.backends.workers import Workers
from assay.effects import Request, Response
from assay.errors import AssayError

T = TypeVar("T")

FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, UnicodeEncodeError)


GRACE = 0.1
"""Seconds past the limit before a request is broken off: in plain silence httpx's own timeout comes first, and cleans up best."""


class HttpxTransport:
    """A `Transport` over an `httpx.Client`."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._workers = Workers()

    def send(self, request: Request) -> Response:
        deadline = _Deadline(request, self._workers)
        return deadline.run(lambda: self._open(request, _Direct()).whole())

    def open(self, request: Request) -> HttpxIncoming:
        deadline = _Deadline(request, self._workers)
        return deadline.run(lambda: self._open(request, deadline))

    def close(self) -> None:
        """The client is the user's, and stays open."""
        self._workers.close()

    def _open(self, request: Request, runner: _Deadline | _Direct) -> HttpxIncoming:
        try:
            answer = self._client.send(_build(self._client, request), stream=True, follow_redirects=False)
        except FAILURES as error:
            raise _failure(error, request) from None
        try:
            return HttpxIncoming(request, answer, runner)
        except BaseException:
            answer.close()
            raise


class _Direct:
    """Runs work as it is: the thread that calls is under a deadline already."""

    def run(self, work: Callable[[], T]) -> T:
        return work()


class _Deadline:
    """Runs the steps of one request, each in what is left of its time."""

    def __init__(self, request: Request, workers: Workers) -> None:
        self._request = request
        self._workers = workers
        self._end = None if request.timeout is None else time.monotonic() + min(request.timeout, LONGEST) + GRACE

    def run(self, work: Callable[[], T]) -> T:
        left = None if self._end is None else self._end - time.monotonic()
        try:
            return self._workers.run(work, left)
        except TimeoutError:
            raise timed_out(self._request) from None


class HttpxIncoming(Body):
    def __init__(self, request: Request, answer: httpx.Response, runner: _Deadline | _Direct) -> None:
        super().__init__(answer.status_code, dict(answer.headers))
        self._request = request
        self._answer = answer
        self._runner = runner
        self._chunks = answer.iter_raw()

    def pull(self) -> bytes:
        return self._runner.run(self._next)

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except FAILURES as error:
            raise _failure(error, self._request) from None

    def close(self) -> None:
        self._answer.close()


class AsyncHttpxTransport:
    """An `AsyncTransport` over an `httpx.AsyncClient`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, request: Request) -> Response:
        return await (await self.open(request)).whole()

    async def open(self, request: Request) -> AsyncHttpxIncoming:
        deadline = (
            None if request.timeout is None else asyncio.get_running_loop().time() + min(request.timeout, LONGEST) + GRACE
        )
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._client.send(_build(self._client, request), stream=True, follow_redirects=False)
        except FAILURES as error:
            raise _failure(error, request) from None
        try:
            return AsyncHttpxIncoming(request, answer, deadline)
        except BaseException:
            await answer.aclose()
            raise

    async def aclose(self) -> None:
        """Nothing: the client is the user's."""


class AsyncHttpxIncoming(AsyncBody):
    def __init__(self, request: Request, answer: httpx.Response, deadline: float | None) -> None:
        super().__init__(answer.status_code, dict(answer.headers))
        self._request = request
        self._answer = answer
        self._chunks = answer.aiter_raw()
        self._deadline = deadline

    async def pull(self) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._chunks, b"")
        except FAILURES as error:
            raise _failure(error, self._request) from None

    async def aclose(self) -> None:
        await self._answer.aclose()


def _build(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    try:
        urlsplit(request.url).port  # noqa: B018  # raises for a port that is none, which httpx would meet only when connecting
    except ValueError:
        raise cannot_be_sent(request) from None
    timeout = None if request.timeout is None else min(request.timeout, LONGEST)
    return client.build_request(
        request.method, request.url, headers=list(request.headers), content=request.body, timeout=timeout
    )


def _failure(error: Exception, request: Request) -> AssayError:
    match error:
        case httpx.ConnectTimeout():
            return connect_timed_out(request, request.timeout or 0.0)
        case TimeoutError() | httpx.TimeoutException():
            return timed_out(request)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | UnicodeEncodeError():
            return cannot_be_sent(request)
        case httpx.ProxyError():
            return connection_failed(request, f"the proxy said {error}")
    return connection_failed(request, str(error) or type(error).__name__)
