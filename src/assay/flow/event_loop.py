"""Event loops of our own, for work that brings none: a batch, `map`, a blocking stream.

They are uvloop's, except on Windows, which has no uvloop. Announcements from another thread cost it little: no Python runs in that
thread, and the loop is woken once for all that comes while it is at work. With asyncio's loop in a portal
(`assay.backends.transports.portal`) a row of a batch took 1.8 times as long.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, awaited in a new loop that is closed afterwards; Ctrl-C cancels it."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def new_event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415  # not on every platform, and only for who needs a loop

    return uvloop.new_event_loop()
