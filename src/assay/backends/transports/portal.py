"""An event loop of our own in a thread of its own, in which awaited work is done for callers elsewhere.

Threads that block call into it (`call`), so that Ctrl-C ends their wait and cancels the work. Tasks of other event loops have work
done in it (`perform`): a library that announces each result from a thread of its own interrupts the loop that waits for it each
time, and with asyncio's loop that takes more than the work itself. Here it interrupts ours, which copes best (see
`assay.flow.event_loop`), and the other loop gets its results in batches.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from assay.flow.event_loop import new_event_loop

T = TypeVar("T")


class PortalClosed(Exception):  # noqa: N818  # what happened
    """The portal was closed before the work was done."""


class Portal:
    """Does work in its loop. Closed when it is dropped, at the latest: what is under way is cancelled then."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._jobs: Mailbox[_Job[Any]] = Mailbox(self._loop, _Job.begin)
        self._callers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Mailbox[asyncio.Future[None]]] = (
            weakref.WeakKeyDictionary()
        )
        # The thread holds no more than this, so that a dropped portal is noticed.
        thread = threading.Thread(target=_serve, args=(self._loop, self._jobs), name="assay-transport", daemon=True)
        thread.start()
        self.close = weakref.finalize(self, _stop, self._loop, thread, os.getpid())

    def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`, for a thread that blocks. An interruption of its wait cancels the work. Raises `PortalClosed`."""
        waiting = threading.Lock()
        waiting.acquire()
        job = _Job(work, waiting.release)
        self._begin(job)
        try:
            waiting.acquire()
        except BaseException:
            self._cancel(job)
            raise
        return job.result()

    async def perform(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`, for a task of any loop. When that is cancelled, so is the work. Raises `PortalClosed`."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return await work()
        caller = self._callers.get(loop)
        if caller is None:
            caller = self._callers.setdefault(loop, Mailbox(loop, _wake))
        waiting = loop.create_future()
        job = _Job(work, partial(caller.put, waiting))
        self._begin(job)
        try:
            await waiting
        except BaseException:
            self._cancel(job)
            raise
        return job.result()

    def _begin(self, job: _Job[Any]) -> None:
        try:
            self._jobs.put(job)
        except RuntimeError:
            raise PortalClosed from None

    def _cancel(self, job: _Job[Any]) -> None:
        with suppress(RuntimeError):
            self.soon(job.cancel)

    def soon(self, callback: Callable[[], object]) -> None:
        """Run something in the loop's thread."""
        self._loop.call_soon_threadsafe(callback)


class Mailbox(Generic[T]):
    """What other threads have for a loop, which is woken once for all that comes before it looks."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[T], object]) -> None:
        self._loop = weakref.ref(loop)
        self._take = take
        self._items: deque[T] = deque()
        self._woken = False

    def put(self, item: T) -> None:
        """Raises `RuntimeError` when the loop is closed."""
        self._items.append(item)
        loop = None if self._woken else self._loop()
        if loop is not None:
            self._woken = True
            try:
                loop.call_soon_threadsafe(self._look)
            except RuntimeError:
                self._woken = False
                raise

    def _look(self) -> None:
        self.clear(self._take)

    def clear(self, take: Callable[[T], object]) -> None:
        """Pass everything that is there to `take`."""
        self._woken = False  # before looking: for what comes from now on the loop is woken again
        while self._items:
            take(self._items.popleft())


class _Job(Generic[T]):
    """Work that is done in one loop while a task of another, or a thread, waits for it."""

    __slots__ = ("_task", "_tell", "_work")

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], tell: Callable[[], object]) -> None:
        self._work = work
        self._tell = tell
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._work())
        self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _done(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # seen, also where nobody waits for it any more
        self.give_back()

    def give_back(self) -> None:
        """Tell the waiting caller, even if the work never began."""
        with suppress(RuntimeError):  # a loop that was closed waits for nothing
            self._tell()

    def result(self) -> T:
        if self._task is None or self._task.cancelled():
            raise PortalClosed
        return self._task.result()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _serve(loop: asyncio.AbstractEventLoop, jobs: Mailbox[_Job[Any]]) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_wind_up())
    finally:
        loop.close()
        jobs.clear(_Job.give_back)


async def _wind_up() -> None:
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, process: int) -> None:
    if process != os.getpid():  # its thread is in the process that this one was forked from
        return
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join(1.0)
