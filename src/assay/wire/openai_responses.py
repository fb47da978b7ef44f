"""OpenAI's Responses: `POST /responses`, the only protocol of some of its models. Nothing is stored at the server.

Sources: the types of OpenAI's SDK 3.3 and its documentation as of November 2026. A failure may come inside a 200.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic_core import to_json

from assay.errors import APIResponseError, ConfigurationError
from assay.types import Call, Delta, JSONObject, Mode, Reply, Usage
from assay.wire.body import an_object, count, objects, read_object, text_or_none, to_body
from assay.wire.errors import inner_error, request_id
from assay.wire.events import Events
from assay.wire.headers import rate_limits
from assay.wire.port import Pairs
from assay.wire.request import bearer
from assay.wire.turns import Image, Part, Text, ToolResult, ToolUse, Turn, conversation

_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
_ENDS = ("response.completed", "response.incomplete", "response.failed")


@dataclass(frozen=True, slots=True)
class OpenAIResponses:
    """The wire."""

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002  # the same for all
        return "/responses"

    def headers(self, key: str | None) -> Pairs:
        return bearer(key)

    def encode(self, call: Call, model: str, *, stream: bool = False) -> bytes:
        params = call.params
        system, turns = conversation(call.messages)
        body: JSONObject = {"model": model, "store": False, "input": [item for turn in turns for item in _items(turn)]}
        if system:
            body["instructions"] = "\n\n".join(system)
        body |= _constraint(call)
        if params.temperature is not None:
            body["temperature"] = params.temperature
        if params.max_tokens is not None:
            body["max_output_tokens"] = params.max_tokens
        if params.reasoning_effort is not None:
            body["reasoning"] = {"effort": params.reasoning_effort}
        if stream:
            body["stream"] = True
        return to_body(body | dict(params.extra))

    def decode(self, body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
        return _reply(read_object(body), headers, requests, latency)

    def collector(self, headers: Mapping[str, str]) -> ResponsesCollector:
        return ResponsesCollector(headers)


# -- out -------------------------------------------------------------------------------------------------------------


def _items(turn: Turn) -> Iterator[JSONObject]:
    """A turn's message, and the tool calls and results in it, which stand beside messages here."""
    said = [_content(part, turn.role) for part in turn.parts if isinstance(part, Text | Image)]
    if said:
        yield {"role": turn.role, "content": said}
    for part in turn.parts:
        match part:
            case ToolUse(id=id_, name=name, arguments=arguments):
                yield {"type": "function_call", "call_id": id_, "name": name, "arguments": to_json(arguments).decode()}
            case ToolResult(id=id_, text=text):
                yield {"type": "function_call_output", "call_id": id_, "output": text}


def _content(part: Part, role: str) -> JSONObject:
    match part:
        case Image(url=url):
            return {"type": "input_image", "image_url": url}
        case Text(text=text):
            return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
    raise AssertionError(part)


def _constraint(call: Call) -> JSONObject:
    match call.mode:
        case Mode.TEXT:
            return {}
        case Mode.JSON:
            return {"text": {"format": {"type": "json_object"}}}
    if call.schema is None:
        raise ConfigurationError(f"mode {call.mode} needs a schema, but the call has none")
    if call.mode is Mode.JSON_SCHEMA:
        form = {"type": "json_schema", "name": call.name, "schema": call.schema, "strict": call.strict}
        return {"text": {"format": form}}
    tool = {"type": "function", "name": call.name, "parameters": call.schema, "strict": call.strict}
    return {"tools": [tool], "tool_choice": {"type": "function", "name": call.name}}


# -- in --------------------------------------------------------------------------------------------------------------


def _reply(data: JSONObject, headers: Mapping[str, str], requests: int, latency: float) -> Reply:
    if data.get("error") or data.get("status") == "failed":
        raise inner_error({"error": data.get("error") or {"message": "the response failed"}}, headers)
    if not isinstance(data.get("output"), list):
        raise APIResponseError("the answer has no output", code="no_choices", body=data)
    items = objects(data["output"])
    contents = [part for item in items if item.get("type") == "message" for part in objects(item.get("content"))]
    calls = [text_or_none(item.get("arguments")) or "" for item in items if item.get("type") == "function_call"]
    thoughts = [part for item in items if item.get("type") == "reasoning" for part in objects(item.get("summary"))]
    return Reply(
        text="\n".join(calls) if calls else _joined(contents, "text"),
        finish_reason=_finish(data, called=bool(calls)),
        usage=_usage(an_object(data.get("usage"))),
        model=text_or_none(data.get("model")),
        request_id=request_id(headers),
        reasoning=_joined(thoughts, "text") or None,
        refusal=_joined(contents, "refusal") or None,
        limits=rate_limits(headers),
        requests=requests,
        latency=latency,
    )


def _joined(parts: list[JSONObject], key: str) -> str:
    return "".join(text_or_none(part.get(key)) or "" for part in parts)


def _finish(data: JSONObject, *, called: bool) -> str | None:
    status = text_or_none(data.get("status"))
    if status == "incomplete":
        reason = text_or_none(an_object(data.get("incomplete_details")).get("reason"))
        return _INCOMPLETE.get(reason or "", reason or status)
    return ("tool_calls" if called else "stop") if status in ("completed", None) else status


def _usage(usage: JSONObject) -> Usage:
    given, made = an_object(usage.get("input_tokens_details")), an_object(usage.get("output_tokens_details"))
    prompt, completion = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=count(given.get("cached_tokens")),
        cache_write_tokens=count(given.get("cache_write_tokens")),
        reasoning_tokens=count(made.get("reasoning_tokens")),
        total_tokens=count(usage.get("total_tokens")) or prompt + completion,
    )


class ResponsesCollector:
    """See `assay.wire.port.Collector`. The event at the end has the whole response, which is what is read."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._events = Events(headers)
        self._last: JSONObject | None = None
        self._spoke = False  # text came
        self._calling: object = None  # the first call's place among the outputs

    @property
    def done(self) -> bool:
        return self._events.done

    def feed(self, piece: bytes) -> Iterator[Delta]:
        for event in self._events.feed(piece):
            match event:
                case {"type": "response.output_text.delta", "delta": str(text)}:
                    self._spoke = True
                    yield Delta(text)
                case {"type": "response.reasoning_summary_text.delta" | "response.reasoning_text.delta", "delta": str(text)}:
                    yield Delta(reasoning=text)
                case {"type": "response.function_call_arguments.delta", "delta": str(text)}:
                    yield from self._argument(event.get("output_index", 0), text)
                case {"type": str(kind), "response": dict(response)} if kind in _ENDS:
                    self._last, self._events.done = response, True

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        if self._last is None:
            raise self._events.cut()
        return _reply(self._last, self._events.headers, requests, latency)

    def _argument(self, place: object, text: str) -> Iterator[Delta]:
        if self._calling is None:
            self._calling = place
            if self._spoke:
                yield Delta(restart=True)  # what was said before the call is not the answer
        if place == self._calling:
            yield Delta(text)
