"""A provider's batch API that does not do what it promises: nothing that was paid is lost, and nothing waits for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assay.batch import Settings, run, status
from assay.cli.app import app
from assay.errors import ConfigurationError
from batch_runs import Doc, Notes, error, extractor, jsonl, texts, write
from batch_server import BatchServer, serving

ROWS = 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.jsonl", *texts(ROWS))


def go(server: BatchServer, source: Path, notes: Notes | None = None, **given: Any) -> Any:
    settings = Settings(**{"provider_batch": True, **given})
    return run(extractor(server, Doc), source, source.with_name("out.jsonl"), settings=settings, reporter=notes)


def lines_of(content: bytes, change: Any) -> bytes:
    return b"".join(change(at, line) for at, line in enumerate(content.splitlines(keepends=True)))


def with_id(line: bytes, value: Any) -> bytes:
    item = json.loads(line)
    item.pop("custom_id") if value is None else item.update(custom_id=value)
    return json.dumps(item).encode() + b"\n"


SPOILT = {
    "a broken line": lambda line: line[: len(line) // 2] + b"\n",
    "bad UTF-8": lambda line: line.replace(b"number", b"n\xff\xfember"),
    "no custom_id": lambda line: with_id(line, None),
    "an unknown custom_id": lambda line: with_id(line, "request-7"),
    "another's custom_id": lambda line: with_id(line, "ab" * 32),
    "a custom_id that is none": lambda line: with_id(line, ["x"]),
    "no object": lambda line: b"[1, 2]\n",
    "a body that is none": lambda line: json.dumps({**json.loads(line), "response": {"status_code": 200, "body": "x"}}).encode() + b"\n",
    "a body without choices": lambda line: json.dumps({**json.loads(line), "response": {"status_code": 200, "body": {}}}).encode() + b"\n",
    "a response that is none": lambda line: json.dumps({**json.loads(line), "response": [1]}).encode() + b"\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_the_good_lines_of_a_spoilt_file_count_and_the_rest_is_asked(source, kind):
    with serving() as server:
        server.store.spoil = lambda content: lines_of(content, lambda at, line: SPOILT[kind](line) if at in (3, 7) else line)
        summary = go(server, source)
        assert (summary.done, summary.failed) == (ROWS, 0)
        assert sum(server.asked.values()) <= ROWS + 4
        assert go(server, source).asked == 0


def test_a_file_id_that_is_empty_is_no_file(source):
    with serving() as server:
        real = server.store.complete

        def complete(batch: dict[str, Any]) -> None:
            real(batch)
            batch["error_file_id"] = ""

        server.store.complete = complete  # type: ignore[method-assign]  # the server's fault, not ours
        assert go(server, source).done == ROWS
        assert server.served == 0


@pytest.mark.parametrize("gone", ["/batches/", "/content"])
def test_what_has_vanished_is_said_and_asked_again(source, gone):
    notes = Notes()
    with serving() as server:
        first = "/batches/batch_0" if gone == "/batches/" else "/content"
        once = {"left": 1 if gone == "/batches/" else 0}

        def refuse(method: str, path: str) -> Any:
            vanished = path == first if gone == "/batches/" else path.endswith(first) and "file_1/" in path
            return error(404, "no such thing") if method == "GET" and vanished else None

        server.store.refuse = refuse
        summary = go(server, source, notes)
        assert (summary.done, summary.failed) == (ROWS, 0)
        assert any("no longer" in said for said in notes.said)
        assert once
        assert go(server, source).asked == 0


def test_a_wait_outlives_whatever_the_server_says_meanwhile(source):
    replies = [error(503, "away"), error(429, "slow down"), (200, b"<html>a gateway's page</html>", {}), error(404, "not yet")]
    with serving() as server:

        def refuse(method: str, path: str) -> Any:
            return replies.pop(0) if method == "GET" and path.startswith("/batches/") and replies else None

        server.store.refuse = refuse
        assert go(server, source).done == ROWS
        assert (replies, server.served) == ([], 0)


def test_a_status_that_nobody_knows_is_no_last_word(source):
    with serving() as server:
        real, odd = server.store.step, iter(["resting", "", "validating"])
        server.store.step = lambda batch: {**batch, "status": name} if (name := next(odd, None)) is not None else real(batch)  # type: ignore[method-assign]
        assert go(server, source).done == ROWS
        assert server.served == 0


def test_a_key_that_is_refused_while_waiting_ends_the_wait_and_keeps_the_batch(source):
    with serving() as server:
        server.store.refuse = lambda method, path: error(401, "no key", code="invalid_api_key") if "/batches/" in path else None
        with pytest.raises(Exception, match="no key"):
            go(server, source)
        server.store.refuse = lambda method, path: None
        assert go(server, source).done == ROWS
        assert set(server.asked.values()) == {1}


def test_submit_leaves_and_collect_brings(source):
    notes = Notes()
    with serving() as server:
        summary = go(server, source, notes, submit=True)
        assert (summary.waiting, summary.done, summary.stop) == (ROWS, 0, None)
        assert server.store.looks == 0
        found = status(source.with_name("out.jsonl"))
        assert (found.waiting, found.running, found.done) == (ROWS, False, 0)
        assert "--collect" in found.waits_for
        assert go(server, source, submit=True).waiting == ROWS
        assert len(server.store.batches) == 1
        with pytest.raises(ConfigurationError, match="--collect"):
            go(server, source, provider_batch=False)
        summary = go(server, source, provider_batch=False, collect=True)
        assert (summary.done, summary.waiting, server.served) == (ROWS, 0, 0)
    assert [row["id"] for row in jsonl(source.with_name("out.jsonl"))] == [f"r{n}" for n in range(ROWS)]


@pytest.mark.parametrize(
    "given", [{"submit": True, "collect": True}, {"submit": True, "provider_batch": False}, {"limit": 0}, {"concurrency": 0}]
)
def test_settings_that_make_no_sense(source, given):
    with serving() as server, pytest.raises(ConfigurationError):
        go(server, source, **given)


def test_the_command_line_submits_tells_and_collects(source):
    (source.parent / "doc.py").write_text(
        "from pydantic import BaseModel\nclass Doc(BaseModel):\n    number: int\n    length: int\n"
    )
    output = source.with_name("out.jsonl")
    with serving() as server:
        command = ["batch", str(source), "-o", str(output), "--schema", f"{source.parent / 'doc.py'}:Doc"]
        command += ["--model", "m", "--base-url", server.url, "--mode", "json"]
        runner = CliRunner()
        assert runner.invoke(app, [*command, "--provider-batch", "--submit"]).exit_code == 0
        assert f"{ROWS} with the provider" in runner.invoke(app, ["status", str(output)]).stdout
        assert runner.invoke(app, [*command, "--collect"]).exit_code == 0
        told = json.loads(runner.invoke(app, ["status", str(output), "--format", "json"]).stdout)
        assert (told["done"], told["total"], told["waiting"], told["running"]) == (ROWS, ROWS, 0, False)
