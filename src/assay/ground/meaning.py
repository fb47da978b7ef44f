"""Numbers and dates that stand in a text, found by what they mean: each printed one with every reading it has.

The readings are those of `assay.coerce`, which turns prints into values: what it would read, this finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from itertools import chain
from typing import TypeVar

from assay.coerce import dates, numbers, scales
from assay.coerce.calendar import WEEKDAYS, month, plain
from assay.ground.find import Spot
from assay.ground.fold import Folded

AROUND = 24
"""Characters around the name of a month in which its day and year stand."""
K = TypeVar("K")

PART = 40.0
"""Charge for what may be a part of a longer number, or is one of several readings."""

_SPACED = r" \d{3}(?!\d)"
_NUMBER = re.compile(rf"(?<!\d)(?:\d+|(?<![^\W_])(?<!\d[.,])[.,]\d+)(?:[.,'_]\d+|{_SPACED})*(?:e[-+]?\d{{1,3}}(?![^\W_]))?")
_MINUS = re.compile(r"(?:(?<![\w)])[-−(]|(?:minus|negative|menos|moins|负|マイナス))\s?[$€£¥]?\s?\Z")  # noqa: RUF001
_WORD = re.compile(r"[\s-]?([^\W\d_]+)\.?")
_PERCENT = re.compile(r"\s?%")
_FRACTION = re.compile(r"(?<![\d/.])(?:(\d+) )?(\d+)/(\d+)(?![\d/.])")
_TIME = re.compile(
    r"(?<![\d:.])\d{1,2}(?:[:.h]\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[ap]\.?m\b\.?)?|\s?[ap]\.?m\b\.?)(?:\s?(?:z\b|utc|gmt|[-+]\d{2}:?\d{2}))?"
)
_BETWEEN = re.compile(r"(?:t|,?\s?(?:at|um|à|a las|alle|om|kl\.?)?\s?)", re.IGNORECASE)


class Printed:
    """The numbers, dates and times of one text; each kind is looked for once, when a value of it first asks."""

    def __init__(self, text: Folded) -> None:
        self._text = text

    def number(self, value: float | str) -> list[Spot]:
        """The places where this number is printed."""
        try:
            return self._numbers.get(Decimal(str(value)), [])
        except InvalidOperation:
            return []

    def nearest(self, value: float) -> tuple[int, int] | None:
        """The place of the printed number that has the same digits, else of the one that is least far away, by its ratio."""
        wanted = Decimal(str(value))
        digits = _digits(wanted)
        alike = [number for number in self._numbers if _digits(number) == digits]
        close = [number for number in self._numbers if abs(number - wanted) <= abs(wanted) / 2]
        best = min(alike or close, key=lambda number: abs(number - wanted), default=None)
        return None if best is None else self._numbers[best][0][:2]

    def date(self, iso: str) -> list[Spot]:
        """The places where this day is printed, given as `YYYY-MM-DD`."""
        return self._dates.get(iso, [])

    def time(self, iso: str) -> list[Spot]:
        """The places where this time of day is printed."""
        return self._times.get(_clock(iso), [])

    def moment(self, iso: str) -> list[Spot]:
        """The places of a day with its time; of the day alone where the time is midnight or stands somewhere else."""
        day, clock = iso[:10], iso[11:]
        days, times = self.date(day), self.time(clock)
        ends = {place.start: place.end for place in times}
        joined = []
        for place in days:
            between = _BETWEEN.match(self._text.source, place.end)
            end = ends.get(between.end()) if between else None
            if end is not None:
                joined.append(place._replace(end=end))
        return joined or (days if times or _clock(clock).startswith("00:00") else [])

    @cached_property
    def _numbers(self) -> dict[Decimal, list[Spot]]:
        found: dict[Decimal, list[Spot]] = {}
        for start, end, value, charge in _numbers(self._text.text):
            place = self._text.back(start, end)
            if place is not None and "\n" not in self._text.source[slice(*place)]:
                found.setdefault(value, []).append(Spot(*place, charge, "value"))
        return _in_order(found)

    @cached_property
    def _dates(self) -> dict[str, list[Spot]]:
        found: dict[str, list[Spot]] = {}
        text = self._text.text
        known: list[tuple[int, int]] = []
        for start, end in chain(*(_dated(form, text, 0, len(text)) for form in dates.NUMBERED), _named(text)):
            if not any(a <= start and end <= b for a, b in known[-20:]):
                moments = dates.readings(text[start:end])
                place = self._text.back(*_with_weekday(text, start, end))
                if moments and place is not None:
                    known.append((start, end))
                    for moment in moments:
                        found.setdefault(moment.iso, []).append(Spot(*place, PART * (len(moments) > 1), "value"))
        return _in_order(found)

    @cached_property
    def _times(self) -> dict[str, list[Spot]]:
        found: dict[str, list[Spot]] = {}
        for print_ in _TIME.finditer(self._text.text):
            place = self._text.back(*print_.span())
            for moment in dates.readings(re.sub(r"(?<=\d)[.h](?=\d\d)", ":", print_[0], count=1), "time"):
                if place is not None:
                    found.setdefault(_clock(moment.iso), []).append(Spot(*place, 0.0, "value"))
        return _in_order(found)


def _digits(number: Decimal) -> str:
    return "".join(map(str, number.as_tuple().digits)).strip("0")


def _in_order(found: dict[K, list[Spot]]) -> dict[K, list[Spot]]:
    for places in found.values():
        places.sort()
    return found


def _clock(iso: str) -> str:
    """A time of day without the zeros that say nothing, and without its offset."""
    return re.sub(r"(?:z|[-+]\d\d:?\d\d)\Z", "", iso.casefold())[:8].removesuffix(":00").ljust(5)


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Where dates stand around the name of a month."""
    for word in _LETTERS.finditer(text):
        if month(word[0]):
            first, last = max(0, word.start() - AROUND), word.end() + AROUND
            if _DIGIT.search(text, first, last):
                around = [place for form in dates.NAMED for place in _dated(form, text, first, last)]
                yield from ((start, end) for start, end in around if start <= word.start() < end)


def _dated(form: re.Pattern[str], text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Where a form of dates fits: at each place from which no digit is left out."""
    while found := form.search(text, first, last):
        start, end = min(found.start(name) for name in form.groupindex), found.end()  # without the article before it
        first = found.start() + 1
        whole = not (text[end : end + 1].isdigit() and text[end - 1].isdigit()) and not (start and text[start - 1].isdigit())
        if whole:
            yield start, end
            first = end


def _with_weekday(text: str, start: int, end: int) -> tuple[int, int]:
    """With the day of the week before or behind a date."""
    if (before := _WORD_BEFORE.search(text, max(0, start - 20), start)) and plain(before[1]) in WEEKDAYS:
        start = before.start(1)
    behind = _CHINESE_DAY.match(text, end)
    return start, behind.end() if behind else end


def _numbers(text: str) -> Iterator[tuple[int, int, Decimal, float]]:
    """Every reading of every printed number: where it stands, what it means, and what it costs to take it so."""
    for found in _NUMBER.finditer(text):
        start, end = found.span()
        minus = _MINUS.search(text, max(0, start - 12), start)
        for first, last, value, charge in _readings(text, start, end):
            negative = minus is not None and first == start
            if minus is not None and negative:
                yield minus.start(), last, -value, charge
            yield first, last, value, charge + PART * negative  # what looks like a minus may be a dash
    for found in _FRACTION.finditer(text) if "/" in text else ():
        whole, upper, lower = found.groups()
        if int(lower):
            yield *found.span(), Decimal(whole or 0) + Decimal(upper) / Decimal(lower), 0.0
    for found in scales.CHINESE.finditer(text) if not scales.SIGNS.isdisjoint(text) else ():
        yield *found.span(), scales.chinese(found[0]), 0.0


def _readings(text: str, start: int, end: int) -> Iterator[tuple[int, int, Decimal, float]]:
    token = text[start:end]
    values = _values(token)
    inside = token[0] == "0" and token.isdigit() and (text[start - 1 : start] in _JOINING or text[end : end + 1] in _JOINING)
    for value in () if inside and len(token) > 1 else values:
        charge = PART * (len(values) > 1)
        yield start, end, value, charge
        if percent := _PERCENT.match(text, end):
            yield start, percent.end(), value.scaleb(-2), charge + PART
        last, factor = _scaled(text, end)
        if factor != 1:
            yield start, last, value * factor, charge
    if not values or _MAYBE_TWO.fullmatch(token):
        for piece in re.finditer(r"[^ ]+" if " " in token else r"[^,'_]+", token):
            if piece[0] != token:
                yield from (
                    (a, b, value, charge + PART)
                    for a, b, value, charge in _readings(text, start + piece.start(), start + piece.end())
                )


_MAYBE_TWO = re.compile(r"\d{1,3} \d{3}")
"""What may be one number, or two next to each other."""
_WORD_BEFORE = re.compile(r"(?<![^\W\d_])([^\W\d_]+)[.,]{0,2}\s\Z")
_CHINESE_DAY = re.compile(r"\s?[((]?(?:[月火水木金土日]曜日?|星期[一二三四五六日天]|周[一二三四五六日])[))]?")
_LETTERS = re.compile(r"[^\W\d_]{3,}(?:[\u0300-\u036f][^\W\d_]*)*")
_DIGIT = re.compile(r"\d")
_JOINING = ("-", "/", ".", ":")


def _scaled(text: str, end: int) -> tuple[int, Decimal]:
    """Where the words that multiply a number end, and by what they multiply: `75 million`, `2 mil millones`, `75 USD million`."""
    factor = Decimal(1)
    word = _WORD.match(text, end)
    if word and len(word[1]) == 3 and word[1] not in scales.SCALES:
        word = _WORD.match(text, word.end())  # a currency between
    while word:
        more = scales.scale(word[1]) or (scales.LETTERS.get(word[1]) if factor == 1 and word.start() == end else None)
        if more is None:
            break
        factor *= more
        end = word.end(1)
        word = _WORD.match(text, end)
    return end, factor


@lru_cache(maxsize=4096)
def _values(token: str) -> tuple[Decimal, ...]:
    if token.isdigit():
        return (Decimal(token),) if token.isdecimal() else ()
    return tuple(dict.fromkeys(reading.value for reading in numbers.readings(token)))
