"""Partial values of a reply while it still comes."""

from assay.streaming.partial import Partial, View

__all__ = ["Partial", "View"]
