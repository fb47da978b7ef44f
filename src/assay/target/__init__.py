"""Any type, or a JSON Schema, becomes a `Target`: its name, its JSON Schema, and the check of a value."""

from assay.target.build import Target, target
from assay.target.json_schema import JSONSchema

__all__ = ["JSONSchema", "Target", "target"]
