"""A real HTTP server on 127.0.0.1 that plays back answers and keeps every request it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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


class APIServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    asked: list[Asked]
    answer: Callable[[Asked], Answer]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def api_server(answer: Callable[[Asked], Answer]) -> Iterator[APIServer]:
    server = APIServer(("127.0.0.1", 0), _Handler)
    server.asked, server.answer = [], answer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: APIServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = Asked(self.command, self.path, self.headers, body)
        self.server.asked.append(asked)
        answer = self.server.answer(asked)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if not answer.pieces:
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for piece in (*answer.pieces, b""):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
        except OSError:  # the client left
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        pass


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
