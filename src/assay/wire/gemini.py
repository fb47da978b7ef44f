"""Google's generateContent: `POST /models/{model}:generateContent`, and `:streamGenerateContent?alt=sse`.

Sources: the types of Google's genai SDK 3.6, its documentation as of November 2026, recorded traffic. A prompt that is blocked
comes back without candidates; a stream's chunks are whole objects, the last has the reason of its end, and no `[DONE]` follows.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from pydantic_core import to_json

from assay.errors import APIResponseError, ConfigurationError
from assay.types import Call, Delta, JSONObject, Mode, Reply, Usage
from assay.wire.body import an_object, count, objects, read_object, text_or_none, to_body
from assay.wire.errors import inner_error, request_id
from assay.wire.events import Events
from assay.wire.port import Pairs
from assay.wire.turns import Image, Part, Text, ToolResult, ToolUse, conversation

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"}
_BLOCKED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY", "LANGUAGE"}
)
_SPOILT = ("MALFORMED", "UNEXPECTED_TOOL_CALL")
"""Ends after which there is nothing to read: asked again."""
_BUDGETS = {"minimal": 128, "low": 1024, "medium": 8192, "high": 24576}
"""Tokens to think for the models before Gemini 3, which have no levels."""


@dataclass(frozen=True, slots=True)
class GeminiContent:
    """The wire."""

    def path(self, model: str, *, stream: bool) -> str:
        name = quote(model.removeprefix("models/"), safe="/")
        return f"/models/{name}:streamGenerateContent?alt=sse" if stream else f"/models/{name}:generateContent"

    def headers(self, key: str | None) -> Pairs:
        return (("x-goog-api-key", key),) if key else ()

    def encode(self, call: Call, model: str, *, stream: bool = False) -> bytes:  # noqa: ARG002  # the path says whether it streams
        system, turns = conversation(call.messages)
        body: JSONObject = {
            "contents": [
                {"role": "model" if turn.role == "assistant" else "user", "parts": [_part(part) for part in turn.parts]}
                for turn in turns
            ]
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        config = _settings(call, model) | _constrain(body, call)
        if config:
            body["generationConfig"] = config
        return to_body(body | dict(call.params.extra))

    def decode(self, body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
        data = read_object(body)
        if data.get("error"):
            raise inner_error(data, headers)
        answer = _Answer(headers)
        for _ in answer.take(data):
            pass
        return answer.reply(requests, latency)

    def collector(self, headers: Mapping[str, str]) -> GeminiCollector:
        return GeminiCollector(headers)


# -- out -------------------------------------------------------------------------------------------------------------


def _part(part: Part) -> JSONObject:
    match part:
        case Text(text=text):
            return {"text": text}
        case Image(url=url, media_type="", data=""):
            kind = mimetypes.guess_type(urlsplit(url).path)[0]
            return {"fileData": {"fileUri": url, "mimeType": kind or "image/jpeg"}}
        case Image(media_type=media_type, data=data):
            return {"inlineData": {"mimeType": media_type, "data": data}}
        case ToolUse(name=name, arguments=arguments):
            return {"functionCall": {"name": name, "args": arguments}}
        case ToolResult(name=name, text=text):
            return {"functionResponse": {"name": name, "response": {"result": text}}}


def _settings(call: Call, model: str) -> JSONObject:
    params = call.params
    config: JSONObject = {}
    if params.temperature is not None:
        config["temperature"] = params.temperature
    if params.max_tokens is not None:
        config["maxOutputTokens"] = params.max_tokens
    if params.stop:
        config["stopSequences"] = list(params.stop)
    if params.seed is not None:
        config["seed"] = params.seed
    if (effort := params.reasoning_effort) is not None:
        levels = not model.removeprefix("models/").startswith(("gemini-1", "gemini-2"))
        config["thinkingConfig"] = {"thinkingLevel": effort.upper()} if levels else {"thinkingBudget": _BUDGETS.get(effort, -1)}
    return config


def _constrain(body: JSONObject, call: Call) -> JSONObject:
    """Put a tool into the body; what belongs into its `generationConfig`."""
    match call.mode:
        case Mode.TEXT:
            return {}
        case Mode.JSON:
            return {"responseMimeType": "application/json"}
    if call.schema is None:
        raise ConfigurationError(f"mode {call.mode} needs a schema, but the call has none")
    if call.mode is Mode.JSON_SCHEMA:
        return {"responseMimeType": "application/json", "responseJsonSchema": call.schema}
    body["tools"] = [{"functionDeclarations": [{"name": call.name, "parametersJsonSchema": call.schema}]}]
    body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [call.name]}}
    return {}


# -- in --------------------------------------------------------------------------------------------------------------


class _Answer:
    """What the objects of an answer say: one of a whole one, several of a streamed one."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.ended = False
        self._headers = headers
        self._finish: str | None = None
        self._blocked: str | None = None
        self._seen = False
        self._id: str | None = None
        self._model: str | None = None
        self._usage: JSONObject = {}
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._tools: list[str] = []

    def take(self, data: JSONObject) -> Iterator[Delta]:
        self._id = self._id or text_or_none(data.get("responseId"))
        self._model = self._model or text_or_none(data.get("modelVersion"))
        self._usage |= an_object(data.get("usageMetadata"))
        feedback = an_object(data.get("promptFeedback"))
        if why := text_or_none(feedback.get("blockReason")):
            self._blocked = text_or_none(feedback.get("blockReasonMessage")) or f"the prompt was blocked ({why})"
            self.ended = True
        for candidate in objects(data.get("candidates"))[:1]:
            self._seen = True
            yield from self._parts(objects(an_object(candidate.get("content")).get("parts")))
            if finish := text_or_none(candidate.get("finishReason")):
                self._end(finish, text_or_none(candidate.get("finishMessage")))

    def _parts(self, parts: list[JSONObject]) -> Iterator[Delta]:
        for part in parts:
            match part:
                case {"thought": True, "text": str(text)}:
                    self._thoughts.append(text)
                    yield Delta(reasoning=text)
                case {"text": str(text)}:
                    self._text.append(text)
                    yield Delta(text)
                case {"functionCall": dict(called)}:
                    written = to_json(an_object(called.get("args"))).decode()
                    if not self._tools and self._text:
                        yield Delta(restart=True)  # what was said before the call is not the answer
                    if not self._tools:
                        yield Delta(written)
                    self._tools.append(written)

    def _end(self, finish: str, message: str | None) -> None:
        self.ended = True
        self._finish = "content_filter" if finish in _BLOCKED else _FINISH.get(finish, finish)
        if self._finish == "content_filter":
            self._blocked = message or f"the answer was blocked ({finish})"

    def reply(self, requests: int, latency: float) -> Reply:
        if not self._seen and self._blocked is None:
            raise APIResponseError("the answer has no candidates", code="no_choices", request_id=self._id)
        spoilt = self._blocked is not None or (self._finish or "").startswith(_SPOILT)
        text = "\n".join(self._tools) if self._tools else "".join(self._text)
        return Reply(
            text="" if spoilt else text,
            finish_reason="content_filter" if self._blocked is not None else self._finish,
            usage=_usage(self._usage),
            model=self._model,
            request_id=request_id(self._headers) or self._id,
            reasoning="".join(self._thoughts) or None,
            refusal=self._blocked,
            requests=requests,
            latency=latency,
        )


def _usage(usage: JSONObject) -> Usage:
    """What the model thought is counted beside what it answered."""
    prompt, thoughts = count(usage.get("promptTokenCount")), count(usage.get("thoughtsTokenCount"))
    completion = count(usage.get("candidatesTokenCount")) + thoughts
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=count(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        total_tokens=count(usage.get("totalTokenCount")) or prompt + completion,
    )


class GeminiCollector:
    """See `assay.wire.port.Collector`."""

    done = False
    """The end of the body is the only sign that all has come: tokens may be counted after the answer's end."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._events = Events(headers)
        self._answer = _Answer(headers)

    def feed(self, piece: bytes) -> Iterator[Delta]:
        for chunk in self._events.feed(piece):
            yield from self._answer.take(chunk)

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        if not self._answer.ended:
            raise self._events.cut()
        return self._answer.reply(requests, latency)
