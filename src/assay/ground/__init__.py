"""Where the values of an answer stand in its source, by letters or by meaning, and which stand nowhere."""

from assay.ground.evidence import Evidence

__all__ = ["Evidence"]
