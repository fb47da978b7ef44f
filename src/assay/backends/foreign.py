"""Transports over a client object that the user brings: anything that `assay.backends.manners` knows how to call.

A request's JSON body becomes the keyword arguments of one call, the object that comes back becomes JSON again, exceptions
become the statuses and connection errors that they stand for. So the rest of assay sees a server like any other. No vendor's
package is imported: an object is inspected for what it can do. The client keeps its key, address, timeouts and retries.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
from typing import Any

from assay.backends.foreign_values import error_event, event, response_of_answer, response_of_error
from assay.backends.manners import Create, Manner, manner_of
from assay.errors import ConfigurationError
from assay.flow.effects import Request, Response


def base_url_of(client: object) -> str | None:
    """The address to which the client says it sends; None when it does not say."""
    text = str(getattr(client, "base_url", None) or "")
    return text.rstrip("/") if text.startswith(("http://", "https://")) else None


def is_awaited(create: Create) -> bool:
    """Whether the function is known to need `await`, itself or through what it wraps."""
    inner = inspect.unwrap(create)
    call = getattr(type(inner), "__call__", None)  # noqa: B004  # of an object with an async __call__
    return any(map(inspect.iscoroutinefunction, (create, inner, call)))


class ForeignTransport:
    """A `Transport` over a blocking client. An awaited one is a `ConfigurationError`."""

    def __init__(self, client: object) -> None:
        self._manner = manner_of(client)
        self._functions = self._manner.of(client) or {}
        if any(map(is_awaited, self._functions.values())):
            raise _needs_await(client)
        self._client = client

    def send(self, request: Request) -> Response:
        incoming = self.open(request)
        return Response(incoming.status, incoming.headers, b"".join(iter(incoming.read, b"")))

    def open(self, request: Request) -> ForeignIncoming:
        create, named = self._manner.call(self._functions, request)
        try:
            answer = create(**named)
        except Exception as error:  # noqa: BLE001  # the border to somebody else's code
            return ForeignIncoming(response_of_error(error))
        if inspect.isawaitable(answer):
            _discard(answer)
            raise _needs_await(self._client)
        if is_whole(answer):
            return ForeignIncoming(response_of_answer(answer, self._manner.answer(answer)))
        return ForeignIncoming(_STREAM, _events(answer, self._manner))

    def close(self) -> None:
        """Does nothing: the client belongs to the user."""


class AsyncForeignTransport:
    """An `AsyncTransport` over an awaited client, or over a blocking one, which then works in a thread."""

    def __init__(self, client: object) -> None:
        self._manner = manner_of(client)
        self._functions = self._manner.of(client) or {}
        self._awaited = any(map(is_awaited, self._functions.values()))

    async def send(self, request: Request) -> Response:
        incoming = await self.open(request)
        pieces = []
        while piece := await incoming.read():
            pieces.append(piece)
        return Response(incoming.status, incoming.headers, b"".join(pieces))

    async def open(self, request: Request) -> AsyncForeignIncoming:
        try:
            answer = await self._call(request)
        except Exception as error:  # noqa: BLE001  # the border to somebody else's code
            return AsyncForeignIncoming(response_of_error(error))
        if is_whole(answer):
            return AsyncForeignIncoming(response_of_answer(answer, self._manner.answer(answer)))
        return AsyncForeignIncoming(_STREAM, _aevents(answer, self._manner))

    async def _call(self, request: Request) -> Any:
        create, named = self._manner.call(self._functions, request)
        answer = create(**named) if self._awaited else await asyncio.to_thread(create, **named)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Does nothing: the client belongs to the user."""


class ForeignIncoming:
    """An opened response: a whole one, or the events of a stream."""

    def __init__(self, response: Response, events: Generator[bytes, None, None] | None = None) -> None:
        self.status = response.status
        self.headers = response.headers
        self._pieces = events if events is not None else (piece for piece in (response.body,))

    def read(self) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._pieces.close()


class AsyncForeignIncoming:
    """`ForeignIncoming`, awaited."""

    def __init__(self, response: Response, events: AsyncGenerator[bytes, None] | None = None) -> None:
        self.status = response.status
        self.headers = response.headers
        self._pieces = events if events is not None else _once(response.body)

    async def read(self) -> bytes:
        return await anext(self._pieces, b"")

    async def aclose(self) -> None:
        await self._pieces.aclose()


_WHOLE = ("choices", "content", "candidates")
_STREAM = Response(200, {"content-type": "text/event-stream"}, b"")


def _events(stream: Any, manner: Manner) -> Generator[bytes, None, None]:
    """The chunks of a blocking client's stream as server-sent events."""
    try:
        for chunk in stream:
            yield event(manner.answer(chunk))
    except Exception as error:  # noqa: BLE001  # the border to somebody else's code
        yield error_event(error)
    finally:
        if (close := getattr(stream, "close", None)) is not None:
            close()


async def _aevents(stream: Any, manner: Manner) -> AsyncGenerator[bytes, None]:
    """The chunks of any client's stream as server-sent events."""
    try:
        async for chunk in stream if hasattr(stream, "__aiter__") else _threaded(iter(stream)):
            yield event(manner.answer(chunk))
    except Exception as error:  # noqa: BLE001  # the border to somebody else's code
        yield error_event(error)
    finally:
        close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
        if close is not None and inspect.isawaitable(closed := close()):
            await closed


async def _threaded(items: Iterator[Any]) -> AsyncIterator[Any]:
    """A blocking iterator's items, each waited for in a thread."""
    end = object()
    while (item := await asyncio.to_thread(next, items, end)) is not end:
        yield item


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def is_whole(answer: Any) -> bool:
    """Whether it is a completion, not a stream: pydantic's models can be iterated too, so it is asked for what it holds."""
    return (
        any(hasattr(answer, name) for name in _WHOLE)
        or isinstance(answer, dict)
        or not (hasattr(answer, "__iter__") or hasattr(answer, "__aiter__"))
    )


def _discard(answer: Awaitable[Any]) -> None:
    """Drops a coroutine that will not be awaited, without the usual warning."""
    if inspect.iscoroutine(answer):
        answer.close()


def _needs_await(client: object) -> ConfigurationError:
    return ConfigurationError(
        f"{type(client).__name__} is an async client and this is a blocking call: use aextract (arun, astream, amap) with it, "
        "or give the blocking client"
    )
