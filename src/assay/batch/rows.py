"""From what was read and its result to what is written: rows, answers, and the kinds of failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json, to_jsonable_python

from assay.batch.formats import Record, carried_name
from assay.batch.formats.nulls import is_null
from assay.batch.journal import Answer, Row
from assay.data.paths import leaves
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
from assay.types import JSON, Problem, Usage

SAID = 3
"""Problems that the message of a failed row names; the errors file has them all."""

_MOST = 1e12
"""Tokens or dollars of one row: a larger figure is not a count but a fault of the server."""

NOT_THERE = ("connection", "rate limit", "unavailable")
"""Kinds of failure in which the server was not available: the next run asks the row again without being told to."""
_AWAY = frozenset({498, 502, 503, 504, 529})
"""Statuses of a server that is overloaded or away, or of the gateway before it."""


def row(position: int, record: Record) -> Row:
    """The row of a record, its columns out of the way of the output's own."""
    carried = {carried_name(name): value for name, value in record.carried.items()}
    return Row(position, record.line, text(record.id), text(carried) if carried else "{}")


def text(value: Any) -> str:
    r"""A value as JSON text. What JSON does not have becomes a string: dates, decimals, infinities, objects; bytes are base64.

    A lone surrogate, which no file can hold, is written out (`\ud800`), and NaT is null.
    """
    try:
        return to_json(value, by_alias=True, inf_nan_mode="strings", bytes_mode="base64", fallback=str).decode()
    except (ValueError, TypeError):
        return to_json(_writable(value), inf_nan_mode="strings").decode()


def _writable(value: Any) -> JSON:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case Mapping():
            return {_writable(str(key)): _writable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_writable(inner) for inner in value]
        case None | bool() | int() | float():
            return value
        case _ if is_null(value):
            return None
    try:
        plain = to_jsonable_python(value, by_alias=True, inf_nan_mode="strings", bytes_mode="base64", fallback=str)
    except (ValueError, TypeError):
        plain = str(value)
    return plain if plain is value else _writable(plain)


def answer(
    outcome: Outcome[Any],
    usage: Usage,
    misfit: Callable[[JSON], str] | None = None,
    accept: float | None = None,
    *,
    evidence: bool = False,
) -> Answer:
    """What the journal keeps of an outcome, and of what it used. `misfit` says why a value cannot be written, if it cannot.

    `accept` is the confidence from which on a value is not for review. With `evidence` each value is looked for in the text.
    """
    if not outcome.ok:
        last = outcome.attempts[-1] if outcome.attempts else None
        reply, problems = (last.reply, last.problems) if last is not None else (None, ())
        return _failed(failure(outcome.error), error_text(outcome.error), reply, problems, outcome, usage)
    value = text(outcome.value)
    why = misfit(from_json(value)) if misfit is not None else ""
    if why:
        return _failed("output", why, value, (), outcome, usage)
    body = _body(value, "null", outcome, usage) + (_evidence(outcome) if evidence else "") + _doubts(outcome, accept)
    return Answer("done", "done", body, None, len(outcome.attempts), usage)


def _failed(
    kind: str, message: str, reply: str | None, problems: tuple[Problem, ...], outcome: Outcome[Any], usage: Usage
) -> Answer:
    body = _body("null", text({"kind": kind, "message": message}), outcome, usage)
    detail = text({"kind": kind, "message": message, "reply": reply, "problems": problems, "notes": outcome.notes})
    return Answer("failed", kind, body, detail[1:-1], len(outcome.attempts), usage)


def sound(usage: Usage) -> Usage:
    """A usage as it can be added up and kept: what a server says may be infinite, negative, or not a number at all."""
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.cached_tokens, usage.reasoning_tokens)
    if 0 <= sum(counts) < _MOST and min(counts) >= 0 and (usage.cost is None or 0 <= usage.cost < _MOST):
        return usage
    return replace(
        usage,
        prompt_tokens=_count(usage.prompt_tokens),
        completion_tokens=_count(usage.completion_tokens),
        cached_tokens=_count(usage.cached_tokens),
        reasoning_tokens=_count(usage.reasoning_tokens),
        total_tokens=_count(usage.total_tokens),
        cost=usage.cost if usage.cost is not None and 0 <= usage.cost < _MOST else None,
    )


def _count(count: float) -> int:
    return int(count) if 0 <= count < _MOST else 0


def faulty(fault: str) -> Answer:
    """The answer for a record that cannot be asked."""
    return answer(Outcome(None, ConfigurationError(fault)), Usage())


def _body(value: str, error: str, outcome: Outcome[Any], usage: Usage) -> str:
    repairs = text(outcome.repairs) if outcome.repairs else "[]"
    return (
        f'"value":{value},"error":{error},"attempts":{len(outcome.attempts)},"usage":{_usage(usage, outcome.requests)},'
        f'"repairs":{repairs},"model":{_name(outcome.model)}'
    )


def _evidence(outcome: Outcome[Any]) -> str:
    """Where each value stands, `[match, start, end]` (a quote of several passages has more pairs), null for one that stands nowhere."""
    if outcome.evidence is None:
        return ""
    found: dict[str, list[str | int]] = {}
    for span in outcome.evidence.spans:  # not the outcome's own, which are looked up on the pages, too
        place = found.setdefault(span.path, [span.match])
        place += (span.start, span.end)
    nowhere = outcome.ungrounded
    return f',"evidence":{text(found | dict.fromkeys(nowhere))},"ungrounded":{text(nowhere)}'


def _doubts(outcome: Outcome[Any], accept: float | None) -> str:
    """How sure the model was, where it told, and which values are for review, where that is asked for."""
    if accept is None and not any(attempt.tokens for attempt in outcome.attempts):
        return ""
    sure = outcome.confidence
    told = f',"confidence":{text(sure)}' if sure else ""
    if accept is None:
        return told
    doubtful = [
        path for path, value in leaves(outcome.data) if value not in (None, "", [], {}) and sure.get(path, 0.0) < accept
    ]
    return f'{told},"review":{text(doubtful)}'


def _usage(usage: Usage, requests: int) -> str:
    """As JSON, by hand: it is written for every row."""
    cost = "null" if usage.cost is None else repr(usage.cost)
    return (
        f'{{"prompt_tokens":{usage.prompt_tokens},"completion_tokens":{usage.completion_tokens},'
        f'"cached_tokens":{usage.cached_tokens},"reasoning_tokens":{usage.reasoning_tokens},'
        f'"total_tokens":{usage.total_tokens},"cost":{cost},"requests":{requests}}}'
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
