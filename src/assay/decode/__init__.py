"""Text -> JSON value: found, read leniently, every repair recorded; and partial values of streams."""

from assay.decode.reading import read
from assay.decode.result import Reading

__all__ = ["Reading", "read"]
