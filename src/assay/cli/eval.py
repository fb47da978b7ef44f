"""`assay eval`: how right a model is on documents whose answers are known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import track
from rich.table import Table
from rich.text import Text

from assay.api import SETTINGS, Extractor
from assay.batch.sources import Columns
from assay.cli import show
from assay.cli.common import FAILED, SchemaFlag, err, load_target, out
from assay.cli.doctor import Form
from assay.cli.flags import ModelFlags, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.evals import Result, Score, Summary, cases, evaluate, summarise
from assay.options import Options


@takes_model_flags
def evaluation(
    file: Annotated[str, typer.Argument(metavar="CASES", help="Rows with a text and its gold value: JSONL, CSV or Parquet.")],
    *,
    schema: SchemaFlag,
    gold: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the value that should come out.")] = "gold",
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the text.")] = "text",
    limit: Annotated[int | None, typer.Option(metavar="N", help="The first N cases only.", min=1)] = None,
    concurrency: Annotated[int | None, typer.Option(metavar="N", help="Documents at once.", min=1)] = None,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="FILE", help="Write each case with its value and scores, as JSONL.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How the scores are written.")] = Form.TABLE,
    flags: ModelFlags,
) -> None:
    """Score a model, field by field, on documents whose answers are known."""
    target = load_target(schema)
    options = getattr(target, SETTINGS, Options()).updated(flags.options())
    given = list(cases(file, Columns(text=text), gold, limit))
    fetch_embedded(options, quiet=flags.quiet)
    began = time.monotonic()
    with Extractor.of(target, options) as extractor:
        rows = evaluate(extractor, given, concurrency=concurrency)
        found = list(track(rows, "extracting", len(given), console=err, transient=True, disable=flags.quiet))
        summary = summarise(found, time.monotonic() - began)
        model = extractor.model
    if results is not None:
        _write(results, found)
    match form:
        case Form.JSON:
            show.write(out, json.dumps({"model": model, **_plain(summary)}, indent=2, ensure_ascii=False), "json")
        case Form.TABLE:
            out.print(_table(summary))
            out.print(_sums(summary, model))
    if summary.valid < summary.documents:
        raise typer.Exit(FAILED)


def _write(path: Path, found: Iterable[Result]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for result in found:
            row = {"id": result.case.id, "text": result.case.text, "gold": result.case.gold, "value": result.value}
            row["error"] = None if result.outcome.ok else str(result.outcome.error)
            row["attempts"] = len(result.outcome.attempts)
            row["scores"] = {name: asdict(score) for name, score in result.scores.items()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _plain(summary: Summary) -> dict[str, Any]:
    every = summary.all_fields
    fields = {name: {**asdict(score), "accuracy": score.accuracy} for name, score in summary.fields.items()}
    return {**asdict(summary), "fields": fields, "all_fields": {**asdict(every), "accuracy": every.accuracy}}


def _table(summary: Summary) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, header_style="bold")
    rows.add_column("field")
    for heading in ("accuracy", "gold", "right", "wrong", "missed", "invented"):
        rows.add_column(heading, justify="right")
    for name, score in summary.fields.items():
        rows.add_row(Text(name, style="cyan"), *_cells(score))
    rows.add_section()
    rows.add_row("all fields", *_cells(summary.all_fields), style="bold")
    return rows


def _cells(score: Score) -> list[str]:
    share = "-" if score.accuracy is None else f"{score.accuracy:.1%}"
    return [share, *map(str, (score.gold, score.right, score.wrong, score.missed, score.invented))]


def _sums(summary: Summary, model: str) -> Text:
    count = max(summary.documents, 1)
    return Text(
        f"{model}: {summary.valid} of {summary.documents} documents valid ({summary.valid_at_once} at the first request), "
        f"{summary.perfect} right in every field\n"
        f"a document: {summary.attempts / count:.2f} requests, {summary.usage.prompt_tokens / count:.0f} + "
        f"{summary.usage.completion_tokens / count:.0f} tokens, {summary.seconds / count:.2f} s"
    )
