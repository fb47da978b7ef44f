"""The heart of a run: workers that ask, fed by one thread, recorded by another, until the input ends or something stops the run.

A row is on its way from the moment it is read until its record is on the disk; `AHEAD` bounds how many are, so memory does
not grow with the input, and one slow row holds up nothing but itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from assay.backends.limits import LimiterStopped, RateLimiter
from assay.batch import events, rows
from assay.batch.breaker import Breaker
from assay.batch.budget import Purse, Room
from assay.batch.errors import StorageError
from assay.batch.feed import Feed
from assay.batch.formats import Record, Sink
from assay.batch.journal import Answer, Entry, Journal, Known, Row
from assay.batch.layout import Layout
from assay.batch.progress import Progress, Reporter, Tally
from assay.batch.recorder import Chunk, ReadRow, Recorder
from assay.batch.second import Second
from assay.batch.stops import FailureWatch, Stop, is_away
from assay.batch.width import Width
from assay.errors import AssayError, ConfigurationError, RateLimitError
from assay.extractor import Extractor
from assay.outcome import Outcome

AHEAD = 2048
"""Rows on their way at once, at least; or so many for each that is asked at once:"""
AHEAD_PER_WORKER = 8
PUT_OFF = 3
"""How many times a row goes back when a server refuses it for a stated time."""
LONG_WAIT = 15.0
"""Waits of this many seconds are worth a line."""
TICK = 0.1
"""Seconds between two looks at the progress."""


Ask: TypeAlias = Callable[[ReadRow, int | None], Awaitable[Outcome[Any]]]
"""How a row is asked for, with room for so many answer tokens."""


class Runner:
    """Asks for all rows of an input that the journal does not know, once."""

    def __init__(
        self,
        extractor: Extractor[Any],
        ask: Ask,
        records: Generator[Record, None, None],
        *,
        journal: Journal,
        sinks: Sequence[Sink],
        layout: Layout,
        width: Width,
        watch: FailureWatch,
        purse: Purse,
        limiter: RateLimiter,
        reporter: Reporter,
        total: int | None = None,
        last: int = -1,
        second: Second | None = None,
        accept: float | None = None,
        evidence: bool = True,
    ) -> None:
        self._extractor, self._ask_for = extractor, ask
        self._width, self._watch, self._purse, self._limiter = width, watch, purse, limiter
        self._reporter, self._total = reporter, total
        self._second, self._accept, self._evidence = second, accept, evidence
        if second is not None:
            second.stop = self.stop
        self._misfit = sinks[0].misfit if sinks else None
        self._room = Room() if extractor.options.max_tokens is None else None
        self._recorder = Recorder(journal, sinks, self, last)
        ahead = max(AHEAD, AHEAD_PER_WORKER * width.ceiling)
        self._feed = Feed(records, extractor.fingerprint, layout, ahead=ahead, take=self._recorder.look_up, ended=self._ended)
        self._todo: deque[ReadRow] = deque()
        # Keys that are asked for and not yet in the journal, with the rows that wait for the same answer; None once it came.
        self._waiting: dict[bytes, list[Row] | None] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._breaker: Breaker[tuple[ReadRow, Outcome[Any]]] = Breaker()
        self._put_off: Counter[bytes] = Counter()
        self._said_held = ""
        self._busy = 0
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._seen = 0
        self._fault: BaseException | None = None
        self.tally = Tally()
        self.count: int | None = None
        """Rows of the input, once it was read to its end."""
        self.stopped: Stop | None = None
        self.replaced = False
        """Whether the output has lines of rows that the input has no longer, or has in another form."""

    @property
    def ordered(self) -> bool:
        return self._recorder.ordered

    async def run(self) -> None:
        """Go on until every row is finished, or something stops it. What was recorded is on the disk afterwards."""
        self._recorder.start()
        self._feed.start()
        ticker = asyncio.create_task(self._tick())
        try:
            while not self._over():
                self._hire()
                self._changed.clear()
                await self._changed.wait()
            if self._workers:
                await asyncio.wait(self._workers)
        finally:
            self._feed.stop()
            ticker.cancel()
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(ticker, *self._workers, return_exceptions=True)
            await asyncio.to_thread(self._recorder.close)
        if self._fault is not None:
            raise self._fault

    def stop(self, stop: Stop) -> None:
        """Begin no more rows; those under way are finished. The first reason counts."""
        if self.stopped is None:
            self.stopped = stop
            self._limiter.stop()
            self._feed.stop()
        self._changed.set()

    def abort(self) -> None:
        """Give up what is under way, too."""
        for worker in self._workers:
            worker.cancel()

    # -- workers -------------------------------------------------------------------------------------------------------

    def _over(self) -> bool:
        if self.stopped is not None:
            return True
        if self.count is None or self._seen < self.count or self._todo or self._busy or self._breaker.is_open:
            return False
        for read, outcome in self._breaker.heard()[0]:
            self._conclude(read, outcome)
        return True

    def _hire(self) -> None:
        if self._breaker.is_open:
            self._probe()
            return
        while len(self._workers) < min(self._width.now, self._busy + len(self._todo)):
            self._start(self._work())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        worker = self._loop.create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._left)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.broke(error)
        self._changed.set()

    async def _work(self) -> None:
        while self._todo and self._may_go_on():
            stop = self._purse.stop(self._busy)
            if stop is not None:
                self.stop(stop)
                return
            await self._do(self._todo.popleft())

    def _may_go_on(self) -> bool:
        return self.stopped is None and len(self._workers) <= self._width.now and not self._breaker.is_open

    async def _do(self, read: ReadRow) -> None:
        self._busy += 1
        try:
            self._heard(read, await self._ask(read))
        except LimiterStopped:
            pass  # it was not sent: the row waits for the next run
        except AssayError as error:
            self.stop(Stop("fatal", str(error)))
        finally:
            self._busy -= 1
            if len(self._workers) < self._width.now:
                self._changed.set()

    async def _ask(self, read: ReadRow) -> Outcome[Any]:
        room = self._room.tokens if self._room is not None and self._limiter.counts_tokens else None
        try:
            first = None if read.second else await self._ask_for(read, room)
            if self._second is None or (first is not None and not self._second.takes(first)):
                return first if first is not None else await self._ask_for(read, room)
            return await self._second.ask(read, first)
        except AssayError:
            raise
        except Exception as error:  # noqa: BLE001  # a validator of the user's that raises what it should not: this row's failure
            return Outcome(None, error, model=self._extractor.model)

    def _heard(self, read: ReadRow, outcome: Outcome[Any]) -> None:
        error = outcome.error
        self._width.heard(error)
        stop = self._watch.fatal(outcome)
        if error is not None and stop is None and self._put_back(read, outcome):
            return
        if self._breaker.has_rows and stop is None and not is_away(error):
            self._server_is_there()
        self._conclude(read, outcome, stop)

    def _conclude(self, read: ReadRow, outcome: Outcome[Any], stop: Stop | None = None) -> None:
        """What came of a row is final, unless `stop` says that it is not to blame: then the next run asks it again."""
        usage = rows.sound(outcome.usage)
        self.tally.heard(outcome, usage)
        self._purse.pay(usage)
        if self._room is not None and outcome.ok:
            for attempt in outcome.attempts:
                self._room.heard(attempt.usage.completion_tokens)
        if stop is not None:
            self.stop(stop)
            return
        answer = rows.answer(outcome, usage, self._misfit, self._accept, evidence=self._evidence)
        if self._second is not None and read.key in self._second.failed:
            answer = replace(answer, second=self._second.fingerprint)
        events.concluded(read.row, answer, outcome, usage)
        self._finish(read.key, read.row, answer)

    # -- waiting for the server ----------------------------------------------------------------------------------------

    def _put_back(self, read: ReadRow, outcome: Outcome[Any]) -> bool:
        """Keep a row for which only the server was not there, or not yet; whether it is kept. One that cost something is not."""
        error = outcome.error
        if error is None or self.stopped is not None or outcome.usage.total_tokens:
            return False
        if is_away(error):
            if self._breaker.put((read, outcome)):
                self._reporter.say(
                    f"the server answers only with errors: the run waits for it and probes it now and then ({error})"
                )
            return True
        if isinstance(error, RateLimitError) and error.retry_after is not None and self._put_off[read.key] < PUT_OFF:
            self._put_off[read.key] += 1  # all wait for the limiter now, and it with them
            self._todo.append(read)
            return True
        return False

    def _server_is_there(self) -> None:
        kept, waited = self._breaker.heard()
        if waited is None:
            for read, outcome in kept:
                self._conclude(read, outcome)
            return
        self._reporter.say(f"the server answers again after {waited:,.0f} s: the run goes on")
        self._todo.extendleft(read for read, _ in reversed(kept))

    def _probe(self) -> None:
        if self._breaker.exhausted(hopeful=self._watch.answered):
            self.stop(Stop("away", "the server did not come back: it answered only with errors for as long as the run waited"))
        elif (kept := self._breaker.probe()) is not None:
            self._start(self._do(kept[0]))

    def _finish(self, key: bytes, row: Row, answer: Answer) -> None:
        twins = self._waiting.get(key) or []
        self._waiting[key] = None
        self._recorder.record(Entry(key, row, answer))
        self.tally.reused += len(twins)
        for twin in twins:
            self._recorder.record(Entry(key, twin))
        if answer.state == "done":
            self.tally.done += 1
            return
        self.tally.failed += 1
        stop = self._watch.failed()
        if stop is not None:
            self.stop(stop)

    # -- told by the threads -------------------------------------------------------------------------------------------

    def looked_up(self, chunk: Chunk, known: Sequence[Known]) -> None:
        self._loop.call_soon_threadsafe(self._arrived, chunk, known)

    def recorded(self, entries: Sequence[Entry]) -> None:
        self._loop.call_soon_threadsafe(self._settled, entries)

    def broke(self, error: BaseException) -> None:
        self._loop.call_soon_threadsafe(self._break, error)

    def _ended(self, count: int, error: Exception | None) -> None:
        self._loop.call_soon_threadsafe(self._read_all, count, error)

    def _arrived(self, chunk: Chunk, known: Sequence[Known]) -> None:
        kept = 0
        self.replaced = self.replaced or any(what.replaced or what.refreshed for what in known)
        for read, what in zip(chunk, known, strict=True):
            if what.finished:
                kept += 1
            elif read.key in self._waiting or what.answered:
                self._reuse(read)
            elif read.fault:
                self._finish(read.key, read.row, rows.faulty(read.fault))
            else:
                self._waiting[read.key] = []
                self._todo.append(replace(read, second=True) if what.second else read)
        self.tally.kept += kept
        self._seen += len(chunk)
        self._feed.allow(kept)
        self._changed.set()

    def _break(self, error: BaseException) -> None:
        """The disk failed, or we did: a fault of our own is raised in the end, and never ignored."""
        if not isinstance(error, StorageError):
            self._fault = self._fault or error
        self.stop(Stop("storage", str(error)))

    def _reuse(self, read: ReadRow) -> None:
        """The same source was asked for already."""
        twins = self._waiting.get(read.key)
        if twins is not None:
            twins.append(read.row)
        else:
            self.tally.reused += 1
            self._recorder.record(Entry(read.key, read.row))

    def _settled(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.answer is not None:
                self._waiting.pop(entry.key, None)
        self._feed.allow(len(entries))

    def _read_all(self, count: int, error: Exception | None) -> None:
        if error is not None:
            message = str(error) if isinstance(error, ConfigurationError) else f"the input broke off: {error!r}"
            self.stop(Stop("fatal", message))
        elif self.stopped is None:
            self.count = count
        self._changed.set()

    # -- seen from outside ---------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        tally = self.tally
        speed, tokens = tally.speed()
        return Progress(
            done=tally.done,
            failed=tally.failed,
            kept=tally.kept,
            reused=tally.reused,
            total=self.count if self.count is not None else self._total,
            under_way=self._busy,
            width=self._width.now,
            rows_per_second=speed,
            tokens_per_second=tokens,
            usage=tally.usage,
            elapsed=tally.seconds,
            held=self._held(),
        )

    def _held(self) -> tuple[str, float] | None:
        if self._breaker.is_open:
            return "a server that does not answer", self._breaker.left
        return self._limiter.holding()

    def _say_held(self, progress: Progress) -> None:
        """A long wait is worth a line, once."""
        name, seconds = progress.held or ("", 0.0)
        if seconds > LONG_WAIT and name != self._said_held:
            self._reporter.say(f"waiting: held by {name}, for {seconds:,.0f} s at most")
        self._said_held = name if seconds > 1 else ""

    async def _tick(self) -> None:
        while True:
            progress = self.progress()
            self._reporter.tick(progress)
            self._say_held(progress)
            if self._breaker.is_open and self._breaker.left <= 0:
                self._changed.set()
            await asyncio.sleep(TICK)
