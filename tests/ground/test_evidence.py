"""Where the values of an answer stand, which of several places is theirs, and which stand nowhere."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from assay.data.paths import get, leaves
from assay.ground import Evidence
from assay.types import Repair

DATA = Path(__file__).parents[3] / "shared" / "data" / "ground"


def evidence(value: Any, source: str, schema: dict[str, Any] | None = None, **more: Any) -> Evidence:
    return Evidence(json.dumps(value), source, schema or {}, **more)


def found(value: Any, source: str, schema: dict[str, Any] | None = None, **more: Any) -> list[tuple[str, str, str]]:
    return [(span.path, source[span.start : span.end], span.match) for span in evidence(value, source, schema, **more).spans]


INVOICE = """Bergman & Söhne GmbH · Rechnung 2026-118 vom 3. März 2026
2 Lampen à 179,85    359,70 €
9 Kabel à 12,00      108,00 €
Gesamt               12.450.467,70 €, zahlbar bis 14. 4. 26
"""


def test_numbers_and_dates_are_found_by_what_they_mean() -> None:
    value = {"total": 12450467.7, "date": "2026-03-03", "due": "2026-04-14", "quantity": 9, "price": 179.85, "zero": 0.0}
    spans = evidence(value, INVOICE).spans
    shown = {span.path: INVOICE[span.start : span.end] for span in spans}
    assert shown == {
        "/total": "12.450.467,70",
        "/date": "3. März 2026",
        "/due": "14. 4. 26",
        "/quantity": "9",
        "/price": "179,85",
    }
    assert evidence(value, INVOICE).ungrounded == ("/zero",)
    assert {span.path: span.match for span in spans}["/quantity"] == "exact"
    assert {span.path: span.match for span in spans}["/total"] == "value"


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (1234.5, "1.234,50"), (1234.5, "1,234.50"), (1234.5, "1 234,50"), (1234.5, "1’234.50"), (1234, "1.234"), (1.234, "1.234"),
        (75000000, "$75 million"), (2500000, "2,5 Mio. €"), (1450000000, "1,45 mil millones"), (40000, "4万"), (0.5, "½"),
        (123450000, "1億2345万円"), (-12.5, "-12,50"), (-12.5, "(12.50)"), (0.12, "12 %"), (12, "12 %"), (1500000, "१५,००,०००"),
        ("2026-03-04", "4 de marzo de 2026"), ("2026-03-04", "March 4th, 2026"), ("2026-03-04", "04/03/2026"),
        ("2026-03-04", "03/04/2026"), ("2026-03-04", "2026年3月4日"), ("2026-03-04", "2026년 3월 4일"), ("2026-03-04", "4 mars 2026"),
        ("2026-03-04", "4 marca 2026"), ("2026-03-04", "4 Mart 2026"), ("2026-03-04", "4 марта 2026 г."), ("2026-03-04", "20260304"),
        ("2026-05-04", "4. toukokuuta 2026"), ("2026-08-04", "4 août 2026"), ("2026-10-04", "4 ottobre 2026"),
        ("2026-10-04", "4 de outubro de 2026"), ("2026-05-04", "4 mei 2026"), ("2026-05-04", "4. května 2026"),
        ("2026-03-04T14:30:00", "04.03.2026, 14:30"), ("14:30:00", "2:30 pm"), ("14:30:00", "14.30 Uhr"),
        ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00"), ("R. Dechter", "Dechter, R."), ("Meyer Hans", "Hans Meyer"),
        ("constraint-satisfaction problems", "constraint satisfiction problems"),
    ],
)  # fmt: skip
def test_another_print_is_the_same_value(value: Any, source: str) -> None:
    text = f"It says {source} there."
    assert not evidence([value], text).ungrounded


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (9, "179.85"), (0.0, "no amount"), (1234, "1234.5"), (12.5, "12,51"), ("2026-03-04", "5 March 2026"), (3, "2026-03-04"),
        ("Anna", "Annabelle"), ("INV-2024-002", "INV-2024-001"), ("Joseph Pearl", "Pearl, J."), ("the extraditables", "the others"),
        ("Pearl Dechter", "Dechter, R. and Pearl, J."), ("上海银监局", "上海"), (14, "14.30"),
    ],
)  # fmt: skip
def test_what_does_not_stand_there_has_no_place(value: Any, source: str) -> None:
    assert evidence([value], f"It says {source} there.").ungrounded == ("/0",)


def test_equal_values_of_records_stand_in_their_own_record() -> None:
    source = "1 cup sugar, sifted\n1 cup flour\n2 cups milk and 1 egg\n"
    value = [{"n": "1", "unit": "cup", "what": "flour"}, {"n": "1", "unit": "cup", "what": "sugar"}, {"n": "1", "what": "egg"}]
    starts = {span.path: span.start for span in evidence(value, source).spans}
    assert starts["/0/n"] == 20
    assert starts["/1/n"] == 0
    assert starts["/2/n"] == source.index("1 egg")


def test_a_list_goes_forward_and_no_two_items_share_a_place() -> None:
    source = "ALD (adrenoleukodystrophy). ALD is rare. Mice have no ALD."
    assert [span.start for span in evidence(["ALD", "adrenoleukodystrophy", "ALD", "ALD"], source).spans] == [0, 5, 28, 54]


def test_a_field_beside_a_list_does_not_take_the_place_of_an_item() -> None:
    source = "Lamp 40.00\nTotal 40.00"
    value = {"total": 40.0, "lines": [{"what": "Lamp", "amount": 40.0}]}
    starts = {span.path: span.start for span in evidence(value, source).spans}
    assert starts == {"/total": 17, "/lines/0/what": 0, "/lines/0/amount": 5}


SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["letter", "invoice"]},
        "currency": {"type": "string", "default": "EUR"},
        "paid": {"type": "boolean"},
        "guess": {"type": "string", "x-ground": "none"},
        "level": {"enum": ["low", "high"], "x-ground": "value"},
        "risk": {"enum": ["low", "high"], "x-ground": "quote"},
        "tags": {"type": "array", "items": {"type": "string"}, "x-ground": "none"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


def test_what_is_to_stand_in_the_text() -> None:
    value = {"kind": "invoice", "currency": "EUR", "paid": True, "guess": "x1", "level": "high", "risk": "high", "tags": ["t"]}
    assert evidence({**value, "note": "gone"}, "Nothing of it.", SCHEMA).ungrounded == ("/level", "/risk", "/note")
    assert evidence({**value, "currency": "USD", "note": None}, "high", SCHEMA).ungrounded == ("/currency", "/risk")


def test_a_quote_stands_for_a_value() -> None:
    source = "The tank leaks. It must be replaced before winter."
    told = {"/risk": ["The tank leaks … before winter."]}
    assert found({"risk": "high"}, source, SCHEMA, quotes=told) == [
        ("/risk", "The tank leaks", "quote"),
        ("/risk", "before winter.", "quote"),
    ]
    assert evidence({"risk": "high"}, source, SCHEMA, quotes={"/risk": ["It explodes at any moment."]}).ungrounded == ("/risk",)


def test_what_the_model_copied_is_looked_for_before_it_was_coerced() -> None:
    repair = Repair("/total", "coerced", '"USD 1.2k"', "1200.0")
    assert found({"total": 1200.0}, "about USD 1.2k", repairs=(repair,)) == [("/total", "USD 1.2k", "value")]


def test_a_span_names_its_message_and_no_value_stands_in_two() -> None:
    source = "I am Ada\nLovelace. Ada"
    spans = evidence({"name": "Ada", "whole": "Ada Lovelace"}, source, parts=((0, 0), (9, 2))).spans
    assert [(span.path, span.start, span.message) for span in spans] == [("/name", 5, 0)]


def test_evidence_travels_in_a_pickle() -> None:
    fresh = evidence(["Ada"], "I am Ada")
    assert pickle.loads(pickle.dumps(fresh)).spans == fresh.spans
    assert pickle.loads(pickle.dumps(fresh)).spans == fresh.spans


@pytest.mark.parametrize("source", ["\u202eeuro 5\u202c €", "a\x00b", "\ud800", "</script>", "", "e\u0301" * 50, "x" * 100_000])
def test_hostile_texts_do_no_harm(source: str) -> None:
    value = [source, "\ud800", "</script>", 5, "2026-01-01", "e\u0301", "a" * 3000, "x y", 1e308, 10**400, "\u202e", "…"]
    text = json.dumps(value)
    for span in Evidence(text, source, {}).spans:
        assert 0 <= span.start < span.end <= len(source)


@pytest.mark.skipif(not DATA.is_dir(), reason="the gold data is not here")
@pytest.mark.parametrize(
    ("name", "goal", "out_of_order"),
    [("recipes", 0.99, 0.97), ("recipes_by_type", 0.99, 0.97), ("diseases", 0.98, 0.9), ("papers", 0.97, 0)],
)
def test_values_get_their_own_places(name: str, goal: float, out_of_order: float) -> None:
    agreed = given = wanted = met = 0
    for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        gold = {(span["path"], span["start"], span["end"]) for span in row["spans"]}
        mine = {(span.path, span.start, span.end) for span in evidence(row["value"], row["text"]).spans}
        agreed, given, wanted = agreed + len(gold & mine), given + len(mine), wanted + len(gold)
        met += _met_out_of_order(row)
    assert 2 * agreed / (given + wanted) >= goal
    assert met / wanted >= out_of_order


def _met_out_of_order(row: dict[str, Any]) -> int:
    """Places found when every list is turned round; equal texts in one list count as a set."""
    turned = _turned(row["value"])
    gold, mine = defaultdict(set), defaultdict(set)
    for span in row["spans"]:
        gold[_list_of(span["path"]), get(row["value"], span["path"])].add((span["start"], span["end"]))
    for one in evidence(turned, row["text"]).spans:
        mine[_list_of(one.path), get(turned, one.path)].add((one.start, one.end))
    return sum(len(places & mine[key]) for key, places in gold.items())


def _turned(value: Any) -> Any:
    if isinstance(value, list):
        return [_turned(item) for item in reversed(value)]
    return {key: _turned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _list_of(path: str) -> str:
    return "/".join(step for step in path.split("/") if not step.isdigit())


@pytest.mark.skipif(not DATA.is_dir(), reason="the gold data is not here")
@pytest.mark.parametrize(("name", "most"), [("recipes", 0.02), ("diseases", 0.005), ("papers", 0.005)])
def test_values_of_another_document_get_no_place(name: str, most: float) -> None:
    rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = given = 0
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        text = row["text"].casefold()
        values = {value for _, value in leaves(other["value"]) if isinstance(value, str)}
        absent = [v for v in values if v.casefold() not in text and not any(w in text for w in v.casefold().split())]
        asked, given = asked + len(absent), given + len({span.path for span in evidence(absent, row["text"]).spans})
    assert given / asked <= most


@pytest.mark.skipif(not DATA.is_dir(), reason="the gold data is not here")
@pytest.mark.parametrize(("name", "recall", "precision"), [("amounts", 0.8, 0.97), ("dates", 0.8, 0.97)])
def test_amounts_and_dates_are_found_by_meaning(name: str, recall: float, precision: float) -> None:
    wanted = given = met = 0
    for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        gold = {span["path"]: (span["start"], span["end"]) for span in row["spans"]}
        spans = evidence(row["value"], row["text"]).spans
        wanted, given = wanted + len(gold), given + len(spans)
        for span in spans:
            start, end = gold[span.path]
            met += (span.start, span.end) == (start, end) if name == "dates" else span.start < end and start < span.end
    assert met / wanted >= recall
    assert met / given >= precision
