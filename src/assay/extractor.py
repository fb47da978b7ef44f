"""`Extractor`: a target and its options compiled once, used for many sources.

What is too long for the model goes in pieces: `assay.connect.pieces`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, Unpack, overload

from assay.backends.chat import complete, stream
from assay.backends.limiter import Limiter
from assay.connect.compile import compile_task, fingerprint
from assay.connect.conduct import extraction
from assay.connect.connection import Connection, connect
from assay.connect.given import Given, Sight, needs_images, opened, placed, source_of
from assay.connect.pieces import LongDocuments
from assay.documents.document import Document
from assay.engine import Task, ask_until_good
from assay.engine.prompt import Source
from assay.errors import APIError, ConfigurationError
from assay.flow import drive, fan
from assay.flow.effects import Flow, Sleep
from assay.flow.relay import relay_emitted
from assay.options import Options, OptionsDict, seal
from assay.outcome import Outcome
from assay.split import Splitting
from assay.streaming import Items, Partial, Showing, StreamMode, View, plan, to_the_end
from assay.streaming.pieces import in_order
from assay.target.build import Target, target
from assay.types import Call, Reply
from assay.wire.reasons import FAILS_EVERY_ROW

T = TypeVar("T")

AHEAD, GRACE = 2, 0.2
"""Of many sources: so many are asked first, and the others no more than so many seconds later."""

SETTINGS = "__assay_options__"
"""The attribute of a decorated class that holds its options."""


class Extractor(Generic[T]):
    """Extracts one type from many sources: compiled once, safe to share between threads and event loops.

    `target` is any type that pydantic knows, or a JSON Schema (dict, path, `JSONSchema`); the options are those of
    `assay.Options`. `limiter` bounds the rate of requests. Raises `SchemaError`, `ConfigurationError`, and `TypeError` for
    an unknown option. Used as a context manager it closes its connections.
    """

    @overload
    def __init__(self, target: type[T], *, limiter: Limiter | None = None, **options: Unpack[OptionsDict]) -> None: ...
    @overload
    def __init__(self, target: Any, *, limiter: Limiter | None = None, **options: Unpack[OptionsDict]) -> None: ...
    def __init__(self, target: Any, *, limiter: Limiter | None = None, **options: Unpack[OptionsDict]) -> None:
        seal(options)
        self._open(target, settings_of(target).updated(options), limiter)

    @classmethod
    def of(cls, target: type[T], options: Options, *, limiter: Limiter | None = None) -> Extractor[T]:
        """An extractor with options already checked."""
        extractor = cls.__new__(cls)
        extractor._open(target, options, limiter)  # noqa: SLF001  # its own
        return extractor

    def _open(self, type_: Any, options: Options, limiter: Limiter | None) -> None:
        self._type = type_
        self.target: Target[T] = target(type_)
        self.options = options
        self._connection: Connection = connect(options, limiter)
        self._task: Task[T] = compile_task(self.target, options, self._connection)
        self._long = LongDocuments(self.target, options, self._connection)

    @property
    def model(self) -> str:
        """The model's name as the server knows it."""
        return self._task.model

    @property
    def connection(self) -> Connection:
        """Where it asks, and the way there."""
        return self._connection

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash over all that changes an answer besides the source: schema, prompt, model, server, parameters."""
        return fingerprint(self._task, self._connection)

    # -- one source ------------------------------------------------------------------------------------------------

    def extract(self, source: Given, *, context: Any = None) -> T:
        """The value, exactly of the target's type. Raises `ExtractionError`, `APIError`, `BudgetExceeded`."""
        return self.run(source, context=context).unwrap()

    async def aextract(self, source: Given, *, context: Any = None) -> T:
        """`extract`, awaited."""
        return (await self.arun(source, context=context)).unwrap()

    def run(self, source: Given, *, context: Any = None, max_tokens: int | None = None) -> Outcome[T]:
        """How it went: value or error, attempts, usage, repairs. Never raises for a failed extraction.

        `max_tokens` is for this source alone: what similar ones were seen to need. A cut answer is given more room.
        """
        try:
            given = opened(source)
            task, asked = self._task_for(context, max_tokens), source_of(given, self._sight)
            work = self._long.begin(task, asked)
        except ConfigurationError as error:
            return self._refused(source, error)
        if work is None:
            outcome = drive.run(self._flow(task, asked), self._connection.transport())
            work = self._long.after(task, asked, outcome)
            if work is None:
                return placed(outcome, given)
        return placed(self._long.run(work), given)

    async def arun(
        self, source: Given, *, context: Any = None, max_tokens: int | None = None, replies: Sequence[Reply] = ()
    ) -> Outcome[T]:
        """`run`, awaited. `replies` came in another way already: they answer the first calls, which are not sent."""
        try:
            given = await asyncio.to_thread(opened, source) if isinstance(source, Path | bytes) else opened(source)
            drawing = needs_images(given, self.options.vision)
            asked = await asyncio.to_thread(source_of, given, self._sight) if drawing else source_of(given, self._sight)
            task = self._task_for(context, max_tokens)
            work = None if replies else self._long.begin(task, asked)
        except ConfigurationError as error:
            return self._refused(source, error)
        if work is None:
            outcome = await drive.arun(self._flow(task, asked, replies), self._connection.async_transport())
            work = self._long.after(task, asked, outcome)
            if work is None:
                return placed(outcome, given)
        return placed(await self._long.arun(work), given)

    def _flow(self, task: Task[T], source: Source, replies: Sequence[Reply] = ()) -> Flow[Outcome[T]]:
        send: Callable[[Call], Flow[Reply]] = functools.partial(complete, self._connection.endpoint)
        return extraction(self._connection, task, source, _given_first(iter(replies), send) if replies else send)

    @property
    def _sight(self) -> Sight:
        return Sight(self.model, self._connection.profile, self.options.vision)

    def _refused(self, source: Given, error: ConfigurationError) -> Outcome[T]:
        """A document that cannot be asked about is a failed extraction; what is no source at all is a mistake in the program."""
        if not isinstance(source, str | Document | Path | bytes):
            raise error
        return Outcome(None, error, model=self.model, source=source if isinstance(source, str) else "")

    def _task_for(self, context: Any, max_tokens: int | None = None) -> Task[T]:
        task = self._task if context is None else replace(self._task, context=context)
        return task if max_tokens is None else replace(task, params=replace(task.params, max_tokens=max_tokens))

    def steps(self, source: Given) -> Generator[Call | Sleep, Reply, Outcome[T]]:
        """An extraction's decisions alone, for those who send the calls in a way of their own."""
        return ask_until_good(self._task, source_of(opened(source), self._sight))

    def pieces(self, source: str) -> int:
        """How many pieces a text would be asked about in; 1: it is asked about at once."""
        return self._long.count(self._task, source)

    # -- one source, while its answer comes ----------------------------------------------------------------------------

    def stream(
        self, source: Given, *, context: Any = None, unfinished: bool = False, stream_mode: StreamMode = "step_down"
    ) -> Generator[Partial[T], None, None]:
        """The value as it grows, whenever a part of it is complete; the last one is validated and has the outcome.

        `unfinished` also shows strings and numbers while they are being written. Where the server cannot stream in the
        mode, `stream_mode` says whether to `step_down` to one that it can, or to give the value `once`; `outcome.notes` says so.
        Raises what `extract` raises.
        """
        given = opened(source)
        if (work := self._in_pieces(given, context)) is not None:
            return fan.map_in_thread(lambda: self._once(work, given), 1)
        return drive.stream(self._partials(given, context, stream_mode, unfinished=unfinished), self._connection.transport())

    def astream(
        self, source: Given, *, context: Any = None, unfinished: bool = False, stream_mode: StreamMode = "step_down"
    ) -> AsyncGenerator[Partial[T], None]:
        """`stream`, awaited."""
        given = opened(source)
        if (work := self._in_pieces(given, context)) is not None:
            return self._once(work, given)
        flow = self._partials(given, context, stream_mode, unfinished=unfinished)
        return drive.astream(flow, self._connection.async_transport())

    def stream_items(
        self, source: Given, *, context: Any = None, stream_mode: StreamMode = "step_down"
    ) -> Generator[Any, None, None]:
        """The items of a list target, or of the only list in an object, each validated and given as soon as it is whole.

        One that is not valid, and those after it, come at the end, from the answer that a re-ask has mended.
        Of a document in pieces they come piece by piece, in the order of the text.
        Raises what `extract` raises, and `ConfigurationError` for a target without such a list.
        """
        given = opened(source)
        if (work := self._in_pieces(given, context)) is not None:
            return fan.map_in_thread(lambda: in_order(self._long, work, self._reader(context)), self._connection.concurrency)
        return drive.stream(self._items(given, context, stream_mode), self._connection.transport())

    def astream_items(
        self, source: Given, *, context: Any = None, stream_mode: StreamMode = "step_down"
    ) -> AsyncGenerator[Any, None]:
        """`stream_items`, awaited."""
        given = opened(source)
        if (work := self._in_pieces(given, context)) is not None:
            return in_order(self._long, work, self._reader(context))
        return drive.astream(self._items(given, context, stream_mode), self._connection.async_transport())

    def _in_pieces(self, given: Given, context: Any) -> Splitting[T] | None:
        return self._long.begin(self._task_for(context), source_of(given, self._sight))

    async def _once(self, work: Splitting[T], given: Given) -> AsyncGenerator[Partial[T], None]:
        """The value of a document in pieces, once it is whole: what one piece gives is no part of it yet."""
        outcome = placed(await self._long.arun(work), given)
        outcome.unwrap()
        yield Partial(("",), 1, outcome)

    def _reader(self, context: Any) -> Items:
        return Items(self.target, self._task_for(context).context, strict=self._task.strict)

    def _partials(self, source: Given, context: Any, stream_mode: StreamMode, *, unfinished: bool = False) -> Flow[None]:
        planned = plan(self._task_for(context), stream_mode, chosen=self.options.mode != "auto")
        task, endpoint = planned.task, self._connection.endpoint
        view = View(
            self.target.annotation, wrapper=self.target.wrapper, context=task.context, strict=task.strict, unfinished=unfinished
        )
        watch = Showing(view)
        send = (
            (lambda call: watch.over(stream(endpoint, call))) if planned.streamed else (lambda call: complete(endpoint, call))
        )
        conducted = _placed(extraction(self._connection, task, source_of(source, self._sight), send), source)
        return to_the_end(watch, conducted, planned.note)

    def _items(self, source: Given, context: Any, stream_mode: StreamMode) -> Flow[None]:
        return relay_emitted(self._partials(source, context, stream_mode), self._reader(context).of)

    # -- many sources ----------------------------------------------------------------------------------------------

    def map(self, sources: Iterable[Given], *, concurrency: int | None = None) -> Generator[Outcome[T], None, None]:
        """The outcome of every source, in their order. A failed one is an `Outcome` with its error.

        What would fail every source (a refused key, an unknown model, no credit left) ends the asking: the outcomes after that
        have the same error, and nothing is sent for them. Leaving the iteration cancels what is under way. At most `concurrency` (default: what suits the server) are under way at once; `sources` is read no further ahead.
        """
        width = self._width(concurrency)
        return fan.map_in_thread(lambda: fan.amap(self._unless_hopeless(), sources, width), width)

    def amap(
        self, sources: Iterable[Given] | AsyncIterable[Given], *, concurrency: int | None = None
    ) -> AsyncGenerator[Outcome[T], None]:
        """`map`, awaited."""
        return fan.amap(self._unless_hopeless(), sources, self._width(concurrency))

    def _unless_hopeless(self) -> Callable[[Given], Awaitable[Outcome[T]]]:
        """`arun`, until an error shows that it would fail for every source.

        The first few go ahead, a moment at most: a refusal comes sooner than an answer.
        """
        hopeless: APIError | None = None
        begun, heard = 0, asyncio.Event()

        async def ask(source: Given) -> Outcome[T]:
            nonlocal hopeless, begun
            begun += 1
            if begun > AHEAD and not heard.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), GRACE)
                heard.set()
            if hopeless is not None:
                return Outcome(None, hopeless, model=self.model)
            outcome = await self.arun(source)
            heard.set()
            if isinstance(outcome.error, APIError) and outcome.error.reason in FAILS_EVERY_ROW:
                hopeless = outcome.error
            return outcome

        return ask

    def _width(self, concurrency: int | None) -> int:
        if concurrency is None:
            return self._connection.concurrency
        if concurrency < 1:
            raise ConfigurationError(f"concurrency is 1 or more; got {concurrency}")
        return concurrency

    # -- life --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; the extractor opens new ones when it is used again."""
        self._connection.close()

    async def aclose(self) -> None:
        """`close`, awaited."""
        await self._connection.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels to other processes as its type and options: connections are opened there, keys read there."""
        return Extractor.of, (self._type, self.options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        if "_task" not in vars(self):  # a traceback of its making shows it
            return "<Extractor in the making>"
        return f"<Extractor of {self.target.name} with {self.model}>"


def _placed(flow: Flow[Outcome[T]], given: Given) -> Flow[Outcome[T]]:
    return placed((yield from flow), given)


def _given_first(replies: Iterator[Reply], send: Callable[[Call], Flow[Reply]]) -> Callable[[Call], Flow[Reply]]:
    """Answers calls with the replies, one by one, and sends those after them."""

    def answer(call: Call) -> Flow[Reply]:
        reply = next(replies, None)
        return reply if reply is not None else (yield from send(call))

    return answer


def settings_of(type_: Any) -> Options:
    """The options that ride on a decorated class."""
    settings = getattr(type_, SETTINGS, None)
    return settings if isinstance(settings, Options) else Options()
