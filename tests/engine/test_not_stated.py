"""A required field may abstain, with a reason, without changing its type."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

import assay
from assay.connect.compile import asked, compose, wire
from assay.engine import Task
from assay.options import Options
from assay.target.build import target
from assay.types import Mode, Profile
from engine.playing import play, task


class Line(BaseModel):
    what: str
    price: Annotated[float, assay.NotStated]


class Bill(BaseModel):
    supplier: str
    total: Annotated[float, assay.NotStated]
    lines: list[Line] = []


SCHEMA = {
    "type": "object",
    "properties": {"supplier": {"type": "string"}, "total": {"type": "number", "x-not-stated": True}},
    "required": ["supplier", "total"],
}


def abstaining(type_: Any, dialect: Any = "plain", **options: Any) -> Task[Any]:
    profile = Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect=dialect)
    given, compiled = Options.of(**options), target(type_)
    sent = wire(asked(compiled, given, profile), profile)
    return replace(task(type_, profile=profile, **options), wire=sent, prompt=compose(compiled, given, profile))


@pytest.mark.parametrize("type_", [Bill, SCHEMA])
@pytest.mark.parametrize("reason", ["absent", "illegible", "contradictory"])
def test_a_required_field_abstains_with_a_reason(type_: Any, reason: str) -> None:
    answer = json.dumps({"supplier": "Ada", "total": {"not_stated": reason}})
    outcome, calls, _ = play(abstaining(type_), answer, source="from Ada")
    value = outcome.unwrap()
    assert (value.total if isinstance(value, Bill) else value["total"]) is None
    assert outcome.not_stated == {"/total": reason}
    assert outcome.ungrounded == ()
    assert len(calls) == 1
    assert pickle.loads(pickle.dumps(outcome.evidence)).not_stated == {"/total": reason}


def test_a_plain_null_is_absent_and_a_value_is_a_value() -> None:
    answer = {"supplier": "Ada", "total": None, "lines": [{"what": "pen", "price": 2}, {"what": "ink", "price": None}]}
    outcome, _, _ = play(abstaining(Bill), json.dumps(answer), source="Ada: pen 2, ink")
    assert outcome.not_stated == {"/total": "absent", "/lines/1/price": "absent"}
    assert outcome.unwrap().lines[0].price == 2


@pytest.mark.parametrize("dialect", ["plain", "strict", "llama.cpp"])
@pytest.mark.parametrize("values", ["typed", "as_written"])
def test_the_wire_takes_a_reason_and_no_server_sees_the_marker(dialect: str, values: str) -> None:
    answer = json.dumps({"supplier": "Ada", "total": {"not_stated": "illegible"}, "lines": []})
    outcome, (call,), _ = play(abstaining(Bill, dialect, values=values), answer, source="from Ada")
    assert "illegible" in json.dumps(call.schema)
    assert "illegible" in call.messages[0].content
    assert "x-not-stated" not in str(call)
    assert outcome.not_stated == {"/total": "illegible"}


def test_what_has_no_marker_may_not_abstain() -> None:
    answer = json.dumps({"supplier": {"not_stated": "absent"}, "total": 1})
    outcome, _, _ = play(abstaining(Bill), answer, '{"/supplier": "Ada"}', source="Ada 1")
    assert outcome.unwrap().supplier == "Ada"
