"""A recipe: nested models, lists of them, and numbers. A worked example shows a small model what is meant.

python examples/recipe.py
assay extract --schema examples/recipe.py:Recipe my-recipe.txt
"""

from __future__ import annotations

from client import MODEL
from pydantic import BaseModel, Field

import assay

TEXT = """\
Lentil soup for four. Soften one chopped onion in 2 tablespoons of olive oil, add 250 g red lentils and
1 litre of vegetable stock, and simmer for 25 minutes. Blend it, season with salt, and serve hot."""

EXAMPLE = (
    "Cocoa for two: heat 400 ml of milk, stir in 2 spoons of cocoa, 5 minutes.",
    {
        "title": "Cocoa",
        "servings": 2,
        "minutes": 5,
        "ingredients": [
            {"name": "milk", "quantity": 400, "unit": "ml"},
            {"name": "cocoa", "quantity": 2, "unit": "spoons"},
        ],
        "steps": ["Heat the milk", "Stir in the cocoa"],
    },
)


class Ingredient(BaseModel):
    name: str
    quantity: float | None = Field(default=None, description="null when the text gives none")
    unit: str | None = None


class Recipe(BaseModel):
    """A dish and how to make it."""

    title: str
    servings: int | None = Field(default=None, ge=1, le=50)
    minutes: int | None = Field(default=None, ge=0, le=1440, description="cooking time")
    ingredients: list[Ingredient] = Field(min_length=1, max_length=8)
    steps: list[str] = Field(min_length=1, max_length=6, description="one action each, in order")


def main() -> None:
    recipe = assay.extract(Recipe, TEXT, model=MODEL, examples=[EXAMPLE], max_tokens=500)
    print(f"{recipe.title}, for {recipe.servings}, {recipe.minutes} minutes")
    for ingredient in recipe.ingredients:
        amount = " ".join(str(part) for part in (ingredient.quantity, ingredient.unit) if part is not None)
        print(f"  {amount:>18}  {ingredient.name}")
    for number, step in enumerate(recipe.steps, 1):
        print(f"  {number}. {step}")


if __name__ == "__main__":
    main()
