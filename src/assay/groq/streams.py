"""Streamed answers: iterators that are context managers. Leaving the `with` block, or the end, gives the connection back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from assay.errors import APIError
from assay.groq.as_httpx import dressed
from assay.groq.cut import Decoder, acut, cut

if TYPE_CHECKING:
    from assay.groq.responses import APIResponse, AsyncAPIResponse

T = TypeVar("T")


class Stream(Generic[T]):
    """The answer to a call with `stream=True`."""

    def __init__(self, response: APIResponse[Any], decoder: Decoder[T]) -> None:
        self.response = response
        """Status, headers and rate limits."""
        self._items = cut(response.iter_bytes(), decoder)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return next(self._items)
        except APIError as error:
            raise dressed(error, self.response._answered.request)  # noqa: B904, SLF001  # the same error

    def close(self) -> None:
        self._items.close()
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream(Generic[T]):
    """The answer to an awaited call with `stream=True`."""

    def __init__(self, response: AsyncAPIResponse[Any], decoder: Decoder[T]) -> None:
        self.response = response
        """Status, headers and rate limits."""
        self._items = acut(response.iter_bytes(), decoder)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await anext(self._items)
        except APIError as error:
            raise dressed(error, self.response._answered.request)  # noqa: B904, SLF001  # the same error

    async def close(self) -> None:
        await self._items.aclose()
        await self.response.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
