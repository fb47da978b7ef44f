"""What was given to a provider's batch API, in the same journal: parcels of rows, and the replies that came back.

A parcel is written down before anything is sent, under a token of its own that goes along as the file's name and the batch's
metadata. So whatever a kill interrupts can be found again at the server.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from assay.batch.journal import Journal

State: TypeAlias = Literal["planned", "uploaded", "created", "fetched"]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS parcels (token TEXT PRIMARY KEY, state TEXT NOT NULL, file TEXT, batch TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS parcel_keys (key BLOB PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS replies (key BLOB PRIMARY KEY, body BLOB NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows that travel together. `file` and `batch` are the server's ids, once it gave them."""

    token: str
    state: State = "planned"
    file: str | None = None
    batch: str | None = None

    @property
    def filename(self) -> str:
        return f"assay-{self.token}.jsonl"


class Parcels:
    """The parcels of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        with journal.transaction() as db:
            for table in _TABLES:
                db.execute(table)

    def under_way(self) -> list[Parcel]:
        """Parcels whose replies have not been fetched."""
        with self._journal.transaction() as db:
            return [Parcel(*row) for row in db.execute("SELECT * FROM parcels WHERE state != 'fetched'")]

    def rows_under_way(self) -> int:
        """Rows that are with the provider."""
        with self._journal.transaction() as db:
            return int(db.execute("SELECT count(*) FROM parcel_keys").fetchone()[0])

    def plan(self, keys: Iterable[bytes]) -> Parcel:
        """Write down a new parcel, before anything of it is sent."""
        parcel = Parcel(secrets.token_hex(12))
        with self._journal.transaction() as db:
            db.execute("INSERT INTO parcels VALUES (?, ?, NULL, NULL)", (parcel.token, parcel.state))
            db.executemany("INSERT OR REPLACE INTO parcel_keys VALUES (?, ?)", [(key, parcel.token) for key in keys])
        return parcel

    def update(self, parcel: Parcel) -> Parcel:
        with self._journal.transaction() as db:
            values = (parcel.state, parcel.file, parcel.batch, parcel.token)
            db.execute("UPDATE parcels SET state = ?, file = ?, batch = ? WHERE token = ?", values)
        return parcel

    def drop(self, parcel: Parcel) -> None:
        """Nothing of it ever reached the server, or nothing more will come back."""
        with self._journal.transaction() as db:
            db.execute("DELETE FROM parcel_keys WHERE token = ?", (parcel.token,))
            db.execute("DELETE FROM parcels WHERE token = ?", (parcel.token,))

    def fetched(self, parcel: Parcel, replies: Iterable[tuple[bytes, bytes]]) -> int:
        """Keep the replies of a parcel, and let go of its rows: those without a reply may be sent again. How many came."""
        with self._journal.transaction() as db:
            mine = {key for (key,) in db.execute("SELECT key FROM parcel_keys WHERE token = ?", (parcel.token,))}
            kept = [(key, body) for key, body in replies if key in mine]
            db.executemany("INSERT OR REPLACE INTO replies VALUES (?, ?)", kept)
            db.execute("DELETE FROM parcel_keys WHERE token = ?", (parcel.token,))
            db.execute("UPDATE parcels SET state = 'fetched' WHERE token = ?", (parcel.token,))
        return len(kept)

    def without_reply(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those of the keys that were neither sent nor answered by the batch API."""
        marks = ",".join("?" * len(keys))
        with self._journal.transaction() as db:
            sent = {key for (key,) in db.execute(f"SELECT key FROM parcel_keys WHERE key IN ({marks})", keys)}  # noqa: S608
            here = {key for (key,) in db.execute(f"SELECT key FROM replies WHERE key IN ({marks})", keys)}  # noqa: S608
        return [key for key in keys if key not in sent and key not in here]

    def reply(self, key: bytes) -> bytes | None:
        with self._journal.transaction() as db:
            found = db.execute("SELECT body FROM replies WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def tidy(self) -> None:
        """Forget the replies that became answers."""
        with self._journal.transaction() as db:
            db.execute("DELETE FROM replies WHERE key IN (SELECT key FROM answers WHERE state != 'again')")
