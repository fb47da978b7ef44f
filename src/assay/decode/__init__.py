"""Text -> JSON value: found, read leniently, every repair recorded; coerced to a schema; and partial values of streams."""

from assay.decode.coerce import Coerced, Coercer, coerce
from assay.decode.reading import read
from assay.decode.result import Reading

__all__ = ["Coerced", "Coercer", "Reading", "coerce", "read"]
