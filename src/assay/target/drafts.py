"""JSON Schemas as targets: checked by jsonschema, in the draft that the schema names.

jsonschema is imported only when a target is a JSON Schema: that takes longer than importing all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from assay.data.pointer import join, look, split
from assay.errors import SchemaError
from assay.schema.keywords import references, walk
from assay.schema.passes import reached
from assay.target.problems import Invalid
from assay.target.violations import from_jsonschema
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """The checker of a JSON Schema."""

    validator: Validator
    schema: JSONObject

    def parse(self, text: str, context: Any) -> JSON:  # noqa: ARG002  # a schema has no use for it
        try:
            data = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise Invalid from error
        if not self.validator.is_valid(data):
            raise Invalid
        return data

    def validate(self, data: JSON, text: bytes, *, strict: bool, context: Any) -> JSON:  # noqa: ARG002  # always exact
        problems = from_jsonschema(self.validator.iter_errors(data), self.schema)
        if problems:
            raise Invalid(problems)
        return data

    def dump(self, value: Any) -> JSON:
        return value


def build(schema: JSONObject, name: str) -> Plain:
    """A checker for a schema; `SchemaError` says where the schema is none, or refers to what is not in it."""
    from jsonschema import exceptions  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415

    draft = _draft(schema)
    if draft is None:
        raise SchemaError(f"{name}: no JSON Schema draft is known as {schema['$schema']!r}", path="/$schema")
    try:
        draft.check_schema(schema)
    except exceptions.SchemaError as error:
        path = join(tuple(error.absolute_path))
        raise SchemaError(f"{name} is not a JSON Schema: at {path or 'its root'}: {error.message}", path=path) from error
    _check_references(draft, schema, name)
    _check_ends(schema, name)
    # A registry of its own fetches nothing: what a schema refers to has to be in it.
    return Plain(draft(schema, registry=EMPTY_REGISTRY, format_checker=draft.FORMAT_CHECKER), schema)


def _draft(schema: JSONObject) -> type[Validator] | None:
    """The draft that the schema names, 2020-12 when it names none; None when no such draft is known."""
    from jsonschema import validators  # noqa: PLC0415

    newest = validators.Draft202012Validator
    found = validators.validator_for(schema, default=newest)
    unknown = found is newest and str(schema.get("$schema", _NEWEST)).rstrip("#") != _NEWEST
    return None if unknown else found


_NEWEST = "https://json-schema.org/draft/2020-12/schema"


def _check_references(draft: type[Validator], schema: JSONObject, name: str) -> None:
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY, specification_with  # noqa: PLC0415

    resource = specification_with(str(draft.META_SCHEMA["$schema"])).create_resource(schema)
    resolver = EMPTY_REGISTRY.resolver_with_root(resource)
    # References within an embedded schema count from its own $id: those are left to the validator.
    embedded = [way for way, part in walk(schema) if way and "$id" in part]
    for way, reference in references(schema):
        if any(way[: len(inner)] == inner for inner in embedded):
            continue
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            path = join((*way, "$ref"))
            hint = "no schema is fetched from elsewhere: put it under $defs" if "://" in reference else "there is no such place"
            raise SchemaError(f"{name}: {path} refers to {reference!r}: {hint}", path=path) from error


def _check_ends(schema: JSONObject, name: str) -> None:
    """Refuse a reference that leads back to itself within one value: checking it would never end."""
    refs = {ref: join((*way, "$ref")) for way, ref in references(schema) if ref.startswith("#")}
    leads = {ref: set(_onward(look(schema, split(ref[1:])))) for ref in refs}
    for ref, path in refs.items():
        if ref in reached(ref, leads):
            raise SchemaError(f"{name}: {path} refers to {ref!r}, which leads back to itself without end", path=path)


def _onward(part: JSON) -> Iterator[str]:
    """Where a schema refers to for the same value."""
    if not isinstance(part, dict):
        return
    if "$ref" in part:
        yield part["$ref"]
    for option in (option for key in ("anyOf", "oneOf", "allOf") for option in part.get(key, ())):
        yield from _onward(option)
    for key in ("not", "if", "then", "else"):
        yield from _onward(part.get(key))
