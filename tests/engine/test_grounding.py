"""What does not stand in the source is asked for again, once, and quotes are asked for last; nothing is asked for that stands there."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter

import assay
from assay.errors import ErrorResponse, ExtractionError, InternalServerError
from assay.schema.passes import form
from assay.schema.render import render
from assay.types import Dialect, Mode, Profile, PromptStyle
from engine.playing import play, said, task


class Bill(BaseModel):
    supplier: str
    total: float
    note: str | None = None


TEXT = "Bergman Ltd bills 1,240.50 EUR in total."
GOOD = {"supplier": "Bergman Ltd", "total": 1240.5, "note": None}
WRONG = {**GOOD, "total": 124050.0}


@pytest.mark.parametrize("ground", ["off", "ask", "require"])
def test_nothing_more_is_asked_when_all_stands_there(ground: str) -> None:
    outcome, calls, _ = play(task(Bill, ground=ground), json.dumps(GOOD), source=TEXT)
    assert len(calls) == 1
    assert outcome.ungrounded == ()
    assert [span.path for span in outcome.spans] == ["/supplier", "/total"]


def test_off_asks_nothing_and_still_says_what_stands_nowhere() -> None:
    outcome, calls, _ = play(task(Bill), json.dumps(WRONG), source=TEXT)
    assert len(calls) == 1
    assert outcome.ungrounded == ("/total",)


@pytest.mark.parametrize("ground", ["ask", "require"])
def test_only_what_stands_nowhere_is_asked_for_with_the_nearest(ground: str) -> None:
    outcome, (_, again), _ = play(task(Bill, ground=ground), json.dumps(WRONG), '{"/total": 1240.5}', source=TEXT)
    assert outcome.unwrap() == Bill(supplier="Bergman Ltd", total=1240.5)
    assert '/total: 124050.0 does not stand in the document, want what it says, or null (nearest: "1,240.50")' in said(again)
    assert "/supplier" not in said(again)
    assert [problem.kind for problem in outcome.attempts[0].problems] == ["ungrounded"]


@pytest.mark.parametrize(
    "again", ['{"/total": 124050.0}', '{"/total": 99}', '{"/total": "unknown"}', "sorry", '{"/total": null}']
)
def test_ask_keeps_the_value_after_one_round_and_lists_it(again: str) -> None:
    outcome, calls, _ = play(task(Bill, ground="ask"), json.dumps(WRONG), again, source=TEXT)
    assert len(calls) == 2
    assert outcome.ok
    assert outcome.ungrounded == ("/total",)


def test_ask_keeps_the_value_when_the_server_fails_or_no_round_is_left() -> None:
    down = InternalServerError("down", response=ErrorResponse(503))
    outcome, _, _ = play(task(Bill, ground="ask"), json.dumps(WRONG), down, source=TEXT)
    assert outcome.ok
    assert "not asked for again" in outcome.notes[-1]
    outcome, _, _ = play(task(Bill, ground="ask", retries=0), json.dumps(WRONG), source=TEXT)
    assert outcome.unwrap().total == 124050.0


def test_require_asks_for_a_quote_last_and_then_fails() -> None:
    job = task(Bill, ground="require")
    outcome, (_, _, quotes), _ = play(job, json.dumps(WRONG), '{"/total": 124050.0}', '{"/total": []}', source=TEXT)
    assert isinstance(outcome.error, ExtractionError)
    assert [(problem.path, problem.kind) for problem in outcome.problems] == [("/total", "ungrounded")]
    assert "Quote the document" in said(quotes)
    assert "does not stand" not in said(quotes)


def test_require_takes_a_quote_that_stands_there() -> None:
    job = task(Bill, ground="require")
    quote = '{"/total": ["bills 1,240.50 EUR in total"]}'
    outcome, _, _ = play(job, json.dumps(WRONG), '{"/total": 124050.0}', quote, source=TEXT)
    assert outcome.ok
    assert [(span.path, span.match) for span in outcome.spans][-1] == ("/total", "quote")
    assert outcome.ungrounded == ()


def test_a_name_turned_round_is_not_asked_for() -> None:
    outcome, calls, _ = play(task(list[str], ground="require"), '{"items": ["R. Dechter"]}', source="Dechter, R. (1987)")
    assert len(calls) == 1
    assert [(span.path, span.match) for span in outcome.spans] == [("/0", "words")]


def test_paths_of_a_list_lead_into_what_the_model_writes() -> None:
    job = task(list[str], ground="ask")
    outcome, (_, again), _ = play(job, '{"items": ["pens", "ink", "glue"]}', '{"/items/2": "paper"}', source="pens, ink, paper")
    assert outcome.unwrap() == ["pens", "ink", "paper"]
    assert "/items/2" in said(again)


class Report(BaseModel):
    tank: Annotated[str, assay.Grounded]
    advice: Annotated[str, assay.Inferred] = ""
    risk: Annotated[Literal["low", "high"], assay.Quoted]


SOURCE = "Tank 7 leaks at the lower seam. It must be replaced before winter."


def test_a_quoted_field_is_asked_for_its_quote_once_with_fixed_keys() -> None:
    answer = json.dumps({"tank": "Tank 7", "advice": "replace it", "risk": "high"})
    profile = Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect="strict")
    outcome, (first, again), _ = play(
        task(Report, profile=profile), answer, '{"/risk": ["leaks at the lower seam", "must be replaced"]}', source=SOURCE
    )
    assert "quote" not in str(first.messages).casefold()
    assert again.schema is not None
    assert list(again.schema["properties"]) == ["/risk"]
    assert again.strict
    assert outcome.unwrap().risk == "high"
    assert [(span.path, SOURCE[span.start : span.end]) for span in outcome.spans if span.match == "quote"] == [
        ("/risk", "leaks at the lower seam"),
        ("/risk", "must be replaced"),
    ]
    assert outcome.ungrounded == ()


def test_a_marked_field_is_asked_for_whatever_the_option_says() -> None:
    answer = {"tank": "Tank 9", "advice": "burn it", "risk": "low"}
    outcome, calls, _ = play(task(Report), json.dumps(answer), '{"/tank": "Tank 7"}', '{"/risk": []}', source=SOURCE)
    assert outcome.unwrap().tank == "Tank 7"
    assert len(calls) == 3
    assert outcome.ungrounded == ("/risk",)


def test_markers_are_keywords_that_no_server_sees() -> None:
    schema: dict[str, Any] = TypeAdapter(Report).json_schema()
    assert [schema["properties"][name]["x-ground"] for name in ("tank", "advice", "risk")] == ["value", "none", "quote"]
    for dialect in DIALECTS:
        assert "x-ground" not in json.dumps(form(schema, dialect))
    assert not [style for style in PromptStyle if "x-ground" in render(schema, style)]


DIALECTS: tuple[Dialect, ...] = ("plain", "strict", "llama.cpp")
