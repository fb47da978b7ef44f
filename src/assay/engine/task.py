"""What the engine knows of one kind of extraction: made once per extractor, the same for every source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from tenacity import AsyncRetrying, Retrying

from assay.coerce import Coercer
from assay.engine.prompt import Prompt
from assay.options import Budget
from assay.prices import Price
from assay.schema.passes import Undo
from assay.target.build import Target
from assay.types import JSON, Call, JSONObject, Message, Mode, Params, Profile, frozen

T = TypeVar("T")


class Modes:
    """The modes that a server still has, strongest first. Shared by all extractions from it: what one learns, all know."""

    def __init__(self, modes: tuple[Mode, ...]) -> None:
        self._modes = modes

    @property
    def best(self) -> Mode:
        return self._modes[0]

    def below(self, mode: Mode) -> Mode | None:
        """The next weaker mode; None when there is none."""
        later = self._modes[self._modes.index(mode) + 1 :] if mode in self._modes else self._modes
        return later[0] if later else None

    def drop(self, mode: Mode) -> None:
        """The server does not have it after all."""
        if len(self._modes) > 1:
            self._modes = tuple(m for m in self._modes if m is not mode)


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

    def call(self, messages: tuple[Message, ...], mode: Mode, params: Params) -> Call:
        wire = self.wire[mode]
        return Call(messages, mode, self.target.name, wire.schema, wire.strict, params)


@frozen
class Question:
    """One request, and how its answer is to be read."""

    call: Call
    kind: Literal["whole", "parts", "more"] = "whole"
    """`whole`: the answer is the value; `parts`: an object from paths to corrected parts; `more`: further items of a list."""
    base: JSON = None
    """The value that parts or items are merged into."""
    paths: tuple[str, ...] = field(default=())
    """The parts asked for, or the one list."""
    undo: Undo | None = None
    """For parts and items: leads an answer in the form that was sent back to the schema that was meant."""
