"""Documents with gold, extracted and scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from assay.api import Extractor
from assay.batch.sources import Columns, read
from assay.errors import ConfigurationError
from assay.evals.score import Score, compare
from assay.types import JSON, Outcome, Usage


@dataclass(frozen=True, slots=True)
class Case:
    """A document, and what should come out of it."""

    id: JSON
    text: str
    gold: JSON


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of it."""

    case: Case
    outcome: Outcome[Any]
    value: JSON
    """The extracted value as JSON data; None when the extraction failed."""
    scores: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class Summary:
    """The sum over all results."""

    documents: int
    valid: int
    valid_at_once: int
    """Valid at the first request, without a re-ask."""
    perfect: int
    """Valid, and every field as in gold."""
    attempts: int
    seconds: float
    usage: Usage
    fields: Mapping[str, Score]

    @property
    def all_fields(self) -> Score:
        return sum(self.fields.values(), Score())


def cases(source: str | Path, columns: Columns, gold: str = "gold", limit: int | None = None) -> Iterator[Case]:
    """The cases of a file: rows with a text and, in the column `gold`, the value that it should give."""
    for record in islice(read(source, columns), limit):
        if record.fault:
            raise ConfigurationError(f"{source}, row {record.line}: {record.fault}")
        if gold not in record.carried:
            raise ConfigurationError(f"{source}, row {record.line} has no {gold!r}: a case is a text and its gold value")
        yield Case(record.id, record.text, record.carried[gold])


def evaluate(extractor: Extractor[Any], given: Iterable[Case], *, concurrency: int | None = None) -> Iterator[Result]:
    """The result of every case, in their order. A failed extraction is a result: all its fields are missed."""
    kept = list(given)
    for case, outcome in zip(kept, extractor.map((case.text for case in kept), concurrency=concurrency), strict=True):
        said = to_jsonable_python(outcome.value, by_alias=True) if outcome.ok else None
        yield Result(case, outcome, said, compare(case.gold, said))


def summarise(results: Sequence[Result], seconds: float) -> Summary:
    """The sum over results that took `seconds`."""
    fields: dict[str, Score] = {}
    for result in results:
        for name, score in result.scores.items():
            fields[name] = fields.get(name, Score()) + score
    return Summary(
        documents=len(results),
        valid=sum(result.outcome.ok for result in results),
        valid_at_once=sum(result.outcome.ok and len(result.outcome.attempts) == 1 for result in results),
        perfect=sum(result.outcome.ok and _perfect(result) for result in results),
        attempts=sum(len(result.outcome.attempts) for result in results),
        seconds=seconds,
        usage=sum((result.outcome.usage for result in results), Usage()),
        fields=fields,
    )


def _perfect(result: Result) -> bool:
    total = sum(result.scores.values(), Score())
    return total.right == total.gold and not total.invented
