"""What the tests of batches share: a model class, a run against the local server, its output read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import assay
from assay.batch import Progress, Settings, Summary, run
from batch_server import BatchServer, Reply


class Doc(BaseModel):
    number: int
    length: int


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ticks: list[Progress] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def tick(self, progress: Progress) -> None:
        self.ticks.append(progress)

    def end(self, summary: Summary) -> None:
        pass


def texts(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{number}", "text": f"document {number} end"} for number in range(count)]


def extractor(server: BatchServer, target: Any = Doc, **options: Any) -> assay.Extractor[Any]:
    limiter = options.pop("limiter", None)
    given = {"model": "m", "base_url": server.url, "mode": "json", "retries": 0, "max_retries": 0, **options}
    return assay.Extractor(target, limiter=limiter, **given)


def batch(
    server: BatchServer, source: Any, output: Path, *, options: dict[str, Any] | None = None, reporter: Any = None, **given: Any
) -> Summary:
    options = {**(options or {}), "limiter": given.pop("limiter", None)}
    target, control = given.pop("target", Doc), given.pop("control", None)
    settings = Settings(**given)
    return run(extractor(server, target, **options), source, output, settings=settings, reporter=reporter, control=control)


def jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def error(status: int, message: str, /, **more: Any) -> Reply:
    return status, {"error": {"message": message, "type": "invalid_request_error", **more}}, {}
