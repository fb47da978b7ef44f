"""JSON Schemas as targets: their data is plain JSON, checked by jsonschema in the draft that the schema names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from assay.errors import SchemaError
from assay.pointer import join, subschemas
from assay.problems import Invalid, from_jsonschema
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


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
            raise SchemaError(f"{self._called}: a JSON Schema is an object, not {type(schema).__name__}")
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
        raise SchemaError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SchemaError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except ValueError as error:
        raise SchemaError(f"{path}: is not JSON: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """The checker of a JSON Schema."""

    validator: Validator
    schema: JSONObject

    def parse(self, text: str, context: Any) -> JSON:
        try:
            data = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise Invalid from error
        if not self.validator.is_valid(data):
            raise Invalid
        return data

    def validate(self, data: JSON, *, strict: bool, context: Any) -> JSON:
        problems = from_jsonschema(self.validator.iter_errors(data), self.schema)
        if problems:
            raise Invalid(problems)
        return data

    def dump(self, value: Any) -> JSON:
        return value


def build(schema: JSONObject, name: str) -> Plain:
    """A checker for a schema; `SchemaError` says where the schema is none, or refers to what is not in it."""
    from jsonschema import exceptions, validators  # noqa: PLC0415  # 40 ms that most users never need
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415

    draft = validators.validator_for(schema, default=None if "$schema" in schema else validators.Draft202012Validator)
    if draft is None:
        raise SchemaError(f"{name}: no JSON Schema draft is known as {schema['$schema']!r}", path="/$schema")
    try:
        draft.check_schema(schema)
    except exceptions.SchemaError as error:
        path = join(tuple(error.absolute_path))
        raise SchemaError(f"{name} is not a JSON Schema: at {path or 'its root'}: {error.message}", path=path) from error
    # A registry of its own fetches nothing: what a schema refers to has to be in it, or be a draft itself.
    validator = draft(schema, registry=REGISTRY, format_checker=draft.FORMAT_CHECKER)
    _check_references(validator, schema, name)
    return Plain(validator, schema)


def _check_references(validator: Validator, schema: JSONObject, name: str) -> None:
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import specification_with  # noqa: PLC0415

    draft = specification_with(str(validator.META_SCHEMA["$schema"]))
    resolver = REGISTRY.resolver_with_root(draft.create_resource(schema))
    for way, part in subschemas(schema):
        reference = part.get("$ref")
        if not isinstance(reference, str):
            continue
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            path = join((*way, "$ref"))
            hint = "no schema is fetched from elsewhere: put it under $defs" if "://" in reference else "there is no such place"
            raise SchemaError(f"{name}: {path} refers to {reference!r}: {hint}", path=path) from error
