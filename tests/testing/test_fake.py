"""`FakeModel`: answers as told, through every door; outcomes made by hand; made-up data is valid."""

from __future__ import annotations

import asyncio
import pickle
import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

import assay
from assay.testing import FakeModel, NoAnswerError, failed, outcome
from assay.testing.made_up import made_up


class Line(BaseModel):
    sku: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3}$")]
    quantity: int = Field(ge=1, le=9)


class Order(BaseModel):
    customer: str = Field(alias="customerName")
    total: float
    day: date
    state: Literal["open", "paid"]
    lines: list[Line]
    before: Order | None = None


@dataclass
class Point:
    x: int
    y: int


TEXT = "Order of Ada."
GOOD = {"customerName": "Ada", "total": 3.5, "day": "2026-01-02", "state": "paid", "lines": []}


@pytest.mark.parametrize(
    "target", [Order, Point, list[Line], dict[str, int], Literal["a", "b"], Order | Point, tuple[int, str], Decimal]
)
def test_answers_made_up_from_the_schema_are_valid_at_the_first_request(target: Any) -> None:
    for seed in range(8):
        model = FakeModel(seed=seed)
        with assay.Extractor(target, model=model) as extractor:
            got = extractor.run(TEXT)
            assert got.ok, got.error
            assert len(got.attempts) == 1
            assert extractor.run(TEXT).value == got.value, "the same seed and text give the same"


def test_texts_and_seeds_differ() -> None:
    with assay.Extractor(Order, model=FakeModel(seed=1)) as one, assay.Extractor(Order, model=FakeModel(seed=2)) as two:
        assert one.run("a").value != one.run("b").value
        assert one.run("a").value != two.run("a").value


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": -7, "exclusiveMaximum": -2}}, "required": ["a"]},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "integer", "multipleOf": 5, "minimum": 12, "maximum": 17},
    {"type": "string", "minLength": 40, "maxLength": 41},
    {"type": "string", "pattern": r"^(foo|ba[rz])\s[^a-z]{2}\w+\.?$"},
    {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2, "maxItems": 2},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 1},
    {"$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}, "$ref": "#/$defs/t"},
    *(
        {"type": "string", "format": name}
        for name in ("date", "date-time", "time", "duration", "email", "uri", "uuid", "ipv4", "ipv6")
    ),
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_made_up_data_fits(schema: dict[str, Any]) -> None:
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    for seed in range(30):
        check.validate(made_up(schema, random.Random(seed)))


def test_what_cannot_be_made_up_says_so() -> None:
    with pytest.raises(assay.SchemaError, match="pattern"):
        made_up({"type": "string", "pattern": "^(?=a)b"}, random.Random(0))


def test_answers_by_function_mapping_and_list() -> None:
    for answers in (
        lambda text: {**GOOD, "customerName": text},
        {TEXT: {**GOOD, "customerName": TEXT}},
        [{**GOOD, "customerName": TEXT}],
    ):
        model = FakeModel(answers)
        assert assay.extract(Order, TEXT, model=model).customer == TEXT
        assert [asked.text for asked in model.asked] == [TEXT]


def test_models_are_written_by_alias_and_texts_to_the_letter() -> None:
    order = Order.model_validate(GOOD)
    assert assay.extract(Order, TEXT, model=FakeModel([order])) == order
    got = assay.Extractor(Point, model=FakeModel(["Here: {x: 1, y: 2,}"])).run(TEXT)
    assert got.value == Point(1, 2)
    assert {repair.kind for repair in got.repairs} >= {"trailing comma"}


def test_questions_about_parts_get_parts() -> None:
    tries = iter([{**GOOD, "total": "none"}, GOOD])
    model = FakeModel(lambda _: next(tries))
    got = assay.Extractor(Order, model=model).run(TEXT)
    assert got.ok
    assert got.attempts[1].reply == '{"/total":3.5}'


def test_a_text_without_an_answer_is_an_error_that_names_it() -> None:
    with pytest.raises(NoAnswerError, match="'Order of Ada"):
        assay.extract(Order, TEXT, model=FakeModel({"other": GOOD}))
    with pytest.raises(NoAnswerError, match="question 2"):
        extractor = assay.Extractor(Point, model=FakeModel([{"x": 1, "y": 2}]))
        for _ in range(2):
            extractor.run(TEXT)
    with pytest.raises(assay.ConfigurationError, match="write"):
        FakeModel('{"x": 1}')


def test_every_door() -> None:
    model = FakeModel(lambda _: {"x": 1, "y": 2})
    with assay.Extractor(Point, model=model) as extractor:
        assert [partial.complete for partial in extractor.stream(TEXT)][-1]
        assert [each.value for each in extractor.map(["a", "b"])] == [Point(1, 2)] * 2
        assert asyncio.run(extractor.aextract(TEXT)) == Point(1, 2)
        assert extractor.model == "fake"


@pytest.mark.parametrize("mode", ["json", "json_schema", "text"])
def test_every_mode(mode: str) -> None:
    assert assay.extract(Point, TEXT, model=FakeModel([{"x": 1, "y": 2}]), mode=mode) == Point(1, 2)


def test_outcomes_made_by_hand_are_whole() -> None:
    made = outcome(Order.model_validate(GOOD), source="Ada paid 3.5 in full.")
    assert made.ok
    assert made.data["customerName"] == "Ada"
    assert "/customerName" in {span.path for span in made.spans}
    assert made.unwrap().total == 3.5
    assert pickle.loads(pickle.dumps(made)) == made


def test_failures_made_by_hand_raise() -> None:
    made = failed(assay.Problem("/total", "x", "a number", "type"), reply='{"total": "x"}')
    assert not made.ok
    assert made.problems[0].path == "/total"
    with pytest.raises(assay.ExtractionError, match="a number"):
        made.unwrap()
    with pytest.raises(assay.BudgetExceeded):
        failed(assay.BudgetExceeded("enough")).unwrap()
