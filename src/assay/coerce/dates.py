"""Dates and times in the forms that name them plainly, turned into ISO 8601.

`readings` gives every moment that a text can mean, and by which convention; a caller that knows the document's convention chooses.
`iso` chooses only where there is nothing to choose: 01/02/2003 and any two-digit year are `Ambiguous`.
"""

# ruff: noqa: RUF001  # letters of other scripts

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Literal

from assay.coerce.calendar import WEEKDAYS, month, plain
from assay.coerce.numbers import Ambiguous

_WORD = r"[^\W\d_]+(?:[\u0300-\u036f][^\W\d_]*)*"
_NAME = rf"(?P<name>{_WORD})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|re|º|ª|°|\.|-?(?:го|е))?"
_TO = r"(?:\s+(?:of|in|de|del|di)\s+|\s+d['’]|\s*[,/.-]\s*|\s+)"
_NAME_TO = rf"{_NAME}(?:,?{_TO}|(?<=\.))"
_YEAR = r"(?P<year>\d{4})"
_NUMBERED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?P<sep>[-/.]|\.\s|\s)(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})",
        r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?(?:[日号號]|일)",
        r"(?:ngày\s+)?(?P<day>\d{1,2})\s+tháng\s+(?P<month>\d{1,2})(?:\s+năm|,)?\s+(?P<year>\d{4})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    )
)
_NAMED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_NAME_TO}{_DAY}(?:\s?,)?{_TO}{_YEAR}",
        rf"(?:(?:the|le|el|den)\s+)?{_DAY}{_TO}?{_NAME_TO}{_YEAR}(?:\s?(?:г|р|r)\.)?",
        rf"{_YEAR}\.?{_TO}{_NAME_TO}{_DAY}",
        rf"{_DAY}{_TO}{_YEAR}{_TO}{_NAME}",
        rf"{_NAME_TO}{_YEAR}{_TO}(?P<day>\d{{1,2}})",
    )
)
_SHORT = re.compile(r"(?P<first>\d{1,2})(?P<sep>[-/.]|\.\s|\s)(?P<second>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})")
"""Three numbers, of which no year with four digits comes first."""
_SHORT_NAMED = re.compile(rf"{_DAY}{_TO}?{_NAME_TO}['’]?(?P<year>\d\d)", re.IGNORECASE)
NUMBERED = (*_NUMBERED, _SHORT)
"""Forms of dates in numbers alone."""
NAMED = (*_NAMED, _SHORT_NAMED)
"""Forms of dates with the name of a month, or with another word in its place: see `assay.coerce.calendar.month`."""
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
    text = unicodedata.normalize("NFKC", text.strip())  # full-width digits and signs
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
    text = _without_weekday(text)
    for form in (*_NUMBERED, *_NAMED):
        if found := form.fullmatch(text):
            return _full(found)
    if found := _SHORT.fullmatch(text):
        return tuple(_short(found))
    return tuple(_short_named(found)) if (found := _SHORT_NAMED.fullmatch(text)) else ()


def _without_weekday(text: str) -> str:
    first, _, rest = text.partition(" ")
    return rest.lstrip() if rest and plain(first.rstrip(",")) in WEEKDAYS else text


def _full(found: re.Match[str]) -> tuple[Moment, ...]:
    parts = found.groupdict()
    named = "name" in parts
    number = month(parts["name"]) if named else int(parts["month"])
    day = _day(int(parts["year"]), number, int(parts["day"])) if number else None
    return (Moment(day, "" if named else "ymd"),) if day else ()


def _short_named(found: re.Match[str]) -> Iterator[Moment]:
    """The month by its name and two digits of the year."""
    if number := month(found["name"]):
        for century in _CENTURIES:
            if day := _day(int(century) * 100 + int(found["year"]), number, int(found["day"])):
                yield Moment(day, "", century)


_CENTURIES: tuple[Literal["20", "19"], ...] = ("20", "19")


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
        for order, year, number, day in orders:
            if when := _day(int(century or 0) * 100 + year, number, day):
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
