"""A text as it is compared: one form for all prints of the same letters, and the way back to where they stand.

Case, width, composition, the script of digits, the shapes of quotes and dashes, white space and invisible signs do not count. Most texts keep their
length under this, so that what is looked up is the text itself and a place in it the same place in both.
"""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from functools import lru_cache

_QUOTES = dict.fromkeys("‘’‚‛′ʼʹ`´‹›", "'") | dict.fromkeys("“”„‟″«»「」『』", '"')
_DASHES = dict.fromkeys("‐‑‒–—―−﹘﹣－", "-")
_SIGNS = _QUOTES | _DASHES | {"\u2044": "/", "\u0640": "", "٫": ".", "٬": ","}
_SOFT_HYPHEN = "\u00ad"
_RAISED = ("<super>", "<sub>")
_HALF_WIDTH_VOICE = "\uff9e\uff9f"
_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f]")


@lru_cache(maxsize=65536)
def sign(char: str) -> str:
    """What one character is compared as: mostly one character, for an invisible one none."""
    known = _SIGNS.get(char)
    if known is not None:
        return known
    if char.isspace():
        return " "
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    category = unicodedata.category(char)
    if category in ("Cf", "Cs"):  # invisible; half of a surrogate pair, which no other library takes
        return "" if category == "Cf" else "\ufffd"
    if unicodedata.decomposition(char).startswith(_RAISED):  # 10² is no 102
        return char
    plain = unicodedata.normalize("NFKC", char).casefold()
    return "".join(_SIGNS.get(part, part) for part in plain)


@lru_cache(maxsize=65536)
def is_mark(char: str) -> bool:
    """Whether a character belongs to the one before it: combining signs, later parts of a Hangul syllable."""
    return unicodedata.category(char)[0] == "M" or "\u1160" <= char <= "\u11ff" or char in _HALF_WIDTH_VOICE


class Folded:
    """A text, folded, that knows where each part of it stands in the source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._folds: list[int] = [0]
        """Where in the folded text a piece begins; pieces are as long as in the source, or one cluster."""
        self._sources: list[int] = [0]
        self._clusters: list[bool] = [False]
        self.text = self._fold()
        self.plain = len(self._folds) == 1
        """Whether places are the same in both texts."""

    def _fold(self) -> str:
        source, table, special = self.source, *_specials(frozenset(self.source))
        out: list[str] = []
        at = length = 0
        for found in special.finditer(source):
            start, end = found.span()
            if start > at:
                out.append(source[at:start].translate(table))
                length += start - at
            folded = _cluster(found[0], after_digit=start > 0 and source[start - 1].isdigit())
            self._folds += (length, length + len(folded))
            self._sources += (start, end)
            self._clusters += (True, False)
            out.append(folded)
            length += len(folded)
            at = end
        out.append(source[at:].translate(table))
        return "".join(out)

    def back(self, start: int, end: int) -> tuple[int, int] | None:
        """The place in the source of `text[start:end]`; None when it begins or ends inside of what belongs together."""
        if self.plain:
            return start, end
        first = bisect_right(self._folds, start) - 1
        last = bisect_left(self._folds, end) - 1
        if self._clusters[first] and start != self._folds[first]:
            return None
        from_ = self._sources[first] + (start - self._folds[first])
        if not self._clusters[last]:
            return from_, self._sources[last] + (end - self._folds[last])
        following = last + 1
        return (from_, self._sources[following]) if end == self._folds[following] else None

    def forward(self, at: int) -> int:
        """Where a place of the source stands in the folded text."""
        piece = bisect_right(self._sources, at) - 1
        return self._folds[piece] + (0 if self._clusters[piece] else at - self._sources[piece])


def fold(text: str) -> str:
    """A text as it is compared, without white space around it."""
    return Folded(text).text.strip()


@lru_cache(maxsize=64)
def _specials(chars: frozenset[str]) -> tuple[dict[int, str], re.Pattern[str]]:
    """For these characters: what each becomes alone, and what does not stay as long as it is."""
    table = {ord(char): sign(char) for char in chars if sign(char) != char}
    marks = "".join(re.escape(char) for char in sorted(chars) if is_mark(char))
    blank = "".join(re.escape(char) for char in sorted(chars) if char.isspace() or sign(char) == "")
    grown = "".join(re.escape(char) for char in sorted(chars) if len(sign(char)) > 1 and not is_mark(char))
    gone = "".join(re.escape(char) for char in sorted(chars) if sign(char) == "")
    forms = [
        rf"[^{marks}{blank}][{marks}]+|[{marks}]+" if marks else "",
        rf"[{blank}]{{2,}}" if blank else "",
        f"[{gone}]" if gone else "",
        f"[{grown}]" if grown else "",
    ]
    return table, re.compile("|".join(filter(None, forms)) or r"(?!)")


def _cluster(text: str, *, after_digit: bool) -> str:
    """What belongs together as one piece: a letter with its signs, white space, a character that is several."""
    if len(text) > 1 and all(char.isspace() or sign(char) == "" for char in text):
        hyphenated = text[0] == _SOFT_HYPHEN and "\n" in text
        return " " if any(map(str.isspace, text)) and not hyphenated else ""
    if len(text) == 1:
        fraction = after_digit and unicodedata.decomposition(text).startswith("<fraction>")
        return f" {sign(text)}" if fraction else sign(text)
    plain = unicodedata.normalize("NFKC", _VARIATIONS.sub("", text)).casefold()
    return "".join(_SIGNS.get(part, part) for part in plain)
