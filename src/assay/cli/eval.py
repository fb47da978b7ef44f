"""`assay eval`: how accurate a model is on documents whose answers are known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
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
from assay.cli.console import err, out
from assay.cli.doctor import Form
from assay.cli.flags import ModelFlags, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.errors import ConfigurationError
from assay.evals import Case, Comparison, Difference, Result, Score, Scored, Scores, add_up, cases, kept, results, versus
from assay.evals.calibrate import calibrate, halves, share
from assay.evals.rules import Rules, rules_of
from assay.extractor import SETTINGS, Extractor
from assay.options import Options
from assay.report.versus import comparison_page
from assay.target import target as schema_target

_TOLD = 5
"""Failed cases that are named."""


@takes_model_flags
def evaluation(
    file: Annotated[
        str, typer.Argument(metavar="CASES", help="Rows with a text and its expected value: JSONL, CSV or Parquet.")
    ],
    *,
    schema: SchemaFlag,
    gold: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the expected value.")] = "gold",
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the text.")] = "text",
    limit: Annotated[int | None, typer.Option(metavar="N", help="Only the first N cases.", min=1)] = None,
    concurrency: Annotated[int | None, typer.Option(metavar="N", help="Documents at once.", min=1)] = None,
    rows: Annotated[
        Path | None, typer.Option("--results", metavar="FILE", help="Write each case with its value and scores as JSONL.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with the --results file of an earlier run.")
    ] = None,
    may_fall: Annotated[
        float | None,
        typer.Option(
            metavar="F1", help="Exit with 1 when F1 over all fields falls below --against by more than this.", min=0, max=1
        ),
    ] = None,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as an HTML page.")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibrate", metavar="FILE", help="Learn the confidence from which values can be accepted, for batch --accept."
        ),
    ] = None,
    error: Annotated[
        float, typer.Option(metavar="SHARE", help="With --calibrate: the share of values that may be accepted and wrong.")
    ] = 0.05,
    fail_under: Annotated[
        float | None, typer.Option(metavar="F1", help="Exit with 1 when F1 over all fields is below this: 0.9.", min=0, max=1)
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="The format of the scores.")] = Form.TABLE,
    flags: ModelFlags,
) -> None:
    """Score a model, field by field, on documents whose answers are known; or compare several (repeat --model)."""
    target = load_target(schema)
    options = getattr(target, SETTINGS, Options()).updated(replace(flags, model=None).options())
    if calibration is not None:
        options = options.updated({"logprobs": True})
    models = [options.updated({"model": name}) for name in flags.model or []] or [options]
    given = list(cases(file, Columns(text=text), gold, limit))
    _check(file, given, rows, page, calibration, against=against, may_fall=may_fall, models=models)
    earlier = None if against is None else kept.read(against, str(models[0].model or ""))
    runs = [_run(target, one, given, concurrency, quiet=flags.quiet) for one in models]
    compared = [versus(runs[0].model, runs[0].scored, run.model, run.scored) for run in runs[1:]]
    if earlier is not None:
        name = earlier[0] if earlier[0] != runs[0].model else f"{earlier[0]} before"
        compared.insert(0, versus(name, earlier[1], runs[0].model, runs[0].scored))
    _show(runs, compared, form)
    if rows is not None:
        kept.write(rows, [kept.line(result, run.model) for run in runs for result in run.found])
    if page is not None:
        page.write_text(comparison_page(compared, made=datetime.now().astimezone()), encoding="utf-8")
    if calibration is not None:
        _calibrate(runs[0], rules_of(schema_target(target).json_schema), error, calibration)
    raise typer.Exit(max(*(_code(run.scores, fail_under) for run in runs), 0, _fallen(compared, may_fall)))


@dataclass(frozen=True, slots=True)
class _Ran:
    """The results of one model."""

    model: str
    found: list[Result]
    scores: Scores

    @property
    def scored(self) -> list[Scored]:
        return list(map(kept.scored, self.found))


def _run(target: Any, options: Options, given: list[Case], concurrency: int | None, *, quiet: bool) -> _Ran:
    fetch_embedded(options, quiet=quiet)
    began = time.monotonic()
    with Extractor.of(target, options) as extractor:
        coming = results(extractor, given, concurrency=concurrency)
        found = list(track(coming, f"asking {extractor.model}", len(given), console=err, transient=True, disable=quiet))
        scores = add_up(found, time.monotonic() - began)
        model = extractor.model
    if not quiet:
        _tell(found)
    return _Ran(model, found, scores)


def _check(
    file: str,
    given: list[Case],
    *outputs: Path | None,
    against: Path | None,
    may_fall: float | None,
    models: list[Options],
) -> None:
    if not given:
        raise ConfigurationError(f"{file} has no cases")
    for path in outputs:
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigurationError(f"{path} cannot be written: there is no folder {path.parent}")
        if path is not None and path.exists() and path.samefile(file):
            raise ConfigurationError(f"{path} is the file with the cases: give another name for the output")
    if may_fall is not None and against is None:
        raise ConfigurationError("--may-fall needs an earlier run to compare with: give it with --against FILE")
    if outputs[1] is not None and against is None and len(models) < 2:
        raise ConfigurationError(
            "--page needs something to compare: give a second --model, or an earlier run with --against FILE"
        )


def _code(scores: Scores, fail_under: float | None) -> int:
    f1 = scores.total.f1
    if fail_under is not None and f1 is not None and f1 < fail_under:
        err.print(f"F1 is {f1:.4f}, under {fail_under:g}", markup=False, highlight=False)
        return FAILED
    return FAILED if scores.valid < scores.documents else 0


def _fallen(compared: list[Comparison], may_fall: float | None) -> int:
    """Whether F1 over all fields has fallen further than it may since the earlier run, which comes first."""
    if may_fall is None or compared[0].total.change >= -may_fall:
        return 0
    total = compared[0].total
    err.print(
        f"F1 fell by {-total.change:.4f}, more than {may_fall:g} (95 % interval {total.low:+.3f} to {total.high:+.3f})",
        markup=False,
        highlight=False,
    )
    return FAILED


def _calibrate(run: _Ran, rules: Rules, error: float, path: Path) -> None:
    """Learn a threshold on one half of the cases, check it on the other, and write the one learned from all of them."""
    learn, see = halves(run.found, rules)
    if not any(value.confidence for case in (*learn, *see) for value in case):
        raise ConfigurationError(f"{run.model} gave no probabilities of its tokens (logprobs): there is nothing to calibrate")
    half = share(see, calibrate(learn, error).threshold)
    whole = calibrate([*learn, *see], error, run.model)
    whole.write(path)
    err.print(
        f"{path}: accepts values with a confidence of at least {whole.threshold:.4f}" if whole.threshold <= 1
        else f"{path}: accepts nothing: no threshold guarantees {error:.1%} on {whole.documents} documents",
        markup=False, highlight=False,
    )  # fmt: skip
    err.print(
        f"learned on {len(learn)} documents, checked on {half.documents} others: {half.coverage:.1%} of {half.values} values accepted, "
        f"{half.error:.1%} of all values accepted and wrong (promised: at most {error:.1%} on average)",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _tell(found: Iterable[Result]) -> None:
    """Which cases failed, and why: the first few; those that did not run apart from those with no valid answer."""
    failed = [result for result in found if not result.outcome.ok]
    for result in failed[:_TOLD]:
        told = f"{'failed' if result.ran else 'not run'}: {result.case.id}: {error_text(result.outcome.error)}"
        err.print(told, markup=False, highlight=False, soft_wrap=True)
    if len(failed) > _TOLD:
        err.print(f"and {len(failed) - _TOLD:,} more", markup=False, highlight=False)


def _show(runs: list[_Ran], compared: list[Comparison], form: Form) -> None:
    if form is Form.JSON:
        first = {"model": runs[0].model, **_plain(runs[0].scores)}
        every = first if len(runs) == 1 else {"models": [{"model": run.model, **_plain(run.scores)} for run in runs]}
        told = {**every, **({"compared": [_told(one) for one in compared]} if compared else {})}
        show.write(out, json.dumps(told, indent=2, ensure_ascii=False), "json")
        return
    for run in runs:
        out.print(_table(run.scores), "")
        out.print(_sums(run.scores, run.model), "", soft_wrap=True)
    for one in compared:
        out.print(_versus(one), "")
        out.print(_verdict(one), soft_wrap=True)


def _told(one: Comparison) -> dict[str, Any]:
    def plain(difference: Difference) -> dict[str, Any]:
        return {**asdict(difference), "change": difference.change}

    return {
        "first": one.first,
        "second": one.second,
        "cases": one.cases,
        "not_run": list(one.not_run),
        "total": plain(one.total),
        "exact": plain(one.exact),
        "fields": {name: plain(difference) for name, difference in one.fields.items()},
        "apart": [first.id for first, _ in one.apart],
    }


def _versus(one: Comparison) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    rows.add_column("F1", overflow="fold")
    for heading in (one.first, one.second, "change", "95 % interval", "p"):
        rows.add_column(heading, justify="right", overflow="fold")
    for name, difference in one.fields.items():
        rows.add_row(Text(name or "(whole)", style="cyan"), *_changes(difference))
    rows.add_section()
    rows.add_row("all fields", *_changes(one.total), style="bold")
    rows.add_row("documents right in every field", *_changes(one.exact))
    return rows


def _changes(one: Difference) -> list[str]:
    shares = ["-" if share is None else f"{share:.3f}" for share in (one.first, one.second)]
    return [*shares, f"{one.change:+.3f}", f"{one.low:+.3f} to {one.high:+.3f}", f"{one.p:.4f}"]


def _verdict(one: Comparison) -> Text:
    total = one.total
    if not one.cases:
        said = "no case was answered by both: nothing can be compared"
    elif total.real:
        better, worse = (one.second, one.first) if total.change > 0 else (one.first, one.second)
        said = f"{better} is better than {worse} (p {total.p:.4f})"
    else:
        said = f"no difference between {one.first} and {one.second} that chance would not explain (p {total.p:.4f})"
    left_out = f"; {len(one.not_run)} cases did not run and count for neither" if one.not_run else ""
    return Text(f"{said}: {one.cases} cases, {len(one.apart)} of them with different scores{left_out}")


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
