"""How a document prints its numbers and dates: which sign is the decimal mark, whether the day or the month comes first.

Decided by what can be read in one way only: `1.240,50` says that `1.234` is a whole number, `14/04/2026` that `03/04/2026` is in April.
A document with both, or neither, decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from assay.coerce import dates, numbers
from assay.errors import ConfigurationError

_NUMBER = re.compile(r"(?<![\w.,/:-])\d+(?:[.,'’ \u00a0\u202f]\d{3})*(?:[.,]\d+)?(?![\w/:-]|[.,]\d)")  # noqa: RUF001
_MONEY = re.compile(r"\d+(?:[.,'’ \u00a0\u202f]\d{3})*[.,]\d{2}")  # noqa: RUF001
_DATE = re.compile(r"(?<![\d./-])\d{1,2}([./-]|\. )\d{1,2}\1(?:\d{4}|\d{2})(?![\d/-])")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_LONGEST = 100_000
"""Characters of a document that are examined."""

_COMMA = [
    "az",
    "be",
    "bg",
    "ca",
    "cs",
    "da",
    "de",
    "el",
    "es",
    "et",
    "eu",
    "fi",
    "fr",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ka",
    "kk",
    "lt",
    "lv",
    "mk",
    "nb",
    "nl",
    "nn",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sq",
    "sr",
    "sv",
    "tr",
    "uk",
    "vi",
]
_POINT = ["ar", "bn", "en", "fa", "he", "hi", "ja", "ko", "ms", "mt", "ta", "th", "ur", "zh"]
_POINT_IN = {
    "de_CH",
    "de_LI",
    "it_CH",
    "es_MX",
    "es_US",
    "es_DO",
    "es_GT",
    "es_HN",
    "es_NI",
    "es_PA",
    "es_PE",
    "es_PR",
    "es_SV",
}
_YEAR_FIRST = {"eu", "hu", "ja", "ko", "lt", "zh"}
_MONTH_FIRST = {"en_US", "en_PH", "es_US"}


class Conventions:
    """The conventions of one document; worked out when something first depends on them. A `locale` decides instead."""

    def __init__(self, text: str, locale: str | None = None) -> None:
        self._text, self._locale = text, locale

    @cached_property
    def decimal(self) -> str:
        """`.` or `,`; "" when the document does not say."""
        if self._locale is not None:
            return decimal_of(self._locale)
        found: Counter[str] = Counter()
        for printed in _NUMBER.finditer(self._text, 0, _LONGEST):
            marks = {reading.decimal for reading in numbers.readings(printed[0])}
            if len(marks) == 1 and _MONEY.fullmatch(printed[0]):
                found.update(marks)
        return _only(found)

    @cached_property
    def order(self) -> str:
        """`dmy`, `mdy` or `ymd`; "" when the document does not say."""
        if self._locale is not None:
            return order_of(self._locale)
        found: Counter[str] = Counter()
        for printed in _DATE.finditer(self._text, 0, _LONGEST):
            orders = {reading.order for reading in dates.readings(printed[0])}
            if len(orders) == 1:
                found.update(orders)
        return _only(found) or ("dmy" if self.decimal == "," else "")  # where a comma is the mark, no month comes first

    @cached_property
    def century(self) -> str:
        """`19` or `20`, that of all years with four digits; "" when there are both, or none."""
        return _only(Counter(year[0][:2] for year in _YEAR.finditer(self._text, 0, _LONGEST)))

    def number(self, found: Iterable[numbers.Number]) -> list[numbers.Number]:
        """The readings of a print that agree with the document."""
        return [one for one in found if one.decimal in ("", self.decimal or one.decimal)]

    def moment(self, found: Iterable[dates.Moment]) -> list[dates.Moment]:
        """The readings of a print that agree with the document."""
        return [
            one
            for one in found
            if one.order in ("", self.order or one.order) and one.century in ("", self.century or one.century)
        ]


def _only(found: Counter[str]) -> str:
    found.pop("", None)
    return next(iter(found)) if len(found) == 1 else ""


def decimal_of(locale: str) -> str:
    """The decimal mark of a locale: `de`, `en_US`, `pt-BR`."""
    language, place = _parts(locale)
    return "." if place in _POINT_IN or language in _POINT else ","


def order_of(locale: str) -> str:
    """In which order a locale writes a date in numbers; "" for English of no country, which has two."""
    language, place = _parts(locale)
    if place in _MONTH_FIRST:
        return "mdy"
    return "ymd" if language in _YEAR_FIRST else "" if place == "en" else "dmy"


def _parts(locale: str) -> tuple[str, str]:
    language, _, country = locale.replace("-", "_").partition("_")
    return language.lower(), f"{language.lower()}_{country.upper()}" if country else language.lower()


def known(locale: str) -> str:
    """A locale that is in the table; else a `ConfigurationError` that lists them."""
    if _parts(locale)[0] not in (*_COMMA, *_POINT):
        raise ConfigurationError(f"locale must be a language, with or without a country (de, en_US); got {locale!r}")
    return locale
