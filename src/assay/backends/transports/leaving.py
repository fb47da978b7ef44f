"""The end of a program that has threads which Python did not start.

Such a thread is inside Python for a moment when it announces an answer to the event loop. The announcement lets other threads run,
and with the last answer these may end the program before the thread comes back. The interpreter then aborts the process ("thread
state must be current when releasing": PyO3 before Python 3.14), with all work done: measured, in 1 to 10 of 100 programs on a busy
machine that had asked 256 at once.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from functools import cache

PATIENCE = 1.0
"""Seconds that the end of the program waits at most."""


@cache
def wait_at_exit() -> None:
    """Let the end of the program wait until no such thread is inside Python."""
    atexit.register(_wait)


def _wait() -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.001)  # others may run
        if sys._current_frames().keys() <= {thread.ident for thread in threading.enumerate()}:  # noqa: SLF001  # documented, and no other way to know
            return
