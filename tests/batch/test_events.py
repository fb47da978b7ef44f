"""A log event for each row: figures, and no text."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

import assay
from assay.batch import run
from assay.cli.app import app
from assay.testing import FakeModel
from servers import Server, said

CANARY = "CANARY-OF-THE-DOCUMENT"


class Person(BaseModel):
    name: str


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    (tmp_path / "in.jsonl").write_text(f'{{"id": "a", "text": "{CANARY} Ada"}}\n{{"id": 7, "text": "fails"}}\n')
    return tmp_path / "in.jsonl"


def answer(text: str) -> Any:
    return {"name": text} if "Ada" in text else "no"


def test_each_row_is_a_record_of_figures(rows: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "assay.batch"):
        run(assay.Extractor(Person, model=FakeModel(answer), retries=0), rows, tmp_path / "out.jsonl")
    told = sorted((record.assay for record in caplog.records if hasattr(record, "assay")), key=lambda event: event["line"])
    assert [(event["id"], event["state"]) for event in told] == [("a", "done"), (7, "failed")]
    assert told[0]["prompt_tokens"] > 0
    assert CANARY not in json.dumps(told) + caplog.text


def test_log_json_has_a_line_for_each_row(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "person.json").write_text(json.dumps(Person.model_json_schema()))
    with Server(said('{"name": "Ada"}')) as server:
        arguments = ["--schema", str(tmp_path / "person.json"), "--base-url", server.base_url, "--model", "m", "--log-json"]
        ran = CliRunner().invoke(app, ["batch", str(rows), "-o", str(tmp_path / "out.jsonl"), *arguments])
    events = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    assert sorted(event["line"] for event in events if event["event"] == "row") == [1, 2]
    assert events[-1]["event"] == "summary"
    assert CANARY not in ran.stderr
    assert logging.getLogger("assay.batch").level == logging.NOTSET
