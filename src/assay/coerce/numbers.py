"""Numbers as people print them: grouped, with a currency sign, with a decimal comma.

`readings` gives every number that a text can mean, and by which convention; a caller that knows the document's convention chooses.
`number` chooses only where there is nothing to choose: see `Ambiguous`.
"""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A print with several meanings, in words."""

    meanings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """One reading of a printed number."""

    value: Decimal
    """The number, with all digits that are printed."""
    decimal: Literal["", ".", ","] = ""
    """The sign that is taken for the decimal mark; "" when the text reads the same with either, as `12` and `1 234` do."""
    percent: Literal["", "fraction", "hundredths"] = ""
    """Of a text with a per cent sign: whether 12 % is taken as 0.12 or as 12."""

    @property
    def plain(self) -> int | float | None:
        """As an `int` where no fraction is printed, else as a `float`; None when it is beyond all floats."""
        if self.value.as_tuple().exponent == 0:
            return int(self.value)
        number = float(self.value)
        return None if number in (float("inf"), float("-inf")) else number


_CURRENCY = (
    r"(?:(?:US|CA|AU|NZ|HK|[CARS])?\$|[€£¥₹₽₩₺₫₴₪฿₱]|"
    r"USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|INR|CNY|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|KRW|TRY|ZAR|kr\.?|zł|Kč|Fr\.)"
)
_HEAD = re.compile(rf"(?P<sign>[-+−]?)\s*+(?:{_CURRENCY}\s*+)?(?P<inner>[-+−]?)")
_TAIL = re.compile(rf"(?<=\d)\s*+{_CURRENCY}\Z")
_PLAIN = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_SPACES = r" \u00a0\u2009\u202f"
_FORMS: dict[Literal[".", ","], re.Pattern[str]] = {
    ".": re.compile(
        rf"{_PLAIN.pattern}|[1-9]\d{{0,2}}(?:([,'’_{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:\.\d+)?"
        r"|[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?"  # as in India: 12,34,567
    ),
    ",": re.compile(rf"\d+(?:,\d+)?(?:[eE][-+]?\d{{1,3}})?|[1-9]\d{{0,2}}(?:([.'’{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:,\d+)?"),
}
_NOT_DIGITS = {mark: re.compile(rf"[^\deE+{re.escape(mark)}-]+") for mark in _FORMS}
_LONGEST = 400


def readings(text: str) -> tuple[Number, ...]:
    """Every number that `text` as a whole can print, each with its convention; none when it prints none.

    `1.234` is 1.234 and 1234, `1,234` is 1234 and 1.234, `1,234.50` is 1234.50 alone, `12 %` is 12 and 0.12.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return ()
    body = text.removesuffix("%").rstrip()
    found = _unsigned(body)
    if len(body) == len(text):
        return found
    hundredths = tuple(Number(one.value, one.decimal, "hundredths") for one in found)
    return (*hundredths, *(Number(one.value.scaleb(-2), one.decimal, "fraction") for one in found))


def _unsigned(text: str) -> tuple[Number, ...]:
    head = _HEAD.match(text)
    assert head is not None  # it matches the empty string
    signs = head["sign"] + head["inner"]
    if len(signs) > 1:
        return ()
    body = _TAIL.sub("", text[head.end() :])
    values = {mark: _value(body, mark) for mark in _FORMS}
    kept = {mark: -value if signs in ("-", "−") else value for mark, value in values.items() if value is not None}
    if len(kept) == 2 and kept["."] == kept[","]:
        return (Number(kept["."]),)
    return tuple(Number(value, mark) for mark, value in kept.items())


def _value(body: str, mark: Literal[".", ","]) -> Decimal | None:
    """The unsigned number that `body` prints when `mark` is its decimal mark."""
    if not _FORMS[mark].fullmatch(body):
        return None
    return Decimal(_NOT_DIGITS[mark].sub("", body).replace(",", "."))


def number(text: str, *, whole: bool) -> int | float | Ambiguous | None:
    """The one number that `text` prints; None when it prints none. `whole` asks for an integer."""
    found = readings(text)
    if any(one.percent for one in found):
        text = text.strip()
        return Ambiguous((f"{text} as a fraction of 1", f"{text} in hundredths"))
    if whole and found and found[0].value.as_tuple().exponent == 0:
        found = found[:1]  # 12,111 has no fraction, as is wanted; 1.234 has one by JSON's own convention, wanted or not
    if len(found) > 1:
        return Ambiguous(tuple(str(one.value) for one in found))
    if not found:
        return None
    (one,) = found
    return _whole(one.value) if whole else one.plain


def _whole(value: Decimal) -> int | None:
    return int(value) if value.adjusted() < _LONGEST and value == value.to_integral_value() else None
