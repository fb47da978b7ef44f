"""What a GGUF file says about itself: how many tokens its model was trained to hold.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: a head, then keys with typed values, then tensors.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by its type; 8 is a string, 9 an array."""
_INTEGERS = {4: "<I", 5: "<i", 10: "<Q", 11: "<q"}
_STRING, _ARRAY = 8, 9
MOST_KEYS, LONGEST = 10_000, 100_000_000
"""Bounds for a file that is broken or of another kind."""


def context_length(path: Path) -> int | None:
    """Tokens that prompt and answer may have together; None when the file does not say so."""
    try:
        with path.open("rb") as file:
            return _context_length(file)
    except (OSError, ValueError, struct.error):
        return None


def _context_length(file: BinaryIO) -> int | None:
    if file.read(4) != MAGIC:
        return None
    _, _, count = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(count, MOST_KEYS)):
        key = _text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        if key.endswith(b".context_length") and kind in _INTEGERS:
            form = _INTEGERS[kind]
            (length,) = struct.unpack(form, file.read(struct.calcsize(form)))
            return int(length) if length > 0 else None
        _skip(file, kind)
    return None


def _text(file: BinaryIO) -> bytes:
    return file.read(_length(file))


def _length(file: BinaryIO) -> int:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > LONGEST:
        raise ValueError(length)
    return int(length)


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_length(file), 1)
    elif kind == _ARRAY:
        (inner,) = struct.unpack("<I", file.read(4))
        count = _length(file)
        if inner in _SIZES:
            file.seek(count * _SIZES[inner], 1)
        else:
            for _ in range(count):
                _skip(file, inner)
    elif kind in _SIZES:
        file.seek(_SIZES[kind], 1)
    else:
        raise ValueError(kind)
