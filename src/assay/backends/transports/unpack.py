"""Unpacking of response bodies, with a limit on what comes out and a check that the packed stream is whole.

Requests ask for `identity`; this is for servers and gateways that compress anyway. No transport's own unpacking is used: none
has a limit, and most take a gzip stream without its end for a whole one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Protocol

from assay.errors import APIResponseError

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a whole answer, unpacked. A chat completion has some kilobytes, a file of batch results rarely 64 MB."""
MAX_ENCODINGS = 2

_GZIP = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b"
_STEP = 1024 * 1024
"""Bytes unpacked at once: what one step may add to memory before the limit is looked at."""


class Unpacker(Protocol):
    def feed(self, data: bytes) -> bytes: ...
    def end(self) -> None:
        """Raises `APIResponseError` when the body ended before its packing did."""
        ...


def unpacker(headers: Mapping[str, str], limit: int = MAX_BODY) -> Unpacker:
    """A function that decompresses a body's bytes. Raises `APIResponseError` for an encoding that it does not know."""
    packed = headers.get("content-encoding")
    if packed is None:
        return Plain(limit)
    names = [name for name in (part.strip().lower() for part in packed.split(",")) if name not in {"", "identity"}]
    if len(names) > MAX_ENCODINGS:
        raise APIResponseError(f"the answer is compressed {len(names)} times over", code="encoding")
    chain: Unpacker = Plain(limit)
    for name in names:
        if name not in {"gzip", "x-gzip", "deflate"}:
            raise APIResponseError(f"the answer is compressed with {name!r}, which was not asked for", code="encoding")
        chain = Packed(name, chain, limit)
    return chain


class Plain:
    """Counts what passes, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._limit = limit

    def feed(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise APIResponseError(f"the answer has more than {self._limit} bytes", code="too_large")
        return data

    def end(self) -> None:
        pass


class Packed:
    """gzip of any number of members (what follows the last is ignored), or deflate with or without zlib's frame."""

    def __init__(self, name: str, after: Unpacker, limit: int) -> None:
        self._name = name
        self._after = after
        self._counted = Plain(limit)
        self._inner: zlib._Decompress | None = None
        self._ahead = b""  # the first bytes of a member, until it is known what they begin

    def feed(self, data: bytes) -> bytes:
        out = []
        while data:
            if self._inner is None or self._inner.eof:
                self._ahead += data
                window = self._window()
                if window is None:
                    self._ahead = self._ahead[:2]
                    break
                self._inner = zlib.decompressobj(window)
                data, self._ahead = self._ahead, b""
            out.append(self._after.feed(self._counted.feed(self._some(self._inner, data))))
            data = self._inner.unconsumed_tail or self._inner.unused_data
        return b"".join(out)

    def end(self) -> None:
        if self._inner is None or not self._inner.eof:
            raise self._broken("it ends too early")
        self._after.end()

    def _window(self) -> int | None:
        """How zlib must read the bytes ahead; None while that is not known, and for what follows the last member."""
        first = self._ahead[:2]
        if len(first) < 2:
            return None
        if self._name != "deflate":
            return _GZIP if self._inner is None or first == _GZIP_MAGIC else None
        if self._inner is not None:
            return None
        framed = first[0] & 15 == zlib.DEFLATED and int.from_bytes(first) % 31 == 0  # RFC 1950 2.2
        return zlib.MAX_WBITS if framed else -zlib.MAX_WBITS

    def _some(self, inner: zlib._Decompress, data: bytes) -> bytes:
        try:
            return inner.decompress(data, _STEP)
        except zlib.error as error:
            raise self._broken(str(error)) from None

    def _broken(self, why: str) -> APIResponseError:
        return APIResponseError(f"the answer is not valid {self._name}: {why}", code="bad_encoding")
