"""Where the passages stand that a model quotes as evidence."""

from __future__ import annotations

import re

from assay.ground.find import spots
from assay.ground.fold import Folded, fold
from assay.ground.near import stretch

SHORTEST = 12
"""Characters below which a quote must stand there to the letter."""

_CUT = re.compile(r"\s*(?:\[?(?:…|\.{3,})\]?)\s*")  # noqa: RUF001
_FRAME = "\"'“”„«»「」『』‘’ \n\t"  # noqa: RUF001


def quote(text: str, source: Folded) -> list[tuple[int, int]]:
    """The places of a quote: one, or one for each part that "…" cuts it into, in text order; none when a part is missing."""
    found: list[tuple[int, int]] = []
    for part in filter(None, (part.strip(_FRAME) for part in _CUT.split(text))):
        place = _one(part, source)
        if place is None or (found and place[0] < found[-1][0]):
            return []
        found.append(place)
    return found


def _one(text: str, source: Folded) -> tuple[int, int] | None:
    if exact := spots(text, source):
        return exact[0][:2]
    needle = fold(text)
    if len(needle) < SHORTEST:
        return None
    at = source.text.find(needle)
    return source.back(at, at + len(needle)) if at >= 0 else stretch(needle, source)
