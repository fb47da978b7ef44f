"""The journal: an SQLite file beside the output that holds every answer, and says which rows are finished.

The journal is the truth, and the output is a picture of it. An answer is filed under the hash of everything that made it (see
`key_of`), so it is found again however often the input, the schema or the prompt change and change back. A row is in
`rows` if and only if it is finished. Both are written in one transaction, synced to disk, before the output is touched.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from assay.batch.errors import OutputBusy, StorageError
from assay.errors import ConfigurationError
from assay.types import Usage, frozen

State: TypeAlias = Literal["done", "failed", "again", "second"]
"""`again`: failed, and to be asked again; `second`: failed, and to be asked of the second model."""

FORMAT = "1"

PATIENCE = 1.0
"""Seconds to wait for a process that only reads the journal."""

_SIZES = (128, 32, 8, 1)
"""Of inserts: few different ones, so that SQLite keeps their statements ready."""

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, state TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, detail TEXT,
  asks INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost REAL, second TEXT
);
CREATE TABLE IF NOT EXISTS rows (
  position INTEGER PRIMARY KEY, key BLOB NOT NULL, line INTEGER NOT NULL, id TEXT NOT NULL, carried TEXT NOT NULL
);
"""
_ANSWER = """
INSERT INTO answers VALUES {}
ON CONFLICT (key) DO UPDATE SET
  state = excluded.state, kind = excluded.kind, body = excluded.body, detail = excluded.detail,
  second = excluded.second, asks = asks + excluded.asks, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
  completion_tokens = completion_tokens + excluded.completion_tokens,
  cost = CASE
    WHEN cost IS NULL AND prompt_tokens + completion_tokens = 0 THEN excluded.cost
    WHEN excluded.cost IS NULL AND excluded.prompt_tokens + excluded.completion_tokens = 0 THEN cost
    ELSE cost + excluded.cost END
"""
"""Costs add as those of `Usage` do: nothing used costs nothing, and a sum with an unpriced part has no price."""

_ROW = "INSERT OR REPLACE INTO rows VALUES {}"
_FINISHED = """
SELECT r.position, r.line, r.id, r.carried, a.state, a.body, a.detail
FROM rows r JOIN answers a ON a.key = r.key WHERE {} ORDER BY r.position
"""


@frozen
class Row:
    """A row of the input, as the journal keeps it once it is finished. The texts are JSON."""

    position: int
    """Counted from 0: the row's place in the input, and so in the output."""
    line: int
    """Where it stands in the input file, counted from 1: for messages."""
    id: str
    carried: str
    """An object of the other columns."""


@frozen
class Answer:
    """What became of a source. The texts are JSON."""

    state: State
    kind: str
    """`done`, or the kind of failure."""
    body: str
    """The members that every row with this answer has, without braces: `"value":...,"error":...`."""
    detail: str | None = None
    """What the errors file says beyond that, in the same form."""
    asks: int = 0
    """Requests to the model, re-asks included."""
    usage: Usage = field(default_factory=Usage)
    second: str | None = None
    """The fingerprint of the second model, when that failed, too."""


@frozen
class Entry:
    """A row that is finished now; its answer, unless the journal has it already."""

    key: bytes
    row: Row
    answer: Answer | None = None


@frozen
class Finished:
    """A finished row with all that is known of it."""

    row: Row
    ok: bool
    body: str
    detail: str | None


@frozen
class Known:
    """What the journal knows of a row that was just read."""

    finished: bool
    """The row is in the output."""
    answered: bool
    """There is an answer for its source."""
    replaced: bool
    """Its place was another row's, which is no longer finished: the input changed."""
    refreshed: bool = False
    """It is finished, and its name or other columns have changed since."""
    second: bool = False
    """It failed, and is to be asked of the second model."""


def key_of(fingerprint: str, source: str) -> bytes:
    """The key of an answer: a hash over the source and, in `fingerprint`, all else that changes the answer."""
    return hashlib.sha256(f"{fingerprint}\0{source}".encode("utf-8", "surrogatepass")).digest()


class Journal:
    """One journal file, opened for this process alone. Threads may share it.

    Raises `OutputBusy` when another process has it, `StorageError` when the disk fails or is full.
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._has_second = False
        _make(path, mode)
        try:
            self._db = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except sqlite3.Error as error:
            raise StorageError(f"{path} cannot be opened: {error}") from None
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with self._guarded():
            # Exclusive: the lock is held until the file is closed or the process dies, however it dies.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._check()
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TABLES)
        if self.fact("format", FORMAT) != FORMAT:
            raise ConfigurationError(
                f"{self.path} was written by another version of assay: move it away, and the output with it"
            )
        self.remember(format=FORMAT)

    def _check(self) -> None:
        """Raise `ConfigurationError` for another program's database, before changing anything in it."""
        found = list(self._db.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view', 'trigger')"))
        tables = {name for kind, name in found if kind == "table"}
        # A view or a trigger is no table of ours: in a journal from elsewhere it may do whatever its maker wants.
        if found and (len(tables) < len(found) or not tables >= {"facts", "answers", "rows"}):
            raise ConfigurationError(f"{self.path} is not a journal of assay but another database: move it away")

    # -- while it runs -------------------------------------------------------------------------------------------------

    def look_up(self, rows: Sequence[tuple[Row, bytes]]) -> list[Known]:
        """What is known of rows that were just read, with their keys, in the order of their positions.

        Of a finished one the name and the other columns are kept as they are now.
        """
        if not rows:
            return []
        span = (rows[0][0].position, rows[-1][0].position)
        answered = self.answered([key for _, key in rows])
        with self._guarded():
            there = {
                row[0]: row
                for row in self._db.execute(
                    "SELECT position, key, line, id, carried FROM rows WHERE position BETWEEN ? AND ?", span
                )
            }
            second = self._of_second([key for _, key in rows])
            known = [_known(row, key, there.get(row.position), key in answered, key in second) for row, key in rows]
            if any(what.replaced or what.refreshed for what in known):
                self._renew(rows, known)
        return known

    def _renew(self, rows: Sequence[tuple[Row, bytes]], known: Sequence[Known]) -> None:
        pairs = list(zip(rows, known, strict=True))
        with self.transaction() as db:
            gone = [(row.position,) for (row, _), what in pairs if what.replaced]
            db.executemany("DELETE FROM rows WHERE position = ?", gone)
            fresh = [_row(Entry(key, row)) for (row, key), what in pairs if what.refreshed]
            db.executemany(_ROW.format("(?, ?, ?, ?, ?)"), fresh)

    def answered(self, keys: Sequence[bytes]) -> set[bytes]:
        """The keys that have an answer."""
        query = f"SELECT key FROM answers WHERE state IN ('done', 'failed') AND key IN ({','.join('?' * len(keys))})"  # noqa: S608
        with self._guarded():
            return {key for (key,) in self._db.execute(query, keys)}

    def _of_second(self, keys: Sequence[bytes]) -> set[bytes]:
        if not self._has_second:
            return set()
        query = f"SELECT key FROM answers WHERE state = 'second' AND key IN ({','.join('?' * len(keys))})"  # noqa: S608
        return {key for (key,) in self._db.execute(query, keys)}

    def commit(self, entries: Sequence[Entry]) -> list[Finished]:
        """Record finished rows, all or none, and return them as they go into the output."""
        with self.transaction() as db:
            _insert(db, _ANSWER, [_answer(entry.key, entry.answer) for entry in entries if entry.answer is not None])
            _insert(db, _ROW, [_row(entry) for entry in entries])
        return [self._finished(entry) for entry in entries]

    def _finished(self, entry: Entry) -> Finished:
        answer = entry.answer
        if answer is not None:
            return Finished(entry.row, answer.state == "done", answer.body, answer.detail)
        with self._guarded():
            state, body, detail = self._db.execute(
                "SELECT state, body, detail FROM answers WHERE key = ?", (entry.key,)
            ).fetchone()
        return Finished(entry.row, state == "done", body, detail)

    # -- between runs --------------------------------------------------------------------------------------------------

    def finished(self, *, failed_only: bool = False) -> Iterator[Finished]:
        """All finished rows in the order of the input."""
        with self._guarded():
            wanted = self._db.execute(
                _FINISHED.format("a.state = 'failed'" if failed_only else "a.state IN ('done', 'failed')")
            )
            for position, line, id_, carried, state, body, detail in wanted:
                yield Finished(Row(position, line, id_, carried), state == "done", body, detail)

    def ask_failed_again(self, kinds: Sequence[str] | None = None) -> int:
        """Take the failed rows out of the finished ones, all or those of these kinds of failure; how many there were."""
        wanted = "" if kinds is None else f"AND kind IN ({','.join('?' * len(kinds))})"
        with self.transaction() as db:
            db.execute(
                f"UPDATE answers SET state = 'again' WHERE state = 'failed' AND key IN (SELECT key FROM rows) {wanted}",  # noqa: S608
                tuple(kinds or ()),
            )
            return db.execute("DELETE FROM rows WHERE key IN (SELECT key FROM answers WHERE state = 'again')").rowcount

    def offer_second(self, fingerprint: str | None) -> int:
        """Take out of the finished rows those that failed and were not asked of this second model yet; how many there are.

        None: there is no second model, and what was meant for one has failed.
        """
        with self.transaction() as db:
            db.execute("UPDATE answers SET state = 'failed' WHERE state = 'second'")
            if fingerprint is None:
                return 0
            db.execute(
                "UPDATE answers SET state = 'second' WHERE state = 'failed' AND kind != 'input' AND key IN (SELECT key FROM rows) "
                "AND (second IS NULL OR second != ?)",
                (fingerprint,),
            )
            self._has_second = True
            return db.execute("DELETE FROM rows WHERE key IN (SELECT key FROM answers WHERE state = 'second')").rowcount

    def forget_rows(self, since: int = 0) -> int:
        """Rows from this position on are no longer in the input. Their answers are kept."""
        with self.transaction() as db:
            return db.execute("DELETE FROM rows WHERE position >= ?", (since,)).rowcount

    def last(self) -> int:
        """The position of the last finished row; -1 when there is none."""
        with self._guarded():
            found = self._db.execute("SELECT max(position) FROM rows").fetchone()[0]
        return -1 if found is None else int(found)

    def fact(self, name: str, default: str = "") -> str:
        with self._guarded():
            found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return default if found is None else str(found[0])

    def remember(self, **facts: str) -> None:
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    # -- sums ------------------------------------------------------------------------------------------------------------

    def count(self) -> Mapping[str, int]:
        """Finished rows by kind: `done`, and the kinds of failure."""
        return self._pairs("SELECT a.kind, count(*) FROM rows r JOIN answers a ON a.key = r.key GROUP BY 1 ORDER BY 2 DESC")

    def stored(self) -> int:
        """Good answers, also those that no row of the present input or settings has."""
        with self._guarded():
            return int(self._db.execute("SELECT count(*) FROM answers WHERE state = 'done'").fetchone()[0])

    def repairs(self) -> Mapping[str, int]:
        """Repairs in the finished rows, by kind."""
        return self._pairs(
            "SELECT json_extract(m.value, '$.kind'), count(*) FROM rows r JOIN answers a ON a.key = r.key, "
            "json_each('{' || a.body || '}', '$.repairs') m WHERE a.body NOT LIKE '%\"repairs\":[]%' GROUP BY 1 ORDER BY 2 DESC"
        )

    def spent(self) -> tuple[int, Usage]:
        """Over all answers ever recorded: how many were asked for, and their usage, failed attempts included."""
        with self._guarded():
            asked, prompt, completion, cost, unpriced = self._db.execute(
                "SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost), "
                "count(iif(cost IS NULL AND prompt_tokens + completion_tokens > 0, 1, NULL)) FROM answers WHERE asks > 0"
            ).fetchone()
        prompt, completion = prompt or 0, completion or 0
        return asked, Usage(prompt, completion, total_tokens=prompt + completion, cost=None if unpriced else cost)

    def means(self) -> tuple[int, float, float]:
        """How many answers were asked for, and their mean prompt and completion tokens."""
        asked, usage = self.spent()
        return asked, usage.prompt_tokens / max(1, asked), usage.completion_tokens / max(1, asked)

    def _pairs(self, query: str) -> Mapping[str, int]:
        with self._guarded():
            return dict(self._db.execute(query).fetchall())

    # -- life ------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """When this ends, all of it is on the disk, or nothing."""
        with self._guarded():
            self._db.execute("BEGIN")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def read_by_us(self) -> Iterator[None]:
        """For what reads a journal from elsewhere: whatever is wrong with what it holds is a `ConfigurationError`."""
        try:
            yield
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            IndexError,
            OverflowError,
            RecursionError,
            StorageError,
        ) as error:
            if isinstance(error, ConfigurationError):
                raise
            why = f"{type(error).__name__}: {error}"[:200]
            raise ConfigurationError(f"{self.path} is not a journal of assay, or is damaged ({why})") from None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise _said(self.path, error) from None
            except UnicodeDecodeError as error:
                raise ConfigurationError(
                    f"{self.path} is not a journal of assay, or is damaged ({error}): move it away"
                ) from None


def _make(path: Path, mode: int) -> None:
    """Make the file: SQLite would let everybody read it, and would follow a link."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigurationError(f"{path} is a link, or not a regular file: a run keeps its journal in a file of its own")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    except FileExistsError:
        pass
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror}") from None


def _known(row: Row, key: bytes, there: tuple[Any, ...] | None, answered: bool, second: bool) -> Known:  # noqa: FBT001  # a column of the table that this fills
    same = there is not None and there[1] == key
    refreshed = same and answered and there[2:] != (row.line, row.id, row.carried)  # type: ignore[index]  # same: it is there
    return Known(same and answered, answered, there is not None and not same, refreshed, second)


def _insert(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert many rows with few statements: each one costs this thread its turn, which a busy one gives back late."""
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            marks = ",".join([f"({','.join('?' * len(rows[0]))})"] * size)
            db.execute(statement.format(marks), [value for row in rows[at : at + size] for value in row])
            at += size


def _answer(key: bytes, answer: Answer) -> tuple[object, ...]:
    usage = answer.usage
    tokens = (usage.prompt_tokens, usage.completion_tokens, usage.cost)
    return (key, answer.state, answer.kind, answer.body, answer.detail, answer.asks, *tokens, answer.second)


def _row(entry: Entry) -> tuple[object, ...]:
    row = entry.row
    return (row.position, entry.key, row.line, row.id, row.carried)


def _said(path: Path, error: sqlite3.Error) -> Exception:
    """SQLite's error in the words of this room."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutputBusy(f"{path} is in use by another run: wait until it ends, or write to another output")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return ConfigurationError(f"{path} is not a journal of assay, or is damaged ({error}): move it away to start over")
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"{path} cannot be written: the disk is full")
    return StorageError(f"{path} cannot be written: {error}")


def lines(rows: Iterable[Finished]) -> Iterator[str]:
    """The rows as JSON Lines: what the JSONL output holds."""
    for finished in rows:
        row = finished.row
        carried = "" if row.carried == "{}" else f",{row.carried[1:-1]}"
        yield f'{{"id":{row.id},{finished.body}{carried}}}\n'
