"""The port of a wire protocol: what is needed to speak to a server. A protocol is one file that has this, and a provider's row.

A wire holds no state: it is data of what a server's form of the protocol differs in, and pure functions over bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

from assay.types import Call, Delta, Reply

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Header names and values."""


class Collector(Protocol):
    """Collects one streamed reply. Nothing partial leaves it as finished."""

    @property
    def done(self) -> bool:
        """Whether the stream has said that it is over: nothing more needs to be read."""
        ...

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """What some more bytes of the body add. Raises an `APIError` for an error in the stream, after what came before it."""
        ...

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        """The whole reply, which took so many requests and seconds. Raises `APIResponseError` when the stream was cut off."""
        ...


class Wire(Protocol):
    def path(self, model: str, *, stream: bool) -> str:
        """What follows the base URL."""
        ...

    def headers(self, key: str | None) -> Pairs:
        """The headers that are the protocol's own, the key's among them."""
        ...

    def encode(self, call: Call, model: str, *, stream: bool = False) -> bytes:
        """The request body. Equal calls give equal bytes. Raises `ConfigurationError` for what cannot be said in this protocol."""
        ...

    def decode(self, body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
        """A `Reply` from a 200 answer, which took so many requests and seconds; its `finish_reason` is one of `stop`, `length`,
        `tool_calls`, `content_filter` wherever the server's word means that.

        Raises an `APIError` for an error object in it, `APIResponseError` for a body that is not an answer.
        """
        ...

    def collector(self, headers: Mapping[str, str]) -> Collector:
        """For the answer to a request that was encoded with `stream`."""
        ...
