"""A real HTTP server on 127.0.0.1 that speaks chat completions: it answers from a list and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NEVER = object()


class ChatServer(ThreadingHTTPServer):
    """`replies` are given out in turn, the last one again and again.

    A str is a model's text, a (status, dict) an error, `NEVER` no answer for as long as the server lives.
    """

    daemon_threads = True
    block_on_close = False
    replies: list[Any]
    bodies: list[dict[str, Any]]
    keys: list[str | None]
    asked: threading.Event
    """Set when the first request has come."""
    over: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def serving(*replies: Any) -> Iterator[ChatServer]:
    server = ChatServer(("127.0.0.1", 0), _Handler)
    server.replies, server.bodies, server.keys = list(replies), [], []
    server.asked, server.over = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append(body)
        self.server.keys.append(self.headers.get("authorization"))
        reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        self.server.asked.set()
        if reply is NEVER:
            self.server.over.wait()
            self.close_connection = True
        elif not isinstance(reply, str):
            self._send(reply[0], "application/json", json.dumps(reply[1]).encode())
        elif body.get("stream"):
            self._send(200, "text/event-stream", b"".join(_events(reply)))
        else:
            self._send(200, "application/json", json.dumps(_completion(reply, body)).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _completion(text: str, body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    finish = "stop"
    if body.get("tool_choice"):
        call = {"name": body["tools"][0]["function"]["name"], "arguments": text}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        finish = "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _events(text: str) -> Iterator[bytes]:
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    for piece in pieces:
        yield _event({"delta": {"content": piece}, "index": 0, "finish_reason": None})
    yield _event({"delta": {}, "index": 0, "finish_reason": "stop"})
    yield b"data: [DONE]\n\n"


def _event(choice: dict[str, Any]) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()
