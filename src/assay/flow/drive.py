"""The drivers: they perform a flow's effects and return what it makes. All sleeping and awaiting of the project is here.

`stream` and `astream` iterate over what a flow emits; `run` and `arun` return a flow's result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Generic, TypeVar

from assay.flow import stage
from assay.flow.effects import (
    AsyncIncoming,
    AsyncTransport,
    Effect,
    Emit,
    Flow,
    Open,
    Read,
    Send,
    Sleep,
    SyncIncoming,
    Transport,
)

T = TypeVar("T")


def run(flow: Flow[T], transport: Transport) -> T:
    """Perform a flow that emits nothing; its result."""
    performance = _Performance(flow, transport)
    try:
        performance.next()
        return performance.result
    finally:
        performance.close()


async def arun(flow: Flow[T], transport: AsyncTransport) -> T:
    """`run`, awaited."""
    performance = _AsyncPerformance(flow, transport)
    try:
        await performance.next()
        return performance.result
    finally:
        await performance.aclose()


def stream(flow: Flow[Any], transport: Transport) -> Generator[Any, None, None]:
    """Perform a flow and yield what it emits, as it comes. Leaving the iteration closes what is open."""
    performance = _Performance(flow, transport)
    try:
        while (emitted := performance.next()) is not None:
            yield emitted.value
    finally:
        performance.close()


async def astream(flow: Flow[Any], transport: AsyncTransport) -> AsyncGenerator[Any, None]:
    """`stream`, awaited."""
    performance = _AsyncPerformance(flow, transport)
    try:
        while (emitted := await performance.next()) is not None:
            yield emitted.value
    finally:
        await performance.aclose()


class _Performance(Generic[T]):
    """A flow on its way: `next` performs its effects up to a value that it emits; None at its end, when `result` is there."""

    result: T

    def __init__(self, flow: Flow[T], transport: Transport) -> None:
        self._flow = flow
        self._transport = stage.blocking(transport)
        self._opened: SyncIncoming | None = None

    def next(self) -> Emit | None:
        step: Callable[[Any], Effect] = self._flow.send
        given: Any = None
        try:
            while True:
                try:
                    effect = step(given)
                except StopIteration as stop:
                    self.result = stop.value
                    return None
                if isinstance(effect, Emit):
                    return effect
                try:
                    given = self._perform(effect)
                    step = self._flow.send
                except Exception as error:  # noqa: BLE001  # whatever an effect raises is the flow's to judge
                    step, given = self._flow.throw, error
        finally:
            given = None  # a failure would hold this frame, and this frame it

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Read):
            return effect.incoming.read()  # type: ignore[attr-defined]  # opened below
        if isinstance(effect, Send):
            return self._transport.send(effect.request)
        if isinstance(effect, Sleep):
            return time.sleep(effect.seconds)
        if isinstance(effect, Open):
            if self._opened is not None:
                self._opened.close()
            self._opened = self._transport.open(effect.request)
        return self._opened

    def close(self) -> None:
        self._flow.close()
        if self._opened is not None:
            self._opened.close()


class _AsyncPerformance(Generic[T]):
    """`_Performance`, awaited."""

    result: T

    def __init__(self, flow: Flow[T], transport: AsyncTransport) -> None:
        self._flow = flow
        self._transport = stage.awaited(transport)
        self._opened: AsyncIncoming | None = None

    async def next(self) -> Emit | None:
        step: Callable[[Any], Effect] = self._flow.send
        given: Any = None
        try:
            while True:
                try:
                    effect = step(given)
                except StopIteration as stop:
                    self.result = stop.value
                    return None
                if isinstance(effect, Emit):
                    return effect
                try:
                    given = await self._perform(effect)
                    step = self._flow.send
                except Exception as error:  # noqa: BLE001  # whatever an effect raises is the flow's to judge
                    step, given = self._flow.throw, error
        finally:
            given = None  # a failure would hold this frame, and this frame it

    async def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Read):
            return await effect.incoming.read()  # type: ignore[attr-defined]  # opened below
        if isinstance(effect, Send):
            return await self._transport.send(effect.request)
        if isinstance(effect, Sleep):
            return await asyncio.sleep(effect.seconds)
        if isinstance(effect, Open):
            if self._opened is not None:
                await self._opened.aclose()
            self._opened = await self._transport.open(effect.request)
        return self._opened

    async def aclose(self) -> None:
        self._flow.close()
        if self._opened is not None:
            await self._opened.aclose()
