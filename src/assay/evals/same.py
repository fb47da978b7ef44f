"""When two values are the same, whatever they look like.

Texts are when they differ in case and white space only, numbers when they are equal (74.5 and 74.50), dates when they name
the same day or moment ("4 March 2026" and 2026-03-04). A number is the same as a text that may print it (1,234 is 1234
and 1.234). Of two texts, one that can be read in two ways (01/02/2003) is only the same as itself.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from datetime import datetime

from assay.coerce.dates import iso
from assay.coerce.numbers import readings
from assay.types import JSON


def same(one: JSON, other: JSON) -> bool:
    """Whether two scalars mean the same."""
    if canonical(one) == canonical(other):
        return True
    match one, other:
        case bool(), _:
            return False
        case _, bool():
            return False
        case ((int() | float()), str()):
            return _prints(other, one)
        case str(), (int() | float()):
            return _prints(one, other)
        case _:
            return False


def _prints(text: str, value: float) -> bool:
    """Whether a text may print a number: `1,234` prints 1234 and 1.234."""
    return any(value in (one.value, one.plain) for one in readings(text) if not one.percent)


def canonical(value: JSON) -> Hashable:
    """A scalar in the one form that all that are the same share; but for numbers, which texts may print."""
    match value:
        case str():
            return _moment(value) or " ".join(value.split()).casefold()
        case bool():
            return ("bool", value)  # True is not 1
        case int() | float() | None:
            return value
        case _:
            return repr(value)  # an empty container


def _moment(text: str) -> datetime | None:
    found = iso(text, "date-time") if any(map(str.isdigit, text)) else None
    with suppress(ValueError):
        return datetime.fromisoformat(found) if isinstance(found, str) else None
    return None
