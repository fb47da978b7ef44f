"""`assay extract`: one document in, one value out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import show
from assay.cli.common import SchemaFlag, busy, load_target, read_source, write_page
from assay.cli.console import err, out
from assay.cli.flags import ModelFlags, ReadFlags, budget, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.errors import ConfigurationError
from assay.extractor import SETTINGS, Extractor
from assay.options import Options


@takes_model_flags
def extract(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A text, PDF, DOCX, HTML page, mail ...; - for standard input.")
    ] = "-",
    *,
    schema: SchemaFlag,
    form: Annotated[show.Format, typer.Option("--format", "-f", help="The format of the value.")] = show.Format.JSON,
    trace: Annotated[bool, typer.Option("--trace", help="Show every attempt on stderr.")] = False,
    spend: Annotated[
        str | None,
        typer.Option("--budget", metavar="AMOUNT", help="Stop before spending more: 0.05 (US dollars), '9000 tokens'."),
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write an .html page to check the values beside the text.")
    ] = None,
    reading: ReadFlags,
    flags: ModelFlags,
) -> None:
    """Extract one value from a document."""
    given = flags.options()
    if spend is not None:
        given["budget"] = budget(spend)
    if review is not None and review.suffix.lower() not in (
        ".html",
        ".htm",
    ):  # so that no document is overwritten by its own page
        raise ConfigurationError(f"--page {review}: it is an HTML page, so its name must end in .html")
    if review is not None and file != "-" and review.resolve() == Path(file).resolve():
        raise ConfigurationError(f"--page {review} is the document itself")
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
    if outcome.ungrounded and not flags.quiet:
        err.print(show.ungrounded(outcome))
    if review is not None:
        write_page(review, outcome.page(file if file != "-" else "standard input"))
    show.result(out, show.plain(outcome.unwrap()), form)
