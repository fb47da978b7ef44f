"""How a body that comes in pieces is cut into texts, lines or chunks: decoders without I/O, and the two loops over them."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Protocol, TypeVar

T = TypeVar("T")


class Decoder(Protocol[T]):
    """`feed` it pieces until it is `done` or they end, then call `end`; each gives the items that are whole by then."""

    done: bool

    def feed(self, piece: bytes) -> list[T]: ...
    def end(self) -> list[T]: ...


def cut(pieces: Generator[bytes, None, None], decoder: Decoder[T]) -> Generator[T, None, None]:
    """The items of a body. The pieces are closed when it is done, fails or is left."""
    with closing(pieces):
        for piece in pieces:
            yield from decoder.feed(piece)
            if decoder.done:
                break
    yield from decoder.end()


async def acut(pieces: AsyncGenerator[bytes, None], decoder: Decoder[T]) -> AsyncGenerator[T, None]:
    """`cut`, awaited."""
    async with aclosing(pieces):
        async for piece in pieces:
            for item in decoder.feed(piece):
                yield item
            if decoder.done:
                break
    for item in decoder.end():
        yield item


class Text:
    """UTF-8 text; no character is ever cut."""

    done = False

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, piece: bytes) -> list[str]:
        text = self._decoder.decode(piece)
        return [text] if text else []

    def end(self) -> list[str]:
        text = self._decoder.decode(b"", final=True)
        return [text] if text else []


class Lines:
    """Lines without their ends, LF or CRLF."""

    done = False

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [line.removesuffix(b"\r").decode(errors="replace") for line in lines]

    def end(self) -> list[str]:
        return [self._rest.decode(errors="replace")] if self._rest else []
