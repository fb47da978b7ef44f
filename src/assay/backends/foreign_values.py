"""What goes into a client object and comes out of it, as values: keyword arguments, responses, server-sent events."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from assay.errors import APIConnectionError, APITimeoutError, AssayError, ConfigurationError
from assay.flow.effects import Response
from assay.types import JSON, JSONObject

_JSON = {"content-type": "application/json"}
_HINTS = frozenset({"stream_options"})
"""Keys that only ask for more information: left out for a client that does not accept them."""


def fitting(create: Callable[..., Any], body: JSONObject) -> JSONObject:
    """The keyword arguments for `create`. What it has no parameter for goes into `extra_body`, when it has that.

    `ConfigurationError` when there is no place for a key.
    """
    known = _parameters(create)
    if known is None:
        return body
    other = {name: value for name, value in body.items() if name not in known}
    named = {name: value for name, value in body.items() if name in known}
    if other and "extra_body" in known:
        return {**named, "extra_body": other}
    if homeless := other.keys() - _HINTS:
        raise ConfigurationError(f"the client's create() does not accept {', '.join(sorted(homeless))}")
    return named


def _parameters(create: Callable[..., Any]) -> frozenset[str] | None:
    """The names that the function takes; None when it takes any, or does not say."""
    try:
        parameters = inspect.signature(create).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def response_of_answer(answer: Any, data: JSON) -> Response:
    """A completion object, given as JSON `data`, as the HTTP response that it came from."""
    request_id = getattr(answer, "_request_id", None)
    headers = {**_JSON, "x-request-id": request_id} if isinstance(request_id, str) else _JSON
    return Response(200, headers, to_json(data))


def event(chunk: JSON) -> bytes:
    return b"data: " + to_json(chunk) + b"\n\n"


def error_event(error: Exception) -> bytes:
    """A stream's failure as the event that a server sends for it. Connection errors are raised."""
    response = response_of_error(error)
    data = from_json(response.body)
    inner = data.get("error") if isinstance(data, dict) else None
    inner = inner if isinstance(inner, dict) else data if isinstance(data, dict) else {"message": str(data)}
    status = {"status_code": response.status} if _status(error) else {}
    return b"event: error\ndata: " + to_json({"error": {**status, **inner}}) + b"\n\n"


def response_of_error(error: Exception) -> Response:
    """The response behind a client's exception. One without a response is raised as one of our connection errors, our own errors as they are."""
    if isinstance(error, AssayError):
        raise error
    status, body = _status(error), getattr(error, "body", None)
    if body is None and isinstance(details := getattr(error, "details", None), dict):  # genai's
        body = details
    if status is None and body is None:
        raise _connection_error(error) from error
    if not isinstance(body, dict | list):
        body = {"error": {"message": body if isinstance(body, str) and body else str(error)}}
    return Response(status or 500, {**_JSON, **_headers(error)}, to_json(body))


def _connection_error(error: Exception) -> Exception:
    names = " ".join(kind.__name__ for kind in type(error).__mro__)
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, TimeoutError) or "Timeout" in names:
        return APITimeoutError(f"the client timed out: {said}", code="timeout")
    if isinstance(error, TypeError | AttributeError):
        return ConfigurationError(f"the client's create() cannot be used: {said}")
    return APIConnectionError(f"the client failed: {said}", code="connection")


def _status(error: Exception) -> int | None:
    codes = (getattr(error, "status_code", None), getattr(error, "code", None))
    return next((code for code in codes if isinstance(code, int) and 400 <= code < 600), None)


def _headers(error: Exception) -> dict[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def plain(value: Any) -> JSON:
    """An answer as JSON data: pydantic models, dataclasses, mappings, plain objects with attributes."""
    match value:
        case None | str() | int() | float():
            return value
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    if hasattr(value, _UNHEARD_OF):
        return _of_mock(value)
    if callable(dump := getattr(value, "model_dump", None)) and isinstance(dumped := dump(), dict):
        return dumped
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "__dict__") and not callable(value):
        return {name: plain(item) for name, item in vars(value).items() if not name.startswith("_")}
    raise ConfigurationError(f"the client answered with a {type(value).__name__}, which is not a chat completion")


_UNHEARD_OF = "no_completion_has_this"
"""A name that only those objects have that have any: mocks, in users' unit tests."""


def _of_mock(answer: Any) -> JSONObject:
    """What was set of a completion that is a mock: of its first choice, and its usage. Anything else it would only make up."""
    choice = answer.choices[0]
    message, delta = (
        {**_set(part, "role", "content", "refusal"), **_calls(part)}
        for part in (getattr(choice, "message", None), getattr(choice, "delta", None))
    )
    usage = _set(getattr(answer, "usage", None), "prompt_tokens", "completion_tokens", "total_tokens")
    return {
        **_set(answer, "id", "model"),
        "choices": [{**_set(choice, "finish_reason"), "message": message, **({"delta": delta} if delta else {})}],
        **({"usage": usage} if usage else {}),
    }


def _set(value: Any, *names: str) -> JSONObject:
    """Those of the attributes that hold a plain value."""
    found = {name: getattr(value, name, None) for name in names}
    return {name: item for name, item in found.items() if isinstance(item, str | int | float)}


def _calls(message: Any) -> JSONObject:
    calls = getattr(message, "tool_calls", None)
    if not isinstance(calls, list | tuple):
        return {}
    return {"tool_calls": [{"function": _set(call.function, "name", "arguments")} for call in calls]}
