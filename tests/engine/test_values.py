"""Values as the type means them: raw where a validator wants them so, with all their digits, and never by a guess."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import AllowInfNan, BaseModel, BeforeValidator, ConfigDict, PlainValidator, WrapValidator, model_validator

from assay.types import Reply
from judging import said


def _german(value: Any) -> Any:
    return float(value.replace(".", "").replace(",", ".")) if isinstance(value, str) else value


def _british(value: str) -> dt.date:
    return dt.date(*map(int, reversed(value.split("/"))))


class Raw(BaseModel):
    amount: Annotated[float, BeforeValidator(_german)] = 0
    flag: Annotated[str, BeforeValidator({"n": "never", "y": "yes"}.get)] = ""
    share: Annotated[float, WrapValidator(lambda value, handler: handler(value.rstrip("%")) / 100)] = 0
    day: Annotated[dt.date, PlainValidator(_british, json_schema_input_type=str)] = dt.date.min
    items: Annotated[list[int], BeforeValidator(lambda value: json.loads(value) if isinstance(value, str) else value)] = []
    maybe: Annotated[float, BeforeValidator(_german)] | None = None


@pytest.mark.parametrize(
    ("said_", "meant"),
    [
        ({"amount": "1.234"}, {"amount": 1234.0}),
        ({"amount": "1.234,5"}, {"amount": 1234.5}),
        ({"flag": "n"}, {"flag": "never"}),
        ({"share": "12%"}, {"share": 0.12}),
        ({"day": "03/04/2024"}, {"day": dt.date(2024, 4, 3)}),
        ({"items": "[1, 2]"}, {"items": [1, 2]}),
        ({"maybe": "1.234"}, {"maybe": 1234.0}),
    ],
)
def test_a_validator_gets_the_data_as_the_model_wrote_it(said_: Any, meant: Any) -> None:
    assert said(Raw, json.dumps(said_)).value == Raw.model_construct(**{**Raw().model_dump(), **meant})


def test_nothing_within_what_a_validator_wants_raw_is_changed() -> None:
    class Order(BaseModel):
        total: float
        when: dt.date

        @model_validator(mode="before")
        @classmethod
        def printed(cls, data: Any) -> Any:
            return {**data, "total": _german(data["total"]), "when": "-".join(reversed(data["when"].split("/")))}

    class Book(BaseModel):
        orders: list[Order]
        year: int

    verdict = said(Book, '{"orders": [{"total": "1.234", "when": "03/04/2024"}], "year": "2024"}')
    assert verdict.value == Book(orders=[Order.model_construct(total=1234.0, when=dt.date(2024, 4, 3))], year=2024)


class Times(BaseModel):
    moment: dt.datetime | None = None
    day: dt.date | None = None
    clock: dt.time | None = None
    many: list[dt.datetime] = []


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "number", ["2024", '"2024"', '"0"', '"-1"', '"1.5"', "0", "-1", "1.5", '" 2024 "', '"1709596800"', "1e9"]
)
@pytest.mark.parametrize("form", ['{{"moment": {}}}', '{{"day": {}}}', '{{"clock": {}}}', '{{"many": [{}]}}'])
def test_a_number_is_no_moment(form: str, number: str, strict: bool) -> None:
    assert said(Times, form.format(number), strict=strict).problems


def test_a_date_is_one() -> None:
    assert said(Times, '{"day": "20240305", "moment": "2024-03-05 10:30"}').value.day == dt.date(2024, 3, 5)
    assert said(Times, '{"moment": "20240305"}', strict=True).problems


class Floats(BaseModel):
    plain: float = 0
    allowed: Annotated[float, AllowInfNan(True)] = 0
    many: list[float] = []
    any: Any = None


class Allowing(BaseModel):
    model_config = ConfigDict(allow_inf_nan=True)
    plain: float


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E400", "9" * 400 + ".5", '"NaN"', '"inf"', '"1e999"', "[1e999]"]
)
def test_a_number_beyond_all_floats_is_taken_only_where_the_type_asks_for_it(number: str) -> None:
    if not number.startswith("["):
        assert said(Floats, f'{{"plain": {number}}}').problems
        assert said(Floats, f'{{"many": [1, {number}]}}').problems
        assert said(float, number).problems
        assert said(
            {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}, f'{{"n": {number}}}'
        ).problems
    if not number.startswith('"') and "N" not in number and "Inf" not in number:
        assert said({"type": "object", "properties": {"n": {}}, "required": ["n"]}, f'{{"n": {number}}}').problems


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_where_the_type_asks_for_it_it_is_written_as_pydantic_writes_it(number: str) -> None:
    for type_, key in ((Floats, "allowed"), (Allowing, "plain")):
        verdict = said(type_, f'{{"{key}": {number}}}')
        assert not verdict.problems
        assert json.loads(verdict.text) == {key: None}


class Exact(BaseModel):
    price: Decimal = Decimal()
    count: int = 0
    prices: list[Decimal | None] = []
    ratio: float = 0


DIGITS = [
    "1.234567890123456789",
    "12345678901234567.50",
    "-0.12345678901234567890",
    "12345678901234567890",
    "0.1",
    "1.2345678901234567e5",
]


@pytest.mark.parametrize("number", DIGITS)
@pytest.mark.parametrize("form", ["{}", '"{}"', "```json\n{}\n```"])
def test_a_decimal_keeps_all_digits(number: str, form: str) -> None:
    if form == '"{}"':
        text = f'{{"price": "{number}", "prices": ["{number}", null]}}'
    else:
        text = form.format(f'{{"price": {number}, "prices": [{number}, null], "ratio": 0.12345678901234567890}}')
    for strict in (False, True):
        verdict = said(Exact, text, strict=strict)
        assert not verdict.problems
        assert (verdict.value.price, verdict.value.prices) == (Decimal(number), [Decimal(number), None])
    assert said(Exact, text.replace('"price"', "price")).value.price == Decimal(number)


def test_a_printed_decimal_keeps_all_digits() -> None:
    for place in ('{{"price": {}}}', '{{"prices": [{}]}}'):
        verdict = said(Exact, place.format('"$1,234,567.123456789012345"'))
        assert Decimal("1234567.123456789012345") in (verdict.value.price, *verdict.value.prices)
        assert said(Exact, place.format('"1,234"')).problems


@pytest.mark.parametrize(
    "number", ["9007199254740993.0", "9007199254740993", "9007199254740993.000", "9007199254740993e0", '"9007199254740993.0"']
)
@pytest.mark.parametrize("form", ["{{'count': {},}}", '{{"count": {}}}', '[{{"count": {}}}]'])
def test_a_whole_number_keeps_all_digits(number: str, form: str) -> None:
    assert said(Exact, form.format(number)).value.count == 9007199254740993


@pytest.mark.parametrize("number", ["1_234.5_6", "6c:true", "1e", "--5", "1..5", "0xZZ", "0b12", "x:true"])
def test_an_unclear_number_is_no_text(number: str) -> None:
    for type_ in (dict[str, Any], dict[str, str]):
        assert said(type_, f'{{"value": {number}}}').problems
        assert said(type_, f"{{value: {number}, other: 1}}").problems


def test_a_problem_of_a_key_is_one_of_the_object_that_has_it() -> None:
    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int = 0

    class Holder(BaseModel):
        inner: Closed = Closed()
        counts: dict[int, float] = {}

    for text, path, key in [
        ('{"counts": {"one": 1.5, "2": 2}}', "/counts", '"one"'),
        ('{"inner": {"a": 1, "b": 2}}', "/inner", '"b"'),
    ]:
        problem = said(Holder, text, strict=True).problems[0]
        assert problem.path == path
        assert key in problem.want
    assert said(dict[int, float], '{"one": 1.5}').problems[0].path == ""
    assert said(Closed, '{"a": 1, "b": 2}', strict=True).problems[0].path == ""


@pytest.mark.parametrize("finish", ["length", "stop", "content_filter", "error", None])
def test_a_cut_answer_says_so_whatever_cut_it(finish: str | None) -> None:
    for text in ('{"price": 1, "prices": [1, 2', '{"price": 1, "note": "he said "', '{"price": 1, tru: [{"a', '{"price": "1'):
        verdict = said(Exact, Reply(text, finish))
        assert verdict.cut
        assert [problem.kind for problem in verdict.problems] == ["truncated"]
