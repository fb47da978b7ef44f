"""Rounds of trying again, under tenacity's rules and without its loop.

A tenacity object decides two things after a failure: whether to stop and how long to wait. Both are asked here, so the
same rules serve a flow that may neither sleep nor call anything. Only this module touches tenacity's internals.
"""

from __future__ import annotations

import inspect
from functools import lru_cache

from tenacity import AsyncRetrying, RetryCallState, Retrying, stop_after_attempt
from tenacity.wait import wait_none

from assay.errors import ConfigurationError


class Rounds:
    """One run of attempts. `after(error)` says how long to wait before the next; None: no more."""

    __slots__ = ("_retrying", "_state")

    def __init__(self, rule: int | Retrying | AsyncRetrying) -> None:
        """`rule`: how often to try again, or a tenacity object whose `stop`, `wait` and, unless it is awaited, `retry` are honoured."""
        self._retrying = _times(rule) if isinstance(rule, int) else _plain(rule)
        self._state = RetryCallState(self._retrying, fn=None, args=(), kwargs={})

    def after(self, error: Exception | None) -> float | None:
        """Seconds to wait after an attempt that ended with `error`; None when the rule says stop.

        A rule that counts looks at nothing but the count: it does not need the error.
        """
        try:
            return self._after(error)
        finally:
            self._state.outcome = None  # an error's traceback leads back here: neither is to keep the other alive

    def _after(self, error: Exception | None) -> float | None:
        state, rule = self._state, self._retrying
        if error is not None:
            state.set_exception((type(error), error, error.__traceback__))
            if isinstance(rule, Retrying) and not rule.retry(state):
                return None
        wait = float(rule.wait(state))
        state.upcoming_sleep = wait
        if rule.stop(state):
            return None
        state.idle_for += wait
        state.prepare_for_next_attempt()
        return wait


@lru_cache(maxsize=64)
def _times(count: int) -> Retrying:
    return Retrying(stop=stop_after_attempt(count + 1), wait=wait_none())


def _plain(rule: Retrying | AsyncRetrying) -> Retrying | AsyncRetrying:
    if any(map(inspect.iscoroutinefunction, (rule.stop, rule.wait))):
        raise ConfigurationError("retries: stop and wait must be plain functions, not coroutine functions")
    return rule
