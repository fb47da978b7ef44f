"""The drivers: they perform a flow's effects and hand out what it makes. The only sleeping and awaiting in the house.

`stream` and `astream` iterate over what a flow emits; `run` and `arun` return a flow's result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any, TypeVar

from assay.effects import AsyncIncoming, AsyncTransport, Emit, Flow, Open, Read, Send, Sleep, SyncIncoming, Transport

T = TypeVar("T")


def run(flow: Flow[T], transport: Transport) -> T:
    """Perform a flow that emits nothing; its result."""
    with closing(stream(_emit_result(flow), transport)) as results:
        result: T = next(results)
        return result


async def arun(flow: Flow[T], transport: AsyncTransport) -> T:
    """`run`, awaited."""
    async with aclosing(astream(_emit_result(flow), transport)) as results:
        result: T = await anext(results)
        return result


def _emit_result(flow: Flow[T]) -> Flow[None]:
    yield Emit((yield from flow))


def stream(flow: Flow[Any], transport: Transport) -> Generator[Any, None, None]:
    """Perform a flow and yield what it emits, as it comes. Leaving the iteration closes what is open."""
    opened: SyncIncoming | None = None
    result: Any = None
    failure: Exception | None = None
    try:
        while True:
            try:
                effect = flow.send(result) if failure is None else flow.throw(failure)
            except StopIteration:
                return
            result, failure = None, None
            if isinstance(effect, Emit):
                yield effect.value
                continue
            try:
                if isinstance(effect, Read):
                    result = effect.incoming.read()  # type: ignore[attr-defined]  # opened below
                elif isinstance(effect, Send):
                    result = transport.send(effect.request)
                elif isinstance(effect, Sleep):
                    time.sleep(effect.seconds)
                elif isinstance(effect, Open):
                    if opened is not None:
                        opened.close()
                    result = opened = transport.open(effect.request)
            except Exception as error:  # noqa: BLE001  # whatever an effect raises is the flow's to judge
                failure = error
    finally:
        flow.close()
        if opened is not None:
            opened.close()


async def astream(flow: Flow[Any], transport: AsyncTransport) -> AsyncGenerator[Any, None]:
    """`stream`, awaited."""
    opened: AsyncIncoming | None = None
    result: Any = None
    failure: Exception | None = None
    try:
        while True:
            try:
                effect = flow.send(result) if failure is None else flow.throw(failure)
            except StopIteration:
                return
            result, failure = None, None
            if isinstance(effect, Emit):
                yield effect.value
                continue
            try:
                if isinstance(effect, Read):
                    result = await effect.incoming.read()  # type: ignore[attr-defined]  # opened below
                elif isinstance(effect, Send):
                    result = await transport.send(effect.request)
                elif isinstance(effect, Sleep):
                    await asyncio.sleep(effect.seconds)
                elif isinstance(effect, Open):
                    if opened is not None:
                        await opened.aclose()
                    result = opened = await transport.open(effect.request)
            except Exception as error:  # noqa: BLE001  # whatever an effect raises is the flow's to judge
                failure = error
    finally:
        flow.close()
        if opened is not None:
            await opened.aclose()
