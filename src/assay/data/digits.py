"""Numbers with more digits than a float holds."""

from __future__ import annotations

import re
from decimal import Decimal
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
    """What a JSON number with a fraction or an exponent says: a float; `Digits` where that has too few, or all of a whole number's."""
    found = _NUMBER.fullmatch(text)
    if found is None or len(found[1]) + len(found[2] or "") <= SIGNIFICANT:
        return float(text)
    exact = Decimal(text)
    return int(exact) if exact.adjusted() <= len(text) and exact == exact.to_integral_value() else Digits(text)
