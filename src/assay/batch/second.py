"""The second model, which is asked for what the first one could not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assay.batch import rows
from assay.batch.recorder import ReadRow
from assay.batch.stops import Stop, is_away
from assay.errors import APIError, RateLimitError
from assay.extractor import Extractor
from assay.outcome import Outcome
from assay.types import Usage
from assay.wire.reasons import FAILS_EVERY_ROW


class Second:
    """Asks the second model. What that costs is its row's, at its own price."""

    def __init__(self, extractor: Extractor[Any]) -> None:
        self._extractor = extractor
        self.rows, self.usage = 0, Usage()
        """How many it was asked for, and what that used."""
        self.failed: set[bytes] = set()
        """Keys of rows that it could not do, either."""
        self.stop: Callable[[Stop], None] = lambda _: None
        """Is told what ends the run: an error of this model that every row would meet."""

    @property
    def fingerprint(self) -> str:
        return self._extractor.fingerprint

    def takes(self, outcome: Outcome[Any]) -> bool:
        """Whether a failure of the first model is a matter for this one: the row's own, not that its server was not there."""
        error = outcome.error
        return not (
            error is None
            or is_away(error)
            or isinstance(error, RateLimitError)
            or (isinstance(error, APIError) and error.reason in FAILS_EVERY_ROW)
        )

    async def ask(self, read: ReadRow, first: Outcome[Any] | None) -> Outcome[Any]:
        """The outcome of both, the attempts of the first before those of the second. `first` is None when it was asked in an
        earlier run.
        """
        second = await self._extractor.arun(read.source)
        self.rows += 1
        self.usage += rows.sound(second.usage)
        error = second.error
        if isinstance(error, APIError) and error.reason in FAILS_EVERY_ROW:
            self.stop(Stop("fatal", f"the second model, {self._extractor.model}: {error}"))
            if first is None:
                raise error
            return first
        if not second.ok:
            self.failed.add(read.key)
        if first is None:
            return second
        note = f"{first.model} failed, {second.model} was asked"
        return replace(second, attempts=(*first.attempts, *second.attempts), notes=(*first.notes, note, *second.notes))
