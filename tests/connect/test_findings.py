"""What the doctor found is kept, and goes before what a provider's row says: no refused request in any process after that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

import assay
from assay import doctor
from assay.cli.app import app
from assay.connect import findings
from assay.errors import ConfigurationError
from connect.test_wires import ANTHROPIC, anthropic
from servers import Received, Server, Steps, answer, completion, error, streamed


class Person(BaseModel):
    name: str


ADA = '{"name": "Ada"}'


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "settings" / "findings.json"
    monkeypatch.setenv("ASSAY_FINDINGS", str(path))
    return path


def picky(request: Received) -> Steps:
    """Takes no JSON mode, and keeps to a schema."""
    if not request.body:
        return [answer(404, error("no list of models"))]
    form = request.json.get("response_format") or {}
    if form.get("type") == "json_object" or "tools" in request.json:
        return [answer(400, error("response_format json_object is not supported"))]
    if request.json.get("stream"):
        return streamed("one two three")
    if form.get("type") != "json_schema":
        return [completion("ready")]
    properties = form["json_schema"]["schema"]["properties"]
    said = {
        name: "zq_apples" if "enum" in part else 5 if part.get("type") == "integer" else "Ada"
        for name, part in properties.items()
    }
    return [completion(json.dumps(said))]


def test_auto_goes_by_what_was_found(kept: Path) -> None:
    with Server(picky) as server:
        given: dict[str, Any] = {"model": "m", "base_url": server.base_url}
        done = CliRunner().invoke(app, ["doctor", "--model", "m", "--base-url", server.base_url, "--save"])
        assert done.exit_code == 0, done.output
        (row,) = json.loads(kept.read_text())
        assert (row["server"], row["model"], row["modes"]) == (server.base_url, "m", ["json_schema", "text"])
        assert len(row["date"]) == 10
        before = len(server.received)
        assert assay.extract(Person, "Ada", **given) == Person(name="Ada")
    assert len(server.received) == before + 1
    assert server.received[-1].json["response_format"]["type"] == "json_schema"
    assert assay.Extractor(Person, model="other", base_url=given["base_url"]).connection.profile.modes[0] == "json"


def test_a_later_finding_takes_the_place_of_an_earlier_one(kept: Path) -> None:
    first = findings.Found("http://a/v1", "m", "2026-11-01", (assay.Mode.JSON, assay.Mode.TEXT))
    findings.save(first)
    findings.save(findings.Found("http://a/v1", "n", "2026-11-01", (assay.Mode.TEXT,)))
    findings.save(findings.Found("http://a/v1", "m", "2026-11-02", (assay.Mode.TEXT,)))
    assert len(json.loads(kept.read_text())) == 2
    found = findings.known("http://a/v1", "m")
    assert found is not None
    assert (found.date, found.modes) == ("2026-11-02", (assay.Mode.TEXT,))


@pytest.mark.parametrize(
    "text", ["", "{", "null", '[1, {"server": 1}]', '[{"server":"http://a","model":"m","date":"d","modes":["odd"]}]']
)
def test_a_file_that_is_none_is_passed_over(kept: Path, text: str) -> None:
    kept.parent.mkdir()
    kept.write_text(text)
    assert findings.known("http://a", "m") is None


def test_a_place_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_FINDINGS", str(tmp_path / "file" / "findings.json"))
    with pytest.raises(ConfigurationError, match=r"findings\.json"):
        findings.save(findings.Found("http://a", "m", "2026-11-01", (assay.Mode.TEXT,)))


def test_no_password_is_kept(kept: Path) -> None:
    report = doctor.Report("m", "http://user:secret-word@127.0.0.1/v1")
    report.save()
    assert "secret-word" not in kept.read_text()


def test_the_doctor_knows_other_protocols() -> None:
    said = {"zq_sum": 5, "zq_unit": "zq_apples"}

    def steps(request: Received) -> Steps:
        if not request.body:
            return [answer(404, {})]
        body = request.json
        assert "temperature" not in body
        if "tools" in body:
            return [answer(200, anthropic(tool=said, stop="tool_use"))]
        return [answer(200, anthropic(json.dumps(said) if "output_config" in body else "ready"))]

    with Server(steps) as server:
        report = doctor.probe(model=ANTHROPIC.model, base_url=server.url, api_key="k")
    found = {finding.subject: finding.verdict for finding in report.findings}
    assert (found["mode json_schema"], found["mode tools"], found["mode json"]) == ("honoured", "honoured", "refused")
    assert report.modes == ("json_schema", "tools", "text")
