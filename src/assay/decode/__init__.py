"""Text -> JSON value: found, read leniently, every repair recorded; and partial values of streams."""

from assay.decode.reading import Reader, has_endless_number, read
from assay.decode.result import Reading
from assay.decode.valid import plain

__all__ = ["Reader", "Reading", "has_endless_number", "plain", "read"]
