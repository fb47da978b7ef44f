"""Which mode an extraction is streamed in. Not every server can stream in every mode: Groq streams no schema and no JSON mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeAlias, TypeVar

from assay.engine import Task
from assay.errors import ConfigurationError

T = TypeVar("T")

StreamMode: TypeAlias = Literal["step_down", "once"]
"""What to do where the mode cannot be streamed: `step_down` to the strongest that can, or give the whole value `once`."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    task: Task[T]
    streamed: bool
    note: str = ""
    """What was decided, for the outcome."""


def plan(task: Task[T], stream_mode: StreamMode | str, *, chosen: bool = False) -> Plan[T]:
    """The task in a mode that this server streams, as far as it has one. Raises `ConfigurationError` for an unknown `stream_mode`.

    `chosen`: the user named the mode. It is streamed in that one: should the server refuse it, it is stepped down then.
    """
    if stream_mode not in ("step_down", "once"):
        raise ConfigurationError(f"stream_mode must be one of step_down, once; got {stream_mode!r}")
    best, able = task.modes.best, task.profile.stream_modes
    if best in able:
        return Plan(replace(task, modes=task.modes.only(able[able.index(best) :])), streamed=True)
    if chosen and stream_mode == "step_down":
        return Plan(task, streamed=True)
    if stream_mode == "once" or not able:
        return Plan(task, streamed=False, note=f"not streamed: the server does not stream in mode {best}")
    note = f"streamed in mode {able[0]}: the server does not stream in mode {best}"
    return Plan(replace(task, modes=task.modes.only(able)), streamed=True, note=note)
