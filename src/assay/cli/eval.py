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

from assay.batch.formats import Columns
from assay.batch.rows import error_text
from assay.cli import show
from assay.cli.common import FAILED, SchemaFlag, load_target
from assay.cli.console import err, out, to_json
from assay.cli.doctor import Form
from assay.cli.flags import ModelFlags, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.errors import ConfigurationError
from assay.evals import Result, Score, Scores, add_up, cases, results
from assay.extractor import SETTINGS, Extractor
from assay.options import Options

_TOLD = 5
"""Failed cases that are named."""


@takes_model_flags
def evaluation(
    file: Annotated[str, typer.Argument(metavar="CASES", help="Rows with a text and its gold value: JSONL, CSV or Parquet.")],
    *,
    schema: SchemaFlag,
    gold: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the value that should come out.")] = "gold",
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the text.")] = "text",
    limit: Annotated[int | None, typer.Option(metavar="N", help="The first N cases only.", min=1)] = None,
    concurrency: Annotated[int | None, typer.Option(metavar="N", help="Documents at once.", min=1)] = None,
    rows: Annotated[
        Path | None, typer.Option("--results", metavar="FILE", help="Write each case with its value and scores, as JSONL.")
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(metavar="F1", help="Exit with 1 when F1 over all fields is lower: 0.9.", min=0, max=1)
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How the scores are written.")] = Form.TABLE,
    flags: ModelFlags,
) -> None:
    """Score a model, field by field, on documents whose answers are known."""
    target = load_target(schema)
    options = getattr(target, SETTINGS, Options()).updated(flags.options())
    given = list(cases(file, Columns(text=text), gold, limit))
    if not given:
        raise ConfigurationError(f"{file} has no cases")
    if rows is not None and not rows.absolute().parent.is_dir():
        raise ConfigurationError(f"--results {rows}: there is no folder {rows.parent}")
    fetch_embedded(options, quiet=flags.quiet)
    began = time.monotonic()
    with Extractor.of(target, options) as extractor:
        coming = results(extractor, given, concurrency=concurrency)
        found = list(track(coming, "extracting", len(given), console=err, transient=True, disable=flags.quiet))
        scores = add_up(found, time.monotonic() - began)
        model = extractor.model
    _show(scores, model, form)
    if not flags.quiet:
        _tell(found)
    if rows is not None:
        _write(rows, found)
    raise typer.Exit(_code(scores, fail_under))


def _code(scores: Scores, fail_under: float | None) -> int:
    f1 = scores.total.f1
    if fail_under is not None and f1 is not None and f1 < fail_under:
        err.print(f"F1 is {f1:.4f}, under {fail_under:g}", markup=False, highlight=False)
        return FAILED
    return FAILED if scores.valid < scores.documents else 0


def _tell(found: Iterable[Result]) -> None:
    """Which cases failed, and why: the first few."""
    failed = [result for result in found if not result.outcome.ok]
    for result in failed[:_TOLD]:
        told = f"failed: {result.case.id}: {error_text(result.outcome.error)}"
        err.print(told, markup=False, highlight=False, soft_wrap=True)
    if len(failed) > _TOLD:
        err.print(f"and {len(failed) - _TOLD:,} more", markup=False, highlight=False)


def _write(path: Path, found: Iterable[Result]) -> None:
    try:
        path.write_text("".join(json.dumps(_kept(result), ensure_ascii=False) + "\n" for result in found), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--results {path} cannot be written: {error.strerror or error}") from None


def _kept(result: Result) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "text": result.case.text,
        "gold": result.case.gold,
        "value": result.value,
        "error": None if result.outcome.ok else error_text(result.outcome.error),
        "attempts": len(result.outcome.attempts),
        "scores": {name: asdict(score) for name, score in result.scores.items()},
    }


def _show(scores: Scores, model: str, form: Form) -> None:
    match form:
        case Form.JSON:
            show.write(out, to_json({"model": model, **_plain(scores)}), "json")
        case Form.TABLE:
            out.print(_table(scores), "")
            out.print(_sums(scores, model), soft_wrap=True)


def _plain(scores: Scores) -> dict[str, Any]:
    fields = {name: _figures(score) for name, score in scores.fields.items()}
    return {**asdict(scores), "fields": fields, "total": _figures(scores.total)}


def _figures(score: Score) -> dict[str, Any]:
    return {**asdict(score), "precision": score.precision, "recall": score.recall, "f1": score.f1}


def _table(scores: Scores) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    rows.add_column("field", overflow="fold")
    for heading in ("F1", "precision", "recall", "right", "wrong", "omitted", "invented"):
        rows.add_column(heading, justify="right")
    for name, score in scores.fields.items():
        rows.add_row(Text(name or "(whole)", style="cyan"), *_cells(score))
    rows.add_section()
    rows.add_row("all fields", *_cells(scores.total), style="bold")
    return rows


def _cells(score: Score) -> list[str]:
    shares = ["-" if share is None else f"{share:.3f}" for share in (score.f1, score.precision, score.recall)]
    return [*shares, *map(str, (score.right, score.wrong, score.omitted, score.invented))]


def _sums(scores: Scores, model: str) -> Text:
    count, usage = scores.documents, scores.usage
    cost = "" if usage.cost is None else f", ${usage.cost / count:.6f}"
    return Text(
        f"{model}: {scores.valid} of {count} documents valid ({scores.valid_at_once} at the first request), "
        f"{scores.exact} right in every field\n"
        f"a document: {scores.attempts / count:.2f} requests, {usage.prompt_tokens / count:.0f} + "
        f"{usage.completion_tokens / count:.0f} tokens{cost}, {scores.seconds / count:.2f} s"
    )
