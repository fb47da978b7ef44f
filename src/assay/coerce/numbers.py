"""Numbers as people print them: grouped, with a currency sign, with a decimal comma.

A printed number that can be read in two ways is not read: see `Ambiguous`.
"""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A print with several meanings, in words."""

    meanings: tuple[str, ...]


_CURRENCY = r"(?:[$€£¥₹₽₩]|USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY)"
_MONEY = re.compile(rf"(?P<sign>[-+−]?)\s*{_CURRENCY}?\s*(?P<body>[-+−]?[\d.,'’_\s]*\d)\s*{_CURRENCY}?")
_PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_PERCENT = re.compile(r"[-+−]?[\d.,]+\s*%")
_DOT_DECIMAL = re.compile(r"\d{1,3}(?:([,'’_\s])\d{3})(?:\1\d{3})*(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_COMMA_DECIMAL = re.compile(r"\d{1,3}(?:([.'’\s])\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,\d{1,2}|\d+,\d{4,}|0,\d+")
_LONGEST = 400


def number(text: str, *, whole: bool) -> int | float | Ambiguous | None:
    """The number that `text` prints; None when it prints none. `whole` asks for an integer."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _PERCENT.fullmatch(text):
        return Ambiguous((f"{text} as a fraction of 1", f"{text} in hundredths"))
    if _PLAIN.fullmatch(text):
        return _plain(text, whole=whole)
    found = _MONEY.fullmatch(text)
    if not found:
        return None
    sign, body = found["sign"], found["body"]
    if body[0] in "-+−":
        if sign:
            return None
        sign, body = body[0], body[1:]
    return _signed(_body(body, whole=whole), negative=sign in ("-", "−"))


def _signed(value: float | Ambiguous | None, *, negative: bool) -> int | float | Ambiguous | None:
    return -value if negative and isinstance(value, int | float) else value


def _plain(text: str, *, whole: bool) -> int | float | Ambiguous | None:
    digits = text.lstrip("+-")
    if digits.isdigit():
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    if not whole:
        return value
    if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits):
        return Ambiguous((text, digits.replace(".", "")))
    return int(value) if value.is_integer() else None


def _body(text: str, *, whole: bool) -> int | float | Ambiguous | None:
    """An unsigned number, perhaps grouped."""
    if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text):
        return Ambiguous((text, text.replace(".", "")))
    if _PLAIN.fullmatch(text):
        return _plain(text, whole=whole)
    if text[0] != "0" and _DOT_DECIMAL.fullmatch(text):
        return _plain(re.sub(r"[,'’_\s]", "", text), whole=whole)
    if _COMMA_DECIMAL.fullmatch(text):
        return _plain(re.sub(r"[.'’\s]", "", text).replace(",", "."), whole=whole)
    return None
