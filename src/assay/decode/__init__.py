"""Text -> JSON value: found, read leniently, every repair recorded; and partial values of streams."""

from assay.decode.reading import Reading, read

__all__ = ["Reading", "read"]
