"""A value of one JSON type where the schema wants another: printed numbers, one value for a list, JSON in a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import from_json

from assay.coerce.notes import Mend, Notes, Path
from assay.coerce.numbers import readings
from assay.coerce.scalars import scalar
from assay.data.digits import Digits
from assay.schema.accept import plainly
from assay.schema.navigate import type_of, types_of
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from assay.coerce.coercer import Coercer

_SEPARATORS = (",", ";", "\n", " and ")


def typed(coercer: Coercer, schema: JSONObject, *, exact: bool) -> Mend | None:
    """Turns a value into the type that the schema names; with `exact`, all digits of a number are kept."""
    by_type = None if coercer.strict else _by_type(coercer, schema)
    if not exact:
        return by_type

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if isinstance(value, Digits):
            return value.text  # `Decimal` takes a text, and all of it
        if isinstance(value, str) and len(found := readings(value)) == 1:
            digits = str(found[0].value)
            return value if digits == value or coercer.strict else notes.changed(path, value, digits)
        return value if by_type is None else by_type(value, path, notes)

    return mend


def _by_type(coercer: Coercer, schema: JSONObject) -> Mend | None:
    types = types_of(schema)
    if not types or "enum" in schema or "const" in schema:
        return None
    wanted = frozenset(types) | ({"integer"} if "number" in types else frozenset())
    if wanted & {"object", "array", "string", "boolean", "null", "integer"} == frozenset():
        return None
    known = plainly(types)

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if type(value) in known:
            return value
        kind = type_of(value)
        if kind in wanted:
            floating = isinstance(value, float) and kind == "integer" and "number" not in types
            return notes.changed(path, value, int(value)) if floating else value
        if kind == "string" and (inner := _encoded(coercer, schema, value)) is not None:
            return coercer.mend(schema, notes.changed(path, value, inner), path, notes)
        if kind == "array":
            return _unlist(coercer, schema, value, path, notes)
        if "array" in wanted and value is not None:
            return _list(coercer, schema, value, path, notes)
        return scalar(value, types, path, notes)

    return mend


def _encoded(coercer: Coercer, schema: JSONObject, value: str) -> JSON:
    """The list or object that a string holds as JSON, when that is what is wanted; None otherwise."""
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        inner = from_json(value, allow_inf_nan=False)
    except ValueError:
        return None
    return inner if coercer.accepts(coercer.mend(schema, inner, (), Notes()), schema) else None


def _list(coercer: Coercer, schema: JSONObject, value: JSON, path: Path, notes: Notes) -> JSON:
    """One value where a list of one is meant."""
    items = schema.get("items", True)
    if isinstance(value, str) and any(mark in value for mark in _SEPARATORS):
        return notes.doubt(path, value, ("one item", "several"))
    trial = Notes(notes.depth, notes.opened)
    item = coercer.mend(items, value, (*path, 0), trial)
    if trial.problems or not coercer.accepts(item, items):
        return value
    notes.changed(path, value, [value])
    notes.add(trial)
    return [item]


def _unlist(coercer: Coercer, schema: JSONObject, value: list[JSON], path: Path, notes: Notes) -> JSON:
    """A list of one where its value is meant."""
    if len(value) != 1 or isinstance(value[0], list):
        return value
    trial = Notes(notes.depth, notes.opened)
    item = coercer.mend(schema, value[0], path, trial)
    if trial.problems or not coercer.accepts(item, schema):
        return value
    notes.changed(path, value, value[0])
    notes.add(trial)
    return item
