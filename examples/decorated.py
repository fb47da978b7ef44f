"""Settings that ride on the class: the decorator, and the base class that type checkers understand best.

python examples/decorated.py
"""

from __future__ import annotations

from datetime import date

from client import MODEL
from pydantic import BaseModel, Field

import assay

TEXT = "Please come to the board meeting on 2026-03-12 in Oslo. Agenda: budget, hiring."

EXAMPLE = (
    "The choir meets on 2025-11-03 in Lund to talk about the concert.",
    {"topic": "choir meeting", "day": "2025-11-03", "city": "Lund"},
)


@assay.extractable(model=MODEL, instructions="Dates are written YYYY-MM-DD.", examples=[EXAMPLE], retries=2, max_tokens=150)
class Meeting(BaseModel):
    """A meeting that a message announces."""

    topic: str
    day: date | None = None
    city: str | None = None


class Agenda(assay.Extractable):
    """What a meeting is about."""

    points: list[str] = Field(min_length=1, max_length=5)


def main() -> None:
    meeting = assay.extract(Meeting, TEXT)
    print(f"{meeting.topic}, {meeting.day}, {meeting.city}")
    for point in Agenda.extract(TEXT, model=MODEL, examples=[(EXAMPLE[0], {"points": ["the concert"]})], max_tokens=100).points:
        print(f"  - {point}")


if __name__ == "__main__":
    main()
