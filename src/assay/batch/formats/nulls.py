"""What stands for no value in other libraries' tables."""

from __future__ import annotations


def is_null(value: object) -> bool:
    """None, NaN, NaT, NA: they are not equal to themselves, or do not even say so."""
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124
    except (TypeError, ValueError):  # NA, which is neither equal nor unequal; an array, which is many
        return type(value).__name__ == "NAType"
