"""A product catalogue entry, checked field by field against the text it was read from.

A validated value has the right shape. Whether a value is *in the text* is another question: `Outcome.spans` answers it.

    python examples/catalogue.py
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from client import MODEL
from pydantic import BaseModel, ConfigDict, Field

import assay

TEXT = """\
Trailhead 35 daypack, article TH-3504. Recycled nylon, 35 litres, 980 g. Colours: moss, slate.
Price 129.90 EUR. In stock."""

EXAMPLE = (
    "Fjell 2 mug, article MG-0002, enamel, 250 g, blue. 14.50 GBP. Sold out.",
    {
        "sku": "MG-0002",
        "name": "Fjell 2 mug",
        "price": "14.50",
        "currency": "GBP",
        "weight_g": 250,
        "colours": ["blue"],
        "in_stock": False,
    },
)


class CatalogueEntry(BaseModel):
    """One product as it stands in the catalogue."""

    model_config = ConfigDict(extra="forbid")

    sku: str = Field(pattern=r"^[A-Z]{2}-[0-9]{4}$", description="the article number")
    name: str = Field(min_length=3, max_length=60)
    price: Decimal = Field(gt=0, max_digits=8, decimal_places=2)
    currency: Literal["EUR", "USD", "GBP"]
    weight_g: int | None = Field(default=None, gt=0, description="weight in grams")
    colours: list[str] = Field(max_length=6)
    in_stock: bool


def main() -> None:
    with assay.Extractor(CatalogueEntry, model=MODEL, examples=[EXAMPLE], max_tokens=300) as extractor:
        outcome = extractor.run(TEXT)
    entry = outcome.unwrap()
    found = {span.path: TEXT[span.start : span.end] for span in outcome.spans}
    for field, value in entry.model_dump(mode="json").items():
        places = [text for path, text in found.items() if path.split("/")[1] == field]
        print(f"  {field:<10} {value!s:<28} {'in the text: ' + ', '.join(places) if places else 'not in the text as it is'}")
    print(f"valid after {len(outcome.attempts)} attempt(s), {outcome.usage.total_tokens} tokens")


if __name__ == "__main__":
    main()
