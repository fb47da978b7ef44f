"""Where a text occurs in a source, letter for letter except for typography: every place that is not part of a longer word or number."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from assay.ground.fold import Folded, fold, is_mark
from assay.types import Match

MOST = 5_000
"""The most places examined for one value: with more, the value is hardly more than a single character."""

PREFIX, MIXED, FOLDED, INSIDE = 60.0, 20.0, 30.0, 10.0
"""Charges: the beginning of a longer word, a letter beside a digit, another print, Hangul within a word."""
SHORTEST_PREFIX = 4
"""Letters from which on a word may have another ending."""


class Spot(NamedTuple):
    """A place that a value could have come from; the lower its charge, the likelier."""

    start: int
    end: int
    charge: float
    match: Match


def spots(value: str, text: Folded) -> list[Spot]:
    """Every place of `value`, in text order. The value is not a pattern and needs no escaping."""
    needle = fold(value)
    bare = value.strip()
    if not needle:
        return []
    found: list[Spot] = []
    at = text.text.find(needle)
    looked = 0
    while at >= 0 and looked < MOST:
        looked += 1
        place = text.back(at, at + len(needle))
        if place is not None and (charge := border(text.source, *place)) is not None:
            exact = text.source[place[0] : place[1]] == bare
            found.append(Spot(*place, charge if exact else charge + FOLDED, "exact" if exact else "folded"))
        at = text.text.find(needle, at + 1)
    return found


def border(source: str, start: int, end: int) -> float | None:
    """What it costs that a place ends where it does; None when it is a part of a longer word, number or sign."""
    before = source[start - 1] if start else ""
    after = source[end] if end < len(source) else ""
    if before == _JOINER or (after and (is_mark(after) or after in _JOINERS or "\U0001f3fb" <= after <= "\U0001f3ff")):
        return None
    left = _join(before, source[start])
    right = _join(source[end - 1], after)
    if left is None or _in_number(source, start, end):
        return None
    if right is None:
        return left + PREFIX if _inflected(source, start, end) else None
    return left + right


def _inflected(source: str, start: int, end: int) -> bool:
    """Whether a place is a word of which only the ending is left out: `tomato` in `tomatoes`, but neither `Anna` in `Annabelle`
    nor `Paul` in `Paula`: of what begins with a capital only a genitive or plural is the same.
    """
    last = _LAST_WORD.search(source, start, end)
    ending = _ENDING.match(source, end)
    if last is None or ending is None or end - last.start() < SHORTEST_PREFIX:
        return False
    return source[last.start()].islower() or ending[0] in _GENITIVES


_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
_ENDING = re.compile(r"[^\W\d_]{1,3}(?![^\W_])")
_GENITIVES = ("s", "es", "n", "en")
_JOINER = "\u200d"
_JOINERS = "\u200d\ufe0f"


@lru_cache(maxsize=65536)
def _join(left: str, right: str) -> float | None:
    """What it costs to end between two characters; None within a word or a number."""
    match _kind(left), _kind(right):
        case ("letter", "letter") | ("digit", "digit"):
            return None
        case ("hangul", "hangul"):
            return INSIDE
        case ("letter" | "hangul", "digit"):
            return MIXED
        case _:
            return 0.0


def _kind(char: str) -> str:
    """`letter` and `digit` make words and numbers with their like; scripts without spaces make neither."""
    if not char:
        return ""
    if char.isdecimal():
        return "digit"
    if not char.isalpha():
        return ""
    code = ord(char)
    if 0xAC00 <= code <= 0xD7A3 or 0x1100 <= code <= 0x11FF:
        return "hangul"
    return "" if code >= 0xE00 and unicodedata.name(char, "").startswith(_UNSPACED) else "letter"


_UNSPACED: tuple[str, ...] = (
    *("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO", "IDEOGRAPHIC", "KANGXI"),
    *("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"),
)


def _in_number(source: str, start: int, end: int) -> bool:
    """Whether a place ends inside of a printed number: `1` in `1,240` and `1/2`, `5` in `.5`; not `1` in `1,2,3`."""
    return (source[start].isdecimal() and _splits_number(source, start)) or (
        source[end - 1].isdecimal() and _splits_number(source, end)
    )


def _splits_number(source: str, at: int) -> bool:
    """Whether there is a number of which a part stands before `at` and a part behind it."""
    first = last = at
    while first and (source[first - 1].isdecimal() or (source[first - 1] in _WITHIN and source[first : first + 1].isdecimal())):
        first -= 1
    while last < len(source) and (
        source[last].isdecimal() or (source[last] in _WITHIN and source[last + 1 : last + 2].isdecimal())
    ):
        last += 1
    if first < at and source[first] in _WITHIN and (source[first] not in ".," or source[max(first - 1, 0)].isalpha()):
        first += 1  # `5` in `No.5`
    return first < at < last and _NUMBER.fullmatch(source, first, last) is not None


_WITHIN = ".,/\u2044'’\u00a0\u202f"  # noqa: RUF001  # what groups digits
_NUMBER = re.compile(
    r"\d*[.,]\d+|\d{1,3}(?:([.,'’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"  # noqa: RUF001
    r"|\d+[/\u2044]\d+|\d+"
)
