"""Sentiment of a review, with the phrases that show it and a confidence.

python examples/sentiment.py
"""

from __future__ import annotations

from typing import Literal

from client import MODEL
from pydantic import BaseModel, Field

import assay

REVIEW = """\
The kettle boils fast and looks lovely on the counter. But the lid broke after two weeks, and nobody answered
my emails. I would not buy it again."""

EXAMPLE = (
    "Soft, warm socks, and they came a day early.",
    {"sentiment": "positive", "confidence": 0.95, "key_phrases": ["Soft, warm socks", "came a day early"]},
)


class Sentiment(BaseModel):
    """What a review says about the thing reviewed."""

    sentiment: Literal["positive", "negative", "mixed", "neutral"]
    confidence: float = Field(ge=0, le=1, description="0 is a guess, 1 is certain")
    key_phrases: list[str] = Field(max_length=4, description="phrases copied from the review")


def main() -> None:
    review = assay.extract(
        Sentiment, REVIEW, model=MODEL, instructions="Judge the review as a whole.", examples=[EXAMPLE], max_tokens=200
    )
    print(f"{review.sentiment} ({review.confidence:.0%} sure)")
    for phrase in review.key_phrases:
        print(f"  - {phrase!r}{'' if phrase in REVIEW else '  (not in the review: the model made it up)'}")


if __name__ == "__main__":
    main()
