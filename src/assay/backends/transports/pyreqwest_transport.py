"""The default transports: pyreqwest, awaited and blocking.

Chosen by measurement: it has a total deadline (a per-read timeout lets a trickle go on forever), notices every cut body, and
needs a fraction of the CPU of httpx. Its unpacking is switched off: `assay.backends.transports.unpack` does that, with a limit.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

from pyreqwest.client import Client, ClientBuilder, SyncClient, SyncClientBuilder
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PyreqwestError, RequestTimeoutError
from pyreqwest.http import HeaderMap
from pyreqwest.request import RequestBuilder, StreamRequest, SyncRequestBuilder, SyncStreamRequest
from pyreqwest.response import Response as Answer
from pyreqwest.response import SyncResponse

from assay.backends.failures import (
    CLOSED,
    cannot_be_sent,
    connect_timed_out,
    connection_failed,
    read_timed_out,
    refuse_at_exit,
    timed_out,
)
from assay.backends.transports.blocking_streams import BlockingIncoming, BlockingStreams
from assay.backends.transports.incoming import LONGEST, AsyncBody, Body
from assay.backends.transports.leaving import wait_at_exit
from assay.backends.transports.per_process import PerProcess
from assay.backends.transports.portal import Portal, PortalClosed
from assay.backends.transports.workers import Workers
from assay.errors import APIConnectionError, ConfigurationError
from assay.flow.effects import Request, Response
from assay.types import frozen

CONNECT_TIMEOUT = 5.0
"""Seconds, as in the groq SDK."""
AHEAD = 65536
"""Bytes read before a whole answer is handed over; of a stream none, or its first event would wait for the buffer to fill."""
COPIED = 256 * 1024
"""Bytes of a request body up to which copying it is less work than sharing it."""
CONNECTING = "client error (Connect)"
"""The cause of what went wrong before there was a connection."""
UNSENDABLE = (BuilderError, ValueError)
"""What building an invalid request raises."""
DRAIN = 0.02
"""Seconds that closing an unfinished response may wait for its end."""


class PyreqwestTransport:
    """An `AsyncTransport`. Any number of event loops and threads may share it, and a forked process too.

    Whole answers are awaited in a portal; streams in the loop of their reader, because each piece should arrive at once.

    A request that is cancelled before its answer begins is not cancelled by pyreqwest: its connection is closed at the
    request's deadline. Once the answer has begun, closing or cancelling closes the connection at once.
    """

    def __init__(self, portal: PerProcess[Portal] | None = None) -> None:
        self._clients: PerProcess[dict[Phases, Client]] = PerProcess(dict)
        self._portal = portal or PerProcess(Portal)

    async def send(self, request: Request) -> Response:
        refuse_at_exit(request)
        try:
            return await self._portal().perform(lambda: self._whole(request))
        except PortalClosed:
            raise connection_failed(request, CLOSED) from None

    async def open(self, request: Request) -> PyreqwestIncoming:
        refuse_at_exit(request)
        return await self._open(request, 0)

    async def aclose(self) -> None:
        clients, portal = self._clients.take(), self._portal.take()
        for client in (clients or {}).values():
            await client.close()
        if portal is not None:
            portal.close()

    async def _whole(self, request: Request) -> Response:
        return await (await self._open(request, AHEAD)).whole()

    async def _open(self, request: Request, ahead: int) -> PyreqwestIncoming:
        client = _client(self._clients(), ClientBuilder, request)
        try:
            built = _build(client.request(request.method, request.url), request, ahead).build_streamed()
        except UNSENDABLE:
            raise cannot_be_sent(request) from None
        started = time.monotonic()
        try:
            answer = await built.__aenter__()
        except BaseException as error:
            del built  # its repr raises once it was sent: no traceback could show its variables
            if isinstance(error, PyreqwestError):
                raise _failure(error, request, started) from None
            raise
        try:
            return PyreqwestIncoming(request, built, answer, started)
        except BaseException:
            await built.__aexit__(None, None, None)
            raise


class PyreqwestIncoming(AsyncBody):
    def __init__(self, request: Request, built: StreamRequest, answer: Answer, started: float) -> None:
        super().__init__(answer.status, _plain(answer.headers))
        self._request = request
        self._built = built
        self._started = started
        self._reader = answer.body_reader
        self._left = _length(self.headers)
        self.ended = self._left == 0

    async def pull(self) -> bytes:
        if self.ended:
            return b""
        try:
            chunk = await self._reader.read_chunk()
        except PyreqwestError as error:
            raise _failure(error, self._request, self._started) from None
        if chunk is None:
            self.ended = True
            return b""
        self._left -= len(chunk)
        self.ended = self._left == 0
        return bytes(chunk)

    async def aclose(self) -> None:
        if not self.ended:
            await self._drain()
            await self._built.__aexit__(None, None, None)

    async def _drain(self) -> None:
        """Read what is left if it is there already, as the last chunk after `[DONE]` is: the connection can then be kept."""
        with suppress(TimeoutError, APIConnectionError):
            async with asyncio.timeout(DRAIN):
                await self.pull()


class BlockingPyreqwestTransport:
    """A `Transport`. Any number of threads may share it, and a forked process too.

    A whole answer is got by pyreqwest's blocking client in a kept thread: waiting for a thread can be interrupted, waiting in
    pyreqwest cannot. The request then goes on until its deadline. Streams are read ahead by the awaited client in an event loop
    of their own, where an interruption closes the connection at once; for a whole answer that would cost twice the CPU.
    """

    def __init__(self) -> None:
        self._clients: PerProcess[dict[Phases, SyncClient]] = PerProcess(dict)
        self._workers = PerProcess(Workers)
        portal = PerProcess(Portal)
        self._streams = BlockingStreams(PyreqwestTransport(portal), portal)

    def send(self, request: Request) -> Response:
        refuse_at_exit(request)
        client = _client(self._clients(), SyncClientBuilder, request)
        return self._workers().run(lambda: self._whole(client, request))  # the total deadline is pyreqwest's

    def open(self, request: Request) -> BlockingIncoming:
        refuse_at_exit(request)
        return self._streams.open(request)

    def close(self) -> None:
        clients, workers = self._clients.take(), self._workers.take()
        for client in (clients or {}).values():
            client.close()
        if workers is not None:
            workers.close()
        self._streams.close()

    def _whole(self, client: SyncClient, request: Request) -> Response:
        try:
            built = _build(client.request(request.method, request.url), request, AHEAD).build_streamed()
        except UNSENDABLE:
            raise cannot_be_sent(request) from None
        started = time.monotonic()
        try:
            answer = built.__enter__()
        except BaseException as error:
            del built  # its repr raises once it was sent: no traceback could show its variables
            if isinstance(error, PyreqwestError):
                raise _failure(error, request, started) from None
            raise
        try:
            body = _Whole(request, built, answer, started)
        except BaseException:
            built.__exit__(None, None, None)
            raise
        return body.whole()


class _Whole(Body):
    def __init__(self, request: Request, built: SyncStreamRequest, answer: SyncResponse, started: float) -> None:
        super().__init__(answer.status, _plain(answer.headers))
        self._request = request
        self._built = built
        self._started = started
        self._reader = answer.body_reader
        self._left = _length(self.headers)

    def pull(self) -> bytes:
        if not self._left:
            return b""
        try:
            chunk = self._reader.read_chunk()
        except PyreqwestError as error:
            raise _failure(error, self._request, self._started) from None
        if chunk is None:
            self._left = 0
            return b""
        self._left -= len(chunk)
        return bytes(chunk)

    def close(self) -> None:
        if self._left:
            self._built.__exit__(None, None, None)


def _plain(headers: HeaderMap) -> Mapping[str, str]:
    """The values of a repeated header joined, as in RFC 9110 5.3. A header that is not ASCII is left out: we read none of those."""
    try:
        plain = headers.dict_multi_value()
    except ValueError:
        return dict(_readable(headers))
    if len(plain) < len(headers):
        plain = {name: value if isinstance(value, str) else ", ".join(value) for name, value in plain.items()}
    return cast("Mapping[str, str]", plain)


def _readable(headers: HeaderMap) -> Iterator[tuple[str, str]]:
    for name in headers:
        with suppress(ValueError):
            yield name, ", ".join(headers.getall(name))


def _length(headers: Mapping[str, str]) -> int:
    """Bytes that the body has; a negative number when they are not counted. Of a counted body no call is needed to see its end or
    to close it, and each call releases the interpreter.
    """
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and "transfer-encoding" not in headers else -1


ClientKind = TypeVar("ClientKind", Client, SyncClient)
Clients = TypeVar("Clients", ClientBuilder, SyncClientBuilder)
Requests = TypeVar("Requests", RequestBuilder, SyncRequestBuilder)


@frozen
class Phases:
    """What pyreqwest limits for a whole client, in seconds: so there is a client for each of these."""

    connect: float | None
    read: float | None = None


USUAL = Phases(CONNECT_TIMEOUT)


def _phases(request: Request) -> Phases:
    """Connecting ends before the whole request does, so that it is known which of the two took too long."""
    if request.limits is not None:
        return Phases(request.limits.connect, request.limits.read)
    if request.timeout is None or request.timeout > CONNECT_TIMEOUT:
        return USUAL
    return Phases(2.0 ** math.floor(math.log2(request.timeout / 1.5)))


def _client(clients: dict[Phases, Any], builder: Callable[[], Any], request: Request) -> Any:
    phases = _phases(request)
    client = clients.get(phases)
    if client is None:
        client = clients.setdefault(phases, _made(lambda many: _configured(builder(), phases, many).build()))
    return client


def _made(build: Callable[[bool], ClientKind]) -> ClientKind:
    """A client; in a process forked from one that has used the single-threaded runtime, one of the other runtime, which starts afresh."""
    wait_at_exit()
    try:
        return build(False)
    except RuntimeError:
        pass
    try:
        return build(True)
    except RuntimeError as error:
        raise ConfigurationError(f"start processes with 'spawn', or bring an httpx client: {error}") from None


def _configured(builder: Clients, phases: Phases, multithreaded: bool) -> Clients:
    builder = builder.gzip(enable=False).brotli(enable=False).zstd(enable=False).deflate(enable=False)
    builder = builder.follow_redirects(enable=False).referer(enable=False).runtime_multithreaded(enable=multithreaded)
    if phases.connect is not None:
        builder = builder.connect_timeout(timedelta(seconds=phases.connect))
    return builder if phases.read is None else builder.read_timeout(timedelta(seconds=phases.read))


def _build(builder: Requests, request: Request, ahead: int) -> Requests:
    builder = builder.headers(request.headers)
    if request.timeout is not None:
        builder = builder.timeout(timedelta(seconds=min(request.timeout, LONGEST)))
    if request.body:
        builder = _with_body(builder, request.body)
    elif request.method in {"POST", "PUT"}:
        builder = builder.header("content-length", "0")  # RFC 9110 8.6; some gateways answer 411 without it
    # By default it would hold a response back until 64 kB of it had come, or all: a stream would not stream.
    return builder.streamed_read_buffer_limit(ahead)


def _with_body(builder: Requests, body: bytes) -> Requests:
    """A text is copied. Bytes stay Python's, whose interpreter the transport's thread must enter when it has sent them."""
    if len(body) <= COPIED:
        try:
            return builder.body_text(body.decode())
        except UnicodeDecodeError:
            pass
    return builder.body_bytes(body)


def _failure(error: PyreqwestError, request: Request, started: float) -> APIConnectionError:
    """The error in our own classes. pyreqwest reports every timeout before the answer's head as a connect timeout: its causes tell which it was."""
    causes = [cause["message"] for cause in error.details["causes"] or ()] if isinstance(error, DetailedPyreqwestError) else []
    if isinstance(error, RequestTimeoutError):
        phases = _phases(request)
        if CONNECTING in causes:
            return connect_timed_out(request, phases.connect or 0.0)
        total = request.timeout is not None and time.monotonic() - started >= request.timeout * 0.98
        return timed_out(request) if total or phases.read is None else read_timed_out(request, phases.read)
    return connection_failed(request, ": ".join(causes[-2:]) or error.message)
