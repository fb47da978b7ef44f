"""Transports over an `httpx` client that the user brings: its proxies, TLS, hooks and transport settings then apply.

The client stays the user's: closing one of these does not close it. A blocking request is made in the thread that calls, where its
event hooks run too. `Request.timeout` is a total here, which httpx does not have: an awaited request is cancelled at its deadline, a
blocking one loses its connection (`assay.backends.transports.httpx_deadline`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx

from assay.backends.failures import (
    cannot_be_sent,
    connect_timed_out,
    connection_failed,
    host,
    pool_timed_out,
    read_timed_out,
    refuse_at_exit,
    timed_out,
    write_timed_out,
)
from assay.backends.transports.httpx_deadline import GRACE, HttpxDeadline
from assay.backends.transports.incoming import LONGEST, AsyncBody, Body
from assay.backends.transports.watchdog import Watchdog
from assay.errors import APIResponseError, AssayError
from assay.flow.effects import Request, Response

FAILURES = (httpx.HTTPError, httpx.InvalidURL, RuntimeError, OSError, UnicodeEncodeError)
"""What a client and its transport raise when no answer comes. Anything else that a user's hook raises is passed on."""
DRAIN = 0.02
"""Seconds that closing an unfinished response may wait for its end, the last chunk after `[DONE]`: its connection is kept then."""


class HttpxTransport:
    """A `Transport` over an `httpx.Client`. Any number of threads may share it, and a forked process too."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._watchdog = Watchdog()
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def send(self, request: Request) -> Response:
        return self.open(request).whole()

    def open(self, request: Request) -> HttpxIncoming:
        refuse_at_exit(request)
        deadline = HttpxDeadline(LONGEST if request.timeout is None else min(request.timeout, LONGEST), self._sockets)
        self._watchdog.watch(deadline)
        try:
            return self._open(request, deadline)
        except BaseException as error:
            deadline.over()
            if isinstance(error, FAILURES):
                raise timed_out(request) if deadline.expired else _failure(error, request) from None
            raise

    def close(self) -> None:
        """Does nothing: the client belongs to the user and stays open."""
        self._watchdog.close()

    def _open(self, request: Request, deadline: HttpxDeadline) -> HttpxIncoming:
        built = _build(self._client, request)
        if request.limits is None:
            deadline.limit(built)
        answer = self._client.send(built, stream=True, follow_redirects=False)
        try:
            return HttpxIncoming(request, answer, deadline)
        except BaseException:
            answer.close()
            raise


class HttpxIncoming(Body):
    def __init__(self, request: Request, answer: httpx.Response, deadline: HttpxDeadline) -> None:
        super().__init__(answer.status_code, _headers(answer))
        self._request = request
        self._answer = answer
        self._deadline = deadline
        assert isinstance(answer.stream, httpx.SyncByteStream)  # a client that blocks has no other
        self._chunks = filter(None, [answer.content] if answer.is_stream_consumed else answer.stream)
        self._waits = not answer.is_stream_consumed and deadline.reaches(answer.extensions.get("network_stream"))
        """Whether closing may wait for the end: only where waiting can be cut."""

    def pull(self) -> bytes:
        try:
            chunk = next(self._chunks, b"")
        except FAILURES as error:
            raise timed_out(self._request) if self._deadline.expired else _failure(error, self._request) from None
        if not chunk:
            self._deadline.over()  # before the connection goes back to the pool, to be another request's
            self._waits = False
        if self._deadline.expired:  # what looks like the end may be the cut
            raise timed_out(self._request)
        return chunk

    def close(self) -> None:
        try:
            if self._waits:
                self._drain()
        finally:
            self._deadline.over()
            self._answer.close()

    def _drain(self) -> None:
        self._deadline.hasten(DRAIN)
        with suppress(AssayError):
            self.pull()


class AsyncHttpxTransport:
    """An `AsyncTransport` over an `httpx.AsyncClient`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, request: Request) -> Response:
        return await (await self.open(request)).whole()

    async def open(self, request: Request) -> AsyncHttpxIncoming:
        try:
            async with asyncio.timeout(None) as within:
                built = _build(self._client, request)
                if request.timeout is not None:
                    built.extensions["timeout"] = _Begin(within, min(request.timeout, LONGEST))
                answer = await self._client.send(built, stream=True, follow_redirects=False)
        except FAILURES as error:
            raise _failure(error, request) from None
        try:
            return AsyncHttpxIncoming(request, answer, within.when())
        except BaseException:
            await answer.aclose()
            raise

    async def aclose(self) -> None:
        """Does nothing: the client belongs to the user."""


class _Begin(dict[str, float]):
    """httpx's timeouts, which it looks up when a phase begins. Waiting for a free connection is not the network's fault: the
    request's time counts from the end of that wait.
    """

    def __init__(self, within: asyncio.Timeout, seconds: float) -> None:
        super().__init__(dict.fromkeys(("connect", "read", "write", "pool"), seconds))
        self._within = within
        self._seconds = seconds
        self._reschedule(2 * seconds)

    def get(self, phase: str, default: Any = None) -> Any:
        if phase != "pool" and self._seconds:
            self._reschedule(self._seconds)
            self._seconds = 0.0
        return super().get(phase, default)

    def _reschedule(self, seconds: float) -> None:
        self._within.reschedule(asyncio.get_running_loop().time() + seconds + GRACE)


class AsyncHttpxIncoming(AsyncBody):
    def __init__(self, request: Request, answer: httpx.Response, deadline: float | None) -> None:
        super().__init__(answer.status_code, _headers(answer))
        self._request = request
        self._answer = answer
        self._chunks = _one(answer.content) if answer.is_stream_consumed else answer.aiter_raw()
        self._deadline = deadline
        self._ended = False

    async def pull(self) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline):
                chunk = await anext(self._chunks, b"")
        except FAILURES as error:
            raise _failure(error, self._request) from None
        self._ended = not chunk
        return chunk

    async def aclose(self) -> None:
        try:
            if not self._ended:
                await self._drain()
        finally:
            await self._answer.aclose()

    async def _drain(self) -> None:
        with suppress(TimeoutError, AssayError):
            async with asyncio.timeout(DRAIN):
                await self.pull()


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _headers(answer: httpx.Response) -> Mapping[str, str]:
    """Of an answer that is raw still, or that an event hook or a transport for tests has had read, which unpacks it."""
    headers = dict(answer.headers.items())  # without items it takes ten times as long
    if answer.is_stream_consumed:
        headers.pop("content-encoding", None)
    return headers


def _build(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    try:
        url = _url(request.url)
    except (ValueError, httpx.InvalidURL):
        raise cannot_be_sent(request) from None
    timeout: Any = None if request.timeout is None else min(request.timeout, LONGEST)
    if (limits := request.limits) is not None:
        timeout = httpx.Timeout(connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool)
    return client.build_request(request.method, url, headers=list(request.headers), content=request.body, timeout=timeout)


@lru_cache(maxsize=64)
def _url(url: str) -> httpx.URL:
    """Parsed once: that would be 3 % of a call. Raises `ValueError` or `httpx.InvalidURL`."""
    urlsplit(url).port  # noqa: B018  # raises for a port that is none, which httpx would meet only when connecting
    return httpx.URL(url)


def _failure(error: Exception, request: Request) -> AssayError:
    match error:
        case httpx.ConnectTimeout():
            return connect_timed_out(request, _seconds(request, "connect"))
        case httpx.PoolTimeout():
            return pool_timed_out(request, _seconds(request, "pool"))
        case httpx.ReadTimeout() if request.limits is not None:
            return read_timed_out(request, _seconds(request, "read"))
        case httpx.WriteTimeout() if request.limits is not None:
            return write_timed_out(request, _seconds(request, "write"))
        case TimeoutError() | httpx.TimeoutException():
            return timed_out(request)
        case httpx.InvalidURL():  # ours is one: httpx parses a redirect's too, though it is not to follow it
            return APIResponseError(f"{host(request)} redirects to something that is not a URL: {error}", code="redirect")
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | UnicodeEncodeError():
            return cannot_be_sent(request)
        case httpx.ProxyError():
            return connection_failed(request, f"the proxy said {error}")
    return connection_failed(request, str(error) or type(error).__name__)


def _seconds(request: Request, phase: str) -> float:
    limit = request.timeout if request.limits is None else getattr(request.limits, phase)
    return limit or 0.0
