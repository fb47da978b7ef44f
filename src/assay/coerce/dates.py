"""Dates and times in the forms that name them plainly, turned into ISO 8601.

`readings` gives every moment that a text can mean, and by which convention; who knows the convention of a document chooses.
`iso` chooses only where there is nothing to choose: 01/02/2003 and any two-digit year are `Ambiguous`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Literal

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
_MIDNIGHT = re.compile(r"00:00:00(?:\.0+)?(?:Z|\Z)")
_ISO_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})?")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of a printed date, time, or both."""

    iso: str
    """In the form of ISO 8601: `2026-03-04`, `2026-03-04T10:30:00+01:00`, `10:30:00`."""
    order: Literal["", "ymd", "dmy", "mdy"] = ""
    """The order that the numbers are taken in; "" when it does not matter: the month has its name, as in 4 March, or day and month
    are equal, or there is no date."""
    century: Literal["", "19", "20"] = ""
    """Of a year with two digits: the century that is assumed."""


def readings(text: str, form: str = "date") -> tuple[Moment, ...]:
    """Every moment that `text` as a whole can print; none when it prints none.

    `form` is a JSON Schema format: `date`, `time`, or `date-time`, which takes a date alone, too. Nothing is made up: a date
    without a time stays one, a time without an offset gets none. `03/04/2026` is the third of April and the fourth of March.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return ()
    match form:
        case "date":
            return _date_alone(text)
        case "time":
            clock = _time(text)
            return () if clock is None else (Moment(clock),)
        case "date-time":
            return _moments(text)
        case _:
            return ()


def iso(text: str, form: str) -> str | Ambiguous | None:
    """The one moment that `text` prints, in the ISO form of `form` (see `readings`); None when it prints none."""
    found = readings(text, form)
    if len(found) > 1:
        return Ambiguous(tuple(dict.fromkeys(one.iso for one in found)))
    return found[0].iso if found else None


def _date_alone(text: str) -> tuple[Moment, ...]:
    found = _SPLIT.fullmatch(text)
    if found is None:
        return _dates(text)
    clock = _time(found["time"])
    return _dates(found["date"]) if clock is not None and _MIDNIGHT.match(clock) else ()


def _moments(text: str) -> tuple[Moment, ...]:
    found = _SPLIT.fullmatch(text)
    if found is None:
        return _dates(text)
    clock = _time(found["time"])
    return () if clock is None else tuple(replace(day, iso=f"{day.iso}T{clock}") for day in _dates(found["date"]))


def _dates(text: str) -> tuple[Moment, ...]:
    for form in _FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            named = "name" in parts
            month = _MONTH[parts["name"].lower()] if named else int(parts["month"])
            day = _day(int(parts["year"]), month, int(parts["day"]))
            return (Moment(day, "" if named else "ymd"),) if day else ()
    found = _SHORT.fullmatch(text)
    return tuple(_short(found)) if found else ()


def _short(found: re.Match[str]) -> Iterator[Moment]:
    """Three numbers, the year last; or first, when all have two digits."""
    first, second, last = int(found["first"]), int(found["second"]), int(found["year"])
    orders: list[tuple[Literal["dmy", "mdy", "ymd"], int, int, int]] = [
        ("dmy", last, second, first),
        ("mdy", last, first, second),
    ]
    centuries: tuple[Literal["", "20", "19"], ...] = ("",)
    if len(found["year"]) == 2:
        centuries = ("20", "19")
        orders += [("ymd", first, second, last)] if len(found["first"]) == 2 else []
    for century in centuries:
        found_in: dict[str, list[Literal["dmy", "mdy", "ymd"]]] = {}
        for order, year, month, day in orders:
            if when := _day(int(century or 0) * 100 + year, month, day):
                found_in.setdefault(when, []).append(order)
        for when, taken in found_in.items():
            yield Moment(when, taken[0] if len(taken) == 1 else "", century)


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
