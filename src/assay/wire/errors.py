"""Error answers to exceptions: the status, the headers and the body decide the class and all its fields.

Bodies seen: `{"error": {"message", "type", "code", "param", "failed_generation"}}` (Groq, OpenAI), the same with a number as
`code` (OpenRouter, llama.cpp), `{"error": "text"}` (Ollama), `{"detail": ...}` (FastAPI servers), pages of gateways;
`{"type": "error", "error": {"type", "message"}, "request_id"}` (Anthropic), `{"error": {"code", "status", "message", "details"}}` (Google).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic_core import from_json, to_json

from assay.errors import (
    APIError,
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorResponse,
    InternalServerError,
    JSONValidateFailed,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Reason,
    RequestTooLargeError,
    UnprocessableEntityError,
)
from assay.types import JSON, JSONObject, Rejection, Reply
from assay.wire.headers import duration, rate_limits, wait_asked
from assay.wire.reasons import CLIP, GENERATION_CODES, reason_of

_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    498: InternalServerError,
}
_STATUS_OF_WORD = {
    **dict.fromkeys(GENERATION_CODES, 400),
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "capacity_exceeded": 498,
    "server_error": 500,
    # Anthropic's, which have a type alone
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What an error inside a 200 answer would have had as its status, when its `code` or `type` says it in a word."""
_WORD_FOR = {
    Reason.BAD_KEY: "invalid_api_key",
    Reason.NO_CREDIT: "insufficient_quota",
    Reason.MODEL_NOT_FOUND: "model_not_found",
    Reason.CONTEXT_TOO_LONG: "context_length_exceeded",
    Reason.SCHEMA_REFUSED: "schema_refused",
    Reason.CONTENT_FILTER: "content_filter",
    Reason.RATE_LIMIT: "rate_limit_exceeded",
    Reason.OVERLOADED: "overloaded",
}
"""The `code` of an error of those vendors whose bodies have none: Anthropic, Google."""

_PLAIN = {407: "the proxy asks for a user name and a password: put them in the URL of the proxy variable"}
"""Of statuses that do not come from the API."""

_BUDGET_EATEN = "max completion tokens reached"
"""What Groq puts into `failed_generation`, in place of text, when the token limit ended the answer."""

E = TypeVar("E", bound=APIError)

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_EXCERPT = 200


def status_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """The exception for an HTTP answer of 400 or more (or another status that promises no answer)."""
    text = body.decode("utf-8", "replace")
    data = _json(body)
    inner = _inner(data)
    message = _message(inner) if inner is not None else None
    if message is None:
        message = _PLAIN.get(status) or (_page(headers, text) if data is None else text[:_EXCERPT])
    error = _build(status, message, inner or {}, data if data is not None else text, ErrorResponse(status, headers, text))
    return _worded(error, data)


def inner_error(data: JSONObject, headers: Mapping[str, str], *, event: bool = False) -> APIError:
    """The exception for an error object inside a 200 answer or stream. `event`: `data` may be the error object itself."""
    inner = _inner(data) or (data if event else {})
    message = _message(inner) or "the server reported an error without a message"
    status = _inner_status(inner)
    if status is None:
        reason, token_limit = reason_of(None, inner, message)
        error: APIError = APIResponseError(message, body=inner, reason=reason, token_limit=token_limit)
        return _worded(_fill(error, inner, headers), data)
    return _worded(_build(status, message, inner, inner, ErrorResponse(status, headers, "")), data)


def rejected(error: APIStatusError, seconds: float) -> Reply:
    """A generation that the server rejected, as the reply that it is: what the model wrote can be read, or asked again."""
    written = error.failed_generation or ""
    cut = _BUDGET_EATEN in written
    return Reply(
        text="" if cut else written,
        finish_reason="length" if cut else None,
        request_id=error.request_id,
        latency=seconds,
        requests=error.requests,
        rejected=Rejection(error.code or "", error.message, error.status_code),
        limits=rate_limits(error.response.headers),
    )


def of_answer(error: APIError, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """An error about an answer, with the answer: its status and type are said where the body is not even JSON."""
    if error.code in {"not_json", "empty_body"}:
        error.message = f"{status} ({headers.get('content-type', 'no content type')}): {error.message}"
        error.args = (error.message,)
    error.request_id = error.request_id or request_id(headers)
    error.response = error.response or ErrorResponse(status, headers, body.decode(errors="replace"))
    return error


def request_id(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-request-id") or headers.get("request-id") or headers.get("cf-ray")


def excerpt(text: str) -> str:
    """The first words of a page, its markup left out."""
    words = " ".join(_TAGS.sub(" ", text[: _EXCERPT * 20]).split())
    return words[:_EXCERPT] + ("..." if len(words) > _EXCERPT else "")


def _build(status: int, message: str, inner: JSONObject, body: JSON, response: ErrorResponse) -> APIStatusError:
    reason, token_limit = reason_of(status, inner, message)
    kind = _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
    if status == 400 and _text(inner, "code") in GENERATION_CODES:
        kind = JSONValidateFailed
    elif status == 400 and reason is Reason.BAD_KEY:  # Gemini's
        kind = AuthenticationError
    error = kind(f"{status}: {message}", body=body, response=response, reason=reason, token_limit=token_limit)
    if status >= 408:
        error.retry_after = _wait(inner, response.headers, message, reason)
    return _fill(error, inner, response.headers)


def _wait(inner: JSONObject, headers: Mapping[str, str], message: str, reason: Reason | None) -> float | None:
    """Seconds that the server asks to wait. Gemini also names some when a day's quota is used up: waiting would be useless."""
    details = inner.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(delay := detail.get("retryDelay"), str):
            return None if reason is Reason.DAILY_QUOTA else duration(delay[:CLIP]) or None
    return wait_asked(headers, message[:CLIP])


def _fill(error: E, inner: JSONObject, headers: Mapping[str, str]) -> E:
    error.code = _text(inner, "code")
    error.type = _text(inner, "type")
    error.param = _text(inner, "param")
    error.request_id = request_id(headers) or _text(inner, "request_id")
    error.failed_generation = _text(inner, "failed_generation")
    return error


def _worded(error: E, data: JSON) -> E:
    """The error of a vendor whose bodies have no word as their `code`, with one."""
    anthropic = isinstance(data, dict) and data.get("type") == "error"
    google = (
        isinstance(inner := _inner(data), dict)
        and isinstance(inner.get("status"), str)
        and not isinstance(inner.get("code"), str)
    )
    if (anthropic or google) and error.reason is not None:
        error.code = _WORD_FOR.get(error.reason, error.code)
    return error


def _inner(data: JSON) -> JSONObject | None:
    """The error object of a body."""
    if isinstance(data, list) and len(data) == 1:  # Gemini wraps it in a list
        data = data[0]
    if not isinstance(data, dict):
        return None
    match data.get("error"):
        case dict(error):
            outside = data.get("request_id")  # Anthropic's
            return {**error, "request_id": outside} if isinstance(outside, str) and "request_id" not in error else error
        case str(message):
            return {**data, "message": message}
    return data if {"message", "detail"} & data.keys() else None


def _message(inner: JSONObject) -> str | None:
    for key in ("message", "detail", "error"):
        if inner.get(key):
            return str(inner[key])
    return None


def _inner_status(inner: JSONObject) -> int | None:
    for value in (inner.get("status_code"), inner.get("code"), inner.get("status")):
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
    return _STATUS_OF_WORD.get(str(inner.get("code"))) or _STATUS_OF_WORD.get(str(inner.get("type")))


def _text(inner: JSONObject, key: str) -> str | None:
    value = inner.get(key)
    if value is None or isinstance(value, str):
        return value
    return to_json(value).decode()


def _json(body: bytes) -> JSON:
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None


def _page(headers: Mapping[str, str], text: str) -> str:
    kind = headers.get("content-type", "no content type")
    words = excerpt(text)
    return f"the answer is not JSON ({kind}): {words}" if words else f"the answer has no body ({kind})"
