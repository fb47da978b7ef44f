"""`Extractor`: a target and its options compiled once, used for many sources.

With several models it is a chain: what one cannot answer the next is asked (`assay.engine.chain`).
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar, Unpack, overload

from assay.backends.limiter import Limiter
from assay.connect.connection import Connection
from assay.connect.given import Given
from assay.engine.agree import doubtful
from assay.engine.chain import Chain, Link, outcome_of
from assay.errors import APIError, AssayError, ConfigurationError, SourceError
from assay.extractor.asker import Asker, Settings
from assay.flow import drive, fan
from assay.flow.effects import Sleep
from assay.options import Options, OptionsDict, seal
from assay.outcome import Outcome
from assay.streaming import Partial, StreamMode
from assay.target.build import Target, target
from assay.types import Call, Reply
from assay.wire.reasons import FAILS_EVERY_ROW

T = TypeVar("T")
S = TypeVar("S")

AHEAD, GRACE = 2, 0.2
"""Of many sources, how many are asked first, and the most seconds until the others follow."""

SETTINGS = "__assay_options__"
"""The attribute of a decorated class that holds its options."""


class Extractor(Generic[T]):
    """Extracts one type from many sources: compiled once, safe to share between threads and event loops.

    `target` is any type that pydantic knows, or a JSON Schema (dict, path, `JSONSchema`); the options are those of
    `assay.Options`. `limiter` bounds the rate of requests. Raises `SchemaError`, `ConfigurationError`, and `TypeError` for
    an unknown option. Used as a context manager it closes its connections. With a list of models the next one is asked when one
    fails: see `assay.engine.chain`.
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
        first, *rest = options.links
        self._asker: Asker[T] = Asker(self.target, first, limiter)
        self._askers = (self._asker, *(Asker(self.target, link, None) for link in rest))
        for asker in self._askers[:-1]:
            asker.connection.hasten()
        if options.api_key and len({asker.connection.endpoint.base_url for asker in self._askers}) > 1:
            raise ConfigurationError("api_key= would go to several servers: set each key in its provider's variable")

    @property
    def model(self) -> str:
        """The model's name as the server knows it; of a chain, the first one's."""
        return self._asker.model

    @property
    def models(self) -> tuple[str, ...]:
        """The names of a chain's models, in the order in which they are asked."""
        return tuple(asker.name for asker in self._askers)

    @property
    def connection(self) -> Connection:
        """Where it asks, and the way there; of a chain, the first one's."""
        return self._asker.connection

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash over all that changes an answer besides the source: schema, prompt, models, servers, parameters."""
        if len(self._askers) == 1:
            return self._asker.fingerprint
        return hashlib.sha256("".join(asker.fingerprint for asker in self._askers).encode()).hexdigest()

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
        settings = Settings(context, max_tokens)
        if len(self._askers) == 1:
            return self._asker.run(source, settings)
        chain = self._chain()
        while (due := chain.due) is not None:
            chain.take(self._askers[due].run(source, replace(settings, budget=chain.budget)))
        return chain.outcome()

    async def arun(
        self, source: Given, *, context: Any = None, max_tokens: int | None = None, replies: Sequence[Reply] = ()
    ) -> Outcome[T]:
        """`run`, awaited. `replies` were received in another way: they answer the first calls, which are not sent."""
        settings = Settings(context, max_tokens)
        if len(self._askers) == 1:
            return await self._asker.arun(source, settings, replies)
        chain = self._chain()
        while (due := chain.due) is not None:
            settings = replace(settings, budget=chain.budget)
            chain.take(await self._askers[due].arun(source, settings, () if due else replies))
        return chain.outcome()

    def _chain(self) -> Chain[T]:
        return Chain([Link(asker.name, asker.long.context) for asker in self._askers], self.options.budget)

    def agreement(
        self, source: Given, outcome: Outcome[T], *, paths: Sequence[str] | None = None, samples: int = 5
    ) -> dict[str, float]:
        """By JSON Pointer, the share (0 to 1) of `samples` further answers that say the same of a doubtful value.

        Asked for are `paths`; None: the values that stand nowhere in the source, were mended or were asked for again. It takes
        `samples` requests, of those parts alone, at a temperature above 0; none when nothing is in doubt. Raises `APIError`.
        """
        asked = doubtful(outcome) if paths is None else tuple(paths)
        return drive.run(self._asker.agreement(source, outcome, asked, samples), self.connection.transport())

    def steps(self, source: Given) -> Generator[Call | Sleep, Reply, Outcome[T]]:
        """An extraction's decisions alone, for those who send the calls in a way of their own; of a chain, the first model's."""
        return self._asker.steps(source)

    def pieces(self, source: Given) -> int:
        """How many pieces a document would be asked about in; 1: it is asked about at once."""
        return self._asker.pieces(source)

    # -- one source, while its answer comes ----------------------------------------------------------------------------

    def stream(
        self, source: Given, *, context: Any = None, unfinished: bool = False, stream_mode: StreamMode = "step_down"
    ) -> Generator[Partial[T], None, None]:
        """The value as it grows, whenever a part of it is complete; the last one is validated and has the outcome.

        `unfinished` also shows strings and numbers while they are being written. Where the server cannot stream in the
        mode, `stream_mode` says whether to `step_down` to one that it can, or to give the value `once`; `outcome.notes` says so.
        Of a chain, the next model is asked only as long as nothing was shown. Raises what `extract` raises.
        """
        settings = Settings(context, stream_mode=stream_mode, unfinished=unfinished)
        return self._in_turn(settings, lambda asker, settings: asker.stream(source, settings))

    def astream(
        self, source: Given, *, context: Any = None, unfinished: bool = False, stream_mode: StreamMode = "step_down"
    ) -> AsyncGenerator[Partial[T], None]:
        """`stream`, awaited."""
        settings = Settings(context, stream_mode=stream_mode, unfinished=unfinished)
        return self._ain_turn(settings, lambda asker, settings: asker.astream(source, settings))

    def stream_items(
        self, source: Given, *, context: Any = None, stream_mode: StreamMode = "step_down"
    ) -> Generator[Any, None, None]:
        """The items of a list target, or of the only list in an object, each validated and given as soon as it is whole.

        One that is not valid, and those after it, come at the end, from the answer that a re-ask has mended.
        Of a document in pieces they come piece by piece, in the order of the text.
        Raises what `extract` raises, and `ConfigurationError` for a target without such a list.
        """
        settings = Settings(context, stream_mode=stream_mode)
        return self._in_turn(settings, lambda asker, settings: asker.stream_items(source, settings))

    def astream_items(
        self, source: Given, *, context: Any = None, stream_mode: StreamMode = "step_down"
    ) -> AsyncGenerator[Any, None]:
        """`stream_items`, awaited."""
        settings = Settings(context, stream_mode=stream_mode)
        return self._ain_turn(settings, lambda asker, settings: asker.astream_items(source, settings))

    def _in_turn(
        self, settings: Settings, begin: Callable[[Asker[T], Settings], Generator[S, None, None]]
    ) -> Generator[S, None, None]:
        """What the models of a chain stream: the next begins where one failed before anything was shown."""
        if len(self._askers) == 1:
            return begin(self._asker, settings)
        return self._each_in_turn(settings, begin)

    def _each_in_turn(
        self, settings: Settings, begin: Callable[[Asker[T], Settings], Generator[S, None, None]]
    ) -> Generator[S, None, None]:
        chain, shown = self._chain(), False
        while (due := chain.due) is not None:
            try:
                with closing(begin(self._askers[due], replace(settings, budget=chain.budget))) as parts:
                    for part in parts:
                        shown = True
                        yield _told(part, chain)
            except AssayError as error:
                chain.take(outcome_of(error, self._askers[due].model), shown=shown)
            else:
                return
        chain.outcome().unwrap()

    def _ain_turn(
        self, settings: Settings, begin: Callable[[Asker[T], Settings], AsyncGenerator[S, None]]
    ) -> AsyncGenerator[S, None]:
        """`_in_turn`, awaited."""
        if len(self._askers) == 1:
            return begin(self._asker, settings)
        return self._aeach_in_turn(settings, begin)

    async def _aeach_in_turn(
        self, settings: Settings, begin: Callable[[Asker[T], Settings], AsyncGenerator[S, None]]
    ) -> AsyncGenerator[S, None]:
        chain, shown = self._chain(), False
        while (due := chain.due) is not None:
            try:
                async with aclosing(begin(self._askers[due], replace(settings, budget=chain.budget))) as parts:
                    async for part in parts:
                        shown = True
                        yield _told(part, chain)
            except AssayError as error:
                chain.take(outcome_of(error, self._askers[due].model), shown=shown)
            else:
                return
        chain.outcome().unwrap()

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

        The first few start a moment earlier: a refusal comes sooner than an answer.
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
            try:
                outcome = await self.arun(source)
            except ConfigurationError as error:  # what is no source at all (None, a number) is this one's failure
                return Outcome(None, SourceError(str(error)), model=self.model)
            heard.set()
            if isinstance(outcome.error, APIError) and outcome.error.reason in FAILS_EVERY_ROW:
                hopeless = outcome.error
            return outcome

        return ask

    def _width(self, concurrency: int | None) -> int:
        if concurrency is None:
            return self.connection.concurrency
        if concurrency < 1:
            raise ConfigurationError(f"concurrency must be 1 or more; got {concurrency}")
        return concurrency

    # -- life --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; the extractor opens new ones when it is used again."""
        for asker in self._askers:
            asker.connection.close()

    async def aclose(self) -> None:
        """`close`, awaited."""
        for asker in self._askers:
            await asker.connection.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its type and options: the other process opens connections and reads keys itself.

        Raises `ConfigurationError` for what cannot or must not be pickled: a key, a limiter, a client object.
        """
        if (why := _stays(self.options, self.connection.endpoint.limiter)) is not None:
            raise ConfigurationError(f"this extractor cannot be sent to another process: {why}")
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
        if "_askers" not in vars(self):  # a traceback of its making shows it
            return "<Extractor, not yet set up>"
        return f"<Extractor of {self.target.name} with {', '.join(self.models) if len(self._askers) > 1 else self.model}>"


def _told(part: S, chain: Chain[Any]) -> S:
    """The last value of a stream has an outcome: it tells of the models before, too."""
    if not isinstance(part, Partial) or part.outcome is None:
        return part
    chain.take(part.outcome)
    return replace(part, outcome=chain.outcome())


def _stays(options: Options, limiter: Limiter | None) -> str | None:
    """What of an extractor cannot be pickled, and what to do; None when everything can."""
    if options.api_key is not None:
        return (
            "the pickle would contain api_key= in clear text: set the key's environment variable in the other process instead"
        )
    if limiter is not None:
        return f"a {type(limiter).__name__} works within one process: give limiter= where the extractor is used"
    for name, client in (("client", options.client), ("model", options.model)):
        if client is not None and not isinstance(client, str | list | tuple):
            return f"{name}= is a {type(client).__name__}, which holds open connections: name a model instead, or make the extractor in the other process"
    return None


def settings_of(type_: Any) -> Options:
    """The options that ride on a decorated class."""
    settings = getattr(type_, SETTINGS, None)
    return settings if isinstance(settings, Options) else Options()
