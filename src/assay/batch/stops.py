"""What ends a run before its input does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from assay.errors import APIConnectionError, APIError, APITimeoutError, BadRequestError, InternalServerError, SchemaError
from assay.outcome import Outcome
from assay.wire.reasons import FAILS_EVERY_ROW

Cause: TypeAlias = Literal["interrupted", "fatal", "failures", "budget", "storage", "away"]

ALIKE = 5
"""When the server refuses this many rows in a row for an unknown reason, before answering any, it will refuse them all."""
UNREACHABLE = 20
"""When this many rows in a row time out, the server is gone."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ended early, in one message."""

    reason: Cause
    message: str


class FailureWatch:
    """Sees every outcome and says when going on makes no sense."""

    def __init__(self, max_failures: int | None = None) -> None:
        self._max_failures = max_failures
        self._failures = 0
        self._answered = False
        self._refused = 0
        self._timeouts = 0

    def fatal(self, outcome: Outcome[Any]) -> Stop | None:
        """The end of the run, when this outcome shows that every row would end so. The row itself is not to blame."""
        error = outcome.error
        if error is None:
            self._answered, self._timeouts, self._refused = True, 0, 0
            return None
        self._timeouts = self._timeouts + 1 if isinstance(error, APITimeoutError) else 0
        match error:
            case SchemaError():
                return Stop("fatal", str(error))
            case APIError() if error.reason in FAILS_EVERY_ROW:
                return Stop("fatal", str(error))
            case BadRequestError() if error.reason is None:
                self._refused += 1
                if not self._answered and self._refused >= ALIKE:
                    return Stop("fatal", str(error))
            case APIConnectionError() if self._timeouts >= UNREACHABLE or self._hopeless(error):
                return Stop("fatal", f"the server cannot be reached: {error}")
            case APIConnectionError():
                pass
            case _:
                self._refused = 0
        return None

    @property
    def answered(self) -> bool:
        """Whether any row was answered yet."""
        return self._answered

    def _hopeless(self, error: APIConnectionError) -> bool:
        """Not even the first row reached a server. A timeout is the row's own until there are many."""
        return not self._answered and not isinstance(error, APITimeoutError)

    def failed(self) -> Stop | None:
        """A row failed for good: the end of the run, when it is one too many."""
        self._failures += 1
        if self._max_failures is None or self._failures <= self._max_failures:
            return None
        return Stop("failures", f"more than {self._max_failures} rows failed")


def is_away(error: Exception | None) -> bool:
    """Whether an error may be the server's alone, and pass: it is not there, or fails whatever it is asked."""
    if isinstance(error, APITimeoutError):
        return False
    return isinstance(error, APIConnectionError | InternalServerError)
