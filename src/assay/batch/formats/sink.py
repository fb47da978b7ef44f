"""Where finished rows go: a file that grows while the run goes on, and is assembled again from the journal when necessary.

A sink never decides what is finished; the journal does. `append` adds rows that were just recorded, in the order in which
they finished. `assemble` replaces the whole file by the rows it is given, in their order, atomically: the file is the old one
or the new one at every moment. A full disk leaves whole rows behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from assay.batch.files import Owned
from assay.batch.journal import Finished
from assay.types import JSON, JSONObject

OWN_COLUMNS = ("id", "value", "error", "attempts", "usage", "repairs", "model", "ungrounded")
"""Of a row that goes out, in every format."""
_JSON_ONLY = ("evidence", "confidence", "review")
"""What rows of JSONL have beyond that, where it is known."""
_OWN = re.compile(rf"(?:input\.)*(?:{'|'.join(OWN_COLUMNS + _JSON_ONLY)}|value\..*)", re.DOTALL)


def carried_name(name: str) -> str:
    """The name that a column of the input has in the output: `input.NAME` where the output has one of its own, or had it in a
    run before this one, whose output is the input now.
    """
    return f"input.{name}" if _OWN.fullmatch(name) else name


class Sink(Protocol):
    @property
    def owned(self) -> Owned: ...
    @property
    def stale(self) -> bool:
        """Whether what was appended is not all there is to write, so that the file must be assembled in the end."""
        ...

    @property
    def misfit(self) -> Callable[[JSON], str] | None:
        """Says why a value cannot be written, empty when it can; None where every value can."""
        ...

    def append(self, rows: Iterable[Finished]) -> None: ...
    def assemble(self, rows: Iterable[Finished]) -> None: ...
    def close(self) -> None: ...


class Layout(Protocol):
    """What a sink must know of the rows to lay out columns."""

    @property
    def value(self) -> JSONObject:
        """The JSON Schema of the values."""
        ...

    @property
    def id(self) -> str:
        """The kind of the ids, as `assay.batch.layout` names it."""
        ...

    @property
    def carried(self) -> Mapping[str, str]:
        """The columns carried through, and the kind of each."""
        ...
