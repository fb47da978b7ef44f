"""Documents that are longer than a model can read at once: cut into pieces, asked side by side, merged without a model.

cut        pieces with their offsets          tolerant   the schema that a piece is asked with
merge      one value out of many, by type     seen       which items of two pieces are the same
room       how long a piece may be            flow       what to ask next, until there is one outcome
"""

from assay.split.flow import Ask, Splitting
from assay.split.room import Room

__all__ = ["Ask", "Room", "Splitting"]
