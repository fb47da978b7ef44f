"""What happens to requests on a stage, written once for blocking and awaited transports."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from assay.flow.effects import AsyncTransport, Request, Response, Transport

_EVENT_END = re.compile(rb"\r?\n\r?\n")


class Act(Protocol):
    """Sees each request and each answer. Whatever it raises ends the extraction as it is, unless it is an `APIError`."""

    def pause(self, request: Request) -> float:
        """Seconds to wait before anything else happens."""

    def before(self, request: Request, way: str) -> Response | None:
        """The answer, when the request needs not travel; None lets it travel. `way` names the transport that it would take."""

    def after(self, request: Request, response: Response) -> Response:
        """The answer as the sender sees it."""


class Acting:
    """A stage on which one act is played."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def blocking(self, inner: Transport) -> Transport:
        return _Blocking(self._act, inner)

    def awaited(self, inner: AsyncTransport) -> AsyncTransport:
        return _Awaited(self._act, inner)


def way_of(transport: object) -> str:
    """The name of the transport that stands behind all stages."""
    while isinstance(transport, _Blocking | _Awaited):
        transport = transport.inner
    return type(transport).__name__


class _Blocking:
    def __init__(self, act: Act, inner: Transport) -> None:
        self._act, self.inner = act, inner

    def send(self, request: Request) -> Response:
        time.sleep(self._act.pause(request))
        response = self._act.before(request, way_of(self))
        return self._act.after(request, response or self.inner.send(request))

    def open(self, request: Request) -> WholeIncoming:
        time.sleep(self._act.pause(request))
        response = self._act.before(request, way_of(self))
        if response is None:
            opened = self.inner.open(request)
            try:
                response = Response(opened.status, opened.headers, b"".join(iter(opened.read, b"")))
            finally:
                opened.close()
        return WholeIncoming(self._act.after(request, response))

    def close(self) -> None:
        self.inner.close()


class _Awaited:
    def __init__(self, act: Act, inner: AsyncTransport) -> None:
        self._act, self.inner = act, inner

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(self._act.pause(request))
        response = self._act.before(request, way_of(self))
        return self._act.after(request, response or await self.inner.send(request))

    async def open(self, request: Request) -> AwaitedWholeIncoming:
        await asyncio.sleep(self._act.pause(request))
        response = self._act.before(request, way_of(self))
        if response is None:
            opened = await self.inner.open(request)
            pieces = []
            try:
                while piece := await opened.read():
                    pieces.append(piece)
            finally:
                await opened.aclose()
            response = Response(opened.status, opened.headers, b"".join(pieces))
        return AwaitedWholeIncoming(self._act.after(request, response))

    async def aclose(self) -> None:
        await self.inner.aclose()


class WholeIncoming:
    """A response that is there already, handed out as if it came: an event stream event by event."""

    def __init__(self, response: Response) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self._pieces = _pieces(response.body)

    def read(self) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._pieces = iter(())


class AwaitedWholeIncoming:
    """`WholeIncoming`, awaited."""

    def __init__(self, response: Response) -> None:
        self._inner = WholeIncoming(response)
        self.status, self.headers = self._inner.status, self._inner.headers

    async def read(self) -> bytes:
        return self._inner.read()

    async def aclose(self) -> None:
        self._inner.close()


def _pieces(body: bytes) -> Iterator[bytes]:
    start = 0
    for end in _EVENT_END.finditer(body):
        yield body[start : end.end()]
        start = end.end()
    if start < len(body):
        yield body[start:]
