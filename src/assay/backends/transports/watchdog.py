"""Deadlines of calls that block, watched by one thread: the call itself stays in the thread of its caller.

Nothing is raised in a caller's thread from outside. At its deadline a call is `cut`, which takes away what it waits for; it then
fails by itself, in its own way, and nothing can reach the caller after the call.
"""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod


class Deadline(ABC):
    """Of one call. Watched from `Watchdog.watch` on until it is `over`."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.expired = False
        """Whether the end came before the call was over. It stays so."""
        self.watch: Watch

    @abstractmethod
    def cut(self) -> None:
        """Take away what the call waits for. Done in the watchdog's thread, under the lock of `watch`, once at most."""

    def over(self) -> None:
        with self.watch.changed:
            self.watch.live.discard(self)

    def restart(self, seconds: float) -> None:
        """Set its end this much from now."""
        with self.watch.changed:
            self.end = time.monotonic() + seconds
            self.watch.look_at(self.end)

    def hasten(self, seconds: float) -> None:
        """Set its end in this time, unless it ends sooner."""
        with self.watch.changed:
            self.end = min(self.end, time.monotonic() + seconds)
            self.watch.look_at(self.end)


class Watch:
    """What the watchdog and its thread share. The thread holds no more than this, so that a dropped watchdog is noticed."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.live: set[Deadline] = set()
        self.changed = threading.Condition()
        self._wakes = math.inf
        """When the thread looks again. Calls that are over soon leave it alone: it wakes once per timeout, not once per call."""
        self._running = False
        self._stopping = False

    def add(self, deadline: Deadline) -> None:
        with self.changed:
            self.live.add(deadline)
            self._stopping = False
            if not self._running:
                threading.Thread(target=self._run, name="assay-deadlines", daemon=True).start()
                self._running = True
            self.look_at(deadline.end)

    def look_at(self, when: float) -> None:
        """Have the thread awake by then. Call it under the lock."""
        if when < self._wakes:
            self._wakes = when
            self.changed.notify()

    def stop(self) -> None:
        """The thread ends once it finds nothing to watch. (In a forked process it is not there, and may have left the lock held.)"""
        if self.process == os.getpid():
            with self.changed:
                self._stopping = True
                self.changed.notify()

    def _run(self) -> None:
        with self.changed:
            while self.live or not self._stopping:
                self._cut_expired()
                self._wakes = min((deadline.end for deadline in self.live), default=math.inf)
                self.changed.wait(None if self._wakes == math.inf else self._wakes - time.monotonic())
            self._running = False

    def _cut_expired(self) -> None:
        now = time.monotonic()
        for deadline in [deadline for deadline in self.live if deadline.end <= now]:
            self.live.discard(deadline)
            deadline.expired = True
            deadline.cut()


class Watchdog:
    """Watches any number of deadlines, of any threads, in one thread that starts with the first. It ends with the watchdog."""

    def __init__(self) -> None:
        self._watch = self._begin()

    def watch(self, deadline: Deadline) -> None:
        watch = self._watch
        if watch.process != os.getpid():  # forked from the process where the thread is
            watch = self._watch = self._begin()
        deadline.watch = watch
        watch.add(deadline)

    def close(self) -> None:
        """End the thread when what it watches is over. Another one begins if need be."""
        self._watch.stop()

    def _begin(self) -> Watch:
        watch = Watch()
        weakref.finalize(self, watch.stop)
        return watch
