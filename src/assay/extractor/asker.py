"""What one model is asked for one target: whole or as a stream, in pieces when a document is too long for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from assay.backends.chat import complete, stream
from assay.backends.limiter import Limiter
from assay.connect.compile import compile_task, fingerprint
from assay.connect.conduct import extraction
from assay.connect.connection import Connection, connect
from assay.connect.given import Given, Sight, needs_images, opened, placed, source_of
from assay.connect.pieces import LongDocuments
from assay.documents.document import Document
from assay.engine import Task, ask_until_good
from assay.engine.agree import agreement
from assay.engine.prompt import Source
from assay.errors import ConfigurationError, SourceError
from assay.flow import drive, fan
from assay.flow.effects import Flow, Sleep
from assay.flow.relay import relay, relay_emitted
from assay.options import Budget, Options
from assay.outcome import Outcome
from assay.split import Splitting
from assay.streaming import Items, Partial, Showing, StreamMode, View, plan, to_the_end
from assay.streaming.pieces import in_order
from assay.target.build import Target
from assay.types import Call, Reply, frozen

T = TypeVar("T")


@frozen
class Settings:
    """Settings for a single source."""

    context: Any = None
    """pydantic's validation context, in place of the option's."""
    max_tokens: int | None = None
    """What similar sources were seen to need. A cut answer is given more room."""
    budget: Budget | None = None
    """What is left of the option's budget."""
    stream_mode: StreamMode = "step_down"
    unfinished: bool = False


class Asker(Generic[T]):
    """One model, a target, and the options, compiled."""

    def __init__(self, target: Target[T], options: Options, limiter: Limiter | None) -> None:
        self.target, self.options = target, options
        self.connection: Connection = connect(options, limiter)
        self.task: Task[T] = compile_task(target, options, self.connection)
        self.long = LongDocuments(target, options, self.connection)

    @property
    def model(self) -> str:
        """The model's name as the server knows it."""
        return self.task.model

    @property
    def name(self) -> str:
        """What the model is called in a chain: as its user named it, else as the server knows it."""
        return self.options.model if isinstance(self.options.model, str) else self.model

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.task, self.connection)

    @functools.cached_property
    def sight(self) -> Sight:
        return Sight(self.model, self.connection.profile, self.options.vision)

    # -- whole ---------------------------------------------------------------------------------------------------------

    def run(self, source: Given, settings: Settings) -> Outcome[T]:
        try:
            given = opened(source)
            task, asked = self._task_for(settings), source_of(given, self.sight)
            work = self.long.begin(task, asked)
        except ConfigurationError as error:
            return self._refused(source, error)
        if work is None:
            outcome = drive.run(self._flow(task, asked), self.connection.transport())
            work = self.long.after(task, asked, outcome)
            if work is None:
                return placed(outcome, given)
        return placed(self.long.run(work), given)

    async def arun(self, source: Given, settings: Settings, replies: Sequence[Reply] = ()) -> Outcome[T]:
        """`run`, awaited. `replies` were received in another way: they answer the first calls, which are not sent."""
        try:
            given = await asyncio.to_thread(opened, source) if isinstance(source, Path | bytes) else opened(source)
            drawing = needs_images(given, self.options.vision)
            asked = await asyncio.to_thread(source_of, given, self.sight) if drawing else source_of(given, self.sight)
            task = self._task_for(settings)
            work = None if replies else self.long.begin(task, asked)
        except ConfigurationError as error:
            return self._refused(source, error)
        if work is None:
            outcome = await drive.arun(self._flow(task, asked, replies), self.connection.async_transport())
            work = self.long.after(task, asked, outcome)
            if work is None:
                return placed(outcome, given)
        return placed(await self.long.arun(work), given)

    def _flow(self, task: Task[T], source: Source, replies: Sequence[Reply] = ()) -> Flow[Outcome[T]]:
        send: Callable[[Call], Flow[Reply]] = functools.partial(complete, self.connection.endpoint)
        return extraction(self.connection, task, source, _given_first(iter(replies), send) if replies else send)

    def _refused(self, source: Given, error: ConfigurationError) -> Outcome[T]:
        """A document that cannot be asked about is a failed extraction; anything that is not a source is a mistake in the program."""
        if not isinstance(source, str | Document | Path | bytes):
            raise error
        wrong = SourceError(str(error))
        wrong.__cause__ = error
        return Outcome(None, wrong, model=self.model, source=source if isinstance(source, str) else "")

    @functools.cached_property
    def _typed(self) -> Task[T]:
        """For partial values, which are of the type while they come: a number that is copied as text is none before the end."""
        if not self.task.as_written:
            return self.task
        return compile_task(self.target, self.options.updated({"values": "typed"}), self.connection)

    def _task_for(self, settings: Settings, *, typed: bool = False) -> Task[T]:
        task = self._typed if typed else self.task
        task = task if settings.context is None else replace(task, context=settings.context)
        task = task if settings.budget is None else replace(task, budget=settings.budget)
        return (
            task if settings.max_tokens is None else replace(task, params=replace(task.params, max_tokens=settings.max_tokens))
        )

    def pieces(self, source: Given) -> int:
        """How many pieces a document would be asked about in; 1: it is asked about at once."""
        given = opened(source)
        return self.long.count(self.task, given.text if isinstance(given, Document) else source_of(given, self.sight))

    def agreement(self, source: Given, outcome: Outcome[T], paths: Sequence[str], samples: int) -> Flow[dict[str, float]]:
        """How often further answers say the same of some values."""
        steps = agreement(self.task, source_of(opened(source), self.sight), outcome, paths, samples)
        return relay(steps, Call, functools.partial(complete, self.connection.endpoint))

    def steps(self, source: Given) -> Generator[Call | Sleep, Reply, Outcome[T]]:
        """An extraction's decisions alone."""
        return ask_until_good(self.task, source_of(opened(source), self.sight))

    # -- while the answer comes ----------------------------------------------------------------------------------------

    def stream(self, source: Given, settings: Settings) -> Generator[Partial[T], None, None]:
        given = opened(source)
        if (work := self._in_pieces(given, settings)) is not None:
            return fan.map_in_thread(lambda: self._once(work, given), 1)
        return drive.stream(self._partials(given, settings), self.connection.transport())

    def astream(self, source: Given, settings: Settings) -> AsyncGenerator[Partial[T], None]:
        """`stream`, awaited."""
        given = opened(source)
        if (work := self._in_pieces(given, settings)) is not None:
            return self._once(work, given)
        return drive.astream(self._partials(given, settings), self.connection.async_transport())

    def stream_items(self, source: Given, settings: Settings) -> Generator[Any, None, None]:
        given = opened(source)
        if (work := self._in_pieces(given, settings)) is not None:
            return fan.map_in_thread(lambda: in_order(self.long, work, self._reader(settings)), self.connection.concurrency)
        return drive.stream(self._items(given, settings), self.connection.transport())

    def astream_items(self, source: Given, settings: Settings) -> AsyncGenerator[Any, None]:
        """`stream_items`, awaited."""
        given = opened(source)
        if (work := self._in_pieces(given, settings)) is not None:
            return in_order(self.long, work, self._reader(settings))
        return drive.astream(self._items(given, settings), self.connection.async_transport())

    def _in_pieces(self, given: Given, settings: Settings) -> Splitting[T] | None:
        return self.long.begin(self._task_for(settings), source_of(given, self.sight))

    async def _once(self, work: Splitting[T], given: Given) -> AsyncGenerator[Partial[T], None]:
        """The value of a document in pieces, once it is whole: what one piece gives is no part of it yet."""
        outcome = placed(await self.long.arun(work), given)
        outcome.unwrap()
        yield Partial(("",), 1, outcome)

    def _reader(self, settings: Settings) -> Items:
        return Items(self.target, self._task_for(settings).context, strict=self.task.strict)

    def _partials(self, source: Given, settings: Settings) -> Flow[None]:
        planned = plan(self._task_for(settings, typed=True), settings.stream_mode, chosen=self.options.mode != "auto")
        task, endpoint = planned.task, self.connection.endpoint
        view = View(
            self.target.annotation,
            wrapper=self.target.wrapper,
            context=task.context,
            strict=task.strict,
            unfinished=settings.unfinished,
        )
        watch = Showing(view)
        send = (
            (lambda call: watch.over(stream(endpoint, call))) if planned.streamed else (lambda call: complete(endpoint, call))
        )
        conducted = _placed(extraction(self.connection, task, source_of(source, self.sight), send), source)
        return to_the_end(watch, conducted, planned.note)

    def _items(self, source: Given, settings: Settings) -> Flow[None]:
        return relay_emitted(self._partials(source, settings), self._reader(settings).of)


def _placed(flow: Flow[Outcome[T]], given: Given) -> Flow[Outcome[T]]:
    return placed((yield from flow), given)


def _given_first(replies: Iterator[Reply], send: Callable[[Call], Flow[Reply]]) -> Callable[[Call], Flow[Reply]]:
    """Answers calls with the replies, one by one, and sends those after them."""

    def answer(call: Call) -> Flow[Reply]:
        reply = next(replies, None)
        return reply if reply is not None else (yield from send(call))

    return answer
