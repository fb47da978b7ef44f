"""`assay batch`: a file of rows in, a file of rows out."""

from __future__ import annotations

import asyncio
import signal
from contextlib import closing, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assay.backends.limits import RateLimiter
from assay.batch import Columns, Estimate, Pace, Reporter, Settings, Stop, Summary, dry_run, run
from assay.batch.runner import Runner
from assay.cli import follow
from assay.cli.common import SchemaFlag, existing, load_target, schema_file
from assay.cli.console import err
from assay.cli.flags import ModelFlags, budget, takes_model_flags
from assay.cli.models import fetch_embedded
from assay.cli.rehearse import rehearsal
from assay.errors import ConfigurationError
from assay.evals.calibrate import Calibration
from assay.extractor import SETTINGS, Extractor
from assay.options import Options

FAILED, FATAL, INTERRUPTED = 1, 2, 130

_LIMITS, _ROWS, _RUN = "Limits", "Rows", "Run"


class Order(StrEnum):
    INPUT = "input"
    DONE = "done"


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


@takes_model_flags
def batch(
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="JSONL, CSV or Parquet, a folder of documents, or - for JSONL on stdin.")
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUTPUT", help="A .jsonl, .csv or .parquet file.")],
    schema: SchemaFlag,
    concurrency: Annotated[
        int | None,
        typer.Option(metavar="N", help="The most rows at once (default: what the server can take).", rich_help_panel=_LIMITS),
    ] = None,
    rpm: Annotated[float | None, typer.Option(metavar="N", help="Requests per minute.", rich_help_panel=_LIMITS)] = None,
    tpm: Annotated[float | None, typer.Option(metavar="N", help="Tokens per minute.", rich_help_panel=_LIMITS)] = None,
    rpd: Annotated[float | None, typer.Option(metavar="N", help="Requests per day.", rich_help_panel=_LIMITS)] = None,
    tpd: Annotated[float | None, typer.Option(metavar="N", help="Tokens per day.", rich_help_panel=_LIMITS)] = None,
    spend: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="AMOUNT",
            help="Stop before spending more: 5 (US dollars), '200000 tokens'.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    max_failures: Annotated[
        int | None, typer.Option(metavar="N", help="Stop when more rows than this fail.", rich_help_panel=_LIMITS)
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="COLUMN", help="The column with the row's id (default: id, if any).", rich_help_panel=_ROWS
        ),
    ] = None,
    text: Annotated[
        str, typer.Option(metavar="COLUMN[,COLUMN]", help="The column or columns with the text.", rich_help_panel=_ROWS)
    ] = "text",
    prompt_template: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A jinja2 template that makes the text from a row's columns.", rich_help_panel=_ROWS),
    ] = None,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Copy the text to the output, too.", rich_help_panel=_ROWS)
    ] = False,
    delimiter: Annotated[
        str | None, typer.Option(metavar="SIGN", help="The delimiter of a CSV input: ';', tab.", rich_help_panel=_ROWS)
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The input's encoding: cp1252, utf-16 (default: UTF-8).", rich_help_panel=_ROWS),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column with the path of a row's document.", rich_help_panel=_ROWS),
    ] = None,
    pages: Annotated[
        str | None, typer.Option(metavar="PAGES", help="The pages of documents: '1-3,7' (default: all).", rich_help_panel=_ROWS)
    ] = None,
    ocr: Annotated[
        str | None,
        typer.Option(metavar="PROGRAM", help="The program that reads pages that are images: tesseract.", rich_help_panel=_ROWS),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Only the first rows; a later run takes the others.", rich_help_panel=_ROWS)
    ] = None,
    order: Annotated[Order, typer.Option(help="The order of the finished output.", rich_help_panel=_ROWS)] = Order.INPUT,
    errors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where failed rows go (default: OUTPUT.errors.jsonl).", rich_help_panel=_ROWS),
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="The output's format (default: by its name).", rich_help_panel=_ROWS)
    ] = None,
    safe_csv: Annotated[
        bool,
        typer.Option("--safe-csv", help="Put a quote before texts that spreadsheets take as formulas.", rich_help_panel=_ROWS),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite output files that no run wrote.", rich_help_panel=_RUN)
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry rows that failed in an earlier run.", rich_help_panel=_RUN)
    ] = False,
    plan: Annotated[
        bool, typer.Option("--dry-run", help="Estimate time and cost, and ask nothing.", rich_help_panel=_RUN)
    ] = False,
    provider_batch: Annotated[
        bool, typer.Option("--provider-batch", help="Use the provider's batch API (Groq, OpenAI).", rich_help_panel=_RUN)
    ] = False,
    submit: Annotated[
        bool, typer.Option("--submit", help="With --provider-batch: send the rows and do not wait.", rich_help_panel=_RUN)
    ] = False,
    collect: Annotated[bool, typer.Option("--collect", help="Fetch the results of --submit.", rich_help_panel=_RUN)] = False,
    fallback: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="A second model for rows that fail with the first.", rich_help_panel=_RUN),
    ] = None,
    accept: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A calibration file of assay eval: rows name the values to check.", rich_help_panel=_ROWS
        ),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option("--evidence/--no-evidence", help="Say of each value where it stands in its text.", rich_help_panel=_ROWS),
    ] = True,
    rehearse: Annotated[
        str | None,
        typer.Option(
            metavar="FAULTS",
            help="Ask no server: made-up answers with these faults, 'rate_limit(times=3),fence', on 20 rows.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Progress as JSON lines on stderr.", rich_help_panel=_RUN)
    ] = False,
    flags: ModelFlags,
) -> None:
    """Extract from every row of a file. Run the same command again to continue where it stopped."""
    target = load_target(schema)
    options = getattr(target, SETTINGS, Options()).updated(flags.options())
    if rehearse is not None:
        columns = Columns(_columns(text), id_, _template(prompt_template))
        raise typer.Exit(rehearsal(target, options, source, rehearse, columns, limit))
    learnt = None if accept is None else Calibration.read(accept)
    if learnt is not None:
        options = options.updated({"logprobs": True})
    pace = Pace(rpm, tpm, rpd, tpd)
    limiter = RateLimiter(rpm=rpm, tpm=tpm, rpd=rpd, tpd=tpd)
    settings = Settings(
        concurrency=concurrency,
        order=order.value,
        retry_failed=retry_failed,
        max_failures=max_failures,
        budget=None if spend is None else budget(spend),
        errors=errors,
        columns=Columns(_columns(text), id_, _template(prompt_template), keep_text, file),
        delimiter=delimiter,
        encoding=encoding,
        pages=pages,
        ocr=ocr,
        limit=limit,
        force=force,
        read=tuple(path for path in (schema_file(target, schema), flags.examples, prompt_template) if path is not None),
        format=f".{format_}" if format_ is not None else "",
        safe_csv=safe_csv,
        accept=None if learnt is None else learnt.threshold,
        evidence=evidence,
        provider_batch=provider_batch,
        submit=submit,
        collect=collect,
        fallback=fallback,
    )
    fetch_embedded(options, quiet=flags.quiet or log_json)
    extractor = Extractor.of(target, options, limiter=limiter)
    if plan:
        _show(dry_run(extractor, source, output, settings=settings, pace=pace))
        return
    reporter = follow.follower(err, output, quiet=flags.quiet, log_json=log_json)
    with closing(reporter) if isinstance(reporter, follow.Live) else nullcontext():
        summary = run(extractor, source, output, settings=settings, reporter=reporter, control=_Hand(reporter).take)
    if flags.quiet and not log_json and summary.stop is not None:
        err.print(f"stopped: {summary.stop.message}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(exit_code(summary))


def _columns(text: str) -> str | tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    return names if len(names) > 1 else text


def _template(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return existing(path, "--prompt-template").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--prompt-template {path}: {error}") from None


def exit_code(summary: Summary) -> int:
    """The exit code for a run's end."""
    match summary.stop:
        case Stop(reason="interrupted"):
            return INTERRUPTED
        case Stop(reason="fatal"):
            return FATAL
        case Stop():
            return FAILED
        case None:
            return FAILED if summary.failed else 0


class _Hand:
    """Ctrl-C: once to finish what is under way, twice to stop at once."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def take(self, runner: Runner) -> None:
        self._runner = runner
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._pressed)

    def _pressed(self) -> None:
        if self._runner.stopped is None:
            self._reporter.say("finishing the rows that are under way; press Ctrl-C again to stop at once")
            self._runner.stop(Stop("interrupted", "interrupted"))
        else:
            self._runner.abort()
            self._loop.remove_signal_handler(signal.SIGINT)


def _show(plan: Estimate) -> None:
    def say(text: Any) -> None:
        err.print(text, markup=False, highlight=False, soft_wrap=True)

    say(
        f"{plan.rows:,} rows: {plan.to_ask:,} to ask, {plan.finished:,} answered before, "
        f"{plan.twins:,} with the text of another, {plan.faulty:,} that cannot be asked"
    )
    if len(plan.models) > 1:
        say(f"a chain of models, the next asked where one fails: {', then '.join(plan.models)}")
    if plan.requests > plan.to_ask:
        say(f"{plan.requests:,} requests: long documents are asked about in pieces")
    say(f"about {follow.spent(plan.usage)}")
    say(
        f"at least {follow.duration(plan.seconds)}"
        if plan.seconds is not None
        else "time: not known before some rows have run, or without --rpm or --tpm"
    )
    basis = f"the mean of {plan.measured:,} answered rows" if plan.measured else "the lengths of the texts and the schema"
    say(f"estimated from {basis}; nothing was asked")
