"""The link between the engine and the backends: the engine's flow of calls joined with the flow that sends one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from assay.connect.connection import Connection
from assay.engine import Question, Task, ask_until_good, observe
from assay.engine.prompt import Source
from assay.flow.effects import Flow
from assay.flow.relay import relay
from assay.outcome import Outcome
from assay.types import Call, Reply

T = TypeVar("T")


def conduct(
    task: Task[T], source: Source, send: Callable[[Call], Flow[Reply]], begin: Question | None = None
) -> Flow[Outcome[T]]:
    """An extraction; `begin` is its first question, when that is not about the whole."""
    return relay(ask_until_good(task, source, begin), Call, send)


def extraction(
    connection: Connection, task: Task[T], source: Source, send: Callable[[Call], Flow[Reply]], begin: Question | None = None
) -> Flow[Outcome[T]]:
    """`conduct`, reported to the observer of extractions, if there is one."""
    if (observer := observe.observer) is None:
        return conduct(task, source, send, begin)
    about = observe.About(task.target.name, task.model, connection.provider, connection.endpoint.base_url)
    return observe.watched(observer.extraction(about), lambda told: conduct(task, source, told, begin), send)
