"""Which failures of a request are worth sending it again, how long to wait before, and when to give up.

The same bytes are sent again: asking differently is the engine's task. The rules are tenacity's, asked through
`assay.flow.rounds.Rounds`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from assay.errors import APIConnectionError, APIError, APIResponseError, APIStatusError, APITimeoutError, Reason
from assay.flow.rounds import Rounds
from assay.options import DEFAULT_MAX_RETRIES
from assay.wire.headers import should_retry

DEFAULT_BUDGET = 180.0
DEFAULT_BACKOFF, MOST_BACKOFF = 0.5, 8.0
"""Seconds before the first retry and at most before later ones when the server says nothing; as in the groq SDK."""

RETRIED_STATUSES = frozenset({408, 409, 425, 429, 498})
"""Below 500. 413 is not among them: too large stays too large. All of 500 and above are retried."""
RETRIED_CODES = frozenset({"invalid_json", "stream_cut", "bad_encoding", "empty_body", "answer_failed"})
"""Of `APIResponseError`: a body that was cut or damaged on its way may arrive intact the next time."""
NEVER_CODES = frozenset({"certificate", "ending"})
"""Of `APIConnectionError`: trying again would fail the same way."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How persistent a request is: `max_retries` times again, all within `budget` seconds.

    The budget counts requests and the waits between them, not the time that a limiter holds a request back. None gives three
    minutes, or three times the request's own timeout when that is more.
    """

    max_retries: int = DEFAULT_MAX_RETRIES
    budget: float | None = None
    backoff: float = DEFAULT_BACKOFF
    """Seconds before the first retry when the server does not say how long; doubled for each further one."""
    timeouts: bool = True
    """Whether a request that got a connection but no complete answer in time is sent again."""
    patience: float | None = None
    """The most seconds of one wait: a server that asks for more is not asked again. None: as long as the budget allows."""

    def but_not_after_timeouts(self) -> RetryPolicy:
        return _not_after_timeouts(self)

    def seconds(self, timeout: float | None) -> float:
        """The budget of a request with this timeout."""
        if self.budget is not None:
            return self.budget
        return DEFAULT_BUDGET if timeout is None else max(DEFAULT_BUDGET, 3 * timeout)

    def rounds(self) -> Rounds:
        return Rounds(_rules(self))


@lru_cache(maxsize=64)
def _rules(policy: RetryPolicy) -> Retrying:
    return Retrying(
        stop=stop_after_attempt(policy.max_retries + 1),
        wait=partial(_wait, policy.backoff),
        retry=retry_if_exception(retryable if policy.timeouts else _retryable_in_time),
    )


def _wait(backoff: float, state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, APIError) else None
    if asked is not None:
        return asked + random.uniform(0, min(0.1 * asked, 1.0))  # noqa: S311  # never less; spread, so that all do not come back at once
    return min(backoff * 2.0 ** (state.attempt_number - 1), MOST_BACKOFF) * random.uniform(0.75, 1.0)  # noqa: S311


@lru_cache(maxsize=64)
def _not_after_timeouts(policy: RetryPolicy) -> RetryPolicy:
    return replace(policy, timeouts=False)


def _retryable_in_time(error: BaseException) -> bool:
    late = isinstance(error, APITimeoutError) and error.code == "timeout"
    return not late and retryable(error)


def retryable(error: BaseException) -> bool:
    """Whether sending the same bytes again may succeed."""
    match error:
        case APIStatusError(reason=Reason.NO_CREDIT) | APIStatusError(reason=Reason.DAILY_QUOTA, retry_after=None):
            return False  # waiting is in vain
        case APIStatusError():
            word = should_retry(error.response.headers)
            return error.status_code >= 500 or error.status_code in RETRIED_STATUSES if word is None else word
        case APIResponseError():
            return error.code in RETRIED_CODES
        case APIConnectionError():
            return error.code not in NEVER_CODES
    return False
