"""`assay read`: a document's text as a model gets it."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from assay.cli.common import read_source
from assay.cli.console import err, out, to_json
from assay.cli.flags import ReadFlags, takes_model_flags
from assay.documents import Document
from assay.types import Place


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


@takes_model_flags
def read(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A PDF, DOCX, HTML page, mail ...; - for standard input.")],
    *,
    form: Annotated[Form, typer.Option("--format", "-f", help="The text with a marker before each page, or JSON.")] = Form.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the text and errors.")] = False,
    reading: ReadFlags,
) -> None:
    """Show the text of a document, page by page, as a model gets it."""
    document = read_source(file, reading)
    if form is Form.JSON:
        out.echo(to_json(_as_json(document)))
        return
    for place in document.places or (None,):
        if place is None:
            out.echo(document.text)
        else:
            out.print(f"--- {place} ---", markup=False, highlight=False, soft_wrap=True)
            out.echo(document.text[place.start : place.end].rstrip("\n"))
    for note in document.notes if not quiet else ():
        err.print(Text.assemble(("note ", "dim"), note), soft_wrap=True)


def _as_json(document: Document) -> dict[str, object]:
    return {
        "name": document.name,
        "text": document.text,
        "places": [_place(place) for place in document.places],
        "notes": document.notes,
        "images": document.blank,
    }


def _place(place: Place) -> dict[str, object]:
    return {name: value for name, value in asdict(place).items() if name not in ("box", "until")}
