"""JSON Pointers (RFC 6901) into JSON data."""

from __future__ import annotations

from collections.abc import Sequence

from assay.types import JSON

Token = str | int


def split(pointer: str) -> tuple[str, ...]:
    """The unescaped tokens of a pointer; "" has none."""
    tokens = pointer.split("/")[1:]
    return tuple(tokens if "~" not in pointer else (t.replace("~1", "/").replace("~0", "~") for t in tokens))


def join(tokens: Sequence[Token]) -> str:
    """The pointer that goes through these keys and positions."""
    return "".join(f"/{escape(token)}" for token in tokens)


def escape(token: Token) -> str:
    """A key or position as it stands in a pointer."""
    text = str(token)
    return text.replace("~", "~0").replace("/", "~1") if "~" in text or "/" in text else text


def look(data: JSON, tokens: Sequence[Token]) -> JSON:
    """The value at a place; None when there is no such place."""
    for token in tokens:
        if isinstance(data, dict) and token in data:
            data = data[token]
        elif isinstance(data, list) and str(token).isdecimal() and int(token) < len(data):
            data = data[int(token)]
        else:
            return None
    return data
