"""What is between the drivers and the network: nothing, or what a rehearsal puts there (see `assay.testing`).

It holds for the whole process, since a batch and `map` work in threads and event loops of their own. Whatever was opened before
is covered, too: a driver asks here each time it performs a flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from assay.flow.effects import AsyncTransport, Transport


class Stage(Protocol):
    """Something that stands before every transport."""

    def blocking(self, inner: Transport) -> Transport: ...
    def awaited(self, inner: AsyncTransport) -> AsyncTransport: ...


_stages: tuple[Stage, ...] = ()
"""The innermost first: the last stage added sees a request first and its answer last."""


@contextmanager
def put(stage: Stage) -> Iterator[None]:
    """Puts a stage before every transport of this process, until the block is left."""
    global _stages  # noqa: PLW0603  # one world, one way there
    _stages = (*_stages, stage)
    try:
        yield
    finally:
        _stages = tuple(other for other in _stages if other is not stage)


def blocking(transport: Transport) -> Transport:
    for stage in _stages:
        transport = stage.blocking(transport)
    return transport


def awaited(transport: AsyncTransport) -> AsyncTransport:
    for stage in _stages:
        transport = stage.awaited(transport)
    return transport
