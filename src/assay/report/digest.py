"""A run in figures and examples, gathered out of its journal in one pass.

The journal may hold a hundred thousand rows: what grows with them is counted, and of the rest the first few are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import from_json

from assay.batch import journal_path
from assay.batch.journal import Finished, Journal
from assay.errors import ConfigurationError
from assay.types import JSON, JSONObject, Problem, Repair, Span, Usage

FAILURES, EXAMPLES, SAMPLE = 100, 3, 25
"""How many are shown of the failed rows, of the repairs of each kind, and of the good rows: of those that need a look, and of the others."""
_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed row."""

    id: JSON
    line: int
    """Where it stands in the input, counted from 1."""
    kind: str
    message: str
    attempts: int
    reply: str | None
    """The last reply; None when none came."""
    problems: tuple[Problem, ...]
    """What was wrong with it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A repair, and the row that it was made in."""

    id: JSON
    repair: Repair


@dataclass(frozen=True, slots=True)
class Good:
    """A row with its value."""

    id: JSON
    value: JSON
    carried: JSONObject
    attempts: int
    repairs: int
    text: str | None
    """What it was asked about; None where the run did not keep it."""
    spans: tuple[Span, ...]
    ungrounded: tuple[str, ...]
    """Pointers of the values that stand nowhere in the text."""
    review: tuple[str, ...]
    """Those that the model was not sure of."""

    @property
    def doubtful(self) -> bool:
        return bool(self.ungrounded or self.review)


@dataclass(frozen=True, slots=True)
class Digest:
    """All that the page says."""

    name: str
    """The output's file name."""
    written: datetime
    """When the output was last written to."""
    done: int
    failed: int
    kinds: Mapping[str, int]
    """Failed rows by kind, the most frequent first."""
    attempts: Mapping[int, int]
    """Rows by the attempts that they took."""
    repairs: Mapping[str, int]
    """Repairs by kind, the most frequent first."""
    models: Mapping[str, int]
    """Rows by model."""
    spent: Usage
    """Of all runs that wrote this output, failed attempts included."""
    failures: tuple[Failure, ...]
    examples: Mapping[str, tuple[Example, ...]]
    sample: tuple[Good, ...]
    """Rows with a value that needs a look first."""
    doubtful: int
    """Rows with such a value."""

    @property
    def rows(self) -> int:
        return self.done + self.failed

    @property
    def reasks(self) -> int:
        """Attempts beyond the first of each row."""
        return sum((count - 1) * rows for count, rows in self.attempts.items() if count > 1)


@dataclass(slots=True)
class _Gathered:
    """What one pass over the rows finds."""

    every: int
    """Of the good rows each so manieth is shown, and of the doubtful ones the first."""
    text: str
    """The column with the text, if any."""
    attempts: Counter[int] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    sample: list[Good] = field(default_factory=list)
    doubts: list[Good] = field(default_factory=list)
    doubtful: int = 0
    done: int = 0

    def take(self, row: Finished) -> None:
        body = from_json(f"{{{row.body}}}")
        id_ = from_json(row.row.id)
        self.attempts[body["attempts"]] += 1
        if body["model"]:
            self.models[body["model"]] += 1
        for repair in body["repairs"]:
            kept = self.examples.setdefault(repair["kind"], [])
            if len(kept) < EXAMPLES:
                kept.append(Example(id_, Repair(**repair)))
        if row.ok:
            self._good(row, id_, body)
        elif len(self.failures) < FAILURES:
            self.failures.append(_failure(row, id_, body["attempts"]))

    def _good(self, row: Finished, id_: JSON, body: JSONObject) -> None:
        doubtful = bool(body.get("ungrounded") or body.get("review"))
        self.doubtful += doubtful
        if doubtful and len(self.doubts) < SAMPLE:
            self.doubts.append(self._shown(row, id_, body))
        elif self.done % self.every == 0:
            self.sample.append(self._shown(row, id_, body))
        self.done += 1

    def _shown(self, row: Finished, id_: JSON, body: JSONObject) -> Good:
        carried = from_json(row.row.carried)
        text = carried.pop(self.text) if isinstance(carried.get(self.text), str) else None
        return Good(
            id_,
            body["value"],
            carried,
            body["attempts"],
            len(body["repairs"]),
            text,
            tuple(_spans(body.get("evidence") or {})),
            tuple(body.get("ungrounded") or ()),
            tuple(body.get("review") or ()),
        )


def read(run: Path) -> Digest:
    """The run that wrote the output `run`, or whose journal `run` is.

    Raises `ConfigurationError` when there is no such journal, or (as `OutputBusy`) while the run goes on.
    """
    path = run if run.name.endswith(_SUFFIX) else journal_path(run)
    if not path.is_file():
        raise ConfigurationError(
            f"{run} is not the output of a run: there is no journal {path}. Give the output of `assay batch` (its journal lies beside it), or the journal"
        )
    output = path.with_name(path.name.removesuffix(_SUFFIX))
    written = (output if output.is_file() else path).stat().st_mtime  # before the journal is opened, which writes to it
    journal = Journal(path)
    try:
        with journal.read_by_us():
            found = _digest(journal, output.name, datetime.fromtimestamp(written, UTC))
            return TypeAdapter(Digest).validate_python(asdict(found))  # a journal from elsewhere may hold anything
    finally:
        journal.close()


def _digest(journal: Journal, name: str, written: datetime) -> Digest:
    kinds = dict(journal.count())
    done = kinds.pop("done", 0)
    found = _Gathered(every=max(1, -(-done // SAMPLE)), text=journal.fact("text"))
    for row in journal.finished():
        found.take(row)
    return Digest(
        name=name,
        written=written,
        done=done,
        failed=sum(kinds.values()),
        kinds=kinds,
        attempts=dict(sorted(found.attempts.items())),
        repairs=journal.repairs(),
        models=dict(found.models.most_common()),
        spent=journal.spent()[1],
        failures=tuple(found.failures),
        examples={kind: tuple(examples) for kind, examples in found.examples.items()},
        sample=(*found.doubts, *found.sample),
        doubtful=found.doubtful,
    )


def _spans(evidence: JSONObject) -> Iterator[Span]:
    """The places that a row names for its values."""
    for path, place in evidence.items():
        match, *ends = place or [""]
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            yield Span(path, start, end, match)


def _failure(row: Finished, id_: JSON, attempts: int) -> Failure:
    detail = from_json(f"{{{row.detail or ''}}}")
    problems = tuple(Problem(**problem) for problem in detail.get("problems", ()))
    return Failure(
        id_, row.row.line, detail.get("kind", ""), detail.get("message", ""), attempts, detail.get("reply"), problems
    )
