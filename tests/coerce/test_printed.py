"""Printed numbers and dates: every reading that a text has, each with its convention."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.coerce import dates, numbers

NUMBERS = [
    ("12", [("12", "", "")]),
    ("1 234", [("1234", "", "")]),
    ("1.234", [("1.234", ".", ""), ("1234", ",", "")]),
    ("-1,234", [("-1234", ".", ""), ("-1.234", ",", "")]),
    ("1.234,50", [("1234.50", ",", "")]),
    ("1,234.50", [("1234.50", ".", "")]),
    ("1.234.567", [("1234567", ",", "")]),
    ("12,34,567.5", [("1234567.5", ".", "")]),
    ("0,123", [("0.123", ",", "")]),
    ("1234.567", [("1234.567", ".", "")]),
    ("1'234.5 CHF", [("1234.5", ".", "")]),
    ("US$ 1,200.50", [("1200.50", ".", "")]),
    ("−5 €", [("-5", "", "")]),
    ("1.234567890123456789", [("1.234567890123456789", ".", "")]),
    ("12,5 %", [("12.5", ",", "hundredths"), ("0.125", ",", "fraction")]),
    *((text, []) for text in ("", "$", "%", "12 kg", "--5", "1,23,4", "1_234.5_6", "1.2.3", "12,34.567,8", "0,123,456")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), NUMBERS)
def test_a_number_has_every_reading_with_its_decimal_mark(text: str, found: list) -> None:
    assert [(str(one.value), one.decimal, one.percent) for one in numbers.readings(text)] == found


DATES = [
    ("03/04/2026", "date", [("2026-04-03", "dmy", ""), ("2026-03-04", "mdy", "")]),
    ("25.12.2026", "date", [("2026-12-25", "dmy", "")]),
    ("12/25/2026", "date", [("2026-12-25", "mdy", "")]),
    ("5/5/2026", "date", [("2026-05-05", "", "")]),
    ("4 March 2026", "date", [("2026-03-04", "", "")]),
    ("2026/3/4", "date", [("2026-03-04", "ymd", "")]),
    ("25-12-31", "date", [("2031-12-25", "dmy", "20"), ("2025-12-31", "ymd", "20"), ("1931-12-25", "dmy", "19"), ("1925-12-31", "ymd", "19")]),
    ("03/04/2026 10:30", "date-time", [("2026-04-03T10:30:00", "dmy", ""), ("2026-03-04T10:30:00", "mdy", "")]),
    ("3:30 pm", "time", [("15:30:00", "", "")]),
    *((text, "date", []) for text in ("", "2026", "2026-02-31", "31/31/2026", "today", "3/4")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form", "found"), DATES)
def test_a_date_has_every_reading_with_its_order(text: str, form: str, found: list) -> None:
    assert [(one.iso, one.order, one.century) for one in dates.readings(text, form)] == found


@settings(deadline=None, max_examples=200)
@given(st.decimals(-(10**12), 10**12, places=2), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_of_every_convention_the_right_reading_is_among_them(value: Decimal, signs: tuple[str, str]) -> None:
    group, mark = signs
    text = f"{value:,.2f}".replace(",", "\0").replace(".", mark).replace("\0", group)
    assert value in [one.value for one in numbers.readings(text) if one.decimal == mark]


@settings(deadline=None, max_examples=200)
@given(st.dates(date(1, 1, 1)), st.sampled_from([("%d/%m/{}", "dmy"), ("%m/%d/{}", "mdy"), ("{}-%m-%d", "ymd")]))
def test_of_every_order_the_right_reading_is_among_them(value: date, form: tuple[str, str]) -> None:
    text = value.strftime(form[0]).format(f"{value.year:04}")
    assert value.isoformat() in [one.iso for one in dates.readings(text) if one.order in ("", form[1])]
