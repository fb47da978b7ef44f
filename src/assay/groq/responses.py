"""Raw responses, for more than the answer: status, headers, rate limits, bytes, lines.

`with_raw_response` gives them with the body read, `with_streaming_response` with the body still to come; both are read
with the same methods. What can be said without reading is in `Head`, once for both worlds.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from assay.errors import Headers
from assay.groq.action import Action
from assay.groq.as_httpx import Sent
from assay.groq.casts import cast_body
from assay.groq.cut import Lines, Text, acut, cut
from assay.groq.flows import Answered, parsed
from assay.groq.streams import AsyncStream, Stream
from assay.types import JSON, RateLimits
from assay.wire.errors import request_id
from assay.wire.headers import rate_limits

if TYPE_CHECKING:
    import httpx

T_co = TypeVar("T_co", covariant=True)


class Head(Generic[T_co]):
    """What is known of a response before its body is read."""

    def __init__(self, action: Action[Any], answered: Answered, body: bytes | None) -> None:
        self._action = action
        self._answered = answered
        self._body = body
        self.status_code = answered.status
        self.headers = Headers(answered.headers)
        self.retries_taken = answered.retries
        """How often the request was sent again before this response."""
        self.elapsed = timedelta(seconds=answered.seconds)
        """From the first request until the body came, or in a stream the head."""
        self.is_closed = body is not None

    def _answer(self, body: bytes, to: Any) -> Any:
        action = self._action if to is None else replace(self._action, parse=partial(cast_body, to))
        return parsed(action, self._answered, body)

    @property
    def request_id(self) -> str | None:
        return request_id(self.headers)

    @property
    def rate_limits(self) -> RateLimits | None:
        """What the rate-limit headers say; None when there are none."""
        return rate_limits(self.headers)

    @property
    def method(self) -> str:
        return self._answered.request.method

    @property
    def http_version(self) -> str:
        return "HTTP/1.1"

    @property
    def url(self) -> httpx.URL:
        return self.http_request.url

    @cached_property
    def http_request(self) -> httpx.Request:
        """The request without its key."""
        return Sent.of(self._answered.request).request()

    @cached_property
    def http_response(self) -> httpx.Response:
        """The response with what was read of it."""
        return Sent.of(self._answered.request).response(self.status_code, self.headers, self._body or b"")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status_code} of {self._action.method} {self._action.path}>"


class APIResponse(Head[T_co]):
    """A response of a `Groq` client; a context manager that closes it."""

    def __init__(
        self,
        action: Action[Any],
        answered: Answered,
        *,
        body: bytes | None = None,
        pieces: Generator[bytes, None, None] | None = None,
    ) -> None:
        super().__init__(action, answered, body)
        self._pieces = pieces

    def parse(self, *, to: Any = None) -> T_co:
        """What the call gives without `with_..._response`, or a value of the type `to`; for `stream=True` a `Stream`."""
        decoder = self._action.decoder
        if decoder is None or to is not None:
            return self._answer(self.read(), to)  # type: ignore[no-any-return]  # as its Action says
        return Stream(self, decoder(self.headers))  # type: ignore[return-value]

    def read(self) -> bytes:
        if self._body is None:
            self._body = b"".join(self.iter_bytes())
        return self._body

    def text(self) -> str:
        return self.read().decode()

    def json(self) -> JSON:
        return json.loads(self.read())

    def iter_bytes(self) -> Generator[bytes, None, None]:
        """The body, piece by piece as it comes, once."""
        if self._body is not None:
            yield self._body
        elif self._pieces is not None:
            with self:
                yield from self._pieces

    def iter_text(self) -> Iterator[str]:
        return cut(self.iter_bytes(), Text())

    def iter_lines(self) -> Iterator[str]:
        return cut(self.iter_bytes(), Lines())

    def write_to_file(self, file: str | PathLike[str]) -> None:
        with Path(file).open("wb") as out:
            out.writelines(self.iter_bytes())

    def close(self) -> None:
        """Returns the connection to the pool."""
        if self._pieces is not None:
            self._pieces.close()
        self.is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncAPIResponse(Head[T_co]):
    """A response of an `AsyncGroq` client; an async context manager that closes it."""

    def __init__(
        self,
        action: Action[Any],
        answered: Answered,
        *,
        body: bytes | None = None,
        pieces: AsyncGenerator[bytes, None] | None = None,
    ) -> None:
        super().__init__(action, answered, body)
        self._pieces = pieces

    async def parse(self, *, to: Any = None) -> T_co:
        """What the call gives without `with_..._response`, or a value of the type `to`; for `stream=True` an `AsyncStream`."""
        decoder = self._action.decoder
        if decoder is None or to is not None:
            return self._answer(await self.read(), to)  # type: ignore[no-any-return]  # as its Action says
        return AsyncStream(self, decoder(self.headers))  # type: ignore[return-value]

    async def read(self) -> bytes:
        if self._body is None:
            self._body = b"".join([piece async for piece in self.iter_bytes()])
        return self._body

    async def text(self) -> str:
        return (await self.read()).decode()

    async def json(self) -> JSON:
        return json.loads(await self.read())

    async def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece as it comes, once."""
        if self._body is not None:
            yield self._body
        elif self._pieces is not None:
            async with self:
                async for piece in self._pieces:
                    yield piece

    def iter_text(self) -> AsyncIterator[str]:
        return acut(self.iter_bytes(), Text())

    def iter_lines(self) -> AsyncIterator[str]:
        return acut(self.iter_bytes(), Lines())

    async def write_to_file(self, file: str | PathLike[str]) -> None:
        """Reads the body whole, then writes it."""
        Path(file).write_bytes(await self.read())  # noqa: ASYNC240  # a short write; the body is in memory

    async def close(self) -> None:
        """Returns the connection to the pool."""
        if self._pieces is not None:
            await self._pieces.aclose()
        self.is_closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
