"""The default transport: pyreqwest, awaited.

Chosen by measurement: it has a total deadline (a per-read timeout lets a trickle go on for ever), notices every cut body, and
needs a fraction of the CPU of httpx. Its unpacking is switched off: `assay.backends.unpack` does that, with a limit.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PyreqwestError, RequestTimeoutError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response as Answer

from assay.backends.failures import cannot_be_sent, connect_timed_out, connection_failed, timed_out
from assay.backends.incoming import LONGEST, AsyncBody
from assay.effects import Request, Response
from assay.errors import APIConnectionError, ConfigurationError

CONNECT_TIMEOUT = 5.0
"""Seconds, as in the groq SDK."""
AHEAD = 65536
"""Bytes read before a whole answer is handed over; of a stream none, or its first event would wait for the buffer to fill."""
DRAIN = 0.02
"""Seconds that closing an unfinished response may wait for its end."""


class PyreqwestTransport:
    """An `AsyncTransport`. Any number of event loops and threads may share it, and a forked process too.

    A request that is cancelled before its answer begins is not taken back by pyreqwest: its connection is closed at the
    request's deadline. Once the answer has begun, closing or cancelling closes the connection at once.
    """

    def __init__(self, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        self._connect_timeout = connect_timeout
        self._client: Client | None = None
        self._process = 0

    async def send(self, request: Request) -> Response:
        return await (await self._open(request, AHEAD)).whole()

    async def open(self, request: Request) -> PyreqwestIncoming:
        return await self._open(request, 0)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _open(self, request: Request, ahead: int) -> PyreqwestIncoming:
        built = _build(self._ready(), request, ahead)
        started = time.monotonic()
        try:
            answer = await built.__aenter__()
        except PyreqwestError as error:
            raise _failure(error, request, started, self._connect_timeout) from None
        try:
            return PyreqwestIncoming(request, built, answer, started)
        except BaseException:
            await built.__aexit__(None, None, None)
            raise

    def _ready(self) -> Client:
        """The client, made when first needed, and anew in a forked process: the old one's threads are not there."""
        if self._client is None or self._process != os.getpid():
            self._client, self._process = _client(self._connect_timeout), os.getpid()
        return self._client


class PyreqwestIncoming(AsyncBody):
    def __init__(self, request: Request, built: StreamRequest, answer: Answer, started: float) -> None:
        super().__init__(answer.status, dict(answer.headers))
        self._request = request
        self._built = built
        self._started = started
        self._reader = answer.body_reader
        self._ended = False

    async def pull(self) -> bytes:
        try:
            chunk = await self._reader.read_chunk()
        except PyreqwestError as error:
            raise _failure(error, self._request, self._started, 0.0) from None
        if chunk is None:
            self._ended = True
            return b""
        return bytes(chunk)

    async def aclose(self) -> None:
        if not self._ended:
            await self._drain()
        await self._built.__aexit__(None, None, None)

    async def _drain(self) -> None:
        """Read what is left if it is there already, as the last chunk after `[DONE]` is: the connection can then be kept."""
        with suppress(TimeoutError, APIConnectionError):
            async with asyncio.timeout(DRAIN):
                await self.pull()


def _client(connect_timeout: float) -> Client:
    builder = ClientBuilder().gzip(enable=False).brotli(enable=False).zstd(enable=False).deflate(enable=False)
    builder = builder.follow_redirects(enable=False).referer(enable=False)
    builder = builder.connect_timeout(timedelta(seconds=connect_timeout))
    try:
        return builder.build()
    except RuntimeError:
        pass  # forked from a process that has used the single-threaded runtime; the other one starts afresh
    try:
        return builder.runtime_multithreaded(enable=True).build()
    except RuntimeError as error:
        raise ConfigurationError(f"start processes with 'spawn', or bring an httpx client: {error}") from None


def _build(client: Client, request: Request, ahead: int) -> StreamRequest:
    try:
        builder = client.request(request.method, request.url).headers(request.headers)
        if request.timeout is not None:
            builder = builder.timeout(timedelta(seconds=min(request.timeout, LONGEST)))
        if request.body:
            builder = builder.body_bytes(request.body)
        elif request.method in {"POST", "PUT"}:
            builder = builder.header("content-length", "0")  # RFC 9110 8.6; some gateways answer 411 without it
        # By default it would hold a response back until 64 kB of it had come, or all: a stream would not stream.
        return builder.streamed_read_buffer_limit(ahead).build_streamed()
    except (BuilderError, ValueError):
        raise cannot_be_sent(request) from None


def _failure(error: PyreqwestError, request: Request, started: float, connect_timeout: float) -> APIConnectionError:
    """The error in our own classes. pyreqwest names a timeout after the phase that it met; the clock says which limit it was."""
    if isinstance(error, RequestTimeoutError):
        total = request.timeout is not None and time.monotonic() - started >= request.timeout * 0.98
        return timed_out(request) if total else connect_timed_out(request, connect_timeout)
    causes = [cause["message"] for cause in error.details["causes"] or ()] if isinstance(error, DetailedPyreqwestError) else []
    return connection_failed(request, ": ".join(causes[-2:]) or error.message)
