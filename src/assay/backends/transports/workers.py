"""Blocking work that Ctrl-C can end, for a library that waits outside Python and would not see it.

The work runs in another thread while its caller waits. When the caller is interrupted the thread is told to stop: an exception is
raised in it as soon as it comes back from where it waits.
"""

from __future__ import annotations

import contextvars
import threading
import weakref
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Abandoned(BaseException):
    """Raised in a worker's thread whose caller no longer waits. Not an `Exception`: so that nothing catches it on its way."""


class Workers:
    """Threads that are kept between calls: starting one costs more than the call's whole overhead."""

    def __init__(self) -> None:
        self._idle: deque[_Worker] = deque()
        weakref.finalize(self, _dismiss, self._idle)

    def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, or what it raises."""
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker()
        job = _Job(contextvars.copy_context(), work)
        worker.jobs.put(job)
        try:
            job.done.acquire()
        except BaseException:
            worker.abandon()
            raise
        self._idle.append(worker)
        return cast("T", job.result())

    def close(self) -> None:
        _dismiss(self._idle)


def _dismiss(idle: deque[_Worker]) -> None:
    while idle:
        idle.pop().jobs.put(None)


class _Job:
    __slots__ = ("_context", "_error", "_value", "_work", "done")

    def __init__(self, context: contextvars.Context, work: Callable[[], Any]) -> None:
        self.done = threading.Lock()
        self.done.acquire()
        self._context, self._work = context, work
        self._value: Any = None
        self._error: BaseException | None = None

    def perform(self) -> None:
        try:
            self._value = self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001  # raised again where the result is taken
            self._error = error
        finally:
            self.done.release()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class _Worker:
    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self.jobs,), name="assay-worker", daemon=True)
        self._thread.start()

    def abandon(self) -> None:
        """Stop what it does; it takes no further job."""
        import ctypes  # noqa: PLC0415  # only for an interrupted call

        self.jobs.put(None)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(Abandoned))


def _serve(jobs: SimpleQueue[_Job | None]) -> None:
    try:
        while (job := jobs.get()) is not None:
            job.perform()
            del job  # an idle thread holds no response
    except Abandoned:  # it came when the work was done already
        pass
