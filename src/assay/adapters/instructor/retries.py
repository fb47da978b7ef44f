"""`max_retries` as Instructor counts it, with the hooks that tell of failed attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructor.core.hooks import Hooks
from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, Retrying, stop_after_attempt
from tenacity.wait import wait_none

from assay.adapters.instructor.errors import validation_error
from assay.errors import ConfigurationError, ExtractionError


class Referee:
    """Decides after each failed attempt by the user's rule, and tells the hooks. One for each call.

    The user's rule sees the pydantic `ValidationError` that it would see under Instructor.
    """

    def __init__(self, rule: int | Retrying | AsyncRetrying, hooks: Hooks, title: str, token_budget: int | None) -> None:
        """`rule`: retries after the first attempt, or a tenacity object. `token_budget`: no attempt begins with so many spent."""
        if isinstance(rule, bool) or not (isinstance(rule, int) or hasattr(rule, "stop")):
            raise ConfigurationError(f"max_retries must be a whole number, 0 or more, or a tenacity Retrying; got {rule!r}")
        self._limit = max(rule, 0) + 1 if isinstance(rule, int) else None
        self._rule = (
            rule if not isinstance(rule, int) else Retrying(stop=stop_after_attempt(max(rule, 0) + 1), wait=wait_none())
        )
        self._hooks = hooks
        self._title = title
        self._budget = token_budget
        self.over_budget = False
        self._begun = 0

    def begin(self) -> None:
        """A request is about to be sent."""
        self._begun += 1
        if isinstance(self._rule, Retrying):
            state = RetryCallState(self._rule, fn=None, args=(), kwargs={})
            state.attempt_number = self._begun
            self._rule.before(state)

    def retrying(self) -> Retrying:
        """The rule for the engine."""
        return Retrying(stop=self._stop, wait=self._rule.wait, retry=self._retry)

    def _retry(self, state: RetryCallState) -> bool:
        failed = state.outcome.exception() if state.outcome is not None else None
        if not isinstance(failed, ExtractionError):  # a request that timed out, to be sent in another form
            return bool(self._rule.retry(state)) if isinstance(self._rule, Retrying) else True
        error = validation_error(failed.problems, self._title)
        state.set_exception((type(error), error, None))
        self._hooks.emit_completion_usage(failed.outcome.usage, attempt_number=state.attempt_number)
        self.over_budget = self._budget is not None and failed.outcome.usage.total_tokens >= self._budget
        again = bool(self._rule.retry(state)) if isinstance(self._rule, Retrying) else True
        if not again:
            self._tell(error, state, last=True)
        return again

    def _stop(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        assert isinstance(error, Exception)
        last = self.over_budget or bool(self._rule.stop(state))
        if not isinstance(error, ValidationError):
            return last
        self._tell(error, state, last=last)
        if isinstance(self._rule, Retrying):
            self._rule.after(state)
            if self._rule.before_sleep is not None and not last:
                self._rule.before_sleep(state)
        return last

    def _tell(self, error: Exception, state: RetryCallState, *, last: bool) -> None:
        facts: Mapping[str, Any] = {
            "attempt_number": state.attempt_number,
            "max_attempts": self._limit,
            "is_last_attempt": last,
        }
        self._hooks.emit_parse_error(error, **facts)
        if last:
            self._hooks.emit_completion_last_attempt(error, **facts)
