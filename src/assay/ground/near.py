"""Texts that stand in a source but for their order of words, or except for a small difference."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate

from assay.ground.find import Spot, border
from assay.ground.fold import Folded, fold

CUTOFF = 85.0
"""Per cent of the letters that must agree (by edits)."""
SHORTEST, SHORTEST_DENSE = 8, 5
"""Characters below which a slip makes another word; of scripts that write a word in one or two signs."""
SHORTEST_TIGHT = 5
"""Letters and digits below which what stands between them counts."""
ROOM = 0.3
"""How much longer than the value the stretch may be in which its words stand in another order."""
TIGHT, WORDS, NEAR = 40.0, 50.0, 100.0
"""Charges: other signs between the letters, another order, a slip."""

TRIED = 500
"""Places of the rarest word that are looked around."""

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


class Around:
    """Searches one text for values that are not there to the letter."""

    def __init__(self, text: Folded) -> None:
        self._text = text
        self._occurrences: dict[str, list[int]] = {}

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._text.text))

    @cached_property
    def _letters(self) -> str:
        return "".join(_WORD.findall(self._text.text))

    @cached_property
    def _begins(self) -> tuple[list[int], list[int]]:
        """Where each word begins, among the letters alone and in the folded text."""
        places = [word.span() for word in _WORD.finditer(self._text.text)]
        lengths = accumulate((end - start for start, end in places), initial=0)
        return list(lengths), [start for start, _ in places]

    def tight(self, value: str) -> list[Spot]:
        """Stretches with the same letters and digits, whatever stands between them: `DE89 3704 0044` for `DE8937040044`."""
        needle = "".join(_WORD.findall(fold(value)))
        if len(needle) < SHORTEST_TIGHT:
            return []
        found: list[Spot] = []
        at = self._letters.find(needle)
        while at >= 0:
            place = self._text.back(self._at(at), self._at(at + len(needle) - 1) + 1)
            short = place is not None and place[1] - place[0] <= 2 * len(needle) + 2
            if place is not None and short and border(self._text.source, *place) is not None:
                found.append(Spot(*place, TIGHT, "value" if any(map(str.isdigit, needle)) else "near"))
            at = self._letters.find(needle, at + 1)
        return found

    def _at(self, letter: int) -> int:
        """Where in the folded text a letter stands."""
        starts, places = self._begins
        word = bisect_right(starts, letter) - 1
        return places[word] + letter - starts[word]

    def words(self, value: str) -> list[Spot]:
        """Stretches that have all words of `value` in any order, and little else: `Dechter, R.` for `R. Dechter`."""
        wanted = _WORD.findall(fold(value))
        if (
            len(wanted) < 2
            or not self._vocabulary.issuperset(wanted)
            or not any(len(word) > 1 and word.isalpha() for word in wanted)
        ):
            return []
        everywhere = [self._places_of(word) for word in wanted]
        longest = int(len(value) * (1 + ROOM)) + 2
        found: list[Spot] = []
        for at in min(everywhere, key=len)[:TRIED]:
            place = self._stretch(everywhere, at, longest)
            if place is not None and (not found or place.start >= found[-1].end):
                found.append(place)
        return found

    def _places_of(self, word: str) -> list[int]:
        if word not in self._occurrences:
            self._occurrences[word] = [found.start() for found in re.finditer(rf"\b{word}\b", self._text.text)]
        return self._occurrences[word]

    def _stretch(self, everywhere: list[list[int]], at: int, longest: int) -> Spot | None:
        """The stretch around one word that has the others, each in a place of its own."""
        used: set[int] = set()
        for places in sorted(everywhere, key=len):
            middle = bisect_left(places, at)
            around = [place for place in places[max(0, middle - 3) : middle + 3] if place not in used]
            nearest = min(around, key=lambda place: abs(place - at), default=None)
            if nearest is None or abs(nearest - at) > longest:
                return None
            used.add(nearest)
        start, last = min(used), _WORD.match(self._text.text, max(used))
        place = None if last is None else self._text.back(start, last.end())
        if last is None or place is None or last.end() - start > longest or "\n\n" in self._text.source[slice(*place)]:
            return None
        return Spot(*place, WORDS, "words")

    def near(self, value: str) -> list[Spot]:
        """The one stretch that agrees with `value` in all but a few letters, and in every digit."""
        needle = fold(value)
        dense = not needle.isascii() and sum(map(_is_dense, needle)) * 2 > len(needle)
        if len(needle) < (SHORTEST_DENSE if dense else SHORTEST) or not any(map(str.isalpha, needle)):
            return []
        found = stretch(needle, self._text)
        if found is None or _DIGITS.findall(fold(self._text.source[slice(*found)])) != _DIGITS.findall(needle):
            return []
        return [Spot(*found, NEAR, "near")]


def stretch(needle: str, text: Folded, cutoff: float = CUTOFF) -> tuple[int, int] | None:
    """The place of the source that is most like a folded text, widened to whole words; None when none is like it enough."""
    from rapidfuzz import fuzz  # noqa: PLC0415  # only for a text that does not stand in its source

    if not needle or len(needle) > len(text.text):
        return None
    found = fuzz.partial_ratio_alignment(needle, text.text, score_cutoff=cutoff)
    if found is None:
        return None
    start, end = _widened(text.text, found.dest_start, found.dest_end)
    if fuzz.ratio(needle, text.text[start:end]) < cutoff:
        start, end = found.dest_start, found.dest_end
    while start < end and text.text[start].isspace():
        start += 1
    while start < end and text.text[end - 1].isspace():
        end -= 1
    return text.back(start, end) if start < end else None


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """To the ends of the words that are cut, unless they are not written apart."""
    while start and _same_word(text[start - 1], text[start : start + 1]):
        start -= 1
    while end < len(text) and _same_word(text[end - 1], text[end]):
        end += 1
    return start, end


def _same_word(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and not _is_dense(left) and not _is_dense(right)


def _is_dense(char: str) -> bool:
    """Whether a sign stands for a syllable or a word: no spaces are to be expected around it."""
    return char >= "\u0e00" and char.isalnum()
