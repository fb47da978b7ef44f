"""A whole run: open the journal, say what is known, ask what is not, leave a complete output behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.backends.limits import RateLimiter
from assay.batch import ends, sources
from assay.batch.budget import Purse
from assay.batch.journal import Journal
from assay.batch.layout import Layout
from assay.batch.parcels import Parcels
from assay.batch.plan import Estimate, Pace, estimate
from assay.batch.progress import Reporter, Silent, Summary
from assay.batch.provider import ProviderBatch, online
from assay.batch.runner import Ask, Runner
from assay.batch.sinks import ErrorsSink, sink
from assay.batch.sources import Columns, Rows
from assay.batch.stops import FailureWatch
from assay.batch.width import Width
from assay.errors import ConfigurationError
from assay.extractor import Extractor
from assay.flow import event_loop
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
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> Summary:
    """`arun` from plain code. The extractor's connections are closed afterwards."""

    async def whole() -> Summary:
        async with extractor:
            return await arun(extractor, source, output, settings=settings, reporter=reporter, control=control)

    return event_loop.run(whole())


async def arun(
    extractor: Extractor[Any],
    source: str | Path | Rows,
    output: Path,
    *,
    settings: Settings | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> Summary:
    """Extract from every row of `source` into `output`; rows that the journal beside it has are not asked again.

    All requests go through one `RateLimiter`: the extractor's, or a new one that learns the server's limits. Raises
    `ConfigurationError` (also as `OutputBusy`) and `StorageError`; what else ends a run early is told by `Summary.stop`.
    """
    settings, reporter = settings or Settings(), reporter or Silent()
    _check(source, output, settings)
    await asyncio.to_thread(sources.check, source, settings.columns)
    async with _limited(extractor) as (asking, limiter):
        with _opened(output) as journal:
            summary = await _run(asking, source, output, journal, settings, limiter, reporter, control)
    reporter.end(summary)
    return summary


async def _run(
    extractor: Extractor[Any],
    source: str | Path | Rows,
    output: Path,
    journal: Journal,
    settings: Settings,
    limiter: RateLimiter,
    reporter: Reporter,
    control: Control | None,
) -> Summary:
    layout = Layout(extractor.target, journal.fact("columns"))
    sinks = [sink(output, layout), ErrorsSink(settings.errors or output.with_name(f"{output.name}.errors.jsonl"))]
    last = await asyncio.to_thread(ends.prepare, journal, sinks, extractor, reporter, retry_failed=settings.retry_failed)
    runner = Runner(
        extractor,
        await _asker(extractor, source, journal, settings, reporter),
        sources.read(source, settings.columns),
        journal=journal,
        sinks=sinks,
        layout=layout,
        width=_width(extractor, settings),
        watch=FailureWatch(settings.max_failures),
        purse=Purse(settings.budget, extractor.connection.price, *journal.spent()),
        limiter=limiter,
        reporter=reporter,
        total=await asyncio.to_thread(sources.count, source),
        last=last,
    )
    if control is not None:
        control(runner)
    try:
        await runner.run()
    finally:
        await asyncio.to_thread(ends.finish, journal, sinks, layout, runner, in_order=settings.order == "input")
    if settings.provider_batch:
        Parcels(journal).tidy()
    return ends.summary(journal, runner)


@asynccontextmanager
async def _limited(extractor: Extractor[Any]) -> AsyncIterator[tuple[Extractor[Any], RateLimiter]]:
    """The extractor with the limiter that all its requests go through; a twin of it that has one, if it has none."""
    limiter = extractor.connection.endpoint.limiter
    if isinstance(limiter, RateLimiter):
        yield extractor, limiter
    elif limiter is not None or extractor.connection.provider == "local":
        yield extractor, RateLimiter()
    else:
        limiter = RateLimiter()
        twin: Extractor[Any] = Extractor.of(extractor.target, extractor.options, limiter=limiter)  # type: ignore[arg-type]  # a Target stands for its type
        async with twin:
            yield twin, limiter


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
