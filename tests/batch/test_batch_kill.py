"""The real process, killed, starved of disk and doubled: no row is lost, none is there twice."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_server import BatchServer, serving

ROWS = 300
SRC = Path(__file__).parents[2] / "src"
MODEL = """
from pydantic import BaseModel
class Doc(BaseModel):
    number: int
    length: int
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "doc.py").write_text(MODEL)
    rows = [{"id": f"r{number}", "text": f"document {number} {'x' * 200}", "page": number} for number in range(ROWS)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def start(here: Path, server: BatchServer, *flags: str, limit: int | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from assay.cli import main; main()", "batch", "in.jsonl", "-o", "out.jsonl"]
    command += [
        "--schema",
        "doc.py:Doc",
        "--model",
        "m",
        "--base-url",
        server.url,
        "--mode",
        "json",
        "--concurrency",
        "16",
        *flags,
    ]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}

    def starve() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=starve)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while not what() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)


def written(here: Path) -> list[dict]:
    """The whole lines of the output; a kill may tear the last one, and only that."""
    output = here / "out.jsonl"
    lines = output.read_bytes().split(b"\n") if output.exists() else [b""]
    return [json.loads(line) for line in lines[:-1]]


def check_complete(here: Path) -> None:
    found = written(here)
    assert [row["id"] for row in found] == [f"r{number}" for number in range(ROWS)]
    assert [(row["value"]["number"], row["page"], row["error"]) for row in found] == [(n, n, None) for n in range(ROWS)]
    assert not list(here.glob(".*.part"))


def test_killed_at_random_points_many_times_over_the_union_is_exact(here):
    kills, dice = 12, random.Random(5)
    with serving(latency=0.02) as server:
        finished: set[str] = set()
        for _ in range(kills):
            process = start(here, server)
            target = server.served + dice.randrange(0, 2 * ROWS // kills)
            wait_for(lambda: server.served >= target, process)  # noqa: B023  # called at once
            time.sleep(dice.uniform(0, 0.05))
            process.kill()
            finish(process)
            ids = [row["id"] for row in written(here)]
            assert len(ids) == len(set(ids))
            finished |= set(ids)
        code, said = finish(start(here, server))
        assert code == 0, said
        check_complete(here)
        # what is asked twice was under way, or not yet on the disk, when the process was killed
        assert sum(server.asked.values()) <= ROWS + kills * 3 * 16
        code, said = finish(start(here, server))
        assert (code, "nothing was asked" in said) == (0, True)
        check_complete(here)


@pytest.mark.parametrize("limit", [6_000, 30_000, 100_000])
def test_a_full_disk_stops_the_run_and_loses_nothing(here, limit):
    with serving() as server:
        code, said = finish(start(here, server, limit=limit))
        assert code == 1
        assert "cannot be written" in said
        assert "Traceback" not in said
        ids = [row["id"] for row in written(here)]
        assert len(ids) == len(set(ids))
        code, said = finish(start(here, server))
        assert code == 0, said
        check_complete(here)


def test_two_processes_on_one_output(here):
    with serving(latency=0.2) as server:
        first = start(here, server, "--concurrency", "8")
        wait_for(lambda: server.served >= 8, first)
        code, said = finish(start(here, server))
        assert code == 2
        assert "in use by another run" in said
        code, said = finish(first)
        assert code == 0, said
        check_complete(here)


def test_ctrl_c_finishes_what_is_under_way_and_says_how_to_go_on(here):
    with serving(latency=0.2) as server:
        process = start(here, server)
        wait_for(lambda: server.served >= 32, process)
        process.send_signal(signal.SIGINT)
        code, said = finish(process)
        assert code == 130
        assert "the same command goes on from here" in said
        # whatever was asked was also waited for and written
        assert sorted(row["text"] for row in map(source_of, written(here))) == sorted(text_of(text) for text in server.asked)
        code, said = finish(start(here, server))
        assert code == 0, said
        check_complete(here)
        assert set(server.asked.values()) == {1}


def test_ctrl_c_twice_stops_at_once(here):
    with serving(latency=20.0) as server:
        process = start(here, server)
        wait_for(lambda: server.under_way >= 16, process)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        code, _ = finish(process)
        assert code == 130
        assert time.monotonic() - begun < 15


def source_of(row: dict) -> dict:
    return {"text": f"document {row['page']} "}


def text_of(asked: str) -> str:
    return asked[asked.index("document ") : asked.index("x")]


# -- the provider's batch API ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [["--provider-batch"], ["--collect"]], ids=["polling", "collect"])
def test_killed_while_it_waits_for_the_provider_nothing_is_sent_twice(here, how):
    with serving() as server:
        server.store.finishes = False
        if how == ["--collect"]:
            code, said = finish(start(here, server, "--provider-batch", "--submit"))
            assert code == 0, said
            assert f"{ROWS} rows are with the provider" in said
        for _ in range(2):
            looks = server.store.looks
            process = start(here, server, *how)
            wait_for(lambda: server.store.looks > looks, process)  # noqa: B023  # called at once
            told = status_of(here)
            assert f"{ROWS} with the provider" in told
            assert "waiting for the provider" in told
            process.kill()
            finish(process)
        server.store.finishes = True
        code, said = finish(start(here, server, *how))
        assert code == 0, said
        check_complete(here)
        assert (len(server.store.batches), server.served, set(server.asked.values())) == (1, 0, {1})
        assert "not running" in status_of(here)


def test_killed_at_random_points_of_a_collection_the_union_is_exact(here):
    dice = random.Random(7)
    with serving() as server:
        code, said = finish(start(here, server, "--provider-batch", "--submit"))
        assert code == 0, said
        for _ in range(5):
            process = start(here, server, "--collect")
            time.sleep(dice.uniform(0.6, 3.2))
            process.kill()
            finish(process)
            ids = [row["id"] for row in written(here)]
            assert len(ids) == len(set(ids))
        code, said = finish(start(here, server, "--collect"))
        assert code == 0, said
        check_complete(here)
        assert (len(server.store.batches), server.served, set(server.asked.values())) == (1, 0, {1})


def test_another_process_tells_how_a_run_stands(here):
    with serving(latency=2.0) as server:
        process = start(here, server)
        wait_for(lambda: server.served >= 32, process)
        told = json.loads(status_of(here, "--format", "json"))
        assert (told["running"], told["process"], told["total"]) == (True, process.pid, ROWS)
        assert 0 < told["done"] < ROWS
        assert told["spent"]["total_tokens"] > 0
        process.send_signal(signal.SIGINT)
        code, said = finish(process)
        assert code == 130, said
        assert "not running" in status_of(here)
        assert not list(here.glob("*.status"))


def status_of(here: Path, *flags: str) -> str:
    command = [sys.executable, "-c", "from assay.cli import main; main()", "status", "out.jsonl", *flags]
    asked = subprocess.run(
        command, cwd=here, env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=60
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout
