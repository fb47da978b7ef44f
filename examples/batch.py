"""Many texts in one go: results in input order, a failure is a row and not the end.

For files, a journal that survives a kill, and rate limits, use the command line: `assay batch texts.jsonl -o out.jsonl`.

    python examples/batch.py
"""

from __future__ import annotations

from typing import Literal

from client import MODEL
from pydantic import BaseModel, Field

import assay

MESSAGES = (
    "My order 4471 arrived with a cracked screen, please send a new one.",
    "How do I change the address on my account?",
    "You charged me twice for invoice 2210!",
    "Thanks, the new filter works great.",
)


class Ticket(BaseModel):
    """A customer's message, sorted."""

    topic: Literal["damage", "account", "billing", "praise", "other"]
    urgent: bool
    summary: str = Field(max_length=60)


def main() -> None:
    done = 0
    with assay.Extractor(Ticket, model=MODEL, max_tokens=100) as extractor:
        for message, outcome in zip(MESSAGES, extractor.map(MESSAGES, concurrency=4), strict=True):
            print(message)
            if outcome.ok:
                done += 1
                print(f"  {outcome.unwrap()!r}")
            else:
                print(f"  failed: {outcome.error}")
    print(f"{done} of {len(MESSAGES)} done")


if __name__ == "__main__":
    main()
