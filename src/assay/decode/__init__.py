"""Text -> JSON value: found, read leniently, every repair recorded; and partial values of streams."""

from assay.decode.reading import Reader, read
from assay.decode.result import Reading
from assay.decode.valid import plain

__all__ = ["Reader", "Reading", "plain", "read"]
