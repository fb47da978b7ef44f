"""What ends a run before its input does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from assay.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    JSONValidateFailed,
    NotFoundError,
    PermissionDeniedError,
    SchemaError,
)
from assay.outcome import Outcome

Reason: TypeAlias = Literal["interrupted", "fatal", "failures", "budget", "storage"]

ALIKE = 5
"""So many rows in a row that the server refuses, before any was answered: it will refuse them all."""
UNREACHABLE = 20
"""So many rows in a row to which no answer came at all: the server is gone."""

_OF_ALL = frozenset({"model_decommissioned", "model_not_found", "invalid_api_key", "unsupported_model", "insufficient_quota"})
"""Codes of errors that no other row would escape."""
_PARAMS = ("response_format", "tools", "model", "tool_choice")
"""Parameters of a request that are the same for every row."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ended early, in one message."""

    reason: Reason
    message: str


class FailureWatch:
    """Sees every outcome and says when going on makes no sense."""

    def __init__(self, max_failures: int | None = None) -> None:
        self._max_failures = max_failures
        self._failures = 0
        self._answered = False
        self._refused = 0
        self._unreached = 0

    def fatal(self, outcome: Outcome[Any]) -> Stop | None:
        """The end of the run, when this outcome shows that every row would end so. The row itself is not to blame."""
        error = outcome.error
        if error is None:
            self._answered, self._unreached, self._refused = True, 0, 0
            return None
        self._unreached = self._unreached + 1 if isinstance(error, APIConnectionError) else 0
        if not isinstance(error, BadRequestError | APIConnectionError):
            self._refused = 0
        match error:
            case AuthenticationError() | PermissionDeniedError() | NotFoundError() | SchemaError():
                return Stop("fatal", str(error))
            case JSONValidateFailed():
                return None
            case BadRequestError():
                self._refused += 1
                same = not self._answered and self._refused >= ALIKE
                if same or error.code in _OF_ALL or (error.param or "").startswith(_PARAMS):
                    return Stop("fatal", str(error))
            case APIConnectionError() if self._unreached >= UNREACHABLE or self._hopeless(error):
                return Stop("fatal", f"the server cannot be reached: {error}")
        return None

    def _hopeless(self, error: APIConnectionError) -> bool:
        """Not even the first row reached a server. A timeout is the row's own until there are many."""
        return not self._answered and not isinstance(error, APITimeoutError)

    def failed(self) -> Stop | None:
        """A row failed for good: the end of the run, when it is one too many."""
        self._failures += 1
        if self._max_failures is None or self._failures <= self._max_failures:
            return None
        return Stop("failures", f"more than {self._max_failures} rows failed")
