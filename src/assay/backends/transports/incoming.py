"""Opened responses: what every transport does with a body.

A transport says how raw bytes are pulled and how the response is closed; unpacking, the size limit and the reading of a whole body
are done here. The blocking and the awaited form differ only in the awaiting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from assay.backends.transports.unpack import unpacker
from assay.flow.effects import Response

LONGEST = 1e6
"""Seconds, eleven days: the longest timeout that every platform's clocks can count. A longer or infinite one is cut to this."""


class Body(ABC):
    """An opened response that is read blocking."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._unpacker = unpacker(headers)

    @abstractmethod
    def pull(self) -> bytes:
        """Some bytes as they came, b"" at the end. Raises `APIConnectionError`."""

    @abstractmethod
    def close(self) -> None: ...

    def read(self) -> bytes:
        while raw := self.pull():
            if plain := self._unpacker.feed(raw):
                return plain
        self._unpacker.end()
        return b""

    def whole(self) -> Response:
        """The rest of the body, and the response closed."""
        try:
            chunks = []
            while raw := self.pull():
                chunks.append(self._unpacker.feed(raw))
            self._unpacker.end()
            return Response(self.status, self.headers, b"".join(chunks))
        finally:
            self.close()


class AsyncBody(ABC):
    """An opened response that is awaited."""

    ended = False
    """Whether it is known that nothing is left to pull, and so nothing to close."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._unpacker = unpacker(headers)

    @abstractmethod
    async def pull(self) -> bytes:
        """Some bytes as they came, b"" at the end. Raises `APIConnectionError`."""

    @abstractmethod
    async def aclose(self) -> None: ...

    async def read(self) -> bytes:
        while raw := await self.pull():
            if plain := self._unpacker.feed(raw):
                return plain
        self._unpacker.end()
        return b""

    async def whole(self) -> Response:
        """The rest of the body, and the response closed."""
        try:
            chunks = []
            while not self.ended and (raw := await self.pull()):
                chunks.append(self._unpacker.feed(raw))
            self._unpacker.end()
            return Response(self.status, self.headers, b"".join(chunks))
        finally:
            if not self.ended:
                await self.aclose()
