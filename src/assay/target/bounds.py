"""Bounded checks: how many steps one may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STEPS, STEPS_A_CHARACTER = 200_000, 20
"""Keywords that are checked in all before a check is stopped, and how many more for each character of the data."""

_left: ContextVar[list[int]] = ContextVar("left")


class Endless(Exception):  # noqa: N818  # a signal within the house
    """A check was stopped: it would have taken forever, or nearly. The message says why."""


@contextmanager
def bounded(length: int) -> Iterator[None]:
    """Checks within it raise `Endless` when they take more steps than data of this many characters may ever need."""
    before = _left.set([STEPS + STEPS_A_CHARACTER * length])
    try:
        yield
    except RecursionError as error:
        raise Endless("it is nested too deeply") from error
    finally:
        _left.reset(before)


def step() -> None:
    """Counts one step of the check that goes on."""
    left = _left.get(None)
    if left is not None:
        left[0] -= 1
        if left[0] < 0:
            raise Endless("checking it against the schema takes too many steps")
