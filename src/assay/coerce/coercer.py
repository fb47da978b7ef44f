"""Between decoding and validation: values that the schema plainly means, in the type that it asks for.

Only what has one meaning is changed, and every change is a `Repair` of kind `coerced`; what could mean two things is left
alone and is a `Problem` of kind `ambiguous`. A value that the schema takes as it is, in any branch of a union, is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import from_json

from assay.coerce.scalars import Mend, Notes, Path, enum_member, formatted, scalar, shown
from assay.schema.accept import Acceptor, plainly, same
from assay.schema.navigate import type_of, types_of
from assay.types import JSON, JSONObject, Problem, Repair

_SEPARATORS = (",", ";", "\n", " and ")
_TRIALS = 5  # unions within unions that are tried out: more would cost exponential time


@dataclass(frozen=True, slots=True)
class Coerced:
    """A value after coercion. `problems` are the places where two meanings were possible; they hold the value as it was."""

    value: JSON
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Problem, ...] = ()


def coerce(value: JSON, schema: JSONObject) -> Coerced:
    """`Coercer(schema)(value)`, for a single use."""
    return Coercer(schema)(value)


class Coercer:
    """`Coercer(schema)(value) -> Coerced`. Build it once per schema: parts are compiled when a value first reaches them.

    It changes: a printed number ("12,111.5", "$1,200.50") for a number; 3.0 for an integer; "yes" for a boolean; an integer for a
    string; "" or "null" for null; one value for a list of one, a list of one for its value; an enum member in another case;
    a list or object for its JSON in a string; a date in another unambiguous form. The value that it is given is never changed in place.
    """

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema
        self._each_for_itself = schema.keys().isdisjoint(_SELECTIVE) and "object" in (types_of(schema) or ("object",))
        self._mends: dict[int, Mend] = {}
        self.accepts = Acceptor(schema)

    def __call__(self, value: JSON) -> Coerced:
        notes = Notes()
        mended = self.mend(self._schema, value, (), notes)
        return Coerced(mended, tuple(notes.repairs), tuple(notes.problems))

    def anew(self, value: JSON, keys: frozenset[str]) -> Coerced:
        """What `self(value)` gives, for a value that was coerced before all but what these keys of it hold now."""
        if not isinstance(value, dict) or not self._each_for_itself:
            return self(value)
        new = {key: value[key] for key in filter(keys.__contains__, value)}
        coerced = self(new)
        return Coerced(value if coerced.value is new else {**value, **coerced.value}, coerced.repairs, coerced.problems)

    def mend(self, schema: JSON, value: JSON, path: Path, notes: Notes) -> JSON:
        """`value` as `schema`, a part of the whole one, means it."""
        if not isinstance(schema, dict):
            return value
        mend = self._mends.get(id(schema))
        if mend is None:
            mend = self._mends[id(schema)] = self._compile(schema)
        return mend(value, path, notes)

    def _compile(self, schema: JSONObject) -> Mend:
        made = [*(make(self, schema) for make in _MAKERS), *(make(schema) for make in _LEAVES)]
        mends = [mend for mend in made if mend is not None]
        if len(mends) == 1:
            return mends[0]

        def each(value: JSON, path: Path, notes: Notes) -> JSON:
            for mend in mends:
                value = mend(value, path, notes)
            return value

        return each


def _reference(coercer: Coercer, schema: JSONObject) -> Mend | None:
    if "$ref" not in schema:
        return None
    target = coercer.accepts.resolve(schema["$ref"])
    return lambda value, path, notes: coercer.mend(target, value, path, notes)


def _all_of(coercer: Coercer, schema: JSONObject) -> Mend | None:
    parts = schema.get("allOf")
    if not parts:
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        for part in parts:
            value = coercer.mend(part, value, path, notes)
        return value

    return mend


def _union(coercer: Coercer, schema: JSONObject) -> Mend | None:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if not branches:
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        taking = [branch for branch in branches if coercer.accepts(value, branch)]
        if taking:
            return coercer.mend(taking[0], value, path, notes) if len(taking) == 1 else value
        return value if notes.depth >= _TRIALS else _try_branches(coercer, branches, value, path, notes)

    return mend


def _try_branches(coercer: Coercer, branches: list[JSON], value: JSON, path: Path, notes: Notes) -> JSON:
    """The one value that the branches can make of `value`; `value` itself when they make none or several."""
    made: list[tuple[JSON, Notes]] = []
    doubts = Notes()
    for branch in branches:
        trial = Notes(notes.depth + 1)
        mended = coercer.mend(branch, value, path, trial)
        if trial.problems:
            doubts = trial
        elif coercer.accepts(mended, branch) and not any(same(mended, other) for other, _ in made):
            made.append((mended, trial))
    if len(made) == 1 and not doubts.problems:
        notes.add(made[0][1])
        return made[0][0]
    if len(made) > 1:
        return notes.doubt(path, value, tuple(shown(mended) for mended, _ in made))
    notes.problems += doubts.problems
    return value


def _typed(coercer: Coercer, schema: JSONObject) -> Mend | None:
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
    trial = Notes(notes.depth)
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
    trial = Notes(notes.depth)
    item = coercer.mend(schema, value[0], path, trial)
    if trial.problems or not coercer.accepts(item, schema):
        return value
    notes.changed(path, value, value[0])
    notes.add(trial)
    return item


_SELECTIVE = frozenset({"enum", "const", "format", "$ref", "allOf", "anyOf", "oneOf"})
_NOTES = frozenset({"type", "title", "description", "default", "examples"})


def _settled(schema: JSON) -> frozenset[type]:
    """Types of values that this schema leaves as they are, so that most values of an object cost a look-up and no call."""
    if not isinstance(schema, dict):
        return frozenset()
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches and schema.keys() <= _NOTES | {"anyOf", "oneOf"}:
        plain = [branch for branch in branches if isinstance(branch, dict) and branch.keys() <= _NOTES]
        return frozenset().union(*map(_settled, plain))
    if schema.keys() & _SELECTIVE:
        return frozenset()
    return plainly(types_of(schema)) - {list, dict}


def _object(coercer: Coercer, schema: JSONObject) -> Mend | None:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not properties and not isinstance(more, dict):
        return None
    settled = {key: _settled(part) for key, part in properties.items()}
    settled_more = _settled(more)

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if not isinstance(value, dict):
            return value
        changed: JSONObject = {}
        for key, item in value.items():
            if type(item) not in settled.get(key, settled_more):
                mended = coercer.mend(properties.get(key, more), item, (*path, key), notes)
                if mended is not item:
                    changed[key] = mended
        return {**value, **changed} if changed else value

    return mend


def _array(coercer: Coercer, schema: JSONObject) -> Mend | None:
    first, rest = schema.get("prefixItems", []), schema.get("items", True)
    if not first and not isinstance(rest, dict):
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if not isinstance(value, list):
            return value
        mended = [
            coercer.mend(first[index] if index < len(first) else rest, item, (*path, index), notes)
            for index, item in enumerate(value)
        ]
        return mended if any(a is not b for a, b in zip(mended, value, strict=True)) else value

    return mend


_MAKERS: tuple[Callable[[Coercer, JSONObject], Mend | None], ...] = (_reference, _all_of, _union, _typed, _object, _array)
_LEAVES: tuple[Callable[[JSONObject], Mend | None], ...] = (enum_member, formatted)
