"""OpenAI's chat completions, as spoken by Groq and most others: a `Call` to a request body, an answer to a `Reply`.

What servers differ in is data, a `ChatDialect`; nothing here knows a vendor's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, assert_never

from pydantic_core import PydanticSerializationError, from_json, to_json

from assay.errors import APIResponseError, ConfigurationError
from assay.types import JSON, Call, JSONObject, Message, Mode, Reply, Usage
from assay.wire.errors import excerpt, inner_error, request_id
from assay.wire.headers import rate_limits

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ChatDialect:
    """What a server's chat completions differ in."""

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    """The key that limits the answer's length."""
    stream_usage: bool = True
    """Whether `stream_options: {include_usage: true}` is sent, without which most servers report no usage of a stream."""
    reasoning_format: Literal["hidden", "parsed"] | None = None
    """Groq's `reasoning_format`; None sends none."""
    strict: bool = True
    """Whether a schema may be marked `strict`."""
    grammar: bool = False
    """Whether a schema goes as a llama.cpp `grammar` for llguidance instead of a `response_format`."""
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Further keys of every request body."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed reply."""

    text: str = ""
    reasoning: str = ""
    restart: bool = False
    """The connection broke and the request was sent again: what came before is void, the text begins anew."""


def encode(call: Call, model: str, dialect: ChatDialect, *, stream: bool = False) -> bytes:
    """The request body. Equal calls give equal bytes. Raises `ConfigurationError` for text that is not valid Unicode."""
    params = call.params
    body: JSONObject = {"model": model, **dialect.extra, **_constraint(call, dialect)}
    if params.temperature is not None:
        body["temperature"] = params.temperature
    if params.max_tokens is not None:
        body[dialect.max_tokens] = params.max_tokens
    if params.stop:
        body["stop"] = list(params.stop)
    if params.seed is not None:
        body["seed"] = params.seed
    if params.reasoning_effort is not None:
        body["reasoning_effort"] = params.reasoning_effort
    if dialect.reasoning_format is not None:
        body["reasoning_format"] = dialect.reasoning_format
    if stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True}
    body |= params.extra
    return b'{"messages":[' + b",".join(map(_message, call.messages)) + b"]," + to_body(body)[1:]


def to_body(body: JSON) -> bytes:
    """JSON bytes of a request body."""
    try:
        return to_json(body)
    except PydanticSerializationError as error:
        raise ConfigurationError(f"the request cannot be written as JSON: {error}") from None


def _message(message: Message) -> bytes:
    if message.role == "system" and isinstance(message.content, str) and not message.extra:
        return _system(message.content)
    return to_body({"role": message.role, "content": message.content, **message.extra})


@lru_cache(maxsize=128)
def _system(content: str) -> bytes:
    """A system message, which holds the schema and is the same from call to call: written once."""
    return to_body({"role": "system", "content": content})


def _constraint(call: Call, dialect: ChatDialect) -> JSONObject:
    """The keys that make the server keep to the schema in the call's mode."""
    if call.mode is Mode.TEXT:
        return {}
    if call.mode is Mode.JSON:
        return {"response_format": {"type": "json_object"}}
    schema = call.schema
    if schema is None:
        raise ConfigurationError(f"mode {call.mode} sends a schema, and the call has none")
    match call.mode:
        case Mode.JSON_SCHEMA:
            if dialect.grammar:
                return {"grammar": f"%llguidance {{}}\nstart: %json {to_json(schema).decode()}"}
            named: JSONObject = {"name": call.name, "schema": schema}
            if dialect.strict:
                named["strict"] = call.strict
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case Mode.TOOLS:
            function: JSONObject = {"name": call.name, "parameters": schema}
            if dialect.strict and call.strict:
                function["strict"] = True
            return {
                "tools": [{"type": "function", "function": function}],
                "tool_choice": {"type": "function", "function": {"name": call.name}},
            }
    assert_never(call.mode)


def read_json(body: bytes) -> JSON:
    """A 200 answer's JSON. Raises `APIResponseError`, its `code` saying what the body is instead."""
    body = body.removeprefix(BOM)
    try:
        return from_json(body)
    except ValueError as error:
        raise _not_json(body, error) from None


def _not_json(body: bytes, error: ValueError) -> APIResponseError:
    if not body.strip():
        return APIResponseError("the answer has no body", code="empty_body")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        return APIResponseError(f"the answer is not UTF-8: byte {wrong.start} is {body[wrong.start]:#04x}", code="invalid_utf8")
    if text.lstrip().startswith(("{", "[")):
        return APIResponseError(f"the answer's JSON is cut off or broken: {error}", code="invalid_json", body=text)
    return APIResponseError(f"the answer is no JSON: {excerpt(text)}", code="not_json", body=text)


def decode(body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
    """A `Reply` from a 200 answer, which took so many requests and seconds.

    Raises the kin of `APIError` for an error object in it, `APIResponseError` for a body that is no chat completion.
    """
    data = read_json(body)
    if not isinstance(data, dict):
        raise APIResponseError(f"the answer is a JSON {type(data).__name__}, not an object", code="no_choices", body=data)
    if data.get("error"):
        raise inner_error(data, headers)
    message, finish = _choice(data)
    calls = listed(message.get("tool_calls"))
    return Reply(
        text="\n".join(tool_arguments(call) for call in calls) if calls else content_text(message.get("content")),
        finish_reason=finish,
        usage=read_usage(data),
        model=text_or_none(data.get("model")),
        request_id=request_id(headers) or text_or_none(groq_extra(data).get("id")),
        reasoning=text_or_none(message.get("reasoning") or message.get("reasoning_content")),
        refusal=text_or_none(message.get("refusal")),
        limits=rate_limits(headers),
        requests=requests,
        latency=latency,
    )


def _choice(data: JSONObject) -> tuple[JSONObject, str | None]:
    """The first choice's message and why it ended. There is one only: `n` is 1."""
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise APIResponseError("the answer has no choices", code="no_choices", body=data)
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise APIResponseError("the answer's choice has no message", code="no_choices", body=data)
    return message, text_or_none(choices[0].get("finish_reason"))


def listed(value: JSON) -> list[JSON]:
    """A list as it is, and anything else as an empty one: keys that servers fill with null or leave out."""
    return value if isinstance(value, list) else []


def text_or_none(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def content_text(content: JSON) -> str:
    """Text of a message's content: text, nothing, or a list of parts (Mistral)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_or_none(part.get("text")) or "" for part in content if isinstance(part, dict))
    return "" if content is None else to_json(content).decode()


def tool_arguments(call: JSON) -> str:
    """A tool call's arguments: JSON text, or with some servers the object itself."""
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return content_text(arguments) if not isinstance(arguments, list) else to_json(arguments).decode()


def groq_extra(data: JSONObject) -> JSONObject:
    extra = data.get("x_groq")
    return extra if isinstance(extra, dict) else {}


def read_usage(data: JSONObject) -> Usage:
    """The `usage` of an answer or chunk (in Groq's chunks it stands in `x_groq`); zeros when it has none."""
    usage = data.get("usage") or groq_extra(data).get("usage")
    if not isinstance(usage, dict):
        return Usage()
    prompt, completion = _int(usage.get("prompt_tokens")), _int(usage.get("completion_tokens"))
    cost = usage.get("cost")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=_detail(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_detail(usage, "completion_tokens_details", "reasoning_tokens"),
        total_tokens=_int(usage.get("total_tokens")) or prompt + completion,
        cost=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )


def _detail(usage: JSONObject, key: str, name: str) -> int:
    details = usage.get(key)
    return _int(details.get(name)) if isinstance(details, dict) else 0


def _int(value: JSON) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0
