"""A deeply nested product: variants, rated reviews, and a manufacturer whose details are text or contact data.

python examples/nested_product.py
"""

from __future__ import annotations

from client import MODEL
from pydantic import BaseModel, Field

import assay

TEXT = """\
The Halden desk lamp is made by Nordlys AS of Bergen (help@nordlys.example, +47 55 01 02 03).
It comes in white for 59 EUR and in black for 64 EUR.
Mia gives it 5 stars: "warm light, steady arm". Tom gives it 2: "the switch sticks"."""

EXAMPLE = (
    'The Fjell mug by Kopp of Oslo (hi@kopp.example), blue, 12 EUR. Ann gives it 4 stars: "sturdy".',
    {
        "name": "Fjell mug",
        "variants": [{"colour": "blue", "price": 12}],
        "reviews": [{"author": "Ann", "rating": 4, "comment": "sturdy"}],
        "manufacturer": {"name": "Kopp", "city": "Oslo", "contact": {"email": "hi@kopp.example"}},
    },
)


class Variant(BaseModel):
    colour: str = Field(max_length=30)
    price: float = Field(ge=0, le=10_000)


class Review(BaseModel):
    author: str = Field(max_length=30)
    rating: int = Field(ge=1, le=5)
    comment: str | None = Field(default=None, max_length=80)


class ContactInfo(BaseModel):
    email: str | None = Field(default=None, max_length=60)
    phone: str | None = Field(default=None, max_length=30)


class Product(BaseModel):
    """A product with all that belongs to it."""

    name: str = Field(max_length=60)
    variants: list[Variant] = Field(max_length=4)
    reviews: list[Review] = Field(max_length=4)
    manufacturer: dict[str, str | ContactInfo] = Field(
        max_length=4, description='the maker: "name" and "city" are text, "contact" is an object'
    )


def main() -> None:
    product = assay.extract(Product, TEXT, model=MODEL, examples=[EXAMPLE], max_tokens=500)
    print(product.name)
    for variant in product.variants:
        print(f"  {variant.colour:<12} {variant.price:8.2f}")
    for review in product.reviews:
        print(f"  {'*' * review.rating:<5} {review.author}: {review.comment}")
    for key, value in product.manufacturer.items():
        print(f"  {key}: {value.email or value.phone if isinstance(value, ContactInfo) else value}")


if __name__ == "__main__":
    main()
