"""A second model for what failed: failed rows only, the same journal, its own cost."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

import assay
from assay.batch import Settings, run
from assay.prices import Price
from batch_runs import Notes, error, extractor, jsonl, texts
from batch_server import BatchServer, default_answer, serving


class Small(BaseModel):
    number: int = Field(lt=1000)


def weak(numbers: range) -> Any:
    """A model that is wrong about some rows."""
    return lambda text: '{"number": 9999}' if any(f"document {n} " in text for n in numbers) else default_answer(text)


def go(server: BatchServer, output: Any, fallback: Any, notes: Notes | None = None, count: int = 10, **given: Any) -> Any:
    settings = Settings(fallback=fallback, **given)
    return run(extractor(server, Small), texts(count), output, settings=settings, reporter=notes)


def strong(server: BatchServer) -> assay.Extractor[Any]:
    return extractor(server, Small, model="strong", price=Price(1000.0, 1000.0))


@pytest.mark.parametrize("when", ["in the same run", "in a later run"])
def test_failed_rows_alone_are_asked_of_the_second_model_at_its_price(tmp_path, when):
    output = tmp_path / "out.jsonl"
    with serving(answer=weak(range(3))) as first, serving() as second:
        if when == "in a later run":
            assert go(first, output, None).failed == 3
        with strong(second) as asking:
            summary = go(first, output, asking)
        assert (summary.done, summary.failed, summary.second_rows) == (10, 0, 3)
        assert sum(second.asked.values()) == 3
        assert sum(first.asked.values()) == 10
        assert summary.second.cost > 0
        assert {row["id"]: row["model"] for row in jsonl(output)} == {f"r{n}": "strong" if n < 3 else "m" for n in range(10)}
        rows = jsonl(output)
        assert rows[0]["usage"]["cost"] is None or rows[0]["usage"]["cost"] > 0
        assert go(first, output, None).asked == 0


def test_what_the_second_cannot_do_either_is_not_asked_again_until_told(tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    with serving(answer=weak(range(4))) as first, serving(answer=weak(range(2))) as second, strong(second) as asking:
        for _ in range(3):
            summary = go(first, output, asking, notes)
            assert (summary.done, summary.failed) == (8, 2)
        assert sum(second.asked.values()) == 4
        assert sum(first.asked.values()) == 10
        other = extractor(second, Small, model="third")
        second.answer = None
        with other:
            assert go(first, output, other, notes).done == 10
        assert sum(second.asked.values()) == 6
        assert "2 failed rows go to the second model" in notes.said


def test_a_name_is_asked_on_the_same_server_and_the_first_model_s_rows_stay(tmp_path):
    def answer(text: str) -> Any:
        return '{"number": 9999}' if "document 1 " in text and asked.pop(0) == 0 else default_answer(text)

    asked = [0, 1]
    with serving(answer=answer) as server:
        summary = go(server, tmp_path / "out.jsonl", "stronger")
    assert (summary.done, summary.second_rows) == (10, 1)
    assert jsonl(tmp_path / "out.jsonl")[1]["model"] == "stronger"


def test_a_second_model_that_no_row_can_ask_stops_the_run_and_loses_nothing(tmp_path):
    output = tmp_path / "out.jsonl"
    with (
        serving(answer=weak(range(5))) as first,
        serving(answer=lambda _: error(401, "no key")) as second,
        strong(second) as asking,
    ):
        summary = go(first, output, asking, concurrency=1)
        assert summary.stop is not None
        assert "the second model" in summary.stop.message
        assert sum(second.asked.values()) == 1
        second.answer = None
        assert go(first, output, asking).done == 10
        assert set(first.asked.values()) == {1}


def test_rows_that_met_no_server_are_not_the_second_model_s(tmp_path):
    def answer(text: str) -> Any:
        return error(429, "busy") if "document 1 " in text else default_answer(text)

    with serving(answer=answer) as first, serving() as second, strong(second) as asking:
        go(first, tmp_path / "out.jsonl", asking)
        assert not second.asked
