"""Blocking streams over an awaited transport, which is awaited in a portal.

So a blocked read can be interrupted: Ctrl-C cancels the request and closes its connection, where a library that blocks outside
Python would neither see it nor stop.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Mapping
from contextlib import suppress

from assay.backends.failures import CLOSED, connection_failed
from assay.backends.transports.per_process import PerProcess
from assay.backends.transports.portal import Portal, PortalClosed
from assay.flow.effects import AsyncIncoming, AsyncTransport, Request

READ_AHEAD = 64
"""Chunks of a stream that may wait for their reader: enough to hand over many at once, little to hold."""


class BlockingStreams:
    """Opens responses of an `AsyncTransport` for threads that block."""

    def __init__(self, inner: AsyncTransport, portal: PerProcess[Portal]) -> None:
        self._inner = inner
        self._portal = portal

    def open(self, request: Request) -> BlockingIncoming:
        portal = self._portal()
        try:
            return BlockingIncoming(portal, portal.call(lambda: self._inner.open(request)), request)
        except PortalClosed:
            raise connection_failed(request, CLOSED) from None

    def close(self) -> None:
        portal = self._portal.take()
        if portal is not None:
            portal.call(self._inner.aclose)
            portal.close()


class BlockingIncoming:
    """Chunks are read ahead in the loop's thread: handing over what is there already is much cheaper than asking for it."""

    def __init__(self, portal: Portal, inner: AsyncIncoming, request: Request) -> None:
        self.status = inner.status
        self.headers: Mapping[str, str] = inner.headers
        self._portal = portal
        self._inner = inner
        self._request = request
        self._chunks: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._end: bytes | Exception | None = None
        self._closed = False

    def read(self) -> bytes:
        if self._reader is None:
            try:
                self._reader = self._portal.call(self._start)
            except PortalClosed:
                raise connection_failed(self._request, CLOSED) from None
        chunk = self._chunks.get() if self._end is None else self._end
        if isinstance(chunk, Exception) or not chunk:
            self._end = chunk
        elif not self._room.is_set() and self._chunks.qsize() < READ_AHEAD // 2:
            self._portal.soon(self._room.set)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    async def _start(self) -> asyncio.Task[None]:
        return asyncio.ensure_future(self._read_ahead())

    async def _read_ahead(self) -> None:
        self._room.set()
        try:
            while (chunk := await self._inner.read()) and not self._closed:
                self._chunks.put(chunk)
                if self._chunks.qsize() >= READ_AHEAD:
                    self._room.clear()
                    await self._room.wait()
            self._chunks.put(b"")
        except asyncio.CancelledError:  # a reader that is still there would wait for ever
            self._chunks.put(connection_failed(self._request, CLOSED))
            raise
        except Exception as error:  # noqa: BLE001  # border: whatever it is, it is raised in the thread that reads
            self._chunks.put(error)

    def close(self) -> None:
        with suppress(PortalClosed):  # then it was closed with the transport
            self._portal.call(self._stop)

    async def _stop(self) -> None:
        self._closed = True
        if self._reader is not None:
            # A library that has a chunk ready just then returns it and forgets that it was cancelled.
            self._reader.cancel()
            self._room.set()
            await asyncio.wait([self._reader])
        await self._inner.aclose()
