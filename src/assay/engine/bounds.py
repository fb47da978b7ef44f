"""How far an answer may go before it counts as running away, and what holds it there."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from assay.data.runaway import EVERY, Leash
from assay.engine import prompt
from assay.engine.prompt import Source
from assay.engine.task import Limits, Question, Task
from assay.schema.extent import Extent
from assay.schema.llama import bounded
from assay.types import RUNAWAY, Bound, Mode, Params, Reply

UNKNOWN_WORDS = 1000
"""Of a source with images: as many items of a list may be equal."""
SHORTEST_TEXT, SHORTEST_LIST = 200, 20
"""Limits for texts and lists of an answer, in characters and items, however short its source is."""
LONGEST_RULE = 1000
"""Repetitions in a grammar that servers take: llama.cpp's refuses 2,000."""
PER_TOKEN, SPARE = 3, 64
"""Characters of JSON that a token has at least, mostly; and tokens beyond that."""


def bound(task: Task[Any], source: Source) -> Bound:
    """What an answer out of this source can hold."""
    text = prompt.text_of(source)
    if not prompt.is_text(source):
        return Bound(None, UNKNOWN_WORDS, text)
    return _OfText(text, len(text) + len(task.prompt.instructions), task.target.extent)


class _OfText(Bound):
    """Worked out when it is first asked for: of most answers nobody asks."""

    def __init__(self, source: str, length: int, extent: Extent) -> None:
        self.source = source  # type: ignore[misc]  # read-only for all others
        self._length, self._extent = length, extent

    @property
    def known(self) -> bool:
        return True

    @cached_property
    def characters(self) -> int:
        return self._extent.characters(self._length, self.words)

    @cached_property
    def words(self) -> int:
        text = self.source
        return max(1 + sum(map(text.count, " \n,")), len(text) // PER_TOKEN if not text.isascii() else 0)

    @cached_property
    def text(self) -> int:
        return self._extent.text(self._length)


def ran_away(bound: Bound, reply: Reply) -> bool:
    """Whether a reply that was cut off is one that would never have ended."""
    if reply.finish_reason == RUNAWAY:
        return True
    leash = Leash(bound)
    return any(leash.feed(reply.text[at : at + EVERY]) for at in range(0, len(reply.text), EVERY))


def held(task: Task[Any], question: Question, bound: Bound, *, tight: bool) -> Question:
    """The question as it is sent: with its bound, and with limits where the server enforces the schema.

    `tight`: an answer has run away or taken too long already: the next one is limited in every way that there is.
    """
    if question.call.bound is not bound:  # the first question has it from the beginning
        question = replace(question, call=replace(question.call, bound=bound))
    call = question.call
    if not bound.known:
        return question
    if tight:
        call = replace(call, params=_short(task, call.params, bound))
    limits = _limits(task, bound, tight=tight)
    if limits is None or call.schema is None or call.mode not in (Mode.JSON_SCHEMA, Mode.TOOLS):
        return replace(question, call=call) if tight else question
    schema = bounded(call.schema, characters=limits.characters, items=limits.items)
    return replace(question, call=replace(call, schema=schema), limits=limits)


def _short(task: Task[Any], params: Params, bound: Bound) -> Params:
    if task.profile.reasoning:  # thinking counts as well: how long it may be, nobody knows
        return replace(params, reasoning_effort="low")
    most = (bound.characters or 0) // PER_TOKEN + SPARE
    return replace(params, max_tokens=min(params.max_tokens or most, most))


def _limits(task: Task[Any], bound: Bound, *, tight: bool) -> Limits | None:
    """Limits that no value copied from the source meets; None where the server takes none."""
    profile = task.profile
    always = profile.dialect == "llama.cpp"
    if not always and not (tight and profile.strict and profile.dialect != "strict"):
        return None
    limits = Limits(max(SHORTEST_TEXT, len(bound.source) + 1), max(SHORTEST_LIST, bound.words + 1))
    return limits if always or max(limits.characters, limits.items) <= LONGEST_RULE else None
