"""How an extraction went: one round is an `Attempt`, all rounds together are the `Outcome`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol

from assay.data.confidence import of_answers
from assay.data.places import Places
from assay.review import Reviewed, page
from assay.types import JSON, Message, Mode, Place, Problem, Repair, Span, T_co, Usage

_NOTHING = Usage()


SHOWN = 200
"""Characters of a value, and of an error, in an outcome's repr."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of an extraction and what became of it."""

    messages: tuple[Message, ...] = field(repr=False)
    mode: Mode
    reply: str
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    finish_reason: str | None = None
    usage: Usage = _NOTHING
    latency: float = 0.0
    request_id: str | None = None
    requests: int = 1
    """HTTP requests that it took: more than one when some failed and were repeated."""
    note: str = ""
    """What was decided after it, when that is worth saying: `stepped down from json_schema to json`."""
    tokens: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    """The reply in pieces with the natural logarithms of their probabilities: with the option `logprobs`, where the server gives them."""
    piece: int | None = None
    """Of a long document that was asked about in pieces: which one, counted from 1."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one piece of a long document says of a value."""

    value: JSON
    piece: int
    """Counted from 1."""
    start: int | None = None
    """Where it stands in the source; None for a value that stands nowhere."""
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A single value that the pieces of a long document do not agree on."""

    path: str
    """JSON Pointer into the value."""
    kept: JSON
    """The one that was taken."""
    told: tuple[Told, ...]
    """All that differ, each where it was first told; the one taken among them."""

    def __str__(self) -> str:
        said = "; ".join(f"piece {told.piece} says {json.dumps(told.value, ensure_ascii=False)}" for told in self.told)
        return f"{self.path or '(the answer)'}: {said}"


class Evidence(Protocol):
    """Where the values of an outcome stand in its source: looked up when it is first asked for (`assay.ground`)."""

    @property
    def spans(self) -> tuple[Span, ...]: ...
    @property
    def ungrounded(self) -> tuple[str, ...]: ...
    @property
    def not_stated(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Outcome(Generic[T_co]):
    """How one extraction went, whether it succeeded or not."""

    value: T_co | None
    """The validated value; None when the extraction failed (see `ok`: None can also be a valid value)."""
    error: Exception | None = None
    """The reason why there is no value: an `ExtractionError`, an `APIError` or a `BudgetExceeded`."""
    attempts: tuple[Attempt, ...] = ()
    repairs: tuple[Repair, ...] = ()
    """The repairs that were needed to read the final value."""
    model: str = ""
    source: str = field(default="", repr=False)
    text: str = field(default="null", repr=False)
    """The final value as JSON text, as the model gave it after repairs."""
    notes: tuple[str, ...] = ()
    """Decisions worth knowing about: modes stepped down, requests repeated, lists continued, budgets raised."""
    requests: int = 0
    """HTTP requests of all attempts, including repeated ones and those without an answer."""
    conflicts: tuple[Conflict, ...] = ()
    """Single values that the pieces of a long document do not agree on."""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    places: tuple[Place, ...] = field(default=(), repr=False)
    """The pages (sheets, slides ...) of a source that was read from a file."""
    words: bytes = field(default=b"", repr=False)
    """Where the words of the source stand on its pages, packed: see `assay.data.places`."""

    def __repr__(self) -> str:
        """One line: the value or the error, attempts and tokens. All that was sent and came back is in `attempts`."""
        shown = (
            repr(self.value) if self.error is None else f"{type(self.error).__name__}: {str(self.error).partition(chr(10))[0]}"
        )
        shown = shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
        facts = [f"{len(self.attempts)} attempt{'s' * (len(self.attempts) != 1)}", f"{self.usage.total_tokens} tokens"]
        facts += [f"{len(self.repairs)} repairs"] * bool(self.repairs)
        facts += [f"{len(self.notes)} notes"] * bool(self.notes)
        facts += [self.model] * bool(self.model)
        return f"<Outcome {'of' if self.error is None else 'failed with'} {shown} ({', '.join(facts)})>"

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
        """JSON Pointers of the texts, numbers and dates that are not in the source: inferred, or made up.

        Booleans, null, members of an enum or `Literal` and a field's default are not looked for; markers (`Grounded`, `Inferred`,
        `Quoted`) say otherwise for a field.
        """
        return () if self.evidence is None else self.evidence.ungrounded

    @property
    def confidence(self) -> Mapping[str, float]:
        """By JSON Pointer, how probable the model thought each scalar of the value, 0 to 1: its own tokens' joint probability.

        Of what was asked for again, the last answer counts. Empty unless the option `logprobs` is set and the server gives them.
        A figure to rank values by, not a probability of being right: see `assay.evals.calibrate`.
        """
        if not self.ok or not any(attempt.tokens for attempt in self.attempts):
            return {}
        return of_answers(((attempt.reply, attempt.tokens) for attempt in self.attempts), self.data)

    @property
    def not_stated(self) -> dict[str, str]:
        """The fields with the marker `NotStated` that are None, by JSON Pointer: `absent`, `illegible` or `contradictory`."""
        return {} if self.evidence is None else self.evidence.not_stated

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

    def reviewed(self, title: str = "") -> Reviewed:
        """What a page shows of it."""
        failure = "" if self.error is None else str(self.error)
        return Reviewed(title or self.model, self.source, self.data, self.spans, self.ungrounded, failure)

    def page(self, title: str = "") -> str:
        """An HTML page to check the value on: the source with each value marked, what was not found first. No scripts, no requests."""
        return page([self.reviewed(title)])

    def unwrap(self) -> T_co:
        """Return the value, or raise the error."""
        if (error := self.error) is not None:
            try:
                raise error
            finally:
                del error, self  # this frame is in its traceback: neither is to keep the other alive
        return self.value  # type: ignore[return-value]  # ok means it is a T
