"""Where the scalars of a JSON text stand in it."""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # the standard library's own reader of strings

from assay.data.pointer import escape

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|-?Infinity|NaN")


def sites(text: str) -> dict[str, tuple[int, int]]:
    """By JSON Pointer, from where to where each scalar of a text is written; raises `ValueError` for a text that is not plain JSON."""
    reader = _Reader(text)
    reader.value("")
    reader.skip()
    if reader.at != len(text):
        raise ValueError(f"more text after the value at {reader.at}")
    return reader.found


class _Reader:
    """A recursive descent over JSON that a model wrote and that is known to be valid; it need not say what is wrong with it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self.found: dict[str, tuple[int, int]] = {}

    def skip(self) -> None:
        self.at = _SPACE.match(self._text, self.at).end()  # type: ignore[union-attr]  # it matches nothing, too

    def value(self, path: str) -> None:
        self.skip()
        opens = self._text[self.at : self.at + 1]
        if opens == "{":
            self._inside(path, "}")
        elif opens == "[":
            self._inside(path, "]")
        else:
            start, self.at = self.at, self._end(opens)
            self.found[path] = (start, self.at)

    def _end(self, opens: str) -> int:
        if opens == '"':
            return int(scanstring(self._text, self.at + 1)[1])
        if (scalar := _SCALAR.match(self._text, self.at)) is None:
            raise ValueError(f"no JSON at {self.at}")
        return scalar.end()

    def _inside(self, path: str, closes: str) -> None:
        self.at += 1
        number = 0
        while not self._take(closes):
            if number and not self._take(","):
                raise ValueError(f"no comma at {self.at}")
            self.value(f"{path}/{self._key() if closes == '}' else number}")
            number += 1

    def _key(self) -> str:
        self.skip()
        if self._text[self.at : self.at + 1] != '"':
            raise ValueError(f"no key at {self.at}")
        key, self.at = scanstring(self._text, self.at + 1)
        if not self._take(":"):
            raise ValueError(f"no colon at {self.at}")
        return escape(key)

    def _take(self, sign: str) -> bool:
        self.skip()
        if self._text.startswith(sign, self.at):
            self.at += 1
            return True
        return False
