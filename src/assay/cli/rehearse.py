"""`assay batch --rehearse`: what a run would do on a bad day, without a server and without leaving files."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assay.batch import Columns, Settings, run
from assay.cli.console import err
from assay.errors import ConfigurationError
from assay.extractor import Extractor
from assay.options import Options
from assay.testing import FakeModel, Fault, faults

SAMPLE = 20
"""Rows that are tried by default."""
TOLD = 5
"""Failed rows that are listed."""
_FAULT = re.compile(r"[^,(]+(?:\([^)]*\))?")


def rehearsal(target: Any, options: Options, source: str, given: str, columns: Columns, limit: int | None) -> int:
    """Run the first rows with a model that makes up its answers, under these faults. Nothing is kept.

    The exit code is that of a run: 1 when rows failed. Raises `ConfigurationError` for an unknown fault.
    """
    if source == "-":
        raise ConfigurationError("--rehearse needs a file; got - (standard input)")
    met = [Fault.parse(text) for text in _FAULT.findall(given) if text.strip()]
    model = FakeModel(seed=0)
    asking = Extractor.of(target, replace(options, model=model, base_url=None, client=None, api_key=None))
    with TemporaryDirectory(prefix="assay-rehearsal-") as folder, faults(*met):
        summary = run(asking, source, Path(folder) / "out.jsonl", settings=Settings(limit=limit or SAMPLE, columns=columns))
        failed = [line for path in Path(folder).glob("*.errors.jsonl") for line in path.read_text("utf-8").splitlines()]
    _say(
        f"rehearsed with {', '.join(fault.name for fault in met) or 'no faults'}: {summary.done} rows done, {summary.failed} failed, "
        f"{summary.requests} requests, {summary.reasks} re-asks, {summary.repeats} repeats, {sum(summary.repairs.values())} repairs"
    )
    for line in failed[:TOLD]:
        row = json.loads(line)
        _say(f"failed: {row.get('id')}: {row.get('message') or row.get('error')}")
    return 1 if summary.failed or summary.stop is not None else 0


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)
