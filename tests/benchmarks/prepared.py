"""The server of the benchmarks: answers every chat completion at once, or after a latency, with a prepared reply.

Its process does nothing else. The URL says what is wanted: `/50/200/...` has 50 fields and takes 200 ms. Every request is counted
off by its content-length; nothing of it is looked at but its path.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

VALUES: tuple[Any, ...] = ("some words", 7, 2.5, True)
"""What the fields hold, in turn: `contest.model_of` gives them these types."""


def answer_of(fields: int) -> str:
    return json.dumps({f"field_{number}": VALUES[number % len(VALUES)] for number in range(fields)})


@cache
def response_to(fields: int) -> bytes:
    message = {"role": "assistant", "content": answer_of(fields)}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1730241104,
        "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 318, "completion_tokens": 156, "total_tokens": 474},
        "system_fingerprint": "fp_179b0f92c9",
    }
    body = json.dumps(completion).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Prepared(asyncio.Protocol):
    """Enough of HTTP/1.1 for clients that behave."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.received, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.received) < size:
                return
            _, fields, latency, *_ = self.received.split(b" ", 2)[1].split(b"/")
            self.received = self.received[size:]
            if seconds := int(latency) / 1000:
                asyncio.get_running_loop().call_later(seconds, self.transport.write, response_to(int(fields)))
            else:
                self.transport.write(response_to(int(fields)))


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Prepared, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving(python: str = sys.executable) -> Iterator[str]:
    """The server in a process of its own: the URL in front of the path."""
    process = subprocess.Popen([python, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(serve())
