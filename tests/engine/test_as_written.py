"""Numbers and dates copied as they are printed, and turned by the conventions of the document; what it does not decide is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from assay.connect.compile import asked, compose, wire
from assay.engine import Task
from assay.errors import ConfigurationError
from assay.options import Options
from assay.outcome import Outcome
from assay.target.build import target
from assay.types import Mode, Profile
from engine.playing import play, said, task


class Bill(BaseModel):
    supplier: str
    total: float
    units: int | None = None
    due: date | None = None


def copying(type_: Any, **options: Any) -> Task[Any]:
    given, profile = Options.of(values="as_written", **options), Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True)
    compiled = target(type_)
    return replace(
        task(type_, profile=profile, **options),
        as_written=True,
        locale=given.locale,
        prompt=compose(compiled, given, profile),
        wire=wire(asked(compiled, given, profile), profile),
    )


def run(type_: Any, answer: Any, source: str, *again: str, **options: Any) -> tuple[Outcome[Any], list[Any]]:
    outcome, calls, _ = play(copying(type_, **options), json.dumps(answer), *again, source=source)
    return outcome, calls


GERMAN = "Bergman GmbH, Rechnung: 1.240,50 EUR für 1.500 Stück, fällig 03.04.2026."


def test_prints_are_turned_by_the_document_and_stand_in_it() -> None:
    answer = {"supplier": "Bergman GmbH", "total": "1.240,50 EUR", "units": "1.500", "due": "03.04.2026"}
    outcome, calls = run(Bill, answer, GERMAN, ground="require")
    assert outcome.unwrap() == Bill(supplier="Bergman GmbH", total=1240.5, units=1500, due=date(2026, 4, 3))
    assert len(calls) == 1
    assert {span.path: GERMAN[span.start : span.end] for span in outcome.spans}["/total"] == "1.240,50 EUR"
    assert {repair.path for repair in outcome.repairs} == {"/total", "/units", "/due"}


def test_the_model_is_asked_for_texts() -> None:
    _, (call,) = run(Bill, {"supplier": "x", "total": "1,50"}, "1,50")
    properties = call.schema["properties"]
    assert properties["total"]["type"] == "string"
    assert "date" not in json.dumps(properties["due"]).replace("dates", "")
    assert "copy each exactly" in call.messages[0].content


def test_what_the_document_does_not_decide_is_asked_with_both_readings() -> None:
    outcome, (_, again) = run(Bill, {"supplier": "x", "total": "1.234"}, "x: 1.234", '{"/total": 1234}')
    assert outcome.unwrap().total == 1234
    assert "'1.234' can be read as 1.234 or as 1234" in said(again)
    assert again.schema["properties"]["/total"]["type"] == "number"


def test_a_locale_decides() -> None:
    answer = {"supplier": "x", "total": "1.234", "due": "03/04/2026"}
    assert run(Bill, answer, "1.234", locale="de")[0].unwrap().total == 1234
    american = run(Bill, answer, "1.234", locale="en_US")[0].unwrap()
    assert (american.total, american.due) == (1.234, date(2026, 3, 4))


@pytest.mark.parametrize(
    ("source", "printed", "value"),
    [
        ("12.450,00 and 1.234", "1.234", 1234), ("12,450.00 and 1.234", "1.234", 1.234), ("12,450.00 and 1,234", "1,234", 1234),
        ("9,99 and 1,234", "1,234", 1.234), ("", "$75 million", 75_000_000), ("", "2,5 Mio. €", 2_500_000), ("", "14 days", 14),
        ("", "ca. 1 200 kg", 1200), ("", "-12,50", -12.5), ("", "3万", 30000), ("", "1 234,50", 1234.5),
    ],
)  # fmt: skip
def test_numbers(source: str, printed: str, value: float) -> None:
    outcome, _ = run(Bill, {"supplier": "x", "total": printed}, source or printed)
    assert outcome.unwrap().total == value


@pytest.mark.parametrize(
    ("source", "printed", "value"),
    [
        ("14.04.2026", "03.04.2026", date(2026, 4, 3)), ("04/14/2026", "03/04/2026", date(2026, 3, 4)),
        ("14/04/2026", "03/04/2026", date(2026, 4, 3)), ("EUR 1,50", "03/04/2026", date(2026, 4, 3)),
        ("29 March 2026, EUR 1,50", "14.3.26", date(2026, 3, 14)), ("", "3. März 2026", date(2026, 3, 3)), ("", "2026年3月4日", date(2026, 3, 4)),
        ("", "March 4, 2026", date(2026, 3, 4)),
    ],
)  # fmt: skip
def test_dates(source: str, printed: str, value: date) -> None:
    outcome, _ = run(Bill, {"supplier": "x", "total": "1", "due": printed}, f"{source} {printed} 1")
    assert outcome.unwrap().due == value


class Wide(BaseModel):
    when: datetime
    at: time
    price: Decimal
    code: int | str
    rates: list[float]
    by: dict[str, int]


def test_other_types_nested_and_in_unions() -> None:
    source = "4. März 2026, 14:30; 10:15; 1.099,90; 0042; 1,50 und 2,25; a 1.200"
    answer = {"when": "4. März 2026, 14:30", "at": "10:15", "price": "1.099,90", "code": "0042", "rates": ["1,50", "2,25"]}
    outcome, _ = run(Wide, {**answer, "by": {"a": "1.200"}}, source)
    assert outcome.unwrap() == Wide(
        when=datetime.fromisoformat("2026-03-04T14:30"),
        at=time(10, 15),
        price=Decimal("1099.9"),
        code="0042",
        rates=[1.5, 2.25],
        by={"a": 1200},
    )


def test_a_number_in_typed_form_is_decided_by_the_document_too() -> None:
    answer = json.dumps({"supplier": "x", "total": "1.234"})
    assert play(task(Bill), answer, source="1.234 and 12.450,00")[0].unwrap().total == 1234
    outcome, calls, _ = play(task(Bill), answer, '{"/total": 1.234}', source="1.234")
    assert outcome.unwrap().total == 1.234
    assert len(calls) == 2


def test_examples_are_shown_as_they_print() -> None:
    given = Options.of(
        values="as_written", examples=[(GERMAN, Bill(supplier="Bergman GmbH", total=1240.5, due=date(2026, 4, 3)))]
    )
    shown = compose(target(Bill), given, Profile()).prefix[2].content
    assert json.loads(shown) == {"supplier": "Bergman GmbH", "total": "1.240,50", "units": None, "due": "03.04.2026"}


@pytest.mark.parametrize("given", [{"values": "text"}, {"locale": "German"}, {"locale": 5}])
def test_wrong_settings_say_what_there_is(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"must be"):
        Options.of(**given)
