"""How the helper and its parent talk: a JSON head, then bytes. No pickle: a compromised reader can do no harm."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")


def send(stream: BinaryIO, head: dict[str, Any], *blobs: bytes) -> None:
    text = json.dumps({**head, "sizes": [len(blob) for blob in blobs]}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    stream.writelines(blobs)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """Raises `EOFError` when the other side is gone."""
    head = json.loads(_exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]))
    return head, [_exactly(stream, size) for size in head.pop("sizes")]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
