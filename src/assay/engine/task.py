"""What the engine knows of one kind of extraction: made once per extractor, the same for every source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from tenacity import AsyncRetrying, Retrying

from assay.coerce import Coercer
from assay.engine.prompt import Prompt
from assay.options import Budget, Ground
from assay.prices import Price
from assay.schema.passes import Undo
from assay.target.build import Target
from assay.types import JSON, Bound, Call, JSONObject, Message, Mode, Params, Profile, frozen

T = TypeVar("T")


@dataclass(slots=True, weakref_slot=True, eq=False)
class Learnt:
    """What a model on its server was found to refuse. Shared by all extractions from it: what one learns, all know."""

    lacks: frozenset[Mode] = frozenset()
    temperature: bool = True
    token_limit: int | None = None
    """The most answer tokens that may be asked for; None when nothing is known of a limit."""
    context: int | None = None
    """Tokens that prompt and answer have together; None when no error has said so."""

    def taken(self, params: Params) -> Params:
        """The parameters as this server takes them."""
        if params.temperature is not None and not self.temperature:
            params = replace(params, temperature=None)
        if self.token_limit is not None and (params.max_tokens or 0) > self.token_limit:
            params = replace(params, max_tokens=self.token_limit)
        return params


class Modes:
    """The modes that a task may use, strongest first, without those that its server lacks, or in which it refused the schema."""

    def __init__(self, modes: tuple[Mode, ...], learnt: Learnt | None = None) -> None:
        self._given = modes
        self._refused: frozenset[Mode] = frozenset()
        self.learnt = learnt or Learnt()

    @property
    def best(self) -> Mode:
        gone = self.learnt.lacks | self._refused
        if not gone:
            return self._given[0]
        return next((mode for mode in self._given if mode not in gone), self._given[-1])

    def below(self, mode: Mode) -> Mode | None:
        """The next weaker mode; None when there is none."""
        gone = self.learnt.lacks | self._refused
        at = self._given.index(mode) + 1 if mode in self._given else 0
        return next((weaker for weaker in self._given[at:] if weaker not in gone), None)

    def drop(self, mode: Mode) -> None:
        """The server does not take this task in it."""
        self._refused |= {mode}

    def lack(self, mode: Mode) -> None:
        """The server does not have it after all, for any task."""
        self.learnt.lacks |= {mode}

    def only(self, modes: tuple[Mode, ...]) -> Modes:
        """Other modes of the same server, for answers that are asked for in another way: what it refuses then, it may accept otherwise."""
        others = Modes(modes, replace(self.learnt))
        others._refused = self._refused  # noqa: SLF001  # its own
        return others


@dataclass(frozen=True, slots=True)
class WireSchema:
    """The target's schema as it goes over the wire in one mode."""

    schema: JSONObject | None = None
    strict: bool = False
    undo: Undo | None = None
    """Leads an answer in this form back to the target's schema."""


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    target: Target[T]
    prompt: Prompt
    profile: Profile
    modes: Modes
    model: str
    wire: Mapping[Mode, WireSchema]
    coercer: Coercer
    strict: bool = False
    context: Any = None
    params: Params = Params()
    retries: int | Retrying | AsyncRetrying = 2
    budget: Budget | None = None
    price: Price | None = None
    as_written: bool = False
    """The model copies numbers, dates and times as they are printed."""
    locale: str | None = None
    ground: Ground = "off"
    marked: bool = False
    """Whether fields have markers of their own that ask for evidence."""

    def call(self, messages: tuple[Message, ...], mode: Mode, params: Params, bound: Bound | None = None) -> Call:
        wire = self.wire[mode]
        return Call(messages, mode, self.target.name, wire.schema, wire.strict, params, bound)


@frozen
class Limits:
    """Where a server that enforces the schema ends what the schema does not bound. A value of this length was cut off, not finished."""

    characters: int
    items: int


@frozen
class Question:
    """One request, and how its answer is to be read."""

    call: Call
    kind: Literal["whole", "parts", "more", "quotes"] = "whole"
    """`whole`: the answer is the value; `parts`: an object from paths to corrected parts; `more`: further items of a list;
    `quotes`: lists of passages by the path of the value that they show."""
    base: JSON = None
    """The value that parts or items are merged into."""
    paths: tuple[str, ...] = field(default=())
    """The parts asked for, or the one list."""
    rest: tuple[str, ...] = ()
    """With `more`: the parts asked for besides, to which the answer had not come when its list was cut."""
    complains: bool = False
    """Whether it says what was wrong with a cut answer, in words that no value should have."""
    limits: Limits | None = None
    """The bounds that the server was given for texts and lists that have none of their own."""
    undo: Undo | None = None
    """For parts and items: leads an answer in the form that was sent back to the schema that was meant."""
