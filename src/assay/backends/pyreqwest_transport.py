"""The default transport: pyreqwest, awaited.

Chosen by measurement: it has a total deadline (a per-read timeout lets a trickle go on for ever), notices every cut body, and
needs a fraction of the CPU of httpx. Its unpacking is switched off: `assay.backends.unpack` does that, with a limit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response as Answer

from assay.backends.failures import bad_certificate, connect_timed_out, connection_failed, timed_out
from assay.effects import Request, Response
from assay.errors import APIConnectionError

CONNECT_TIMEOUT = timedelta(seconds=5)
"""As in the groq SDK."""


class PyreqwestTransport:
    """An `AsyncTransport`. Any number of event loops and threads may share it."""

    def __init__(self) -> None:
        self._client: Client | None = None

    async def send(self, request: Request) -> Response:
        incoming = await self.open(request)
        try:
            chunks = []
            while chunk := await incoming.read():
                chunks.append(chunk)
            return Response(incoming.status, incoming.headers, b"".join(chunks))
        finally:
            await incoming.aclose()

    async def open(self, request: Request) -> PyreqwestIncoming:
        built = self._build(request)
        started = time.monotonic()
        try:
            return PyreqwestIncoming(request, built, await built.__aenter__(), started)
        except PyreqwestError as error:
            raise connection_error(error, request, time.monotonic() - started) from error

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()

    def _build(self, request: Request) -> StreamRequest:
        if self._client is None:
            self._client = _client()
        builder = self._client.request(request.method, request.url).headers(list(request.headers))
        if request.timeout is not None:
            builder = builder.timeout(timedelta(seconds=request.timeout))
        if request.body:
            builder = builder.body_bytes(request.body)
        return builder.build_streamed()


class PyreqwestIncoming:
    """An opened response."""

    def __init__(self, request: Request, built: StreamRequest, answer: Answer, started: float) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = dict(answer.headers)
        self._request = request
        self._built = built
        self._started = started
        self._reader = answer.body_reader

    async def read(self) -> bytes:
        try:
            chunk = await self._reader.read_chunk()
        except PyreqwestError as error:
            raise connection_error(error, self._request, time.monotonic() - self._started) from error
        return b"" if chunk is None else bytes(chunk)

    async def aclose(self) -> None:
        await self._built.__aexit__(None, None, None)


def _client() -> Client:
    builder = ClientBuilder().gzip(enable=False).brotli(enable=False).zstd(enable=False).deflate(enable=False)
    return builder.follow_redirects(enable=False).referer(enable=False).connect_timeout(CONNECT_TIMEOUT).build()


def connection_error(error: PyreqwestError, request: Request, seconds: float) -> APIConnectionError:
    """The error in our own classes. pyreqwest names a timeout after the phase that it met, so the clock decides which limit it was."""
    if isinstance(error, RequestTimeoutError):
        total = request.timeout is not None and seconds >= request.timeout * 0.98
        return timed_out(request) if total else connect_timed_out(request, CONNECT_TIMEOUT.total_seconds())
    details = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    causes = [str(cause["message"]) for cause in details.get("causes") or ()]
    reason = ": ".join([error.message, *causes])
    if "certificate" in reason:
        return bad_certificate(request, reason)
    return connection_failed(request, reason)
