"""Answers that a model put into something else: taken out where that is plain, asked for again where it is not, never lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypedDict

from judging import said


class Person(BaseModel):
    name: str
    age: int | None = None


class Lead(BaseModel):
    name: str | None = None
    email: str | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    email: str | None = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str | None = None


class Dictionary(TypedDict, total=False):
    name: str
    email: str


@dataclass
class Record:
    name: str | None = None
    email: str | None = None


class Row(NamedTuple):
    name: str | None = None
    email: str | None = None


class Team(BaseModel):
    boss: Lead
    leads: list[Lead] = []


SCHEMA = {"title": "Lead", "type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string"}}}
ADA = {"name": "Ada", "email": "a@b.c"}
KINDS = (Lead, Closed, Dictionary, Record, Row, SCHEMA)


def tool(arguments: Any, key: str = "arguments", **beside: Any) -> str:
    return json.dumps({**beside, key: arguments})


CALLS = [
    tool({"name": "Ada", "age": 36}, name="Person"),
    tool({"name": "Ada", "age": 36}, "parameters", name="Person"),
    tool({"name": "Ada", "age": 36}, "input", name="Person"),
    tool(json.dumps({"name": "Ada", "age": 36}), name="Person"),
    tool({"name": "Ada", "age": 36}, id="call_1", type="function", name="Person"),
    tool({"name": "Ada", "age": 36}, name="extract_the_person"),
    tool({"name": "Ada", "age": 36}, "input", type="tool_use", id="x1", name="p"),
    json.dumps({"type": "function", "function": {"name": "Person", "arguments": '{"name": "Ada", "age": 36}'}}),
    json.dumps([{"name": "Person", "parameters": {"name": "Ada", "age": 36}}]),
    json.dumps({"tool_calls": [{"id": "1", "function": {"name": "Person", "arguments": {"name": "Ada", "age": 36}}}]}),
    json.dumps({"failed_generation": '{"name": "Ada", "age": 36}'}),
    json.dumps({"error": None, "failed_generation": '{"name": "Person", "arguments": {"name": "Ada", "age": 36}}'}),
    "```json\n" + tool({"name": "Ada", "age": 36}, name="Person") + "\n```",
]


@pytest.mark.parametrize("text", CALLS)
def test_a_tool_call_written_out_as_text_gives_its_arguments(text: str) -> None:
    verdict = said(Person, text)
    assert verdict.value == Person(name="Ada", age=36)
    assert "wrapper" in {repair.kind for repair in verdict.repairs}


@pytest.mark.parametrize(
    "text",
    [
        tool({"city": "Oslo"}, name="get_weather"),
        tool({"age": 36}, name="Ada"),
        tool({"age": 36}, "details", name="Ada"),
        tool({"name": "Acme", "age": 3}, "data", name="Ada"),
        tool([{"name": "Ada"}, {"name": "Bo"}], name="Person"),
        tool({}, "details", name="Ada", person={"age": 36}),
    ],
)
def test_a_call_whose_arguments_do_not_fit_is_no_person(text: str) -> None:
    assert said(Person, text).problems


WRAPPED = [
    {"Lead": ADA},
    {"result": ADA},
    {"Company": ADA},
    {"response": {"data": ADA}},
    {"status": "ok", "data": ADA},
    {"leads": [ADA]},
]


@pytest.mark.parametrize("answer", WRAPPED)
@pytest.mark.parametrize("type_", KINDS)
def test_an_object_is_taken_out_of_its_wrapper(type_: Any, answer: Any) -> None:
    assert _dumped(said(type_, json.dumps(answer))) == ADA


def test_a_wrapper_of_any_other_name_must_hold_nothing_else() -> None:
    assert said(Lead, json.dumps({"Lead": ADA | {"note": "x"}})).value == Lead(**ADA)
    assert said(Lead, json.dumps({"Company": ADA | {"note": "x"}})).problems
    assert said(Lead, json.dumps({"name": "Bo", "Company": {"name": "Acme"}})).value == Lead(name="Bo")


NOTHING = [
    {"Company": {"employees": 5}},
    {"result": None},
    {"result": "none found"},
    {"foo": 1, "bar": 2},
    {"Company": ADA, "Other": ADA},
    {"lead_name": "Ada", "details": ADA},
    {"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string"}}},
    {"title": "Lead", "type": "object", "properties": {"name": {"title": "Name"}}, "required": []},
    {"$defs": {}, "properties": {"name": {}}},
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("answer", NOTHING)
@pytest.mark.parametrize("type_", KINDS)
def test_an_object_none_of_whose_keys_is_known_is_a_problem(type_: Any, answer: Any, strict: bool) -> None:
    assert said(type_, json.dumps(answer), strict=strict).problems
    assert said(Team, json.dumps({"boss": answer}), strict=strict).problems
    assert said(list[type_] if isinstance(type_, type) else Team, json.dumps({"items": [answer]}), strict=strict).problems


@pytest.mark.parametrize(
    "answer", [{"leads": [ADA, {"name": "Bo"}]}, {"count": 2, "leads": [ADA, {"name": "Bo"}]}, [ADA, {"name": "Bo"}]]
)
def test_a_list_is_taken_out_of_its_wrapper(answer: Any) -> None:
    assert said(list[Lead], json.dumps(answer)).value == [Lead(**ADA), Lead(name="Bo")]
    assert said(Team, json.dumps({"boss": ADA, "leads": answer})).value.leads == [Lead(**ADA), Lead(name="Bo")]


def test_no_item_is_invented() -> None:
    for answer in ({"companies": [{"employees": 5}]}, {"leads": [ADA], "others": [ADA]}, {"foo": 1}, {"a": {}, "b": {}}):
        assert said(list[Lead], json.dumps(answer)).problems
    assert said(list[Lead], json.dumps({"leads": []})).value == []
    assert said(list[Lead], json.dumps(ADA)).value == [Lead(**ADA)]


def test_a_bare_value_is_taken_out_of_its_wrapper_but_a_unit_is_none() -> None:
    assert said(int, '{"answer": 42}').value == 42
    assert said(list[str], '{"names": ["a", "b"]}').value == ["a", "b"]
    assert said(Literal["x", "y"], '{"label": "x"}').value == "x"
    assert said(Person, '{"name": "Ada", "age": {"value": 3}}').value == Person(name="Ada", age=3)
    assert said(Person, '{"name": "Ada", "age": {"months": 30}}').problems


def test_keys_in_another_style_are_matched_where_that_is_plain() -> None:
    class Invoice(BaseModel):
        invoice_number: str
        total: float | None = None

    for key in ("invoiceNumber", "Invoice Number", "INVOICE-NUMBER", "Invoice_Number"):
        verdict = said(Invoice, json.dumps({key: "7", "Total": 3}))
        assert verdict.value == Invoice(invoice_number="7", total=3)
        assert [repair.kind for repair in verdict.repairs] == ["key", "key"]
    assert said(Invoice, '{"invoiceNumber": "7", "InvoiceNumber": "8", "total": 1}').problems


def test_keys_that_a_type_takes_under_several_names_are_known() -> None:
    class Named(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        number: str | None = Field(default=None, alias="No")
        mail: str | None = Field(default=None, validation_alias=AliasChoices("e-mail", "mail_address"))

    for text in ('{"number": "7"}', '{"No": "7"}'):
        assert said(Named, text).value.number == "7"
    for text in ('{"e-mail": "x"}', '{"mail_address": "x"}', '{"Mail_Address": "x"}'):
        verdict = said(Named, text)
        assert verdict.problems or verdict.value.mail == "x"


def test_what_has_no_place_is_left_out_and_on_record() -> None:
    for type_ in (Lead, Closed):
        verdict = said(type_, json.dumps(ADA | {"phone": "1", "seen": {"x": [1]}}))
        assert _dumped(verdict) == ADA
        assert [(repair.path, repair.kind) for repair in verdict.repairs] == [("/phone", "dropped"), ("/seen", "dropped")]
    assert said(Closed, json.dumps(ADA | {"phone": "1"}), strict=True).problems[0].kind == "extra"
    assert said(Open, '{"name": "Ada", "phone": "1"}').value.model_extra == {"phone": "1"}
    assert said(SCHEMA, json.dumps(ADA | {"phone": "1"})).value == ADA | {"phone": "1"}


def test_data_within_an_unknown_key_is_not_lost() -> None:
    for extra in ({"contact": {"email": "x"}}, {"contact": [{"e": {"Email": "x"}}]}, {"contact": '{"email": "x"}'}):
        assert said(Lead, json.dumps({"name": "Ada"} | extra)).problems[0].path == ""
        assert said(Team, json.dumps({"boss": {"name": "Ada"} | extra})).problems[0].path == "/boss"
    assert said(Lead, json.dumps(ADA | {"raw": ADA})).value == Lead(**ADA)


def test_unions_of_classes_are_told_by_their_keys() -> None:
    class Cat(BaseModel):
        name: str | None = None
        lives: int | None = None

    class Dog(BaseModel):
        name: str | None = None
        legs: int | None = None

    assert said(Cat | Dog, '{"value": {"name": "x", "legs": 4}}').value == Dog(name="x", legs=4)
    assert said(Cat | Dog, '{"name": "x", "lives": 9}').value == Cat(name="x", lives=9)
    assert said(Cat | Dog, '{"Dog": {"name": "x", "legs": 4}}').value == Dog(name="x", legs=4)
    for text in ('{"value": {"wings": 2}}', '{"Bird": {"wings": 2}}', '{"name": "x", "lives": 9, "legs": 4}'):
        assert said(Cat | Dog, text).problems


def test_a_validator_that_wants_raw_data_gets_it() -> None:
    def renamed(value: Any) -> Any:
        return {"name": value["who"]["name"]} if isinstance(value, dict) and "who" in value else value

    class Holder(BaseModel):
        lead: Annotated[Lead, BeforeValidator(renamed)]

    assert said(Holder, '{"lead": {"who": {"name": "Ada"}}}').value.lead == Lead(name="Ada")


# -- no wrapper, whatever it is, makes data vanish ---------------------------------------------------------------------

_TEXT = st.sampled_from(["Ada", "a@b.c", "Person", "7", ""])
_DATA = st.fixed_dictionaries({}, optional={"name": _TEXT, "email": _TEXT}).filter(bool)
_KEYS = st.sampled_from(
    [
        "Lead",
        "lead",
        "result",
        "data",
        "arguments",
        "parameters",
        "function",
        "Company",
        "x",
        "items",
        "value",
        "answer",
        "leads",
        "person",
        "raw",
    ]
)
_BESIDE = st.dictionaries(
    st.sampled_from(["type", "id", "status", "x", "note"]), st.sampled_from(["ok", "function", 3, None]), max_size=2
)
_NAMED = st.sampled_from([{}, {"name": "Lead"}, {"name": "extract"}])


@st.composite
def _envelopes(draw: st.DrawFn, data: Any) -> Any:
    """`data`, in wrappers of many kinds."""
    for _ in range(draw(st.integers(1, 3))):
        inner, key = draw(st.sampled_from([data, [data], json.dumps(data)])), draw(_KEYS)
        tool = draw(_NAMED) if key in ("arguments", "parameters", "function", "data") else {}
        data = {**tool, **draw(_BESIDE), key: inner}
    return data


@settings(deadline=None, max_examples=400)
@given(_DATA, st.data(), st.sampled_from(KINDS), st.booleans())
def test_data_under_a_wrapper_is_given_or_asked_for(data: Any, draw: st.DataObject, type_: Any, strict: bool) -> None:
    text = json.dumps(draw.draw(_envelopes(data)))
    verdict = said(type_, text, strict=strict)
    if verdict.problems:
        return
    kept = json.dumps(_dumped(verdict))
    lost = {key: value for key, value in data.items() if json.dumps(value) not in kept}
    assert not lost, text


@settings(deadline=None, max_examples=200)
@given(st.lists(_DATA, min_size=1, max_size=3), st.data())
def test_a_list_under_a_wrapper_is_given_or_asked_for(data: Any, draw: st.DataObject) -> None:
    text = json.dumps(draw.draw(_envelopes(data)))
    verdict = said(list[Lead], text)
    if not verdict.problems:
        assert [lead.model_dump(exclude_unset=True) for lead in verdict.value] == data, text


def _dumped(verdict: Any) -> Any:
    assert verdict.problems == ()
    value = verdict.value
    match value:
        case BaseModel():
            return value.model_dump(exclude_unset=True)
        case Record():
            return {key: item for key, item in vars(value).items() if item is not None}
        case Row():
            return {key: item for key, item in value._asdict().items() if item is not None}
        case _:
            return value
