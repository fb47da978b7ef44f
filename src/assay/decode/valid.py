"""Valid JSON, read in one pass by pydantic's own parser."""

from __future__ import annotations

import re

import jiter

from assay.data.digits import number
from assay.types import JSON

# One pattern a sign: the search for a fixed first character is ten times as fast as one for digits.
_HUGE = (re.compile(r"e\+?\d{3}"), re.compile(r"E\+?\d{3}"))
"""What may be a number beyond all floats."""
_WHOLE = (re.compile(r"\.(?<=\d{16}\.)0"), re.compile(r"e(?<=\d{16}e)"), re.compile(r"E(?<=\d{16}E)"))
"""What may be a whole number of which a float would lose digits."""
_WINDOW = 150  # every run of 309 digits, which are beyond all floats, fills one such window
_LONG = re.compile(r"\d[\d.]{15}")


def valid(text: str, *, exact: bool = False, infinite: bool = False) -> JSON:
    """The value of a text that is JSON without repairs, each key once; else `ValueError`.

    With `exact`, numbers with more digits than a float has are `Digits`; with `infinite`, NaN and infinities are numbers.
    """
    data = text.encode()
    value = jiter.from_json(data, allow_inf_nan=infinite, catch_duplicate_keys=True)
    if any(pattern.search(text) for pattern in _WHOLE) or (exact and _LONG.search(text)):
        return _with_digits(jiter.from_json(data, allow_inf_nan=infinite, float_mode="lossless-float"))
    return value


def _with_digits(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _with_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_digits(item) for item in value]
    return number(str(value)) if isinstance(value, jiter.LosslessFloat) else value


def plain(text: str) -> bool:
    """Whether a text is JSON of which every reader makes the same: no key twice, no NaN, no number beyond all floats."""
    if _HUGE[0].search(text) or _HUGE[1].search(text):
        return False
    if len(text) > _WINDOW and any(text[at : at + _WINDOW].isdigit() for at in range(0, len(text) - _WINDOW, _WINDOW)):
        return False
    try:
        jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        return False
    return True
