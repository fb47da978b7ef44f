"""Error answers to exceptions: the status, the headers and the body decide the class and all its fields.

Bodies seen: `{"error": {"message", "type", "code", "param", "failed_generation"}}` (Groq, OpenAI), the same with a number as
`code` (OpenRouter, llama.cpp), `{"error": "text"}` (Ollama), `{"detail": ...}` (FastAPI servers), pages of gateways.
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
    RequestTooLargeError,
    UnprocessableEntityError,
)
from assay.types import JSON, JSONObject
from assay.wire.headers import wait_asked

GENERATION_CODES = frozenset({"json_validate_failed", "tool_use_failed"})
"""A 400 with one of these rejects what the model wrote, not the request."""

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
_STATUS_OF_CODE = {
    **dict.fromkeys(GENERATION_CODES, 400),
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "capacity_exceeded": 498,
}
"""What an error inside a 200 answer would have had as its status, when it does not say."""

_PLAIN = {407: "the proxy asks for a user name and a password: put them into the URL of the proxy variable"}
"""Of statuses that do not come from the API."""

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
    return _build(status, message, inner or {}, data if data is not None else text, ErrorResponse(status, headers, text))


def inner_error(data: JSONObject, headers: Mapping[str, str], *, event: bool = False) -> APIError:
    """The exception for an error object inside a 200 answer or stream. `event`: `data` may be the error object itself."""
    inner = _inner(data) or (data if event else {})
    message = _message(inner) or "the server reported an error without a message"
    status = _inner_status(inner)
    if status is None:
        return _fill(APIResponseError(message, body=inner), inner, headers)
    return _build(status, message, inner, inner, ErrorResponse(status, headers, ""))


def request_id(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-request-id") or headers.get("request-id") or headers.get("cf-ray")


def excerpt(text: str) -> str:
    """The first words of a page, its markup left out."""
    words = " ".join(_TAGS.sub(" ", text[: _EXCERPT * 20]).split())
    return words[:_EXCERPT] + ("..." if len(words) > _EXCERPT else "")


def _build(status: int, message: str, inner: JSONObject, body: JSON, response: ErrorResponse) -> APIStatusError:
    kind = _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
    if status == 400 and _text(inner, "code") in GENERATION_CODES:
        kind = JSONValidateFailed
    error = kind(f"{status}: {message}", body=body, response=response)
    error.retry_after = wait_asked(response.headers, message) if status >= 408 else None
    return _fill(error, inner, response.headers)


def _fill(error: E, inner: JSONObject, headers: Mapping[str, str]) -> E:
    error.code = _text(inner, "code")
    error.type = _text(inner, "type")
    error.param = _text(inner, "param")
    error.request_id = request_id(headers)
    error.failed_generation = _text(inner, "failed_generation")
    return error


def _inner(data: JSON) -> JSONObject | None:
    """The error object of a body."""
    if isinstance(data, list) and len(data) == 1:  # Gemini wraps it in a list
        data = data[0]
    if not isinstance(data, dict):
        return None
    match data.get("error"):
        case dict(error):
            return error
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
    return _STATUS_OF_CODE.get(str(inner.get("code")))


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
    return f"the answer is no JSON ({kind}): {words}" if words else f"the answer has no body ({kind})"
