"""The observer of extractions: none, or one that an adapter sets here (see `assay.adapters.otel`).

It is told what happens and cannot change it. Without one, an extraction costs one look at a variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from assay.flow.effects import Flow, Open, Send, Sleep
from assay.flow.relay import relay
from assay.outcome import Outcome
from assay.types import Call, Reply, frozen

T = TypeVar("T")


@frozen
class About:
    """What is extracted, and who is asked."""

    target: str
    model: str
    provider: str
    url: str


class Asking(Protocol):
    """One call of an extraction, from its first request to its reply."""

    def sent(self, number: int) -> None:
        """A request was sent: the first, or with a `number` above 1 a repeat."""

    def waited(self, seconds: float) -> None:
        """It waited, for a limit or before a repeat."""

    def ended(self, reply: Reply | None, error: BaseException | None) -> None: ...


class Watching(Protocol):
    """One extraction."""

    def asks(self, call: Call) -> Asking: ...
    def ended(self, outcome: Outcome[Any] | None, error: BaseException | None) -> None: ...


class Observer(Protocol):
    def extraction(self, about: About) -> Watching: ...


observer: Observer | None = None
"""Of this process. Set with `watch`."""


def watch(by: Observer | None) -> None:
    """From now on `by` watches all extractions of this process; None ends it."""
    global observer  # noqa: PLW0603  # as with a logger: one who asks to be told
    observer = by


def watched(
    watching: Watching,
    extraction: Callable[[Callable[[Call], Flow[Reply]]], Flow[Outcome[T]]],
    send: Callable[[Call], Flow[Reply]],
) -> Flow[Outcome[T]]:
    """The same extraction, reported to the observer."""
    try:
        outcome = yield from extraction(lambda call: _asked(watching.asks(call), send(call)))
    except BaseException as error:
        watching.ended(None, error)
        raise
    watching.ended(outcome, None)
    return outcome


def _asked(asking: Asking, flow: Flow[Reply]) -> Flow[Reply]:
    sent = 0

    def note(effect: Send | Open | Sleep) -> Flow[Any]:
        nonlocal sent
        if isinstance(effect, Sleep):
            asking.waited(effect.seconds)
        else:
            sent += 1
            asking.sent(sent)
        return (yield effect)

    try:
        reply = yield from relay(flow, Send | Open | Sleep, note)  # type: ignore[arg-type]  # isinstance takes a union
    except BaseException as error:
        asking.ended(None, error)
        raise
    asking.ended(reply, None)
    return reply
