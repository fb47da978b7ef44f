"""A whole run: open the journal, say what is known, ask what is not, leave a complete output behind."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic_core import from_json

from assay.api import Extractor
from assay.backends.limits import RateLimiter
from assay.batch import rows, sources
from assay.batch.budget import Purse
from assay.batch.journal import Journal
from assay.batch.layout import Layout
from assay.batch.parcels import Parcels
from assay.batch.plan import Estimate, Pace, estimate
from assay.batch.progress import Reporter, Silent, Summary
from assay.batch.provider import ProviderBatch, online
from assay.batch.runner import Ask, Runner
from assay.batch.sinks import ErrorsSink, Sink, sink
from assay.batch.sources import Columns, Rows
from assay.batch.stops import Stop, Watch
from assay.batch.width import Width
from assay.errors import ConfigurationError
from assay.options import Budget

WIDEST = 64
"""Rows at once, at most, on a server of which nothing is known but that it serves many."""
MANY = 16
"""A provider row that says so many at once means a service, not a machine of one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a batch is run. The defaults suit most."""

    concurrency: int | None = None
    """Rows at once, at most. None: begin small and grow while the server keeps up."""
    order: Literal["input", "done"] = "input"
    """The order of the finished output; while the run goes on rows are appended as they finish."""
    retry_failed: bool = False
    max_failures: int | None = None
    budget: Budget | None = None
    """Of all runs that write this output together."""
    errors: Path | None = None
    """The errors file; None: beside the output, `NAME.errors.jsonl`."""
    columns: Columns = field(default_factory=Columns)
    provider_batch: bool = False
    """Through the provider's batch API; what it leaves open is asked online."""


Control = Callable[[Runner], None]
"""Is given the runner before it starts, to stop it when the user says so."""


def run(
    extractor: Extractor[Any],
    source: str | Path | Rows,
    output: Path,
    *,
    settings: Settings | None = None,
    limiter: RateLimiter | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> Summary:
    """`arun` from plain code. The extractor's connections are closed afterwards."""

    async def whole() -> Summary:
        async with extractor:
            return await arun(extractor, source, output, settings=settings, limiter=limiter, reporter=reporter, control=control)

    return asyncio.run(whole())


async def arun(
    extractor: Extractor[Any],
    source: str | Path | Rows,
    output: Path,
    *,
    settings: Settings | None = None,
    limiter: RateLimiter | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> Summary:
    """Extract from every row of `source` into `output`; rows that the journal beside it has are not asked again.

    `limiter` is the one that the extractor was made with. Raises `ConfigurationError` (also as `OutputBusy`) and
    `StorageError`, before anything is asked; what goes wrong later is told by `Summary.stop`.
    """
    settings, reporter, limiter = settings or Settings(), reporter or Silent(), limiter or RateLimiter()
    _check(source, output, settings)
    await asyncio.to_thread(sources.check, source, settings.columns)
    with _opened(output) as journal:
        layout = Layout(extractor.target, journal.fact("columns"))
        sinks = [sink(output, layout), ErrorsSink(settings.errors or output.with_name(f"{output.name}.errors.jsonl"))]
        last = await asyncio.to_thread(_prepare, journal, sinks, extractor, settings, reporter)
        total = await asyncio.to_thread(sources.count, source)
        ask = await _asker(extractor, source, journal, settings, reporter)
        runner = Runner(
            extractor,
            ask,
            sources.read(source, settings.columns),
            journal=journal,
            sinks=sinks,
            layout=layout,
            width=_width(extractor, settings),
            watch=Watch(settings.max_failures),
            purse=Purse(settings.budget, extractor.connection.price, *journal.spent()),
            limiter=limiter,
            reporter=reporter,
            total=total,
            last=last,
        )
        if control is not None:
            control(runner)
        try:
            await runner.run()
        finally:
            stop = await asyncio.to_thread(_finish, journal, sinks, layout, runner, settings)
        summary = _summary(journal, runner, stop)
    reporter.end(summary)
    return summary


def dry_run(
    extractor: Extractor[Any],
    source: str | Path | Rows,
    output: Path,
    *,
    columns: Columns | None = None,
    pace: Pace | None = None,
) -> Estimate:
    """What `run` would take. Nothing is asked and nothing written."""
    path = journal_path(output)
    journal = Journal(path) if path.exists() else None
    try:
        return estimate(extractor, source, columns or Columns(), journal, pace or Pace())
    finally:
        if journal is not None:
            journal.close()


async def _asker(
    extractor: Extractor[Any], source: str | Path | Rows, journal: Journal, settings: Settings, reporter: Reporter
) -> Ask:
    """How rows are asked for. With the batch API all that it can answer was answered when this returns."""
    if not settings.provider_batch:
        if Parcels(journal).under_way():
            raise ConfigurationError("rows of this output are in a provider's batch, paid for: go on with --provider-batch")
        return online(extractor)
    if not isinstance(source, str | Path) or str(source) == sources.STDIN:
        raise ConfigurationError("--provider-batch reads its input more than once: give a file or a folder")
    provider = ProviderBatch(extractor, journal, reporter)
    await provider.gather(lambda: sources.read(source, settings.columns))
    return provider.ask


def _check(source: str | Path | Rows, output: Path, settings: Settings) -> None:
    if settings.concurrency is not None and settings.concurrency < 1:
        raise ConfigurationError(f"--concurrency is 1 or more; got {settings.concurrency}")
    if isinstance(source, str | Path) and str(source) != sources.STDIN and Path(source).resolve() == output.resolve():
        raise ConfigurationError(f"{output} is the input: write to another file")
    if not output.absolute().parent.is_dir():
        raise ConfigurationError(f"{output}: there is no folder {output.parent}")


@contextmanager
def _opened(output: Path) -> Iterator[Journal]:
    path = journal_path(output)
    if output.exists() and not path.exists():
        raise ConfigurationError(f"{output} exists and has no journal ({path.name}): move it away, or write to another file")
    journal = Journal(path)
    try:
        yield journal
    finally:
        journal.close()


def journal_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.journal")


def _width(extractor: Extractor[Any], settings: Settings) -> Width:
    first = 1 if settings.budget is not None else None  # what a row costs is learnt from one, not from a hundred
    if settings.concurrency is not None:
        return Width(settings.concurrency, start=first or settings.concurrency)
    suits = extractor.connection.concurrency
    return Width(WIDEST, start=first) if suits >= MANY else Width(suits, start=first or suits)


# -- before ------------------------------------------------------------------------------------------------------------


def _prepare(journal: Journal, sinks: Sequence[Sink], extractor: Extractor[Any], settings: Settings, reporter: Reporter) -> int:
    """Bring journal and output to one state, and say what is known. The position of the last finished row, -1 for none."""
    parts = _parts(extractor)
    before = from_json(journal.fact("parts", "{}"))
    had = sum(journal.count().values())
    if journal.fact("fingerprint", extractor.fingerprint) != extractor.fingerprint:
        changed = [name for name, value in parts.items() if before.get(name) != value] or ["server's capabilities"]
        journal.forget_rows()
        reporter.say(
            f"changed since the last run: {', '.join(changed)}. Every row is asked anew; "
            f"the {journal.stored():,} answers so far stay in {journal.path.name} for when it is changed back"
        )
        had = 0
    journal.remember(fingerprint=extractor.fingerprint, parts=rows.text(parts))
    again = journal.ask_failed_again() if settings.retry_failed else 0
    counts = journal.count()
    done, failed = counts.get("done", 0), sum(counts.values()) - counts.get("done", 0)
    if had:
        hint = f", {again} failed ones are asked again" if again else ""
        hint = hint or (f", {failed:,} failed (--retry-failed asks them again)" if failed else "")
        reporter.say(f"resuming: {done:,} rows are done{hint}")
    return _assemble(journal, sinks)


def _assemble(journal: Journal, sinks: Sequence[Sink]) -> int:
    """Write the output anew out of the journal, whatever a kill has left there."""
    last = journal.last()
    for target in sinks:
        if last >= 0 or target.path.exists():
            target.assemble(journal.finished())
    return last


def _parts(extractor: Extractor[Any]) -> dict[str, str]:
    """What goes into the fingerprint, by name, to say which of it changed."""
    options = extractor.options
    named = {
        "schema": extractor.target.json_schema,
        "model": extractor.model,
        "server": options.base_url,
        "instructions": options.instructions,
        "examples": options.examples,
        "mode": options.mode,
        "prompt style": options.prompt_style,
        "strictness": options.strict,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
    }
    return {name: hashlib.sha256(rows.text(value).encode()).hexdigest()[:16] for name, value in named.items()}


# -- after -------------------------------------------------------------------------------------------------------------


def _finish(journal: Journal, sinks: Sequence[Sink], layout: Layout, runner: Runner, settings: Settings) -> Stop | None:
    """Leave the output complete, and in its order."""
    stop = runner.stopped
    if stop is not None and stop.reason == "storage":
        return stop
    gone = journal.forget_rows(runner.count) if runner.count is not None and stop is None else 0
    journal.remember(columns=layout.dump())
    if settings.provider_batch:
        Parcels(journal).tidy()
    if runner.tally.asked:
        journal.remember(rows_per_second=f"{runner.tally.asked / runner.tally.seconds:.3f}")
    unordered = settings.order == "input" and not runner.ordered
    for target in sinks:
        if gone or unordered or runner.replaced or target.stale:
            target.assemble(journal.finished())
        target.close()
    return stop


def _summary(journal: Journal, runner: Runner, stop: Stop | None) -> Summary:
    counts = dict(journal.count())
    done, finished = counts.pop("done", 0), sum(counts.values())
    tally = runner.tally
    return Summary(
        stop=stop,
        asked=tally.asked,
        kept=tally.kept,
        reused=tally.reused,
        requests=tally.requests,
        reasks=tally.reasks,
        usage=tally.usage,
        seconds=tally.seconds,
        rows=done + finished,
        done=done,
        failed=finished,
        failures=counts,
        repairs=journal.repairs(),
        spent=journal.spent()[1],
        pending=None if runner.count is None else runner.count - done - finished,
    )
