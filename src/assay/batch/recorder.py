"""The thread that owns the journal while a run goes on: it records what finished, and looks up what was read.

Both in one thread and in order, because a row must be looked up either before its twin's answer is announced or after it can
be found. Many rows share one transaction: what comes while the disk syncs goes into the next.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from assay.batch.formats import Sink
from assay.batch.journal import Entry, Finished, Journal, Known, Row
from assay.documents import Document
from assay.types import frozen

LINGER = 0.03
"""Seconds to wait for more before a transaction: so much paid work a kill can cost at most, besides what is under way."""


@frozen
class ReadRow:
    """A row that was just read."""

    row: Row
    key: bytes
    source: str | Document
    fault: str
    second: bool = False
    """It failed in an earlier run, and is to be asked of the second model alone."""


Chunk: TypeAlias = Sequence[ReadRow]


class Listener(Protocol):
    """Is told what happened, from the recorder's thread."""

    def looked_up(self, chunk: Chunk, known: Sequence[Known]) -> None: ...
    def recorded(self, entries: Sequence[Entry]) -> None: ...
    def broke(self, error: BaseException) -> None: ...


class Recorder:
    """Records entries and looks up chunks, in the order in which they come."""

    def __init__(self, journal: Journal, sinks: Sequence[Sink], listener: Listener, last: int = -1) -> None:
        self._journal, self._sinks, self._listener = journal, sinks, listener
        self._inbox: queue.SimpleQueue[Entry | Chunk | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="assay-recorder", daemon=True)
        self._called = threading.Event()
        """Something arrived that must not wait."""
        self._last = last
        self.ordered = True
        """Whether the output so far is in the order of the input."""

    def start(self) -> None:
        self._thread.start()

    def record(self, entry: Entry) -> None:
        self._inbox.put(entry)

    def look_up(self, chunk: Chunk) -> None:
        self._inbox.put(chunk)
        self._called.set()

    def close(self) -> None:
        """Record what is waiting and end."""
        self._inbox.put(None)
        self._called.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            while self._round():
                pass
        except Exception as error:  # noqa: BLE001  # the end of a thread: whatever it is, the run must hear of it
            self._listener.broke(error)

    def _round(self) -> bool:
        """Gather what finishes in a moment, look up at once what was read meanwhile, then record."""
        entries: list[Entry] = []
        more = self._take(self._inbox.get(), entries) and self._take_all(entries)
        until = time.monotonic() + LINGER
        while more and entries and (left := until - time.monotonic()) > 0:
            if self._called.wait(left):
                self._called.clear()
                more = self._take_all(entries)
        more = more and self._take_all(entries)
        if entries:
            self._record(entries)
        return more

    def _take_all(self, entries: list[Entry]) -> bool:
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return True
            if not self._take(item, entries):
                return False

    def _take(self, item: Entry | Chunk | None, entries: list[Entry]) -> bool:
        if item is None:
            return False
        if isinstance(item, Entry):
            entries.append(item)
        else:
            self._listener.looked_up(item, self._journal.look_up([(read.row, read.key) for read in item]))
        return True

    def _record(self, entries: list[Entry]) -> None:
        entries.sort(key=lambda entry: entry.row.position)
        finished = self._journal.commit(entries)
        for sink in self._sinks:
            sink.append(finished)
        self._see_order(finished)
        self._listener.recorded(entries)

    def _see_order(self, finished: Sequence[Finished]) -> None:
        self.ordered = self.ordered and finished[0].row.position > self._last
        self._last = max(self._last, finished[-1].row.position)
