"""`assay doctor`: what a server really supports, found by asking it."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from assay.cli import show
from assay.cli.common import busy
from assay.cli.console import err, out, to_json
from assay.cli.flags import ModelFlags, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.doctor import Report, Verdict, probe
from assay.options import Options

_COLOURS: dict[Verdict, str] = {
    "honoured": "green",
    "yes": "green",
    "ignored": "red",
    "refused": "yellow",
    "no": "yellow",
    "unclear": "yellow",
}


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


@takes_model_flags
def doctor(
    *,
    form: Annotated[Form, typer.Option("--format", "-f", help="The format of the report.")] = Form.TABLE,
    save: Annotated[bool, typer.Option("--save", help="Keep the findings: mode auto uses them from then on.")] = False,
    flags: ModelFlags,
) -> None:
    """Ask a server, with a handful of tiny requests, what it really supports."""
    options = flags.options()
    fetch_embedded(Options.of(**options), quiet=flags.quiet)
    with busy("asking ...", quiet=flags.quiet):
        report = probe(**options)
    match form:
        case Form.JSON:
            show.write(out, to_json(dataclasses.asdict(report)), "json")
        case Form.TABLE:
            out.print(_table(report))
    if save:
        kept = report.save()
        if not flags.quiet:
            err.print(Text(f"kept in {kept}: mode auto is {', '.join(report.modes)} for this model there", style="dim"))
    if not flags.quiet:
        err.print(Text(f"{report.model} at {report.base_url} · the probes took {show.usage(report.usage)}", style="dim"))


def _table(report: Report) -> Table:
    rows = Table("asked for", "found", "what showed it", box=box.SIMPLE_HEAD, header_style="bold")
    for finding in report.findings:
        rows.add_row(finding.subject, Text(finding.verdict, style=_COLOURS[finding.verdict]), Text(finding.detail))
    if report.context_tokens is not None:
        rows.add_row("context", f"{report.context_tokens:,} tokens")
    rows.add_row("[bold]use[/]", f"[bold]--mode {report.advised_mode}[/]")
    return rows
