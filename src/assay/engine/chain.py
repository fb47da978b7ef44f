"""A chain of models: which failures of one are a reason to ask the next, and one outcome of all that were asked.

Each has its own modes, schema form, parameters and price; the budget is one. Pure: the caller asks the models and passes their outcomes in.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from assay.engine import prompt
from assay.errors import APIError, AssayError, BudgetExceeded, ConfigurationError, ExtractionError, Reason
from assay.options import Budget
from assay.outcome import Attempt, Outcome
from assay.types import Usage, frozen

T = TypeVar("T")

_log = logging.getLogger(__name__)

LOUD = frozenset({Reason.BAD_KEY, Reason.NO_PERMISSION, Reason.NO_CREDIT, Reason.MODEL_NOT_FOUND, Reason.NOT_FOUND})
"""Errors that the user must fix: they are logged as warnings, although another model answers."""


@frozen
class Link:
    """One model of a chain."""

    name: str
    context: int | None = None
    """Tokens that it can hold; None: not known."""


class Chain(Generic[T]):
    """Ask the `link` that is due, `take` its outcome, as long as there is one; then `outcome`."""

    def __init__(self, links: Sequence[Link], budget: Budget | None = None) -> None:
        self._links, self._budget = links, budget
        self._at: int | None = 0
        self._taken: list[tuple[Link, Outcome[T]]] = []

    @property
    def due(self) -> int | None:
        """The place of the link to be asked next; None when there is no more to ask."""
        return self._at

    @property
    def budget(self) -> Budget | None:
        """What is left of the budget."""
        if self._budget is None:
            return None
        spent = sum((outcome.usage for _, outcome in self._taken), Usage())
        tokens, cost = self._budget.tokens, self._budget.cost
        return Budget(
            None if tokens is None else max(0, tokens - spent.total_tokens),
            None if cost is None else max(0.0, cost - (spent.cost or 0.0)),
        )

    def take(self, outcome: Outcome[T], *, shown: bool = False) -> None:
        """What the link that was due gave. `shown`: a part of its answer was shown already, so no other may follow."""
        assert self._at is not None
        link = self._links[self._at]
        self._taken.append((link, outcome))
        self._at = None if shown else self._next(self._at, outcome.error)
        error = outcome.error
        if self._at is not None and isinstance(error, APIError) and error.reason in LOUD:
            _log.warning("%s: %s; asked %s instead", link.name, error, self._links[self._at].name)

    def _next(self, at: int, error: Exception | None) -> int | None:
        """The link to go on with after an error; None: no other would help, or there is none."""
        later = range(at + 1, len(self._links))
        if _too_long(error):
            window = self._links[at].context
            return next((n for n in later if _larger(self._links[n].context, window)), None)
        if isinstance(error, BudgetExceeded) or not isinstance(error, APIError | ExtractionError):
            return None
        return next(iter(later), None)

    def outcome(self) -> Outcome[T]:
        """One outcome: the last link's, with what was asked before and why it was not enough."""
        *before, (link, last) = self._taken
        notes = [
            note
            for (here, failed), (after, _) in zip(before, self._taken[1:], strict=True)
            for note in (*failed.notes, f"{here.name} gave no answer ({_why(failed.error)}): {after.name} was asked")
        ]
        whole: Outcome[T] = replace(
            last,
            model=link.name,
            attempts=(*_attempts(before), *last.attempts),
            notes=(*notes, *last.notes),
            requests=sum(failed.requests for _, failed in before) + last.requests,
        )
        if not before or not isinstance(last.error, APIError | ExtractionError):
            return whole
        error = ExtractionError(self._all_failed(), whole)
        error.__cause__ = last.error
        return replace(whole, error=error)

    def _all_failed(self) -> str:
        lines = [f"{link.name}: {_why(outcome.error)}" for link, outcome in self._taken]
        return "\n  ".join([f"none of {len(lines)} models gave an answer:", *lines])


def _attempts(taken: Sequence[tuple[Link, Outcome[T]]]) -> tuple[Attempt, ...]:
    return tuple(attempt for _, outcome in taken for attempt in outcome.attempts)


def outcome_of(error: AssayError, model: str) -> Outcome[T]:
    """The outcome that a failed stream's error tells of."""
    if isinstance(error, ExtractionError):
        return replace(error.outcome, error=error)
    return Outcome(None, error, model=model)


def _too_long(error: Exception | None) -> bool:
    cause = error.__cause__ if isinstance(error, ConfigurationError) else error
    return isinstance(cause, APIError) and cause.reason is Reason.CONTEXT_TOO_LONG


def _larger(window: int | None, than: int | None) -> bool:
    """Whether a model may hold more than another: one whose window is not known may."""
    return window is None or than is None or window > than


def _why(error: Exception | None) -> str:
    return prompt.clip(" ".join(str(error).split()))
