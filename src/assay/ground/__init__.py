"""Where the values of an answer stand in its source."""

from assay.ground.find import locate

__all__ = ["locate"]
