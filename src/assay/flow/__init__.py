"""Decisions as generators that yield effects, and the drivers that perform them."""
