"""Values that travel between our own rooms: dataclasses that nobody changes.

The type checker sees to that. Frozen at run time too, they would take four times as long to make, since every assignment is then
looked at, those that make them included; a row of a batch makes some twenty. What users are given is frozen at run time: see
`assay.types`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A dataclass with slots that type checkers take for a frozen one. It can be hashed, compared and copied with changes."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
