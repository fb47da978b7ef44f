"""One step of a data pipeline: rows in, rows with typed columns out, into a database.

`enrich` is plain Python over any iterable of rows, so it fits a script, a scheduler's task or a data frame's records.

    python examples/pipeline.py
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from client import MODEL
from pydantic import BaseModel

import assay

ADS = """\
id,ad
a1,"Two-room flat in Leiden, 58 m2, third floor with balcony, 1250 a month."
a2,"Cosy studio near the station in Ghent. 31 m2. Rent 690."
a3,"Family house in Turku, 124 m2, large garden, 1900 per month."
"""


class Flat(BaseModel):
    """A home that an advertisement offers."""

    city: str | None
    square_metres: int | None
    rent: int | None


def enrich(rows: Iterable[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Each row with the columns of `Flat`, or with the reason why it has none."""
    kept = list(rows)
    with assay.Extractor(Flat, model=MODEL, max_tokens=80) as extractor:
        for row, outcome in zip(kept, extractor.map(row["ad"] for row in kept), strict=True):
            columns = outcome.unwrap().model_dump() if outcome.ok else dict.fromkeys(Flat.model_fields)
            yield {**row, **columns, "error": None if outcome.ok else str(outcome.error)}


def main() -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table flats (id, ad, city, square_metres, rent, error)")
        rows = enrich(csv.DictReader(io.StringIO(ADS)))
        database.executemany("insert into flats values (:id, :ad, :city, :square_metres, :rent, :error)", rows)
        for found in database.execute("select id, city, square_metres, rent, error from flats"):
            print(found)
    database.close()


if __name__ == "__main__":
    main()
