"""`assay extract`: one document in, one value out."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli import show
from assay.cli.common import SchemaFlag, busy, load_target, read_source
from assay.cli.console import err, out
from assay.cli.flags import ModelFlags, ReadFlags, budget, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.extractor import SETTINGS, Extractor
from assay.options import Options


@takes_model_flags
def extract(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A text, PDF, DOCX, HTML page, mail ...; - is the standard input.")
    ] = "-",
    *,
    schema: SchemaFlag,
    form: Annotated[show.Format, typer.Option("--format", "-f", help="How the value is written.")] = show.Format.JSON,
    trace: Annotated[bool, typer.Option("--trace", help="Show every attempt on stderr.")] = False,
    spend: Annotated[
        str | None, typer.Option("--budget", metavar="AMOUNT", help="Stop before spending more: 0.05 (dollars), '9000 tokens'.")
    ] = None,
    reading: ReadFlags,
    flags: ModelFlags,
) -> None:
    """Extract one value from a document."""
    given = flags.options()
    if spend is not None:
        given["budget"] = budget(spend)
    target = load_target(schema)
    options = getattr(target, SETTINGS, Options()).updated(given)
    source = read_source(file, reading)
    fetch_embedded(options, quiet=flags.quiet)
    with busy("asking ...", quiet=flags.quiet), Extractor.of(target, options) as extractor:
        outcome = extractor.run(source)
    if trace:
        err.print(show.trace(outcome))
    if outcome.attempts and not flags.quiet:
        err.print(show.summary(outcome))
    show.result(out, show.plain(outcome.unwrap()), form)
