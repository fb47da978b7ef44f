"""The result of reading a text."""

from __future__ import annotations

from dataclasses import dataclass

from assay.types import JSON, Repair


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, as JSON data, and the repairs that were needed to read it."""

    value: JSON
    repairs: tuple[Repair, ...] = ()
    truncated: bool = False
    """The text ends before the value does: what is missing was not made up, and the last scalar may be cut."""
    candidates: tuple[JSON, ...] = ()
    """All values that stand in the text, the chosen one among them, in the order of the text."""
