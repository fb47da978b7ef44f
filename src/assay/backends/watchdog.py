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

    def hasten(self, seconds: float) -> None:
        """Let it end in this time, if it does not sooner."""
        with self.watch.changed:
            self.end = min(self.end, time.monotonic() + seconds)
            self.watch.look_at(self.end)


class Watch:
    """What the watchdog and its thread share. The thread holds no more than this, so that a dropped watchdog is noticed."""

    def __init__(self) -> None:
        self.live: set[Deadline] = set()
        self.changed = threading.Condition()
        self._wakes = math.inf
        """When the thread looks again. Calls that are over soon leave it alone: it wakes once per timeout, not once per call."""
        self._stopped = False

    def look_at(self, when: float) -> None:
        """Have the thread awake by then. Under the lock."""
        if when < self._wakes:
            self._wakes = when
            self.changed.notify()

    def run(self) -> None:
        with self.changed:
            while self.live or not self._stopped:
                self._cut_expired()
                self._wakes = min((deadline.end for deadline in self.live), default=math.inf)
                self.changed.wait(None if self._wakes == math.inf else self._wakes - time.monotonic())

    def _cut_expired(self) -> None:
        now = time.monotonic()
        for deadline in [deadline for deadline in self.live if deadline.end <= now]:
            self.live.discard(deadline)
            deadline.expired = True
            deadline.cut()

    def stop(self) -> None:
        """The thread ends as soon as nothing is watched."""
        with self.changed:
            self._stopped = True
            self.changed.notify()


class Watchdog:
    """Watches any number of deadlines, of any threads, in one thread that starts with the first. It ends with the watchdog."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._watch: Watch | None = None
        self._process = 0

    def watch(self, deadline: Deadline) -> None:
        deadline.watch = watch = self._ready()
        with watch.changed:
            watch.live.add(deadline)
            watch.look_at(deadline.end)

    def close(self) -> None:
        """End the thread when what it watches is over. Another one begins if need be."""
        with self._starting:
            if self._watch is not None:
                self._watch.stop()
                self._watch = None

    def _ready(self) -> Watch:
        """The watch, begun when first needed, and anew in a forked process, where the old one's thread is not."""
        watch = self._watch
        if watch is not None and self._process == os.getpid():
            return watch
        with self._starting:
            if self._watch is None or self._process != os.getpid():
                self._watch, self._process = Watch(), os.getpid()
                threading.Thread(target=self._watch.run, name="assay-deadlines", daemon=True).start()
                weakref.finalize(self, self._watch.stop)
            return self._watch
