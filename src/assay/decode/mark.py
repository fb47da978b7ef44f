"""What an incremental parser showed at one moment, taken without a copy and read on demand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TypeAlias

from assay.types import JSON

Container: TypeAlias = dict[str, JSON] | list[JSON]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WHOLE_ESCAPES = re.compile(r"[^\\]*(?:\\(?:[^u]|u[0-9a-fA-F]{4})[^\\]*)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pending:
    """A string or a number whose end has not come: where it goes, and its text so far as pieces."""

    key: str | None
    """Its key in the innermost open container; None in a list."""
    quoted: bool
    pieces: list[str]
    count: int
    """How many of the pieces had come."""

    def read(self) -> str | int | float | None:
        """What the text so far says; None when that is nothing yet (a sign, the start of a literal)."""
        text = "".join(islice(self.pieces, self.count))
        if not self.quoted:
            return number(text)
        whole = _WHOLE_ESCAPES.match(text)
        value = unquoted(whole.group() if whole else "")
        # Half of a surrogate pair is no character: its other half is still to come.
        return value[:-1] if value and "\ud800" <= value[-1] <= "\udbff" else value


@dataclass(frozen=True, slots=True)
class Mark:
    """What a parser showed at one moment. Cheap to take: nothing is copied before `data` is called.

    Containers only grow, and only the innermost open one grows: the open ones and their sizes say it all.
    """

    open: tuple[tuple[Container, int], ...]
    """Open containers from the root inwards, each with the number of entries it had; the root alone once it was closed."""
    pending: Pending | None = None

    def data(self, *, unfinished: bool = False) -> JSON:
        """The value as plain JSON, None when nothing has come. Finished parts are shared between marks: do not change them.

        `unfinished` shows the string or the number that is being written, too.
        """
        if not self.open:
            return None
        copies = [first(container, size) for container, size in self.open]
        for outer, inner in pairwise(copies):
            outer[last_key(outer)] = inner  # type: ignore[index]  # a key of its own kind
        if unfinished and self.pending is not None:
            _add(copies[-1], self.pending.key, self.pending.read())
        return copies[0]


def first(container: Container, size: int) -> Container:
    """A copy of a container as it was when it had `size` entries."""
    if isinstance(container, list):
        return container[:size]
    return container.copy() if len(container) == size else dict(islice(container.items(), size))


def last_key(container: Container) -> str | int:
    return len(container) - 1 if isinstance(container, list) else next(reversed(container))


def _add(container: Container, key: str | None, value: JSON) -> None:
    if value is None:
        return
    if isinstance(container, list):
        container.append(value)
    elif key is not None:
        container[key] = value


def number(text: str) -> int | float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    try:
        return float(text) if match.group(1) or match.group(2) else int(text)
    except ValueError:  # more digits than Python converts
        return None


def unquoted(text: str) -> str | None:
    if "\\" not in text:
        return text
    try:
        value: str = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return None
    return value
