"""The one way in which a flow's effects are passed on by another: effects of one kind are performed on the way, all others pass through."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar

from assay.flow.effects import Effect, Emit, Flow

T = TypeVar("T")
K = TypeVar("K")


def relay(flow: Generator[Any, Any, T], kind: type[K], perform: Callable[[K], Generator[Effect, Any, Any]]) -> Flow[T]:
    """The same flow, its effects of one kind performed by flows that `perform` makes of them.

    Whatever makes an effect fail is thrown into the flow, which always runs to its end, so it gives back what it holds, such as
    a limiter's booking. No exception stays referenced by the frames that it went through.
    """
    step: Callable[[Any], Any] = flow.send
    given: Any = None
    try:
        while True:
            try:
                effect = step(given)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            try:
                given = (yield from perform(effect)) if isinstance(effect, kind) else (yield effect)
                step = flow.send
            except Exception as error:  # noqa: BLE001  # whatever an effect raises is the flow's to judge
                step, given = flow.throw, error
    finally:
        given = None  # a failure would hold this frame, and this frame it
        flow.close()


def relay_emitted(flow: Flow[T], each: Callable[[Any], Iterable[Any]]) -> Flow[T]:
    """The same flow; what it emits is replaced by what `each` makes of it."""

    def emit(emitted: Emit) -> Flow[None]:
        for value in each(emitted.value):
            yield Emit(value)

    return relay(flow, Emit, emit)
