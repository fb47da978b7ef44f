"""JSON Schemas as the user gives them: a dict, or a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from assay.errors import SchemaError
from assay.types import JSON, JSONObject


@dataclass(frozen=True)
class JSONSchema:
    """A JSON Schema as a target: a dict, or the path of a file that holds one. `name` is what the server sees."""

    source: JSONObject | Path
    name: str | None = None

    @cached_property
    def schema(self) -> JSONObject:
        """The schema itself. A file that is missing or holds something else is a `SchemaError`."""
        schema = _read(self.source) if isinstance(self.source, Path) else self.source
        if not isinstance(schema, dict):
            raise SchemaError(f"{self._called}: a JSON Schema must be an object, not {type(schema).__name__}")
        return schema

    @property
    def title(self) -> str:
        stem = self.source.stem if isinstance(self.source, Path) else "value"
        return self.name or str(self.schema.get("title") or stem)

    @property
    def _called(self) -> str:
        return str(self.source) if isinstance(self.source, Path) else (self.name or "the schema")


def _read(path: Path) -> JSON:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SchemaError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON: {error}") from error
