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

from assay.api import Extractor
from assay.backends.local import weights
from assay.backends.local.table import DEFAULT
from assay.cli import show
from assay.cli.common import err, out
from assay.cli.models import fetching

TEXT = """\
Hello, I ordered a Hallam desk lamp on 2026-03-04 (order 88213) and it came with a cracked shade.
Please send a new one or refund the 74.50 EUR. Thank you, Petra Lindqvist"""


class Complaint(BaseModel):
    """A customer's complaint about an order."""

    customer: str
    order_number: int
    ordered_on: date | None = None
    product: str
    amount: float | None = Field(default=None, ge=0)
    currency: Literal["EUR", "USD", "GBP"] | None = None


def demo(
    *,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="PROVIDER/NAME", help="Another model than the embedded one.")
    ] = f"local/{DEFAULT}",
) -> None:
    """Turn a letter into data on the embedded model: no key, no server."""
    if model.startswith("local/"):
        with fetching(f"fetching {model} (once)") as progress:
            weights.resolve(model.removeprefix("local/"), progress)
    with err.status("reading the letter ..."), Extractor(Complaint, model=model) as extractor:
        outcome = extractor.run(TEXT)
    out.print(_panel("the text", Text(TEXT)))
    out.print(_panel("the model class", show.code(inspect.getsource(Complaint).rstrip(), "python")))
    out.print(_panel("assay.extract(Complaint, text)", show.value(outcome.unwrap())))
    out.print(show.summary(outcome))
    out.print(_advice(model))


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=title, title_align="left", border_style="dim", width=100, padding=(0, 1))


def _advice(model: str) -> Group | str:
    if model != f"local/{DEFAULT}":
        return ""
    return Group(
        Text("The embedded model has 135 million parameters: a toy beside a real model, so check what it says.", style="yellow"),
        Text("A better local one:   assay models pull qwen2.5-1.5b   then --model local/qwen2.5-1.5b"),
        Text("A hosted one:         export GROQ_API_KEY=...           then every command uses Groq"),
    )
