"""OpenAI's chat completions, as spoken by Groq and most others.

What servers differ in is data, the fields of `ChatCompletions`; nothing here knows a vendor's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, assert_never

from assay.errors import ConfigurationError
from assay.types import Call, JSONObject, Message, Mode, Reply
from assay.wire.body import to_body
from assay.wire.openai_answer import decode
from assay.wire.openai_stream import ChatCollector
from assay.wire.port import Pairs
from assay.wire.request import bearer


@dataclass(frozen=True, slots=True)
class ChatCompletions:
    """The wire, its fields being what servers differ in."""

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    """The key that limits the answer's length."""
    strict: bool = True
    """Whether a schema may be marked `strict`."""

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002  # the same for all
        return "/chat/completions"

    def headers(self, key: str | None) -> Pairs:
        return bearer(key)

    def encode(self, call: Call, model: str, *, stream: bool = False) -> bytes:
        body = _body(call, model, self, stream=stream)
        return b'{"messages":[' + b",".join(map(_message, call.messages)) + b"]," + to_body(body)[1:]

    def decode(self, body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
        return decode(body, headers, requests, latency)

    def collector(self, headers: Mapping[str, str]) -> ChatCollector:
        return ChatCollector(headers)


def _body(call: Call, model: str, dialect: ChatCompletions, *, stream: bool) -> JSONObject:
    """The request body but for its messages."""
    params = call.params
    body: JSONObject = {"model": model, **_constraint(call, dialect)}
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
    if params.logprobs:
        body["logprobs"] = True
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}  # without it most servers tell no usage of a stream
    body |= params.extra
    return body


def _message(message: Message) -> bytes:
    if message.role == "system" and isinstance(message.content, str) and not message.extra:
        return _system(message.content)
    return to_body({"role": message.role, "content": message.content, **message.extra})


@lru_cache(maxsize=128)
def _system(content: str) -> bytes:
    """A system message, which holds the schema and is the same from call to call: written once."""
    return to_body({"role": "system", "content": content})


def _constraint(call: Call, dialect: ChatCompletions) -> JSONObject:
    """The keys that make the server keep to the schema in the call's mode."""
    if call.mode is Mode.TEXT:
        return {}
    if call.mode is Mode.JSON:
        return {"response_format": {"type": "json_object"}}
    schema = call.schema
    if schema is None:
        raise ConfigurationError(f"mode {call.mode} needs a schema, but the call has none")
    match call.mode:
        case Mode.JSON_SCHEMA:
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
