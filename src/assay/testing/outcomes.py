"""Outcomes made by hand, for unit tests of code that takes outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic_core import to_json

from assay.errors import ExtractionError
from assay.ground import Evidence
from assay.outcome import Attempt, Outcome
from assay.types import Message, Mode, Problem, Repair, Usage

T = TypeVar("T")


def outcome(
    value: T,
    *,
    source: str = "",
    model: str = "fake",
    usage: Usage | None = None,
    repairs: Sequence[Repair] = (),
    notes: Sequence[str] = (),
) -> Outcome[T]:
    """The outcome of an extraction that gave `value` at the first request: its data, spans and usage are there as well.

    A value is written as pydantic writes it, by alias; what pydantic cannot write is a `PydanticSerializationError`.
    """
    text = to_json(value, by_alias=True).decode()
    attempt = Attempt(_asked(source), Mode.JSON, text, repairs=tuple(repairs), finish_reason="stop", usage=usage or Usage(0, 0))
    evidence = Evidence(text, source, {}, repairs=repairs)
    return Outcome(value, None, (attempt,), tuple(repairs), model, source, text, tuple(notes), evidence=evidence)


def failed(
    problem: str | Problem | Exception = "a value",
    *,
    reply: str = "",
    source: str = "",
    model: str = "fake",
    usage: Usage | None = None,
) -> Outcome[Any]:
    """The outcome of an extraction that failed: with an `ExtractionError` about one problem, or with any error.

    A text says what was wanted of the whole answer.
    """
    if isinstance(problem, str):
        problem = Problem("", None, problem, "value")
    if isinstance(problem, Exception):
        return Outcome(None, problem, (), model=model, source=source)
    attempt = Attempt(_asked(source), Mode.JSON, reply, (problem,), finish_reason="stop", usage=usage or Usage(0, 0))
    bare: Outcome[Any] = Outcome(None, None, (attempt,), model=model, source=source)
    return Outcome(None, ExtractionError(f"no valid value: {problem}", bare), (attempt,), model=model, source=source)


def _asked(source: str) -> tuple[Message, ...]:
    return (Message("user", source),)
