"""Numbers that a server says: none of them breaks an extraction, a sum, or a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.batch import run
from servers import Server, answer, completion_body, events

NUMBERS = (
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e30",
    "-5",
    "9" * 400,
    "1" + "0" * 25,
    "true",
    '"12"',
    "[1]",
    "1.5",
)
USAGE = '{{"prompt_tokens": {n}, "completion_tokens": {n}, "total_tokens": {n}, "cost": {n}, "prompt_tokens_details": {{"cached_tokens": {n}}}}}'


def said(number: str) -> bytes:
    body = json.dumps(completion_body('{"value": "x"}', usage="HERE"))
    return body.replace('"HERE"', USAGE.format(n=number)).encode()


def is_sound(usage: assay.Usage) -> bool:
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.cached_tokens)
    cost = usage.cost is None or (math.isfinite(usage.cost) and 0 <= usage.cost <= 1e9)
    return cost and all(type(count) is int and 0 <= count <= 2**53 for count in counts)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_usage_that_no_answer_can_have_was_not_said(number: str) -> None:
    with Server([answer(200, said(number))]) as server:
        outcome = assay.Extractor(str, model="m", base_url=server.base_url).run("x")
    assert outcome.value == "x"
    assert is_sound(outcome.usage)
    assert is_sound(outcome.usage + outcome.usage)


@pytest.mark.parametrize("number", NUMBERS)
def test_nor_in_a_stream(number: str) -> None:
    chunk = (
        '{"choices": [{"index": 0, "delta": {"content": "{\\"value\\": \\"x\\"}"}, "finish_reason": "stop"}], "usage": HERE}'
    )
    body = events(chunk.replace("HERE", USAGE.format(n=number)))
    with Server([answer(200, body, {"content-type": "text/event-stream"})]) as server:
        *_, last = assay.Extractor(str, model="m", base_url=server.base_url).stream("x")
    assert last.value == "x"


@pytest.mark.parametrize("number", ["1e30", "1e999", "NaN", "9" * 400])
def test_a_number_in_one_row_ends_no_batch(number: str, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"text": f"text {at}"}) + "\n" for at in range(4)))
    with Server([answer(200, said(number))]) as server:
        summary = run(assay.Extractor(str, model="m", base_url=server.base_url), source, output)
    rows = [json.loads(line, parse_constant=_refuse) for line in output.read_text().splitlines()]
    assert (summary.done, len(rows)) == (4, 4)
    assert is_sound(summary.usage)


def _refuse(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")
