"""Groq's API, played back by the server that all tests share: whole answers and streams as Groq sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from servers import LAST_CHUNK, Received, Server, Steps, chunked
from servers import answer as http_answer


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    pieces: tuple[bytes, ...] = ()
    """When given, the body in chunked encoding, one chunk each."""


class APIServer(Server):
    """Plays back what `answer` says to each request, and keeps what was asked."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        super().__init__(self._steps)
        self.asked: list[Asked] = []
        self.answer = answer

    def _steps(self, got: Received) -> Steps:
        headers = Message()
        for name, value in got.headers.items():
            headers[name] = value
        asked = Asked(got.method, got.path, headers, got.body)
        self.asked.append(asked)
        answer = self.answer(asked)
        if not answer.pieces:
            return [http_answer(answer.status, answer.body, dict(answer.headers))]
        head = http_answer(answer.status, b"", {**answer.headers, "transfer-encoding": "chunked"}, length=False)
        return [head, *map(chunked, answer.pieces), LAST_CHUNK]


api_server = APIServer


def completion(content: str | None = "Hello!", **message: Any) -> dict[str, Any]:
    """A chat completion as Groq sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1730000000,
        "model": "openai/gpt-oss-20b",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "logprobs": None,
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": {
            "queue_time": 0.05,
            "prompt_tokens": 18,
            "prompt_time": 0.002,
            "completion_tokens": 5,
            "completion_time": 0.01,
            "total_tokens": 23,
            "total_time": 0.012,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        "usage_breakdown": None,
        "system_fingerprint": "fp_21e59ac2de",
        "x_groq": {"id": "req_01", "seed": 7},
        "service_tier": "on_demand",
    }


def tool_call(arguments: str, name: str = "get_weather", call_id: str = "call_1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def chunk(delta: Mapping[str, Any], finish_reason: str | None = None, **top: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1730000000,
        "model": "openai/gpt-oss-20b",
        "choices": [choice],
        **top,
    }


def events(*chunks: Any, done: bool = True) -> tuple[bytes, ...]:
    """The chunks as server-sent events, each in a piece of its own."""
    pieces = [b"data: " + json.dumps(data).encode() + b"\n\n" for data in chunks]
    return (*pieces, b"data: [DONE]\n\n") if done else tuple(pieces)


def hello_stream() -> tuple[bytes, ...]:
    return events(
        chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_01"}),
        *(chunk({"content": word}) for word in ("Hello", ", ", "wörld")),
        chunk({}, "stop", x_groq={"id": "req_01", "usage": {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}}),
    )


EVENT_STREAM = {"content-type": "text/event-stream"}
ERROR = {"error": {"message": "boom", "type": "invalid_request_error"}}


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(json.dumps(value).encode(), status, {"content-type": "application/json", **named})


def as_stream(pieces: tuple[bytes, ...]) -> Answer:
    return Answer(b"", headers=EVENT_STREAM, pieces=pieces)


def chat(asked: Asked) -> Answer:
    """What a model answers: `Hello!`, streamed when that is asked for."""
    return as_stream(hello_stream()) if asked.json().get("stream") else as_json(completion(), x_request_id="req_01")
