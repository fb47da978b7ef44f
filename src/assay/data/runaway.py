"""Whether a text that is being written repeats itself endlessly, or runs on beyond what its source can hold."""

from __future__ import annotations

import json
import re
from functools import cached_property

from assay.types import Bound

SEEN = 8192
"""Characters of a text's end in which a repetition is looked for."""
EVERY = 64
"""Characters between two looks at it."""
KEY = 24
"""Characters of the end that are looked up before it: where they stand tells the period."""
RUN, ROUNDS = 240, 8
"""The least characters and rounds of a repetition; shorter ones occur in normal texts."""
FEWEST = 20
"""Equal items that a list may have however short its source is."""

_HOLDERS = frozenset("{}[],")
_NO_WORD = re.compile(r"[\W_]+")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
ESCAPE = 6
"""Characters of the longest escape."""


class Leash:
    """Fed with a text piece by piece, says when it has run away."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._length = self._looked = 0
        self._end = ""
        self._quoted = self._escaped = False
        self._opened = 0

    def feed(self, piece: str) -> str | None:
        """Why the text must not go on, in words that follow "it"; None as long as it may."""
        self._length += len(piece)
        self._end = (self._end + piece)[-SEEN:]
        self._see_quotes(piece)
        if self._length - self._looked < EVERY:
            return None
        self._looked = self._length
        limit, longest = self._bound.characters, self._bound.text
        if longest is not None and self._quoted and self._length - self._opened > longest:
            return f"has a text of more than {longest:,} characters, more than its source can hold"
        if limit is not None and self._length > limit:
            return f"went on for {self._length:,} characters, more than its source can hold"
        return "repeated itself" if self._circles() else None

    def _see_quotes(self, piece: str) -> None:
        """Whether what comes next stands in a string, and where that began."""
        before = self._length - len(piece)
        if "\\" not in piece and not self._escaped:
            if (count := piece.count('"')) > 0:
                self._quoted ^= count % 2 == 1
                self._opened = before + piece.rindex('"')
            return
        for at, character in enumerate(piece):
            if self._escaped:
                self._escaped = False
            elif character == "\\":
                self._escaped = self._quoted
            elif character == '"':
                self._quoted, self._opened = not self._quoted, before + at

    def _circles(self) -> bool:
        """Whether it has come to an end that repeats, which no source asks for."""
        text = self._end
        found = text.rfind(text[-KEY:], 0, -1)
        if found < 0:
            return False
        period = len(text) - KEY - found
        rounds = max(ROUNDS, -(-RUN // period))
        run = text[-period:] * rounds
        if not text.endswith(run) or self._copied(run):
            return False
        if '"' not in run and (self._quoted or _HOLDERS.isdisjoint(run)):  # within a string, a number or white space
            return True
        most = max(FEWEST, self._bound.words)  # items of a list: as many may be equal as the source has words
        return text.endswith(text[-period:] * (most + 1))

    def _copied(self, run: str) -> bool:
        """Whether the source repeats the same: as it is in JSON, or as words without what separates them."""
        plain = _ESCAPE.sub(_unescaped, run)[ESCAPE:-ESCAPE]  # it may begin and end within an escape
        words = _bare(plain)
        return plain in self._bound.source or (len(words) >= KEY and words in self._words)

    @cached_property
    def _words(self) -> str:
        return _bare(self._bound.source)


def _unescaped(escape: re.Match[str]) -> str:
    return str(json.loads(f'"{escape[0]}"'))


def _bare(text: str) -> str:
    """Its letters and digits alone."""
    return _NO_WORD.sub("", text)
