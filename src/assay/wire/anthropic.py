"""Anthropic's Messages: `POST /v1/messages`, also at the hosts of Azure and Bedrock.

Sources: the types of Anthropic's SDK 2.14, its documentation as of November 2026, recorded traffic. Since the API version
2026-10-21 no `temperature` is taken, `max_tokens` is required, and a conversation ends with the user's turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic_core import to_json

from assay.errors import APIResponseError, ConfigurationError
from assay.types import Call, Delta, JSONObject, Message, Mode, Reply, Usage
from assay.wire.body import an_object, count, objects, read_object, text_or_none, to_body
from assay.wire.errors import inner_error, request_id
from assay.wire.events import Events
from assay.wire.headers import rate_limits
from assay.wire.port import Pairs
from assay.wire.request import bearer
from assay.wire.turns import Image, Part, Text, ToolResult, ToolUse, conversation

VERSION = "2026-10-21"
ROOM = 16_000
"""Answer tokens when none are asked for; what the model thinks counts. The SDK takes at most 21,000 unstreamed."""

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The wire."""

    key: Literal["x-api-key", "bearer"] = "x-api-key"
    """In which header the key goes."""

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002  # the same for all
        return "/v1/messages"

    def headers(self, key: str | None) -> Pairs:
        own: Pairs = (("anthropic-version", VERSION),)
        if self.key == "bearer":
            return own + bearer(key)
        return (*own, ("x-api-key", key)) if key else own

    def encode(self, call: Call, model: str, *, stream: bool = False) -> bytes:
        params = call.params
        body: JSONObject = {
            "model": model,
            "max_tokens": params.max_tokens or ROOM,
            **_said(call.messages, cache=params.prompt_cache),
        }
        config = _constrain(body, call)
        if params.reasoning_effort is not None:
            config["effort"] = params.reasoning_effort
        if config:
            body["output_config"] = config
        if params.temperature is not None:
            body["temperature"] = params.temperature
        if params.stop:
            body["stop_sequences"] = list(params.stop)
        if stream:
            body["stream"] = True
        return to_body(body | dict(params.extra))

    def decode(self, body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
        data = read_object(body)
        if data.get("error"):
            raise inner_error(data, headers)
        if not isinstance(data.get("content"), list):
            raise APIResponseError("the answer has no content", code="no_choices", body=data)
        answer = _Answer(headers, data)
        for block in objects(data["content"]):
            answer.add(block)
        return answer.reply(requests, latency)

    def collector(self, headers: Mapping[str, str]) -> AnthropicCollector:
        return AnthropicCollector(headers)


# -- out -------------------------------------------------------------------------------------------------------------


def _said(messages: tuple[Message, ...], *, cache: bool) -> JSONObject:
    system, turns = conversation(messages)
    said: JSONObject = {"messages": [{"role": turn.role, "content": _content(turn.parts)} for turn in turns]}
    if system and cache:  # the last block of the system: up to there it is the same from call to call
        mark = {"cache_control": {"type": "ephemeral"}}
        said["system"] = [{"type": "text", "text": text} | (mark if text is system[-1] else {}) for text in system]
    elif system:
        said["system"] = "\n\n".join(system)
    return said


def _content(parts: list[Part]) -> str | list[JSONObject]:
    match parts:
        case [Text(text=text)]:
            return text
    return [_block(part) for part in parts]


def _block(part: Part) -> JSONObject:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(url=url, media_type="", data=""):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case Image(media_type=media_type, data=data):
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case ToolUse(id=id_, name=name, arguments=arguments):
            return {"type": "tool_use", "id": id_, "name": name, "input": arguments}
        case ToolResult(id=id_, text=text):
            return {"type": "tool_result", "tool_use_id": id_, "content": text}


def _constrain(body: JSONObject, call: Call) -> JSONObject:
    """Put the schema into the body; what belongs into its `output_config`."""
    match call.mode:
        case Mode.TEXT:
            return {}
        case Mode.JSON:
            raise ConfigurationError("mode must be one of json_schema, tools, text: Anthropic's Messages API has no JSON mode")
    if call.schema is None:
        raise ConfigurationError(f"mode {call.mode} needs a schema, but the call has none")
    if call.mode is Mode.JSON_SCHEMA:
        return {"format": {"type": "json_schema", "schema": call.schema}}
    body["tools"] = [{"name": call.name, "input_schema": {"type": "object", **call.schema}}]
    body["tool_choice"] = {"type": "tool", "name": call.name, "disable_parallel_tool_use": True}
    return {}


# -- in --------------------------------------------------------------------------------------------------------------


class _Answer:
    """What a message says, whole or in the making."""

    def __init__(self, headers: Mapping[str, str], message: JSONObject) -> None:
        self.headers = headers
        self.model = text_or_none(message.get("model"))
        self.stop = text_or_none(message.get("stop_reason"))
        self.details = an_object(message.get("stop_details"))
        self.usage = dict(an_object(message.get("usage")))
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.tools: list[str] = []

    def add(self, block: JSONObject) -> None:
        """A whole block; kinds that are not known are passed over."""
        match block:
            case {"type": "text", "text": str(text)}:
                self.text.append(text)
            case {"type": "thinking", "thinking": str(text)}:
                self.thinking.append(text)
            case {"type": "tool_use"}:
                self.tools.append(to_json(block.get("input") or {}).decode())

    def reply(self, requests: int, latency: float) -> Reply:
        finish = _FINISH.get(self.stop or "", self.stop)
        refusal = _refusal(self.details) if self.stop == "refusal" else None
        text = "\n".join(self.tools) if self.tools else "".join(self.text)
        return Reply(
            text=text if refusal is None else "",  # what was written before a refusal is to be discarded
            finish_reason=finish,
            usage=_usage(self.usage),
            model=self.model,
            request_id=request_id(self.headers),
            reasoning="".join(self.thinking) or None,
            refusal=refusal,
            limits=rate_limits(self.headers),
            requests=requests,
            latency=latency,
        )


def _refusal(details: JSONObject) -> str:
    category = text_or_none(details.get("category"))
    why = f" ({category})" if category else ""
    return text_or_none(details.get("explanation")) or f"the model refused to answer{why}"


def _usage(usage: JSONObject) -> Usage:
    """`input_tokens` excludes what was read from a cache or written to it."""
    read, written = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    prompt, completion = count(usage.get("input_tokens")) + read + written, count(usage.get("output_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(an_object(usage.get("output_tokens_details")).get("thinking_tokens")),
        total_tokens=prompt + completion,
    )


class AnthropicCollector:
    """See `assay.wire.port.Collector`. Events and blocks that are not known are passed over."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._events = Events(headers)
        self._answer = _Answer(headers, {})
        self._input: list[str] | None = None  # the pieces of the tool call that is being written

    @property
    def done(self) -> bool:
        return self._events.done

    def feed(self, piece: bytes) -> Iterator[Delta]:
        for event in self._events.feed(piece):
            if (delta := self._take(event)) is not None:
                yield delta

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        if self._answer.stop is None:
            raise self._events.cut()
        return self._answer.reply(requests, latency)

    def _take(self, event: JSONObject) -> Delta | None:
        answer = self._answer
        match event.get("type"):
            case "message_start":
                self._answer = _Answer(answer.headers, an_object(event.get("message")))
            case "content_block_start":
                return self._begin(an_object(event.get("content_block")))
            case "content_block_delta":
                return self._add(an_object(event.get("delta")))
            case "content_block_stop" if self._input is not None:
                return self._end(self._input)
            case "message_delta":
                delta = an_object(event.get("delta"))
                answer.stop = text_or_none(delta.get("stop_reason")) or answer.stop
                answer.details = an_object(delta.get("stop_details")) or answer.details
                told = an_object(event.get("usage"))  # counted from the beginning of the answer
                answer.usage |= {name: value for name, value in told.items() if value is not None}
            case "message_stop":
                self._events.done = True
        return None

    def _begin(self, block: JSONObject) -> Delta | None:
        match block:
            case {"type": "tool_use"}:
                self._input = []
                if self._answer.text and not self._answer.tools:
                    return Delta(restart=True)  # what was said before the call is not the answer
            case {"type": "text", "text": str(text)} if text:
                return self._add({"type": "text_delta", "text": text})
        return None

    def _end(self, pieces: list[str]) -> Delta | None:
        """A tool call is whole. One without arguments comes without pieces."""
        first, self._input = not self._answer.tools, None
        self._answer.tools.append("".join(pieces) or "{}")
        return Delta("{}") if first and not any(pieces) else None

    def _add(self, delta: JSONObject) -> Delta | None:
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                self._answer.text.append(text)
                return Delta(text) if text and not self._answer.tools else None
            case {"type": "input_json_delta", "partial_json": str(text)} if self._input is not None:
                self._input.append(text)
                return Delta(text) if text and not self._answer.tools else None
            case {"type": "thinking_delta", "thinking": str(text)}:
                self._answer.thinking.append(text)
                return Delta(reasoning=text) if text else None
        return None
