"""JSON Schemas as targets: checked by jsonschema, in the draft that the schema names.

This module, and jsonschema with it, is imported only when a target is a JSON Schema: that takes longer than importing everything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import exceptions, validators
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types
from pydantic_core import from_json

from assay.data.pointer import join
from assay.errors import SchemaError
from assay.schema.normal import measured, normal
from assay.schema.upgrade import NEWEST
from assay.schema.words import wanted
from assay.target.bounds import Endless, bounded
from assay.target.problems import Invalid
from assay.target.references import resolved
from assay.target.violations import from_jsonschema
from assay.target.vocabulary import checking
from assay.target.wrap import wrapped_schema, wrapper_for
from assay.types import JSON, JSONObject, Problem

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """The checker of a JSON Schema: by the schema as it was given, in words of its plain form."""

    validator: Validator
    schema: JSONObject
    """The plain form, of the wrapped value where there is a wrapper."""
    wrapper: str | None = None

    def parse(self, text: str, context: Any) -> JSON:  # noqa: ARG002  # a schema has no use for it
        try:
            data = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise Invalid from error
        if self._problems(data, len(text), quick=True):
            raise Invalid
        return data

    def validate(self, data: JSON, text: bytes, *, strict: bool, context: Any) -> JSON:  # noqa: ARG002  # always exact
        if problems := self._problems(data, len(text)):
            raise Invalid(problems)
        return data

    def dump(self, value: Any) -> JSON:
        return value

    def _problems(self, data: JSON, length: int, *, quick: bool = False) -> tuple[Problem, ...]:
        """What is wrong; `quick`: only whether something is."""
        if self.wrapper is not None and (wrong := _unwrapped(data, self.wrapper, self.schema)):
            return wrong
        bare = data if self.wrapper is None else data[self.wrapper]
        way = () if self.wrapper is None else (self.wrapper,)
        try:
            with bounded(length):
                if quick:
                    return () if self.validator.is_valid(bare) else (Problem("", None, "", "value"),)
                return from_jsonschema(self.validator.iter_errors(bare), data, self.schema, way)
        except Endless as endless:
            return (Problem(join(way), None, f"another value: {endless}", "value"),)


def _unwrapped(data: JSON, wrapper: str, schema: JSONObject) -> tuple[Problem, ...]:
    """What is wrong with the object around a value."""
    if not isinstance(data, dict):
        return (Problem("", data, wanted(schema, schema), "type"),)
    extra = tuple(Problem(join((key,)), value, "no such key", "extra") for key, value in data.items() if key != wrapper)
    if wrapper not in data:
        return (Problem(join((wrapper,)), None, wanted(schema["properties"][wrapper], schema), "missing"), *extra)
    return extra


def build(schema: JSONObject, name: str) -> Plain:
    """A checker for a schema. Raises `SchemaError` with the place where the schema is not valid, or refers to something that is not in it."""
    measured(schema)
    draft = _draft(schema, name)
    # Else jsonschema would go on without our keywords where a reference leads back to the root.
    schema = {key: value for key, value in schema.items() if key != "$schema"}
    checker = checking(draft)
    try:
        checker.check_schema(schema, format_checker=checker.FORMAT_CHECKER)  # type: ignore[call-arg]  # newer than its protocol
    except exceptions.SchemaError as error:
        path = join(tuple(error.absolute_path))
        raise SchemaError(f"{name} is not a JSON Schema: at {path or 'its root'}: {_why(error)}", path=path) from error
    # Of its registry nothing is fetched: what a schema refers to has to be in it, or be a draft's own metaschema.
    found = resolved(draft, schema, name, REGISTRY)
    plain = normal(schema, lambda part: found[id(part)], _number(draft))
    if (wrapper := wrapper_for(plain)) is not None:
        plain = wrapped_schema(plain, wrapper)
    return Plain(checker(schema, registry=REGISTRY, format_checker=checker.FORMAT_CHECKER), plain, wrapper)


def _why(error: exceptions.SchemaError) -> str:
    return f"{error.instance!r} is not a valid pattern: {error.cause}" if error.cause is not None else error.message


def _draft(schema: JSONObject, name: str) -> type[Validator]:
    """The draft that the schema names, 2020-12 when it names none."""
    named = schema.get("$schema", _NEWEST)
    if isinstance(named, str):
        address = re.sub(r"^https?://", "", named).rstrip("#/")
        for uri in REGISTRY:
            if re.sub(r"^https?://", "", uri).rstrip("#/") == address:
                return validators.validator_for({"$schema": uri})
    raise SchemaError(f"{name}: {named!r} is not a known JSON Schema draft", path="/$schema")


_NEWEST = "https://json-schema.org/draft/2020-12/schema"


def _number(draft: type[Validator]) -> int:
    found = re.search(r"draft[/-](?:0?)(\d+)", str(draft.META_SCHEMA["$schema"]))
    return int(found[1]) if found else NEWEST
