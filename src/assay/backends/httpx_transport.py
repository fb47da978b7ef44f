"""Transports over an `httpx` client that the user brings: its proxies, TLS and transport settings then apply.

The client stays the user's: closing one of these does not close it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import httpx

from assay.backends.failures import bad_certificate, connect_timed_out, connection_failed, timed_out
from assay.effects import Request, Response
from assay.errors import APIConnectionError


class HttpxTransport:
    """A `Transport` over an `httpx.Client`."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def send(self, request: Request) -> Response:
        incoming = self.open(request)
        try:
            chunks = []
            while chunk := incoming.read():
                chunks.append(chunk)
            return Response(incoming.status, incoming.headers, b"".join(chunks))
        finally:
            incoming.close()

    def open(self, request: Request) -> HttpxIncoming:
        built = _build(self._client, request)
        started = time.monotonic()
        try:
            answer = self._client.send(built, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise _failure(error, request) from error
        return HttpxIncoming(request, answer, started)

    def close(self) -> None:
        """Nothing: the client is the user's."""


class HttpxIncoming:
    def __init__(self, request: Request, answer: httpx.Response, started: float) -> None:
        self.status = answer.status_code
        self.headers: Mapping[str, str] = dict(answer.headers)
        self._request = request
        self._answer = answer
        self._chunks = answer.iter_raw()
        self._started = started

    def read(self) -> bytes:
        limit = self._request.timeout
        if limit is not None and time.monotonic() - self._started > limit:
            raise timed_out(self._request)
        try:
            return next(self._chunks, b"")
        except httpx.HTTPError as error:
            raise _failure(error, self._request) from error

    def close(self) -> None:
        self._answer.close()


class AsyncHttpxTransport:
    """An `AsyncTransport` over an `httpx.AsyncClient`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, request: Request) -> Response:
        incoming = await self.open(request)
        try:
            chunks = []
            while chunk := await incoming.read():
                chunks.append(chunk)
            return Response(incoming.status, incoming.headers, b"".join(chunks))
        finally:
            await incoming.aclose()

    async def open(self, request: Request) -> AsyncHttpxIncoming:
        built = _build(self._client, request)
        deadline = _deadline(request)
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._client.send(built, stream=True, follow_redirects=False)
        except (httpx.HTTPError, TimeoutError) as error:
            raise _failure(error, request) from error
        return AsyncHttpxIncoming(request, answer, deadline)

    async def aclose(self) -> None:
        """Nothing: the client is the user's."""


class AsyncHttpxIncoming:
    def __init__(self, request: Request, answer: httpx.Response, deadline: float | None) -> None:
        self.status = answer.status_code
        self.headers: Mapping[str, str] = dict(answer.headers)
        self._request = request
        self._answer = answer
        self._chunks = answer.aiter_raw()
        self._deadline = deadline

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._chunks, b"")
        except (httpx.HTTPError, TimeoutError) as error:
            raise _failure(error, self._request) from error

    async def aclose(self) -> None:
        await self._answer.aclose()


def _deadline(request: Request) -> float | None:
    return None if request.timeout is None else asyncio.get_running_loop().time() + request.timeout


def _build(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    return client.build_request(
        request.method, request.url, headers=list(request.headers), content=request.body, timeout=request.timeout
    )


def _failure(error: Exception, request: Request) -> APIConnectionError:
    match error:
        case httpx.ConnectTimeout() if request.timeout is not None:
            return connect_timed_out(request, request.timeout)
        case TimeoutError() | httpx.TimeoutException():
            return timed_out(request)
    reason = str(error) or type(error).__name__
    return bad_certificate(request, reason) if "certificate" in reason.lower() else connection_failed(request, reason)
