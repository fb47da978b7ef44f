"""A whole run: open the journal, say what is known, ask what is not, leave a complete output behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from assay.backends.limits import RateLimiter
from assay.batch import ends, formats
from assay.batch.budget import Purse
from assay.batch.formats import Columns, ReadOptions, Record, Rows, Source
from assay.batch.formats.jsonl import ErrorsSink
from assay.batch.journal import Journal
from assay.batch.layout import Layout
from assay.batch.place import Place, claim, place
from assay.batch.plan import Estimate, Pace, estimate
from assay.batch.progress import Reporter, Silent, Summary, Tally
from assay.batch.provider import Parcels, ProviderBatch, online
from assay.batch.runner import Ask, Runner
from assay.batch.second import Second
from assay.batch.settings import Settings
from assay.batch.status import telling
from assay.batch.stops import FailureWatch
from assay.batch.width import Width
from assay.errors import ConfigurationError
from assay.extractor import Extractor
from assay.flow import event_loop

WIDEST = 64
"""Rows at once, at most, on a server of which nothing is known but that it serves many."""
MANY = 16
"""A provider row with at least this many requests at once means a hosted service, not a machine of one's own."""


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
    """`arun` from plain code. The extractor's connections are closed afterwards.

    In a running event loop it works, too, but holds that loop up until it is done: there `await arun(...)` is better.
    """

    async def whole() -> Summary:
        async with extractor:
            return await arun(extractor, source, output, settings=settings, reporter=reporter, control=control)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return event_loop.run(whole())
    with ThreadPoolExecutor(1, "assay-batch") as beside:  # a notebook: its own loop is at work
        return beside.submit(event_loop.run, whole()).result()


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
    settings.check()
    where = place(source, output, settings.errors, settings.read, force=settings.force)
    formats.check_written(where.output, settings.format)
    opened = await asyncio.to_thread(_opened, source, where, settings, reporter, extractor)
    async with _limited(extractor) as (asking, limiter), _second(extractor, settings.fallback) as second:
        with closing(Journal(where.journal, where.mode)) as journal, telling(where, journal, reporter) as told:
            summary = await _run(asking, opened, where, journal, settings, limiter, told, control, second)
    reporter.end(summary)
    return summary


async def _run(
    extractor: Extractor[Any],
    source: Source,
    where: Place,
    journal: Journal,
    settings: Settings,
    limiter: RateLimiter,
    reporter: Reporter,
    control: Control | None,
    second: Second | None,
) -> Summary:
    layout = Layout(extractor.target, journal.fact("columns"), source.types, settings.columns.id or "id")
    output, errors = claim(journal, where, force=settings.force)
    sinks = [formats.sink(output, layout, kind=settings.format, safe=settings.safe_csv), ErrorsSink(errors)]
    last = await asyncio.to_thread(
        ends.prepare, journal, sinks, extractor, reporter, retry_failed=settings.retry_failed, second=second
    )
    journal.remember(text=_text_kept(settings.columns))
    ask = await _asker(extractor, source, journal, settings, reporter)
    if ask is None:
        return ends.summary(journal, Tally())
    runner = Runner(
        extractor,
        ask,
        source.records(),
        journal=journal,
        sinks=sinks,
        layout=layout,
        width=_width(extractor, settings),
        watch=FailureWatch(settings.max_failures),
        purse=Purse(settings.budget, extractor.connection.price, *journal.spent()),
        limiter=limiter,
        reporter=reporter,
        total=await asyncio.to_thread(source.count),
        last=last,
        second=second,
        accept=settings.accept,
        evidence=settings.evidence,
    )
    if control is not None:
        control(runner)
    try:
        await runner.run()
    finally:
        whole = settings.limit is None or (runner.count or 0) < settings.limit
        in_order = settings.order == "input"
        await asyncio.to_thread(ends.finish, journal, sinks, layout, runner, in_order=in_order, whole=whole)
    if settings.provider_batch or settings.collect:
        Parcels(journal).tidy()
    return ends.summary(journal, runner.tally, runner.stopped, runner.count, second)


def _text_kept(columns: Columns) -> str:
    """The column of the output that holds the very text of a row; empty when none does."""
    whole = columns.keep_text and not columns.template and columns.file is None
    return formats.carried_name(columns.text) if whole and isinstance(columns.text, str) else ""


def _opened(
    given: str | Path | Rows, where: Place, settings: Settings, reporter: Reporter, extractor: Extractor[Any]
) -> Source:
    reading = replace(
        _reading(where, settings, reporter.say), folder=_folder(given), images=extractor.options.vision == "always"
    )
    return limited(formats.open_source(given, reading), settings.limit)


def _folder(given: str | Path | Rows) -> Path:
    """From which the paths in an input lead."""
    return Path(given).parent if isinstance(given, str | Path) else Path()


def _reading(where: Place, settings: Settings, say: Callable[[str], None]) -> ReadOptions:
    return ReadOptions(
        columns=settings.columns,
        delimiter=settings.delimiter,
        encoding=settings.encoding,
        pages=settings.pages,
        ocr=settings.ocr,
        own=where.all,
        say=say,
    )


def limited(source: Source, rows: int | None) -> Source:
    """The first rows of a source."""
    if rows is None:
        return source

    def records() -> Generator[Record, None, None]:
        with closing(source.records()) as found:
            yield from islice(found, rows)

    def count() -> int | None:
        found = source.count()
        return found if found is None else min(found, rows)

    return replace(source, records=records, count=count)


@asynccontextmanager
async def _second(extractor: Extractor[Any], given: Extractor[Any] | str | None) -> AsyncIterator[Second | None]:
    """The second model: an extractor like the first, or the one that was given, whose owner closes it."""
    if given is None:
        yield None
        return
    if not isinstance(given, str):
        async with _limited(given) as (asking, _):
            yield Second(asking)
        return
    here = extractor.options.base_url is not None
    options = extractor.options.updated({"model": given} if here else {"model": given, "api_key": None, "client": None})
    twin: Extractor[Any] = Extractor.of(extractor.target, options)  # type: ignore[arg-type]  # a Target stands for its type
    async with twin, _limited(twin) as (asking, _):
        yield Second(asking)


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
    settings: Settings | None = None,
    pace: Pace | None = None,
    columns: Columns | None = None,
) -> Estimate:
    """What `run` would take. Nothing is asked and nothing written."""
    settings = settings or Settings(columns=columns or Columns())
    where = place(source, output, settings.errors, settings.read, force=settings.force)
    opened = _opened(source, where, settings, Silent(), extractor)
    journal = Journal(where.journal) if where.journal.exists() else None
    try:
        return estimate(extractor, opened, journal, pace or Pace())
    finally:
        if journal is not None:
            journal.close()


async def _asker(
    extractor: Extractor[Any], source: Source, journal: Journal, settings: Settings, reporter: Reporter
) -> Ask | None:
    """How rows are asked for; None: they are not, they were submitted. Else, with the batch API, all that it can answer was
    answered when this returns.
    """
    if not settings.provider_batch and not settings.collect:
        if Parcels(journal).under_way():
            raise ConfigurationError(
                "rows of this output are in a provider's batch that is paid for: fetch them with --collect, or continue with --provider-batch"
            )
        return online(extractor)
    if not source.again:
        raise ConfigurationError("--provider-batch reads its input more than once: give a file or a folder")
    provider = ProviderBatch(extractor, journal, reporter)
    if settings.submit:
        sent = await provider.submit(source.records())
        reporter.say(f"{sent:,} rows are with the provider: fetch them with the same command and --collect instead of --submit")
        return None
    await (provider.collect() if settings.collect else provider.gather(source.records))
    return provider.ask


def _width(extractor: Extractor[Any], settings: Settings) -> Width:
    first = 1 if settings.budget is not None else None  # what a row costs is learnt from one, not from a hundred
    if settings.concurrency is not None:
        return Width(settings.concurrency, start=first or settings.concurrency)
    suits = extractor.connection.concurrency
    return Width(WIDEST, start=first) if suits >= MANY else Width(suits, start=first or suits)
