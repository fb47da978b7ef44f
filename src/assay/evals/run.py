"""Documents with gold, extracted and scored."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_jsonable_python

from assay.batch.formats import JSON_LINES, Columns, ReadOptions, open_source
from assay.batch.stops import FailureWatch
from assay.errors import ConfigurationError, ExtractionError
from assay.evals.rules import Rules, rules_of
from assay.evals.score import Score, compare
from assay.extractor import Extractor
from assay.outcome import Outcome
from assay.types import JSON, Usage


@dataclass(frozen=True, slots=True)
class Case:
    """A document, and the expected value."""

    id: JSON
    text: str
    gold: JSON


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a case."""

    case: Case
    outcome: Outcome[Any]
    value: JSON
    """The extracted value as JSON data; None when the extraction failed."""
    scores: Mapping[str, Score]

    @property
    def ran(self) -> bool:
        """Whether the model answered: a server that failed says nothing about the model."""
        return self.outcome.ok or isinstance(self.outcome.error, ExtractionError)

    @property
    def exact(self) -> bool:
        """Valid, and every field as in gold."""
        return self.outcome.ok and all(score.faultless for score in self.scores.values())


@dataclass(frozen=True, slots=True)
class Scores:
    """The sum over all documents."""

    documents: int
    valid: int
    valid_at_once: int
    """Valid at the first request, without a re-ask."""
    exact: int
    """Valid, and every field as in gold."""
    attempts: int
    """Requests to the model, re-asks included."""
    seconds: float
    """From the first request to the last answer."""
    usage: Usage
    """Of all attempts, failed ones included."""
    fields: Mapping[str, Score]
    """By path: `/items/*/price`."""

    @property
    def total(self) -> Score:
        """Over all fields, each value counting once."""
        return sum(self.fields.values(), Score())


def cases(source: str | Path, columns: Columns | None = None, gold: str = "gold", limit: int | None = None) -> Iterator[Case]:
    """The cases of a file: rows with a text and, in the column `gold`, the value that it should give.

    In a table (CSV, Parquet) gold is written as JSON; what is not JSON there is a text. Raises `ConfigurationError` for a row
    that is not a case.
    """
    written = not str(source).lower().endswith(JSON_LINES)
    for record in islice(open_source(source, ReadOptions(columns=columns or Columns())).records(), limit):
        if record.fault:
            raise ConfigurationError(f"{source}, row {record.line}: {record.fault}")
        if gold not in record.carried:
            raise ConfigurationError(f"{source}, row {record.line} has no {gold!r}: a case needs a text and its expected value")
        value = record.carried[gold]
        yield Case(record.id, record.text, _parsed(value) if written and isinstance(value, str) else value)


def _parsed(cell: str) -> JSON:
    with suppress(ValueError):
        return from_json(cell)
    return cell


def evaluate(
    extractor: Extractor[Any], given: Iterable[Case], *, concurrency: int | None = None, rules: Rules | None = None
) -> Scores:
    """Extract from every case and add up the scores. Takes and raises what `results` does."""
    began = time.monotonic()
    return add_up(list(results(extractor, given, concurrency=concurrency, rules=rules)), time.monotonic() - began)


def results(
    extractor: Extractor[Any], given: Iterable[Case], *, concurrency: int | None = None, rules: Rules | None = None
) -> Iterator[Result]:
    """The result of every case, in their order. A failed extraction is a result: all that gold has is omitted.

    Fields are compared as the schema's `x-compare` says (see `assay.evals.rules`); `rules`, functions by field
    (`{"/items/*/name": lambda gold, said: ...}`), go before it.

    What would fail every case (a bad key, an unknown model, a server that is not there) is raised: an `APIError`.
    """
    kept = list(given)
    rules = {**rules_of(extractor.target.json_schema), **(rules or {})}
    watch = FailureWatch()
    for case, outcome in zip(kept, extractor.map((case.text for case in kept), concurrency=concurrency), strict=True):
        if watch.fatal(outcome) is not None:
            outcome.unwrap()
        said = to_jsonable_python(outcome.value, by_alias=True) if outcome.ok else None
        yield Result(case, outcome, said, compare(case.gold, said, rules))


def add_up(found: Sequence[Result], seconds: float) -> Scores:
    """The sum over results that took `seconds`."""
    fields: dict[str, Score] = {}
    for result in found:
        for field, score in result.scores.items():
            fields[field] = fields.get(field, Score()) + score
    return Scores(
        documents=len(found),
        valid=sum(result.outcome.ok for result in found),
        valid_at_once=sum(result.outcome.ok and len(result.outcome.attempts) == 1 for result in found),
        exact=sum(result.exact for result in found),
        attempts=sum(len(result.outcome.attempts) for result in found),
        seconds=seconds,
        usage=sum((result.outcome.usage for result in found), Usage()),
        fields=fields,
    )
