"""Blocking streams over an awaited transport: an event loop in a thread of its own does the awaiting.

So a blocked read can be interrupted: Ctrl-C cancels the request and closes its connection, where a library that blocks outside
Python would neither see it nor stop.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from assay.effects import AsyncIncoming, AsyncTransport, Request
from assay.event_loop import new_event_loop

T = TypeVar("T")

READ_AHEAD = 64
"""Chunks of a stream that may wait for their reader: enough to hand over many at once, little to hold."""


class Portal:
    """Runs coroutines for threads that block. Closed when it is dropped, at the latest."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), name="assay-transport", daemon=True)
        self._thread.start()
        self.close = weakref.finalize(self, _stop, self._loop, self._thread)

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """A coroutine's result. An interruption of the waiting thread cancels it."""
        waiting = threading.Lock()
        waiting.acquire()
        tasks: list[asyncio.Task[T]] = []

        def start() -> None:
            task = self._loop.create_task(coroutine)
            tasks.append(task)
            task.add_done_callback(lambda _: waiting.release())

        self.soon(start)
        try:
            waiting.acquire()
        except BaseException:
            self.soon(lambda: tasks[0].cancel())  # noqa: PLW0108  # tasks fills in the other thread
            raise
        return tasks[0].result()

    def soon(self, callback: Callable[[], object]) -> None:
        """Have something done in the loop's thread."""
        self._loop.call_soon_threadsafe(callback)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join(1.0)


class BlockingStreams:
    """Opens responses of an `AsyncTransport` for threads that block."""

    def __init__(self, inner: AsyncTransport) -> None:
        self._inner = inner
        self._portal: Portal | None = None
        self._process = 0
        self._starting = threading.Lock()

    def open(self, request: Request) -> BlockingIncoming:
        portal = self._ready()
        return BlockingIncoming(portal, portal.call(self._inner.open(request)))

    def close(self) -> None:
        with self._starting:
            if self._portal is not None:
                self._portal.call(self._inner.aclose())
                self._portal.close()
                self._portal = None

    def _ready(self) -> Portal:
        """The portal, made when first needed, and anew in a forked process, where the old one's thread is not."""
        if self._portal is None or self._process != os.getpid():
            with self._starting:
                if self._portal is None or self._process != os.getpid():
                    self._portal, self._process = Portal(), os.getpid()
        return self._portal


class BlockingIncoming:
    """Chunks are read ahead in the loop's thread: handing over what is there already is much cheaper than asking for it."""

    def __init__(self, portal: Portal, inner: AsyncIncoming) -> None:
        self.status = inner.status
        self.headers: Mapping[str, str] = inner.headers
        self._portal = portal
        self._inner = inner
        self._chunks: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._end: bytes | Exception | None = None

    def read(self) -> bytes:
        if self._reader is None:
            self._reader = self._portal.call(self._start())
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
        while True:
            try:
                chunk = await self._inner.read()
            except Exception as error:  # noqa: BLE001  # border: whatever it is, it is raised in the thread that reads
                self._chunks.put(error)
                return
            self._chunks.put(chunk)
            if not chunk:
                return
            if self._chunks.qsize() >= READ_AHEAD:
                self._room.clear()
                await self._room.wait()

    def close(self) -> None:
        if self._portal.close.alive:  # else it was closed with the transport
            self._portal.call(self._stop())

    async def _stop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await self._inner.aclose()
