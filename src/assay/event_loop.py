"""Event loops of our own, for work that brings none: a batch, `map`, a blocking stream.

They are uvloop's, except on Windows, where there is none. An answer that comes in while the loop is at work wakes it no second time
there, as it does asyncio's, and with many at once that takes a quarter of the CPU of a row (`python tests/benchmarks/bench_batch.py`).
Who awaits in a loop of their own chooses it.
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
