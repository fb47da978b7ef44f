"""The thread that reads the input, as far ahead as it is allowed to and no further."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice

from assay.batch import rows
from assay.batch.formats import Record
from assay.batch.journal import key_of
from assay.batch.layout import Layout
from assay.batch.recorder import Chunk, ReadRow

CHUNK = 64
"""Rows that are handed on together; the first chunks are smaller, so that the first row is asked at once."""


class Feed:
    """Reads records, makes rows of them and hands them on in chunks.

    `ahead` bounds the rows that were read and are not done with: `allow` says how many more may come.
    """

    def __init__(
        self,
        records: Generator[Record, None, None],
        fingerprint: str,
        layout: Layout,
        *,
        ahead: int,
        take: Callable[[Chunk], None],
        ended: Callable[[int, Exception | None], None],
    ) -> None:
        self._records, self._fingerprint, self._layout = records, fingerprint, layout
        self._take, self._ended = take, ended
        self._room = ahead
        self._stopped = False
        self._changed = threading.Condition()
        # A daemon: a read from a terminal or a pipe cannot be interrupted, and must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="assay-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def allow(self, rows: int) -> None:
        with self._changed:
            self._room += rows
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _work(self) -> None:
        position, size = 0, 1
        try:
            with closing(self._records):
                while self._may_read(size) and (chunk := self._read(position, size)):
                    position += len(chunk)
                    self._take(chunk)
                    self.allow(size - len(chunk))
                    size = min(CHUNK, size * 2)
        except Exception as error:  # noqa: BLE001  # whatever a user's iterable raises ends the run, not this thread alone
            self._ended(position, error)
        else:
            self._ended(position, None)

    def _may_read(self, size: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._room >= size or self._stopped)
            self._room -= size
            return not self._stopped

    def _read(self, position: int, size: int) -> Chunk:
        return [self._row(at, record) for at, record in enumerate(islice(self._records, size), position)]

    def _row(self, position: int, record: Record) -> ReadRow:
        try:
            return self._made(position, record)
        except Exception as error:  # noqa: BLE001  # a value that cannot be kept, whatever it is, is its row's failure
            why = f"line {record.line}: it cannot be written: {error}"
            return self._made(position, Record(record.line, None, f"\0{why}\0{record.text}", fault=why))

    def _made(self, position: int, record: Record) -> ReadRow:
        self._layout.see(record)
        return ReadRow(rows.row(position, record), key_of(self._fingerprint, record.text), record.source, record.fault)
