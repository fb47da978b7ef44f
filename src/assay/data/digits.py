"""Numbers with more digits than a float holds."""

from __future__ import annotations

import re
from typing import Self

SIGNIFICANT = 15
"""Digits that every float keeps."""
_NUMBER = re.compile(r"-?0*(\d*)(?:\.(\d*))?(?:[eE][-+]?\d+)?")


class Digits(float):
    """A number as a float, and as the text that has all of its digits. What asks for digits takes `text`."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[Digits], tuple[str]]:
        return Digits, (self.text,)


def number(text: str) -> int | float:
    """What a JSON number with a fraction or an exponent says: a float, `Digits` where that has too few; 12345678901234567.0 is whole."""
    found = _NUMBER.fullmatch(text)
    if found is None or len(found[1]) + len(found[2] or "") <= SIGNIFICANT:
        return float(text)
    whole = found[2] is not None and not found[2].strip("0") and "e" not in text.lower()
    return int(text.partition(".")[0]) if whole else Digits(text)
