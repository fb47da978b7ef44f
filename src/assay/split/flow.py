"""What to ask next about a document in pieces, until there is one outcome.

Every piece is asked once, all side by side. One whose answer cannot be finished, or that does not fit, is halved. Further passes ask
for what is missing. Then all is merged and validated by the user's type, and what fails is asked again over the pieces that its
neighbours came from. A piece that fails is never left out silently: the outcome fails, and carries what the others gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from assay.engine import prompt
from assay.engine.judge import Verdict, validate
from assay.engine.prompt import Source
from assay.engine.questions import PARTS_LIMIT, ask_parts
from assay.engine.task import Question, Task
from assay.errors import APIStatusError, ConfigurationError, ExtractionError
from assay.options import Split
from assay.outcome import Attempt, Outcome
from assay.split.cut import Piece
from assay.split.evidence import PieceEvidence
from assay.split.merge import Merged, merge
from assay.split.placeholders import Placeholders
from assay.split.room import is_too_long
from assay.split.seen import Read
from assay.types import JSON, Message, Repair, Span, frozen

T = TypeVar("T")

HALVINGS = 5
"""How often a piece is halved, and its halves."""
SMALLEST = 200
"""Pieces of this many characters or less are not halved any more."""
MENDS = 3
"""Pieces that what fails in the whole is asked of again."""
HOPELESS = frozenset({401, 402, 403, 404})
"""Statuses that a server would give for every other piece, too."""


@frozen
class Ask:
    """One extraction about one piece."""

    task: Task[Any]
    source: Source
    piece: Piece
    number: int
    depth: int = 0
    turn: int = 0
    begin: Question | None = None
    """The first question, when it is not the task's own: about parts of the whole."""

    @property
    def is_first(self) -> bool:
        """Whether it asks a whole piece for the first time."""
        return not self.depth and not self.turn and self.begin is None


@dataclass(slots=True)
class _Asked:
    """What became of one piece."""

    attempts: list[Attempt] = field(default_factory=list)
    requests: int = 0
    repairs: list[Repair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: Exception | None = None


class Splitting(Generic[T]):
    """One document in pieces: `first`, then `take` each outcome and ask for `more` until there is none; then `outcome`."""

    def __init__(
        self, task: Task[T], piece_task: Task[Any], source: str, pieces: Sequence[Piece], rule: Split, note: str = ""
    ) -> None:
        """`piece_task` asks with the tolerant schema; `note` says why there are pieces."""
        self._task, self._piece_task, self._source, self._rule = task, piece_task, source, rule
        self.pieces = list(pieces)
        self._asked = {number: _Asked() for number in range(1, len(pieces) + 1)}
        self._reads: list[Read] = []
        self._halves: list[Ask] = []
        self._turn = 0
        self._placeholders = Placeholders.of(piece_task)
        self._notes = [note or f"asked about in {len(pieces)} pieces"]
        self._verdict: Verdict[T] | None = None
        self._merged = Merged(None)
        self._mends: list[Ask] | None = None
        self._error: ConfigurationError | None = None
        self.budget = task.budget
        """Of all pieces together."""
        self.earlier: tuple[Attempt, ...] = ()
        """Attempts at the whole, before there were pieces."""

    def first(self) -> list[Ask]:
        return [Ask(self._piece_task, piece.text, piece, number) for number, piece in enumerate(self.pieces, 1)]

    @property
    def wrapper(self) -> str | None:
        """The key under which a value that is not an object travels."""
        return self._task.target.wrapper

    @property
    def hopeless(self) -> bool:
        """Whether a piece failed in a way in which all others would."""
        return any(
            isinstance(asked.failure, APIStatusError) and asked.failure.status_code in HOPELESS
            for asked in self._asked.values()
        )

    @property
    def intact(self) -> bool:
        """Whether no piece has failed or was halved so far."""
        return not self._halves and all(asked.failure is None for asked in self._asked.values())

    def take(self, ask: Ask, outcome: Outcome[Any]) -> None:
        """The outcome of what was asked."""
        asked = self._asked[ask.number]
        asked.attempts += [replace(attempt, piece=ask.number) for attempt in outcome.attempts]
        asked.requests += outcome.requests
        asked.notes += [f"piece {ask.number}: {note}" for note in outcome.notes]
        if ask.begin is not None:
            self._take_mended(outcome)
        elif outcome.ok:
            asked.repairs += outcome.repairs
            self._reads.append(self._read(ask, outcome))
        elif _may_halve(ask, outcome):
            halves = ask.piece.halves(self._source)
            asked.notes.append(f"piece {ask.number}: cut in two, {_why(outcome)}")
            self._halves += [Ask(ask.task, half.text, half, ask.number, ask.depth + 1, ask.turn) for half in halves]
        else:
            asked.failure = asked.failure or outcome.error

    def more(self) -> list[Ask]:
        """What is to be asked next; nothing when all is done."""
        if self._halves:
            halves, self._halves = self._halves, []
            return halves
        if any(asked.failure is not None for asked in self._asked.values()):
            return []
        if self._turn + 1 < self._rule.passes:
            self._turn += 1
            return [self._again(read) for read in self._reads if read.turn == 0]
        return self._mending()

    def _again(self, read: Read) -> Ask:
        """A further pass over a piece: for what was not found in it."""
        found = [other.data for other in self._reads if other.piece is read.piece]
        text = f"{prompt.framed(read.piece.text)}\n\n{prompt.others(found)}"
        return Ask(self._piece_task, (Message("user", text),), read.piece, read.number, turn=self._turn)

    # -- the whole -----------------------------------------------------------------------------------------------------

    def merged(self) -> Merged:
        """What is known so far, in the form of the target's schema."""
        return merge(self._reads, self._task.target.json_schema, self._rule)

    def _mending(self) -> list[Ask]:
        if self._mends is None:
            self._mends = self._judge()
        if self._error is not None or self._verdict is None or not self._verdict.problems or not self._mends:
            return []
        return [self._mends.pop(0)]

    def _judge(self) -> list[Ask]:
        """Merge and validate; the questions about what fails, one for each piece that may say it."""
        try:
            self._merged = merge(self._reads, self._task.target.json_schema, self._rule)
        except ConfigurationError as error:
            self._error = error
            return []
        verdict = self._verdict = validate(self._task, self._merged.data, ())
        failing = tuple(dict.fromkeys(problem.path for problem in verdict.problems))
        if not failing or "" in failing or len(failing) > PARTS_LIMIT or not self._may_reask():
            return []
        return [self._mend(read, verdict, failing) for read in self._neighbours(failing)[:MENDS]]

    def _may_reask(self) -> bool:
        retries = self._task.retries
        return not isinstance(retries, int) or retries > 0

    def _neighbours(self, failing: Sequence[str]) -> list[Read]:
        """The pieces that gave what stands beside the failing values, the nearest first."""
        near: dict[int, Read] = {}
        for path in failing:
            above = path
            while above:
                for read in self._merged.origin.get(above, ()):
                    near.setdefault(id(read), read)
                above = above.rpartition("/")[0]
        return list(near.values()) or self._reads

    def _mend(self, read: Read, verdict: Verdict[T], failing: Sequence[str]) -> Ask:
        task = replace(self._task, budget=None)
        source = read.piece.text
        params = task.modes.learnt.taken(task.params)
        question = ask_parts(task, source, verdict, failing, task.modes.best, params)
        return Ask(task, source, read.piece, read.number, begin=question)

    def _take_mended(self, outcome: Outcome[T]) -> None:
        if outcome.ok:
            self._verdict = Verdict(outcome.value, outcome.text, outcome.data, repairs=outcome.repairs)

    # -- the end -------------------------------------------------------------------------------------------------------

    def outcome(self) -> Outcome[T]:
        """The outcome of the whole document."""
        failed = {number: asked.failure for number, asked in self._asked.items() if asked.failure is not None}
        if failed:
            return self._failed(failed)
        if self._error is not None:
            return self._all(None, self._error)
        verdict = self._verdict
        assert verdict is not None
        return self._all(verdict) if not verdict.problems else self._invalid(verdict)

    def _failed(self, failed: dict[int, Exception]) -> Outcome[T]:
        number, error = next(iter(failed.items()))
        outcome: Outcome[T] = self._all(None, error)
        if not self._reads:
            return outcome
        count = f"{len(failed)} of {len(self.pieces)} pieces of the document failed"
        piece = self.pieces[number - 1]
        first = str(error).partition("\n")[0]
        message = f"{count}: piece {number} (characters {piece.start} to {piece.end}): {first}"
        whole = ExtractionError(message, outcome, self._partial())
        whole.__cause__ = error
        return replace(outcome, error=whole)

    def _invalid(self, verdict: Verdict[T]) -> Outcome[T]:
        wrong = "; ".join(map(str, verdict.problems[:3]))
        outcome: Outcome[T] = self._all(None, ConfigurationError("not valid"))
        if outcome.attempts:  # what is wrong with the whole is on record where problems are looked for
            last = replace(outcome.attempts[-1], problems=verdict.problems)
            outcome = replace(outcome, attempts=(*outcome.attempts[:-1], last))
        message = f"no valid {self._task.target.name} out of {len(self.pieces)} pieces with {self._task.model}: {wrong}"
        return replace(outcome, error=ExtractionError(message, outcome, self._bare(verdict.data)))

    def _partial(self) -> JSON:
        lenient = replace(self._rule, conflict="first") if self._rule.conflict == "error" else self._rule
        return self._bare(merge(self._reads, self._task.target.json_schema, lenient).data)

    def _bare(self, data: JSON) -> JSON:
        wrapper = self._task.target.wrapper
        return data if wrapper is None or not isinstance(data, dict) else data.get(wrapper)

    def _all(self, verdict: Verdict[T] | None, error: Exception | None = None) -> Outcome[T]:
        asked = self._asked.values()
        prefix = "" if self._task.target.wrapper is None else f"/{self._task.target.wrapper}"
        spans = tuple(replace(span, path=span.path.removeprefix(prefix)) for span in self._merged.spans)
        text = verdict.text if verdict is not None else "null"
        return Outcome(
            value=verdict.value if verdict is not None else None,
            error=error,
            attempts=(*self.earlier, *(attempt for each in asked for attempt in each.attempts)),
            repairs=(*(repair for each in asked for repair in each.repairs), *(verdict.repairs if verdict is not None else ())),
            model=self._task.model,
            source=self._source,
            text=text,
            notes=(*self._notes, *(note for each in asked for note in each.notes)),
            requests=sum(attempt.requests for attempt in self.earlier) + sum(each.requests for each in asked),
            conflicts=tuple(replace(conflict, path=conflict.path.removeprefix(prefix)) for conflict in self._merged.conflicts),
            evidence=None if error is not None else PieceEvidence(spans, text, self._source, self._task.target),
        )

    # -- what a piece gave ------------------------------------------------------------------------------------------------

    def _read(self, ask: Ask, outcome: Outcome[Any]) -> Read:
        spans = tuple(_absolute(ask, span) for span in outcome.spans)
        data = self._placeholders.without(outcome.data, {span.path for span in outcome.spans})
        return Read(ask.number, ask.piece, data, tuple(span for span in spans if span is not None), ask.turn)


def _absolute(ask: Ask, span: Span) -> Span | None:
    """A span in the source, of one in what was asked about: further passes frame the piece."""
    before = 0 if isinstance(ask.source, str) else prompt.text_of(ask.source).index(ask.piece.text)
    where = ask.piece.absolute(span.start - before, span.end - before)
    return None if where is None else replace(span, start=where[0], end=where[1], message=None, piece=ask.number)


def _may_halve(ask: Ask, outcome: Outcome[Any]) -> bool:
    small = ask.depth >= HALVINGS or ask.piece.end - ask.piece.start < 2 * SMALLEST
    return not small and (_was_cut(outcome) or is_too_long(outcome) is not None)


def _was_cut(outcome: Outcome[Any]) -> bool:
    return isinstance(outcome.error, ExtractionError) and any(problem.kind == "truncated" for problem in outcome.error.problems)


def _why(outcome: Outcome[Any]) -> str:
    return "its answer was cut off" if _was_cut(outcome) else "it did not fit the model's context"
