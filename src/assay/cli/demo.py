"""`assay demo`: the main job on the embedded model, with neither key nor server."""

from __future__ import annotations

import inspect
from datetime import date
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, Field
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from assay.cli import show
from assay.cli.common import busy
from assay.cli.console import out
from assay.cli.models import fetch_embedded
from assay.connect.connection import LOCAL_DEFAULT
from assay.extractor import Extractor
from assay.options import Options

TEXT = """\
Hello, I ordered a Hallam desk lamp on 2026-03-04 (order 88213) and it
came with a cracked shade. Please send a new one or refund the 74.50 EUR.
Thank you, Petra Lindqvist"""


class Complaint(BaseModel):
    """A customer's complaint about an order."""

    customer: str
    order_number: int
    ordered_on: date | None = None
    product: str
    amount: float | None = Field(default=None, ge=0)
    currency: Literal["EUR", "USD", "GBP"] | None = None


_TOY = "The embedded model is a toy: 135 million parameters. Check what it says."


def demo(
    *,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="PROVIDER/NAME", help="A model to use instead of the embedded one.")
    ] = LOCAL_DEFAULT,
) -> None:
    """Turn a letter into data on the embedded model: no key, no server."""
    fetch_embedded(Options(model=model))
    with busy("reading the letter ...", quiet=False), Extractor(Complaint, model=model) as extractor:
        outcome = extractor.run(TEXT)
    out.print(_panel("the text", Text(TEXT)))
    out.print(_panel("the model class", show.code(inspect.getsource(Complaint).rstrip(), "python")))
    out.print(_panel("assay.extract(Complaint, text)", show.value(outcome.unwrap())))
    out.print(show.summary(outcome))
    out.print(_advice(model))


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=title, title_align="left", border_style="dim", width=100, padding=(0, 1))


def _advice(model: str) -> Group | str:
    if model != LOCAL_DEFAULT:
        return ""
    return Group(
        Text(_TOY, style="yellow"),
        Text("Better, local:   assay models pull qwen2.5-1.5b"),
        Text("                 assay demo --model local/qwen2.5-1.5b"),
        Text("Better, hosted:  export GROQ_API_KEY=...   (used by assay extract, batch ...)"),
    )
