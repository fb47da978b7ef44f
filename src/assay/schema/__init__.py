"""Any type or JSON Schema becomes a `Target`; passes, renderings and warnings over its JSON Schema."""

from assay.schema.plain import JSONSchema
from assay.schema.target import Target, target

__all__ = ["JSONSchema", "Target", "target"]
