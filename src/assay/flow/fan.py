"""Many sources at once, bounded and in order: the one way that `map` and `amap` work."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing, suppress
from typing import TypeVar

from assay.errors import APIConnectionError
from assay.flow import event_loop

S = TypeVar("S")
R = TypeVar("R")


async def amap(
    ask: Callable[[S], Awaitable[R]], sources: Iterable[S] | AsyncIterable[S], concurrency: int
) -> AsyncGenerator[R, None]:
    """The results of `ask` in the order of `sources`, at most `concurrency` under way or waiting to be taken."""
    running: deque[asyncio.Task[R]] = deque()
    try:
        async for source in _each(sources):
            running.append(asyncio.ensure_future(_call(ask, source)))
            if len(running) >= concurrency:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _call(ask: Callable[[S], Awaitable[R]], source: S) -> R:
    return await ask(source)


async def _each(sources: Iterable[S] | AsyncIterable[S]) -> AsyncGenerator[S, None]:
    if isinstance(sources, AsyncIterable):
        async for source in sources:
            yield source
    else:
        for source in sources:
            yield source


def map_in_thread(make: Callable[[], AsyncGenerator[R, None]], ahead: int) -> Generator[R, None, None]:
    """Iterate over an async generator from plain code: its event loop runs in a thread of its own.

    `ahead` bounds how many results wait to be taken. Leaving the iteration cancels what is under way.
    """
    if sys.is_finalizing():
        raise APIConnectionError("nothing can be asked: the program is ending", code="ending")
    results: queue.Queue[tuple[bool, R | BaseException | None]] = queue.Queue(maxsize=ahead)
    left = threading.Event()
    cancel: list[Callable[[], object]] = []

    async def pump() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        if left.is_set():
            return
        async with aclosing(make()) as items:
            async for item in items:
                if not await asyncio.to_thread(_put, results, (True, item), left):
                    return

    def work() -> None:
        end: BaseException | None = None
        try:
            event_loop.run(pump())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that iterates
            end = error
        _put(results, (False, end), left)

    thread = threading.Thread(target=work, name="assay-map", daemon=True)
    thread.start()
    try:
        while True:
            more, item = results.get()
            if more:
                yield item  # type: ignore[misc]  # an R
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        left.set()
        with suppress(RuntimeError):  # the loop is closed: it was done already
            for what in cancel:
                what()
        thread.join()


def _put(results: queue.Queue[R], item: R, left: threading.Event) -> bool:
    """Put, unless the receiver has left."""
    while not left.is_set():
        try:
            results.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
