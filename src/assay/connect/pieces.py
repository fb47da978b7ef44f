"""Long documents: when one is asked about in pieces, and all of them side by side under one budget."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Generic, TypeVar

from assay.backends.chat import complete
from assay.connect.compile import compile_task
from assay.connect.conduct import extraction
from assay.connect.connection import Connection
from assay.engine import Task, prompt
from assay.engine.prompt import Prompt, Source
from assay.errors import ExtractionError
from assay.flow import drive, fan
from assay.flow.effects import Flow
from assay.options import Options, Split
from assay.outcome import Outcome
from assay.split import Ask, Room, Splitting
from assay.split.cut import cut
from assay.split.purse import OverBudgetError, Purse
from assay.split.room import LEAST, context_in, is_too_long
from assay.split.tolerant import tolerant
from assay.target.build import Target, target
from assay.target.json_schema import JSONSchema
from assay.types import JSON, Call, Reply, Usage

T = TypeVar("T")

WIDEST = 64
"""The most pieces at once on a hosted service; a machine of one's own gets what suits it."""
MANY = 16
"""A provider row with at least this many requests at once means a hosted service."""
NOTHING = Usage()
QUARTERS = 4
"""Pieces to begin with of a document that fits, when its answer does not."""


class LongDocuments(Generic[T]):
    """What one extractor does with documents that are too long to be asked about at once."""

    def __init__(self, whole: Target[T], options: Options, connection: Connection) -> None:
        self._target, self._options, self._connection = whole, options, connection
        self._counted: tuple[Prompt, int] | None = None

    @functools.cached_property
    def _piece_task(self) -> Task[Any]:
        """The task that a piece is asked with: compiled when the first long document comes."""
        options, profile = self._options, self._connection.profile
        piece: Target[Any] = target(JSONSchema({**tolerant(self._target.json_schema), "title": self._target.name}))
        examples = tuple((text, self._target.dump(value)) for text, value in options.examples)
        if not examples and profile.worked_example:
            examples = (self._target.worked_example(), (prompt.NOTHING_SAID, _nothing(self._target.example())))
        instructions = "\n\n".join(filter(None, [options.instructions, prompt.PIECE]))
        return compile_task(piece, replace(options, examples=examples, instructions=instructions), self._connection)

    @property
    def context(self) -> int | None:
        """Tokens that the model can hold, as far as it is known."""
        return self._options.context_tokens or self._connection.learnt.context or self._connection.profile.context_tokens

    # -- whether there are pieces -----------------------------------------------------------------------------------------

    def begin(self, task: Task[T], source: Source) -> Splitting[T] | None:
        """The document in pieces, when it is known to need them. Raises `ConfigurationError` when nothing fits the context."""
        rule = self._options.split
        if rule == "never" or not isinstance(source, str):
            return None
        if rule.size is not None:
            return self._splitting(task, source, rule) if len(source) > rule.size else None
        if (context := self.context) is None or not self._room(task, context).too_long(source):
            return None
        return self._splitting(task, source, replace(rule, size=Room.of(self._piece_task, context).size(source)))

    def after(self, task: Task[T], source: Source, outcome: Outcome[T]) -> Splitting[T] | None:
        """The document in pieces, when asking for the whole showed that it needs them."""
        rule = self._options.split
        if outcome.ok or rule == "never" or not isinstance(source, str) or len(source) < 2 * LEAST:
            return None
        error = is_too_long(outcome)
        if error is None:
            return self._quarters(task, source, rule, outcome) if _was_cut(outcome) else None
        context = context_in(error)
        if context is not None:
            self._connection.learnt.context = context
            size = Room.of(self._piece_task, context).size(source)
        else:
            size = len(source) // 2
        return self._splitting(task, source, replace(rule, size=min(size, len(source) * 3 // 4)))

    def count(self, task: Task[T], text: Source) -> int:
        """Pieces that a text would be asked about in; 1: it is asked about at once."""
        work = self.begin(task, text)
        return 1 if work is None else len(work.pieces)

    def _quarters(self, task: Task[T], source: str, rule: Split, outcome: Outcome[T]) -> Splitting[T]:
        work = self._splitting(task, source, replace(rule, size=-(-len(source) // QUARTERS)))
        work.earlier = outcome.attempts
        return work

    def _room(self, task: Task[Any], context: int | None) -> Room:
        """Counted once for the tasks of a prompt, which a call's settings do not change."""
        counted = self._counted
        if counted is None or counted[0] is not task.prompt:
            counted = self._counted = task.prompt, Room.of(task, context).question
        return Room(context, counted[1], task.params.max_tokens)

    def _splitting(self, task: Task[T], source: str, rule: Split) -> Splitting[T]:
        assert rule.size is not None
        pieces = cut(source, rule.size, min(rule.shared, rule.size // 2))
        note = f"asked about in {len(pieces)} pieces of up to {rule.size} characters, of which {rule.shared} are shared"
        asking = replace(self._piece_task, context=task.context, budget=None)
        params = replace(asking.params, max_tokens=task.params.max_tokens)
        return Splitting(task, replace(asking, params=params), source, pieces, rule, note)

    # -- asking -------------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        suits = self._connection.concurrency
        return WIDEST if suits >= MANY else suits

    def run(self, work: Splitting[T]) -> Outcome[T]:
        """`arun` from plain code: in an event loop of its own."""

        async def one() -> AsyncGenerator[Outcome[T], None]:
            yield await self.arun(work)

        (outcome,) = fan.map_in_thread(one, 1)
        return outcome

    async def arun(self, work: Splitting[T]) -> Outcome[T]:
        """All pieces, side by side."""
        async with aclosing(self.steps(work)) as steps:
            async for _ in steps:
                pass
        return work.outcome()

    async def steps(self, work: Splitting[T]) -> AsyncGenerator[Ask, None]:
        """Each question whose outcome was taken, the first pieces in their order."""
        purse = Purse(work.budget, self._connection.price)
        asks = work.first()
        while asks:
            async with aclosing(fan.amap(lambda ask: self._ask(ask, purse), asks, self._width)) as outcomes:
                for_each = iter(asks)
                async for outcome in outcomes:
                    ask = next(for_each)
                    work.take(ask, outcome)
                    yield ask
                    if work.hopeless:
                        return
            asks = work.more()

    async def _ask(self, ask: Ask, purse: Purse) -> Outcome[Any]:
        send = _bounded(functools.partial(complete, self._connection.endpoint), purse)
        flow = extraction(self._connection, ask.task, ask.source, send, ask.begin)
        outcome: Outcome[Any] = await drive.arun(flow, self._connection.async_transport())
        return replace(outcome, error=outcome.error.error) if isinstance(outcome.error, OverBudgetError) else outcome


def _bounded(send: Callable[[Call], Flow[Reply]], purse: Purse) -> Callable[[Call], Flow[Reply]]:
    def sending(call: Call) -> Flow[Reply]:
        booked = purse.book(call)
        try:
            reply = yield from send(call)
        except BaseException:
            purse.settle(booked, NOTHING)
            raise
        purse.settle(booked, reply.usage)
        return reply

    return sending


def _nothing(example: JSON) -> JSON:
    """The answer to a text that says nothing."""
    return (
        {key: [] if isinstance(value, list) else None for key, value in example.items()} if isinstance(example, dict) else None
    )


def _was_cut(outcome: Outcome[Any]) -> bool:
    return isinstance(outcome.error, ExtractionError) and any(problem.kind == "truncated" for problem in outcome.problems)
