"""What a flow can ask of the outside world: a few effects, as values.

A flow is a generator that yields effects and is sent their results; `assay.flow.drive` performs them. So the logic of
retries, streams and re-asks is written once, and only the four small drivers know whether the world is awaited.

    result = yield Send(request)        the whole Response
    incoming = yield Open(request)      its head, the body still to come
    chunk = yield Read(incoming)        some bytes of the body, b"" at its end
    yield Sleep(seconds)
    yield Emit(value)                   a value for the caller that iterates (stream drivers only)

A failed effect is thrown into the flow at the yield as an `APIConnectionError` or a subclass of it. What `Open` opened
is closed by the driver when the flow ends, opens another, or is left by its user: a flow never closes anything.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from assay.flow.urls import shown
from assay.types import frozen

T = TypeVar("T")


@frozen
class Limits:
    """Seconds that each phase of a request may take, as httpx has them; None: as long as it takes."""

    connect: float | None
    read: float | None
    """From one byte of the answer to the next."""
    write: float | None
    pool: float | None
    """For a free connection."""


@frozen
class Request:
    """An HTTP request, or what a local engine takes in its place. The headers hold the key: they are never shown."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    timeout: float | None = 60.0
    """Seconds from connecting to the last byte; None waits forever."""
    limits: Limits | None = None
    """Of its phases, where they were given one by one."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {shown(self.url)}, {len(self.body)} bytes>"


@frozen
class Response:
    """A whole HTTP response, its body unpacked. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


class Incoming(Protocol):
    """An opened response: its head is known, its body is read chunk by chunk with `Read`."""

    status: int
    headers: Mapping[str, str]


@frozen
class Send:
    request: Request


@frozen
class Open:
    request: Request


@frozen
class Read:
    incoming: Incoming


@frozen
class Sleep:
    seconds: float


@frozen
class Emit:
    value: Any


Effect: TypeAlias = Send | Open | Read | Sleep | Emit

Flow: TypeAlias = Generator[Effect, Any, T]
"""A generator of effects that returns a T."""


class SyncIncoming(Incoming, Protocol):
    def read(self) -> bytes: ...
    def close(self) -> None: ...


class AsyncIncoming(Incoming, Protocol):
    async def read(self) -> bytes: ...
    async def aclose(self) -> None: ...


@runtime_checkable
class Transport(Protocol):
    """How bytes travel, blocking. Raises `APIConnectionError` or a subclass, never an inner library's error."""

    def send(self, request: Request) -> Response: ...
    def open(self, request: Request) -> SyncIncoming: ...
    def close(self) -> None: ...


@runtime_checkable
class AsyncTransport(Protocol):
    """How bytes travel, awaited."""

    async def send(self, request: Request) -> Response: ...
    async def open(self, request: Request) -> AsyncIncoming: ...
    async def aclose(self) -> None: ...
