"""What a process makes for itself when it first needs it, because a fork would leave it behind: whatever has threads.

A forked process is told once, when it begins. Asking at every use which process this is would be a system call each time.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Called, it gives what this process has made. Threads may share it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._making = threading.Lock()
        _all.add(self)

    def __call__(self) -> T:
        made = self._made
        if made is None:
            with self._making:
                made = self._made = self._make() if self._made is None else self._made
        return made

    def take(self) -> T | None:
        """What was made, to be closed; None when nothing was. The next call makes another."""
        with self._making:
            made, self._made = self._made, None
        return made

    def forget(self) -> None:
        """In a process that was just forked: there is nothing yet, and nobody is making it."""
        self._made, self._making = None, threading.Lock()


_all: weakref.WeakSet[PerProcess[Any]] = weakref.WeakSet()


def _forget_all() -> None:
    for each in list(_all):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
