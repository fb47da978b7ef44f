"""How an extraction went: one round is an `Attempt`, all rounds together are the `Outcome`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol

from assay.data.places import Places
from assay.types import JSON, Message, Mode, Place, Problem, Repair, Span, T_co, Usage

_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of an extraction and what became of it."""

    messages: tuple[Message, ...]
    mode: Mode
    reply: str
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    finish_reason: str | None = None
    usage: Usage = _NOTHING
    latency: float = 0.0
    request_id: str | None = None
    note: str = ""
    """What was decided after it, when that is worth saying: `stepped down from json_schema to json`."""


class Evidence(Protocol):
    """Where the values of an outcome stand in its source: looked up when it is first asked for (`assay.ground`)."""

    @property
    def spans(self) -> tuple[Span, ...]: ...
    @property
    def ungrounded(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """How one extraction went, whether it succeeded or not."""

    value: T_co | None
    """The validated value; None when the extraction failed (see `ok`: None can also be a valid value)."""
    error: Exception | None = None
    """Why there is no value: an `ExtractionError`, an `APIError` or a `BudgetExceeded`."""
    attempts: tuple[Attempt, ...] = ()
    repairs: tuple[Repair, ...] = ()
    """What was mended to read the final value."""
    model: str = ""
    source: str = field(default="", repr=False)
    text: str = field(default="null", repr=False)
    """The final value as JSON text, as the model gave it after repairs."""
    notes: tuple[str, ...] = ()
    """Decisions worth knowing: modes stepped down, lists continued, budgets raised."""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    places: tuple[Place, ...] = field(default=(), repr=False)
    """The pages (sheets, slides ...) of a source that was read from a file."""
    words: bytes = field(default=b"", repr=False)
    """Where the words of the source stand on its pages, packed: see `assay.data.places`."""

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def data(self) -> JSON:
        """The final value as plain JSON data."""
        return json.loads(self.text)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where the values stand in the source, in document order of the value; one may have several. Looked up when asked for."""
        spans = () if self.evidence is None else self.evidence.spans
        if not self.places:
            return spans
        places = Places(self.places, self.words)
        return tuple(replace(span, place=places.of(span.start, span.end)) for span in spans)

    @property
    def ungrounded(self) -> tuple[str, ...]:
        """JSON Pointers of the texts, numbers and dates that stand nowhere in the source: inferred, or made up.

        Booleans, null, members of an enum or `Literal` and a field's default are not asked for; markers (`Grounded`, `Inferred`,
        `Quoted`) say otherwise for a field.
        """
        return () if self.evidence is None else self.evidence.ungrounded

    @property
    def usage(self) -> Usage:
        """The sum over all attempts, failed ones included."""
        if len(self.attempts) == 1:
            return self.attempts[0].usage
        return sum((attempt.usage for attempt in self.attempts), _NOTHING)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the last attempt; empty on success."""
        return () if self.ok or not self.attempts else self.attempts[-1].problems

    def unwrap(self) -> T_co:
        """The value, or the error raised."""
        if (error := self.error) is not None:
            try:
                raise error
            finally:
                del error, self  # this frame is in its traceback: neither is to keep the other alive
        return self.value  # type: ignore[return-value]  # ok means it is a T
