"""Server-sent events (the WHATWG standard's `text/event-stream`), decoded without I/O: bytes in, events out.

However the bytes are cut, the same events come. Work is linear in the bytes, memory bounded by `limit`. Lines are cut as bytes
(LF, CRLF or CR), so no line end of Unicode's can be taken for one; an event is decoded when it is whole, so no character
is ever cut. What comes after the last blank line is no event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.errors import APIResponseError

MAX_EVENT = 16 * 1024 * 1024
"""Bytes that one event may have."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    event: str
    """`message` when the stream named none."""
    data: str
    id: str = ""
    """The last id that the stream has given so far."""


class SSEDecoder:
    """`feed` it what arrives; it gives the events that are whole by then."""

    __slots__ = ("_after_cr", "_data", "_event", "_first", "_id", "_limit", "_line", "_size")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._line = bytearray()  # the line that has not ended
        self._data: list[bytes] = []
        self._event = b""
        self._id = b""
        self._size = 0  # bytes of data in the event that has not ended
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that `chunk` completes. Raises `APIResponseError` for an event over the limit or not in UTF-8."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        *whole, rest = _LINE_END.split(chunk)
        events = []
        for piece in whole:
            line = piece
            if self._line:
                line = bytes(self._line) + piece
                self._line.clear()
            if (event := self._take(line)) is not None:
                events.append(event)
        self._line += rest
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        if len(self._line) + self._size > self._limit:
            raise APIResponseError(f"the stream has an event of more than {self._limit} bytes", code="too_large")
        return events

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._event = value
        elif name == b"id" and b"\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], b"", 0
        if not data:
            return None
        try:
            return ServerSentEvent(event.decode() or "message", b"\n".join(data).decode(), self._id.decode())
        except UnicodeDecodeError as error:
            raise APIResponseError(f"the stream has an event that is not UTF-8: {error}", code="invalid_utf8") from None
