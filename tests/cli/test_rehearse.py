"""`assay batch --rehearse` and `--accept`: a bad day without a server, and rows that name what needs a look."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

import assay
from assay.cli.app import app
from assay.evals.calibrate import Calibration
from servers import Received, Server, Steps, completion_body
from servers import answer as response


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"id": {n}, "text": "Name{n} is {n}."}}\n' for n in range(30)))
    (tmp_path / "person.json").write_text(json.dumps(Person.model_json_schema()))
    return tmp_path


def batch(folder: Path, *arguments: str) -> Any:
    shared = [str(folder / "rows.jsonl"), "-o", str(folder / "out.jsonl"), "--schema", str(folder / "person.json"), "-q"]
    return CliRunner().invoke(app, ["batch", *shared, *arguments])


def test_a_rehearsal_asks_nobody_and_leaves_nothing(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    ran = batch(folder, "--rehearse", "fence, rate_limit(0.01, times=2)", "--base-url", "http://127.0.0.1:9")
    assert ran.exit_code == 0, ran.output
    assert "20 rows done, 0 failed" in ran.stderr
    assert "2 repeats" in ran.stderr
    assert {path.name for path in folder.iterdir()} == before


def test_what_would_fail_is_named(folder: Path) -> None:
    ran = batch(folder, "--rehearse", "ignore_schema", "--retries", "0", "--limit", "7")
    assert ran.exit_code == 1
    assert "0 rows done, 7 failed" in ran.stderr
    assert "failed: 0: " in ran.stderr


def test_a_fault_that_there_is_not(folder: Path) -> None:
    ran = batch(folder, "--rehearse", "rate_limt")
    assert isinstance(ran.exception, assay.ConfigurationError)
    assert "did you mean 'rate_limit'" in str(ran.exception)


def told(request: Received) -> Steps:
    number = int(request.json["messages"][-1]["content"].split("Name")[1].split()[0])
    text = json.dumps({"name": f"Name{number}", "age": number})
    sure = 0.99 if number % 2 else 0.3
    content = [{"token": sign, "logprob": log(sure if sign.isdigit() else 0.9999)} for sign in text]
    body = completion_body(text)
    body["choices"][0]["logprobs"] = {"content": content}
    return [response(body=body)]


def test_rows_name_the_values_that_are_for_review(folder: Path) -> None:
    Calibration(0.9, 0.05, "m", 50, 100).write(folder / "c.json")
    with Server(told) as server:
        ran = batch(folder, "--base-url", server.base_url, "--model", "m", "--accept", str(folder / "c.json"), "--limit", "4")
    assert ran.exit_code == 0, ran.output
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["review"] for row in rows] == [["/name", "/age"], [], ["/name", "/age"], []]
    assert rows[1]["confidence"]["/age"] == pytest.approx(0.99)


def test_without_probabilities_all_is_for_review(folder: Path) -> None:
    Calibration(0.9, 0.05, "m", 50, 100).write(folder / "c.json")
    with Server(lambda _: [response(body=completion_body('{"name": "Ada", "age": 3}'))]) as server:
        batch(folder, "--base-url", server.base_url, "--model", "m", "--accept", str(folder / "c.json"), "--limit", "1")
    (row,) = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert row["review"] == ["/name", "/age"]
    assert "confidence" not in row
