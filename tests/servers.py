"""Local test servers on real sockets, for every test that talks HTTP. One thread per connection; say exactly what is sent.

    with Server(lambda request: [completion('{"name": "Ada"}')]) as server:     # the same to every request
        assay.extract(Person, "...", model="m", base_url=server.base_url)
        assert server.received[0].json["messages"][0]["role"] == "system"

    with Server([answer(429, error("slow down"), {"retry-after": "0.1"})], [completion("{}")]) as server:
        ...                                                    # first request, second and all later ones

What goes out is a list of steps: `bytes` are sent, a `float` sleeps that many seconds, `FIN` closes, `RST` resets, and a
callable is called with the socket. `answer`, `completion`, `error` and `events` make the bytes of usual answers. After the
last step the connection is kept for the next request, unless the server has closed it.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

JSON = Any


class _End:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


FIN = _End("FIN")
"""Close the connection in good order."""
RST = _End("RST")
"""Reset the connection."""

Step = bytes | float | int | _End | Callable[[socket.socket], None]
Steps = Iterable[Step]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """The number of the connection that it came on, from 0."""
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> JSON:
        return json.loads(self.body)


class Server:
    """Serves until the `with` block ends. `steps`: a function from a request to its steps, or the steps for each request in turn,
    the last for all that follow.
    """

    def __init__(
        self, *steps: Steps | Callable[[Received], Steps], tls: ssl.SSLContext | None = None, greeting: Steps = ()
    ) -> None:
        """`greeting`: steps done at once on each connection, before any request is read."""
        self.received: list[Received] = []
        self.errors: list[BaseException] = []
        """What went wrong in the server itself: a client that hung up while it was being written to is no error."""
        self._steps = steps
        self._tls = tls
        self._greeting = list(greeting)
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._count = 0
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}"

    @property
    def base_url(self) -> str:
        """What goes into `base_url=`."""
        return f"{self.url}/openai/v1"

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed yet."""
        with self._lock:
            return len(self._sockets)

    def until_closed(self, seconds: float = 10.0, connections: int = 0) -> bool:
        """Whether the open connections come down to `connections` within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.open_connections > connections and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.open_connections <= connections

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        if self.errors and error is None:
            raise self.errors[0]

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.add(sock)
                number, self._count = self._count, self._count + 1
            threading.Thread(target=self._connection, args=(sock, number), daemon=True).start()

    def _connection(self, sock: socket.socket, number: int) -> None:
        raw = sock
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            if self._perform(sock, self._greeting):
                self._requests(sock, number)
        except OSError:
            pass  # the client hung up
        except Exception as error:  # noqa: BLE001  # a bug of the test: raised where the with block ends
            self.errors.append(error)
        finally:
            with self._lock:
                self._sockets.discard(raw)
            with contextlib.suppress(OSError):
                sock.close()

    def _requests(self, sock: socket.socket, number: int) -> None:
        buffer = b""
        while True:
            request, buffer = _read_request(sock, buffer, number)
            if request is None:
                return
            with self._lock:
                self.received.append(request)
                at = len(self.received) - 1
            chosen = self._steps[min(at, len(self._steps) - 1)]
            if not self._perform(sock, chosen(request) if callable(chosen) else chosen):
                return

    def _perform(self, sock: socket.socket, steps: Steps) -> bool:
        for step in steps:
            if isinstance(step, bytes):
                sock.sendall(step)
            elif isinstance(step, int | float):
                if self._sleep(sock, step):
                    return False
            elif step is FIN:
                return False
            elif step is RST:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                assert callable(step)
                step(sock)
        return True

    def _sleep(self, sock: socket.socket, seconds: float) -> bool:
        """Sleep; True when the client hung up meanwhile, or the server is to stop."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([sock], [], [], min(left, 0.1))
            if readable:
                try:
                    if not isinstance(sock, ssl.SSLSocket) and sock.recv(1, socket.MSG_PEEK) == b"":
                        return True
                except OSError:
                    return True
                self._stopping.wait(left)
        return self._stopping.is_set()


def _read_request(sock: socket.socket, buffer: bytes, number: int) -> tuple[Received | None, bytes]:
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            return None, b""
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    parts = [rest]
    have = len(rest)
    while have < length:
        data = sock.recv(1 << 20)
        if not data:
            return None, b""
        parts.append(data)
        have += len(data)
    body = b"".join(parts)
    method, path, _ = first.split(" ", 2)
    return Received(method, path, headers, body[:length], number), body[length:]


# -- the bytes of usual answers --------------------------------------------------------------------------------------


def answer(status: int = 200, body: JSON = b"", headers: dict[str, str] | None = None, *, length: bool = True) -> bytes:
    """A whole HTTP response. A body that is not `bytes` is sent as JSON. `length=False` leaves out content-length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", **(headers or {})}
    if length:
        fields.setdefault("content-length", str(len(content)))
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def completion_body(text: str | None, *, finish_reason: str = "stop", **more: JSON) -> JSON:
    """The JSON of a chat completion. `message=` replaces the message, other keywords are top-level keys."""
    message = more.pop("message", {"role": "assistant", "content": text})
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "test-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **more,
    }


def completion(text: str | None, headers: dict[str, str] | None = None, **more: JSON) -> bytes:
    """A whole response with a chat completion: see `completion_body`."""
    return answer(200, completion_body(text, **more), headers)


def error(message: str, **fields: JSON) -> JSON:
    """The JSON of an error body: `error("no", code="model_not_found", type="invalid_request_error")`."""
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


def delta(text: str | None = None, *, finish_reason: str | None = None, **more: JSON) -> JSON:
    """The JSON of one chunk of a streamed completion. `delta=` replaces the delta."""
    piece = more.pop("delta", {} if text is None else {"content": text})
    choice = {"index": 0, "delta": piece, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "test-model", "choices": [choice], **more}


def events(*data: JSON, done: bool = True) -> bytes:
    """The bytes of an event stream: strings and bytes as they are, anything else as JSON; `[DONE]` at the end."""
    texts = [item if isinstance(item, str | bytes) else json.dumps(item) for item in [*data, *(["[DONE]"] if done else [])]]
    return b"".join(b"data: " + (text if isinstance(text, bytes) else text.encode()) + b"\n\n" for text in texts)


def streamed(text: str, *, size: int = 3) -> list[Step]:
    """The steps of a whole streamed completion, `size` characters a chunk."""
    pieces = [delta(text[at : at + size]) for at in range(0, len(text), size)]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    last = delta(finish_reason="stop", usage=usage)
    return [EVENT_STREAM, chunked(events(delta(delta={"role": "assistant"}), *pieces, last)), LAST_CHUNK]


def said(text: str) -> Callable[[Received], Steps]:
    """A model that says this, streamed when that is asked for."""
    return lambda request: streamed(text) if request.json.get("stream") else [completion(text)]


EVENT_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
"""The head of a streamed answer; `chunked(...)` and `LAST_CHUNK` follow."""
LAST_CHUNK = b"0\r\n\r\n"


def chunked(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
