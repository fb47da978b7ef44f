"""What is raised when no attempt succeeded: errors that are both assay's and Instructor's, so either `except` catches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instructor.core.exceptions import (
    FailedAttempt,
    IncompleteOutputException,
    InstructorRetryException,
    TokenBudgetExceeded,
)
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from assay.data import pointer
from assay.errors import ExtractionError
from assay.outcome import Outcome
from assay.target.problems import by_validator
from assay.types import Problem, Usage


class RetriesExhaustedError(ExtractionError, InstructorRetryException):
    """All attempts failed. It can be pickled, and its message fits one screen.

    `n_attempts`, `failed_attempts`, `last_completion`, `total_usage` (an `assay.Usage`, over all attempts), `create_kwargs` and
    `messages` are Instructor's; `outcome`, `problems` and `attempts` are assay's.
    """

    outcome: Outcome[Any]
    total_usage: Usage

    def __init__(
        self, error: ExtractionError, title: str, completions: Sequence[Any], create_kwargs: Mapping[str, Any]
    ) -> None:
        InstructorRetryException.__init__(
            self,
            str(error),
            last_completion=completions[-1] if completions else None,
            messages=create_kwargs.get("messages"),
            n_attempts=len(error.attempts),
            total_usage=error.outcome.usage,
            create_kwargs=dict(create_kwargs),
            failed_attempts=failed_attempts(error.outcome, title, completions),
        )
        self.outcome = error.outcome

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class IncompleteOutputError(RetriesExhaustedError, IncompleteOutputException):
    """The last answer was cut off by the token limit, and asking for the rest or with more room did not help."""


class TokenBudgetReachedError(RetriesExhaustedError, TokenBudgetExceeded):
    """The next attempt would have begun with the token budget spent."""


def exhausted(
    error: ExtractionError, title: str, completions: Sequence[Any], create_kwargs: Mapping[str, Any], budget: int | None
) -> RetriesExhaustedError:
    """The right one for a failed extraction. `budget`: the token budget, when it ended the attempts."""
    if budget is not None:
        over = TokenBudgetReachedError(error, title, completions, create_kwargs)
        over.budget = budget
        return over
    cut = bool(error.problems) and error.problems[0].kind == "truncated"
    return (IncompleteOutputError if cut else RetriesExhaustedError)(error, title, completions, create_kwargs)


def failed_attempts(outcome: Outcome[Any], title: str, completions: Sequence[Any]) -> list[FailedAttempt]:
    """The attempts in Instructor's form, each with its completion, or with its text where no completion came."""
    whole = len(completions) == len(outcome.attempts)
    return [
        FailedAttempt(at + 1, validation_error(attempt.problems, title), completions[at] if whole else attempt.reply)
        for at, attempt in enumerate(outcome.attempts)
        if attempt.problems
    ]


def validation_error(problems: Sequence[Problem], title: str) -> ValidationError:
    """Problems as the pydantic error that programs written for Instructor expect."""
    return ValidationError.from_exception_data(title, list(map(_details, problems)))


def _details(problem: Problem) -> InitErrorDetails:
    """A validator's error with its own type and words; any other in ours, which say what is wanted."""
    loc, error = tuple(map(_step, pointer.split(problem.path))), {"value_error": ValueError, "assertion_error": AssertionError}
    if problem.code in error:
        ctx = {"error": error[problem.code](problem.want)}
        return {"type": problem.code, "loc": loc, "input": problem.said, "ctx": ctx}
    if by_validator(problem):
        return {"type": PydanticCustomError(problem.code, "{want}", {"want": problem.want}), "loc": loc, "input": problem.said}
    return {"type": PydanticCustomError(problem.kind, "want {want}", {"want": problem.want}), "loc": loc, "input": problem.said}


def _step(token: str) -> str | int:
    return int(token) if token.isdecimal() else token
