"""`assay status`: the status of a batch, also while another process runs it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from assay.batch import Status
from assay.batch import status as status_of
from assay.cli.console import out
from assay.cli.doctor import Form
from assay.cli.follow import spent


def status(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The output of `assay batch`, or its journal.")],
    *,
    format_: Annotated[Form, typer.Option("--format", help="The format of the status.")] = Form.TABLE,
) -> None:
    """Show the status of a batch: rows done, failed and waiting, what was spent, what it waits for."""
    found = status_of(output)
    if format_ is Form.JSON:
        out.print(to_json(asdict(found)).decode(), markup=False, highlight=False, soft_wrap=True)
        return
    for line in told(found, output):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def told(found: Status, output: Path) -> list[str]:
    """The status in lines."""
    of = f" of {found.total:,}" if found.total is not None else ""
    state = f"running (process {found.process})" if found.running else "not running"
    lines = [f"{output}: {state}; {found.done:,}{of} rows done, {found.failed:,} failed, {found.waiting:,} with the provider"]
    lines.append(f"spent by all runs: {spent(found.spent)}")
    if found.waits_for:
        lines.append(f"waits for: {found.waits_for}")
    if found.said and found.said != found.waits_for:
        lines.append(f"said last: {found.said}")
    lines.append(f"as of {datetime.fromtimestamp(found.written, UTC):%Y-%m-%d %H:%M:%S} UTC")
    return lines
