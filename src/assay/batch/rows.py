"""From what was read and what came of it to what is written: rows, answers, and the kinds of failure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from assay.batch.journal import Answer, Row
from assay.batch.sinks import OWN_COLUMNS
from assay.batch.sources import Record
from assay.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    BudgetExceeded,
    ConfigurationError,
    ExtractionError,
    InternalServerError,
    RateLimitError,
    RequestTooLargeError,
)
from assay.outcome import Outcome
from assay.types import Usage

SAID = 3
"""Problems that the message of a failed row names; the errors file has them all."""

NOT_THERE = ("connection", "rate limit", "unavailable")
"""Kinds of failure in which the server was not there for the row: the next run asks it again without being told to."""
_AWAY = frozenset({498, 502, 503, 504, 529})
"""Statuses of a server that is overloaded or away, or of the gateway before it."""


def row(position: int, record: Record) -> Row:
    """The row of a record, its columns out of the way of the output's own."""
    carried = {carried_name(name): value for name, value in record.carried.items()}
    return Row(position, record.line, text(record.id), text(carried) if carried else "{}")


def carried_name(name: str) -> str:
    """The name that a column of the input has in the output."""
    return f"input.{name}" if name in OWN_COLUMNS else name


def text(value: Any) -> str:
    """A value as JSON text. What JSON does not have becomes a string: dates, decimals, infinities, objects."""
    return to_json(value, by_alias=True, inf_nan_mode="strings", fallback=str).decode("utf-8", "replace")


def answer(outcome: Outcome[Any], usage: Usage) -> Answer:
    """What the journal keeps of an outcome, and of what it used."""
    asks = len(outcome.attempts)
    if outcome.ok:
        body = _body(text(outcome.value), "null", outcome, usage)
        return Answer("done", "done", body, None, asks, usage)
    kind, message = failure(outcome.error), error_text(outcome.error)
    body = _body("null", text({"kind": kind, "message": message}), outcome, usage)
    last = outcome.attempts[-1] if outcome.attempts else None
    detail = text(
        {
            "kind": kind,
            "message": message,
            "reply": last.reply if last is not None else None,
            "problems": last.problems if last is not None else (),
        }
    )
    return Answer("failed", kind, body, detail[1:-1], asks, usage)


def faulty(fault: str) -> Answer:
    """The answer for a record that cannot be asked."""
    return answer(Outcome(None, ConfigurationError(fault)), Usage())


def _body(value: str, error: str, outcome: Outcome[Any], usage: Usage) -> str:
    repairs = text(outcome.repairs) if outcome.repairs else "[]"
    return (
        f'"value":{value},"error":{error},"attempts":{len(outcome.attempts)},"usage":{_usage(usage)},'
        f'"repairs":{repairs},"model":{_name(outcome.model)}'
    )


def _usage(usage: Usage) -> str:
    """As JSON, by hand: it is written for every row."""
    cost = "null" if usage.cost is None else repr(usage.cost)
    return (
        f'{{"prompt_tokens":{usage.prompt_tokens},"completion_tokens":{usage.completion_tokens},'
        f'"cached_tokens":{usage.cached_tokens},"reasoning_tokens":{usage.reasoning_tokens},'
        f'"total_tokens":{usage.total_tokens},"cost":{cost}}}'
    )


@lru_cache(maxsize=16)
def _name(model: str) -> str:
    return text(model)


def failure(error: Exception | None) -> str:
    """The kind of a failure, for counting."""
    match error:
        case ExtractionError():
            return error.problems[0].kind if error.problems else "invalid"
        case APITimeoutError():
            return "timeout"
        case APIConnectionError():
            return "connection"
        case RateLimitError():
            return "rate limit"
        case RequestTooLargeError():
            return "too large"
        case InternalServerError():
            return "unavailable" if error.status_code in _AWAY else "server"
        case APIStatusError():
            return f"HTTP {error.status_code}"
        case APIResponseError():
            return "response"
        case BudgetExceeded():
            return "budget"
        case ConfigurationError():
            return "input"
        case _:
            return type(error).__name__


def error_text(error: Exception | None) -> str:
    """One line about a failure."""
    if isinstance(error, ExtractionError) and error.problems:
        more = len(error.problems) - SAID
        return "; ".join(map(str, error.problems[:SAID])) + (f"; and {more} more" if more > 0 else "")
    return str(error)
