"""The flows behind `stream` and `stream_items`: the deltas of a reply become partial values while it comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from assay.decode.partial import PartialParser
from assay.flow.effects import Emit, Flow
from assay.flow.relay import relay_emitted
from assay.outcome import Outcome
from assay.streaming.partial import Partial, View
from assay.types import Delta, Reply

T = TypeVar("T")


class Showing:
    """Turns the deltas of an extraction's replies into partial values.

    Once something was shown, only that same reply is shown further: what comes after it, a re-ask or a restarted stream,
    is not shown before it is validated, so nothing that a user has seen is taken back in between.
    """

    def __init__(self, view: View) -> None:
        self.attempt = 0
        self._view = view
        self._shown = False
        self._parser: PartialParser | None = None

    def over(self, reply: Flow[Reply]) -> Flow[Reply]:
        """The flow of one reply, that emits partial values instead of deltas."""
        self.attempt += 1
        self._begin()
        return relay_emitted(reply, self._partials)

    def _begin(self) -> None:
        self._parser = None if self._shown else PartialParser(self._view.openers)

    def _partials(self, delta: Delta) -> Iterable[Partial[Any]]:
        if delta.restart:
            self._begin()
        if self._parser is None or not delta.text:
            return ()
        paths = self._parser.feed(delta.text)
        if not paths and not self._view.unfinished:
            return ()
        self._shown = True
        mark = self._parser.mark()
        return (Partial(self._view.paths(paths, mark), self.attempt, None, mark, self._view),)


def to_the_end(showing: Showing, outcome: Flow[Outcome[T]], note: str = "") -> Flow[None]:
    """What an extraction's flow emits, then its outcome as the last, complete value. A failed one's error is raised."""
    result = yield from outcome
    if note:
        result = replace(result, notes=(note, *result.notes))
    if (error := result.error) is not None:
        try:
            raise error
        finally:
            del error, result  # this frame is in its traceback: neither is to keep the other alive
    yield Emit(Partial(("",), max(showing.attempt, 1), result))
