"""`assay report`: what a batch run did, as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.common import write_page
from assay.cli.console import err
from assay.errors import ConfigurationError


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The output of `assay batch`, or the journal beside it.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PAGE", help="An .html file.")] = Path("report.html"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Write what a run did into one HTML page: figures, failures with their replies, repairs, rows."""
    from assay.report import page, read  # noqa: PLC0415  # jinja2 takes its time, and no other command needs it

    if output.suffix.lower() not in (".html", ".htm"):  # so that no run is overwritten by its own report
        raise ConfigurationError(f"-o {output}: the report is an HTML page, so its name must end in .html")
    digest = read(run)
    html = page(digest, made=datetime.now(UTC))
    write_page(output, html)
    if not quiet:
        told = f"{output}: {digest.rows:,} rows, {digest.done:,} done, {digest.failed:,} failed"
        err.print(told, markup=False, highlight=False, soft_wrap=True)
