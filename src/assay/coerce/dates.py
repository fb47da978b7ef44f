"""Dates and times in the forms that name them plainly, turned into ISO 8601.

What can be meant in two ways (01/02/2003, any two-digit year) is not turned: see `Ambiguous`.
"""

from __future__ import annotations

import re
from datetime import date, time

from assay.coerce.numbers import Ambiguous

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH = {name: index for index, name in enumerate(_MONTHS, 1)}
_MONTH |= {name[:3]: index for name, index in _MONTH.items()} | {"sept": 9}

_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_NAME = rf"(?P<name>{'|'.join(sorted(_MONTH, key=len, reverse=True))})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        rf"{_WEEKDAY}{_NAME}\s+{_DAY},?\s+{_YEAR}",
        rf"{_WEEKDAY}(?:the\s+)?{_DAY}(?:\s+of)?[\s-]+{_NAME},?[\s-]+{_YEAR}",
        rf"{_YEAR}[\s-]+{_NAME}[\s-]+{_DAY}",
    )
)
_SHORT = re.compile(r"(?P<first>\d{1,2})(?P<sep>[-/.])(?P<second>\d{1,2})(?P=sep)(?P<year>\d{2}|\d{4})")
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?P<fraction>\.\d+)?)?\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[-+]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?P<date>.*\d)(?:[T ]|,?\s+(?:at\s+)?)\s*(?P<time>\d{1,2}(?::\d{2}|\s*[ap]\.?m).*)", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})?")
_LONGEST = 60


def iso(text: str, form: str) -> str | Ambiguous | None:
    """`text` in the ISO form of the JSON Schema format `form` (`date`, `date-time`, `time`); None when it is no such thing.

    Nothing is made up: a date without a time stays one, a time without an offset gets none.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    match form:
        case "date":
            return _date_alone(text)
        case "time":
            return _time(text)
        case "date-time":
            return _moment(text)
        case _:
            return None


def _date_alone(text: str) -> str | Ambiguous | None:
    found = _SPLIT.fullmatch(text)
    if found is None:
        return _date(text)
    clock = _time(found["time"])
    return _date(found["date"]) if clock is not None and re.match(r"00:00:00(?:\.0+)?(?:Z|\Z)", clock) else None


def _moment(text: str) -> str | Ambiguous | None:
    found = _SPLIT.fullmatch(text)
    if found is None:
        return _date(text)
    day, clock = _date(found["date"]), _time(found["time"])
    return f"{day}T{clock}" if isinstance(day, str) and clock is not None else None if clock is None else day


def _date(text: str) -> str | Ambiguous | None:
    if _ISO_DATE.fullmatch(text):
        return text if _day(*map(int, text.split("-"))) else None
    for form in _FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            month = int(parts["month"]) if "month" in parts else _MONTH[parts["name"].lower()]
            return _day(int(parts["year"]), month, int(parts["day"]))
    found = _SHORT.fullmatch(text)
    return _short(found) if found else None


def _short(found: re.Match[str]) -> str | Ambiguous | None:
    """Three numbers, the year last: day first or month first."""
    first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
    if len(found["year"]) == 2:
        return Ambiguous(("day, month, year", "month, day, year", "year, month, day"))
    readings = dict.fromkeys(day for day in (_day(year, second, first), _day(year, first, second)) if day)
    if len(readings) > 1:
        return Ambiguous(tuple(readings))
    return next(iter(readings), None)


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _time(text: str) -> str | None:
    if _ISO_TIME.fullmatch(text):
        return text
    found = _TIME.fullmatch(text)
    if not found or not (found["minute"] or found["half"]):
        return None
    hour, half = int(found["hour"]), (found["half"] or "")[:1].lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        clock = time(hour, int(found["minute"] or 0), int(found["second"] or 0)).isoformat()
    except ValueError:
        return None
    return clock + (found["fraction"] or "") + _zone(found["zone"])


def _zone(text: str | None) -> str:
    match (text or "").upper():
        case "":
            return ""
        case "Z" | "UTC" | "GMT":
            return "Z"
        case offset:
            return offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
