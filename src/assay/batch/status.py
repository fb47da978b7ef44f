"""The status of a run, also while another process works on it: what the journal says, or, while that is in use, what the run reports.

A run keeps a small file beside its journal for as long as it goes on: its progress, and what it waits for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from assay.batch.errors import OutputBusy, StorageError
from assay.batch.files import Owned, replacing
from assay.batch.journal import Journal
from assay.batch.place import JOURNAL, Place, journal_path, status_path
from assay.batch.progress import Progress, Reporter, Summary
from assay.batch.provider.parcels import Parcels
from assay.errors import ConfigurationError
from assay.types import Usage

EVERY = 1.0
"""Seconds between two states of the file."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a run."""

    running: bool
    done: int
    failed: int
    total: int | None
    """Rows of the input, where that is known."""
    waiting: int
    """Rows that are with a provider's batch API."""
    spent: Usage
    """Of all runs that wrote this output."""
    waits_for: str
    """What holds it now, in words; empty when nothing does."""
    said: str = ""
    """The last thing that the run said."""
    written: float = 0.0
    """When this was so, in seconds since 1970."""
    process: int | None = None


_FORM = TypeAdapter(Status)


def status(output: Path) -> Status:
    """The status of the run that writes `output`, or whose journal that is. Raises `ConfigurationError` where there is none."""
    path = output if output.name.endswith(JOURNAL) else journal_path(output)
    if not path.is_file():
        raise ConfigurationError(f"{output} is not the output of a run: there is no journal {path}")
    try:
        with closing(Journal(path)) as journal, journal.read_by_us():
            return _of_journal(journal, path)
    except OutputBusy:
        return _told(path.with_name(path.name.removesuffix(JOURNAL)))


def _of_journal(journal: Journal, path: Path) -> Status:
    counts = dict(journal.count())
    done, waiting = counts.pop("done", 0), Parcels(journal).rows_under_way()
    total = journal.fact("rows")
    return Status(
        running=False,
        done=done,
        failed=sum(counts.values()),
        total=int(total) if total.isdecimal() else None,
        waiting=waiting,
        spent=journal.spent()[1],
        waits_for="--collect: rows are with the provider" if waiting else "",
        written=path.stat().st_mtime,
    )


def _told(output: Path) -> Status:
    try:
        return _FORM.validate_json(status_path(output).read_bytes())
    except (OSError, ValidationError):
        raise OutputBusy(f"{output} is in use by another run, which has not reported its status yet: try again") from None


class Teller:
    """A reporter that keeps the file, and passes all on to another."""

    def __init__(self, where: Place, journal: Journal, to: Reporter) -> None:
        self._owned, self._to = Owned(where.status, where.mode, f"{os.getpid()}"), to
        self._before = _of_journal(journal, where.journal)
        self._waiting = Parcels(journal).rows_under_way
        self._mine = _is_ours(where.status)
        self._next = 0.0
        self._said = ""
        self._progress: Progress | None = None

    def say(self, message: str) -> None:
        self._said = message
        self._write()
        self._to.say(message)

    def tick(self, progress: Progress) -> None:
        self._progress = progress
        if time.monotonic() >= self._next:
            self._write()
        self._to.tick(progress)

    def end(self, summary: Summary) -> None:
        self._to.end(summary)

    def _write(self) -> None:
        self._next = time.monotonic() + EVERY
        if not self._mine:
            return
        with suppress(StorageError, OSError), replacing(self._owned, durable=False) as file:  # it only tells
            file.write(to_json(self._status()))

    def _status(self) -> Status:
        progress, before = self._progress, self._before
        held = progress.held if progress is not None else None
        waits = f"{held[0]}, {held[1]:,.0f} s" if held is not None and held[1] >= EVERY else ""
        waits = waits or (self._said if self._said.startswith("waiting") else "")
        now = replace(
            before,
            running=True,
            waiting=self._waiting(),
            waits_for=waits,
            said=self._said,
            written=time.time(),
            process=os.getpid(),
        )
        if progress is None:
            return now
        done = progress.done + progress.kept + progress.reused
        return replace(now, done=done, failed=progress.failed, total=progress.total, spent=before.spent + progress.usage)


def _is_ours(path: Path) -> bool:
    """Whether the file may be written: it is not there, or an earlier run left it."""
    try:
        _FORM.validate_json(path.read_bytes())
    except FileNotFoundError:
        return True
    except (OSError, ValidationError):
        return False
    return True


@contextmanager
def telling(where: Place, journal: Journal, reporter: Reporter) -> Iterator[Teller]:
    """Keep the status file of a run for as long as this goes on."""
    teller = Teller(where, journal, reporter)
    try:
        yield teller
    finally:
        if _is_ours(where.status):
            with suppress(OSError):
                where.status.unlink(missing_ok=True)
