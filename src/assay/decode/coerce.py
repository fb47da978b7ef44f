"""Between decoding and validation: values that the schema plainly means, in the type that it asks for.

Only what has one meaning is changed, and every change is a `Repair` of kind `coerced`; what could mean two things is left
alone and is a `Problem` of kind `ambiguous`. A value that the schema takes as it is, in any branch of a union, is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pydantic_core import from_json

from assay.decode.accept import Acceptor, same, type_of, types_of
from assay.decode.dates import iso
from assay.decode.numbers import Ambiguous
from assay.decode.scalars import NO, as_type, fold, shown
from assay.types import JSON, JSONObject, Problem, Repair

Path: TypeAlias = tuple[str | int, ...]

_DATES = {"date", "date-time", "time"}
_SEPARATORS = (",", ";", "\n", " and ")


@dataclass(frozen=True, slots=True)
class Coerced:
    """A value after coercion. `problems` are the places where two meanings were possible; they hold the value as it was."""

    value: JSON
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Notes:
    """What was done and what was left alone during one call."""

    def __init__(self) -> None:
        self.repairs: list[Repair] = []
        self.problems: list[Problem] = []

    def changed(self, path: Path, before: JSON, after: JSON) -> JSON:
        self.repairs.append(Repair(_pointer(path), "coerced", shown(before), shown(after)))
        return after

    def doubt(self, path: Path, said: JSON, meanings: tuple[str, ...]) -> JSON:
        want = f"one meaning: {said!r} can be read as {' or as '.join(meanings)}"
        self.problems.append(Problem(_pointer(path), said, want, "ambiguous"))
        return said

    def add(self, other: _Notes) -> None:
        self.repairs += other.repairs
        self.problems += other.problems


Mend: TypeAlias = Callable[[JSON, Path, _Notes], JSON]


def _pointer(path: Path) -> str:
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


def coerce(value: JSON, schema: JSONObject) -> Coerced:
    """`Coercer(schema)(value)`, for a single use."""
    return Coercer(schema)(value)


class Coercer:
    """`Coercer(schema)(value) -> Coerced`. Build it once per schema: parts are compiled when a value first reaches them.

    It changes: a printed number ("12,111", "$1,200.50") for a number; 3.0 for an integer; "yes" for a boolean; an integer for a
    string; "" or "null" for null; one value for a list of one, a list of one for its value; an enum member in another case;
    a list or object for its JSON in a string; a date in another unambiguous form. The value that it is given is never changed in place.
    """

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema
        self._mends: dict[int, Mend] = {}
        self.accepts = Acceptor(schema)

    def __call__(self, value: JSON) -> Coerced:
        notes = _Notes()
        mended = self.mend(self._schema, value, (), notes)
        return Coerced(mended, tuple(notes.repairs), tuple(notes.problems))

    def mend(self, schema: JSON, value: JSON, path: Path, notes: _Notes) -> JSON:
        """`value` as `schema`, a part of the whole one, means it."""
        if not isinstance(schema, dict):
            return value
        mend = self._mends.get(id(schema))
        if mend is None:
            mend = self._mends[id(schema)] = self._compile(schema)
        return mend(value, path, notes)

    def _compile(self, schema: JSONObject) -> Mend:
        mends = [mend for make in _MAKERS if (mend := make(self, schema)) is not None]
        if len(mends) == 1:
            return mends[0]

        def each(value: JSON, path: Path, notes: _Notes) -> JSON:
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

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        for part in parts:
            value = coercer.mend(part, value, path, notes)
        return value

    return mend


def _union(coercer: Coercer, schema: JSONObject) -> Mend | None:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if not branches:
        return None

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        taking = [branch for branch in branches if coercer.accepts(value, branch)]
        if taking:
            return coercer.mend(taking[0], value, path, notes) if len(taking) == 1 else value
        return _try_branches(coercer, branches, value, path, notes)

    return mend


def _try_branches(coercer: Coercer, branches: list[JSON], value: JSON, path: Path, notes: _Notes) -> JSON:
    """The one value that the branches can make of `value`; `value` itself when they make none or several."""
    made: list[tuple[JSON, _Notes]] = []
    doubts = _Notes()
    for branch in branches:
        trial = _Notes()
        mended = coercer.mend(branch, value, path, trial)
        if trial.problems:
            doubts = trial
        elif coercer.accepts(mended, branch) and not any(same(mended, other) for other, _ in made):
            made.append((mended, trial))
    if len(made) == 1:
        notes.add(made[0][1])
        return made[0][0]
    if made:
        return notes.doubt(path, value, tuple(shown(mended) for mended, _ in made))
    notes.problems += doubts.problems
    return value


def _enum(coercer: Coercer, schema: JSONObject) -> Mend | None:
    members = [schema["const"]] if "const" in schema else schema.get("enum")
    if not members:
        return None
    folded: dict[str, list[JSON]] = {}
    for member in members:
        folded.setdefault(fold(member), []).append(member)

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        if isinstance(value, list | dict | None) or any(same(value, member) for member in members):
            return value
        near = folded.get(fold(value), [])
        if len(near) == 1:
            return notes.changed(path, value, near[0])
        return notes.doubt(path, value, tuple(map(shown, near))) if near else value

    return mend


def _typed(coercer: Coercer, schema: JSONObject) -> Mend | None:
    types = types_of(schema)
    if not types or "enum" in schema or "const" in schema:
        return None
    wanted = frozenset(types) | ({"integer"} if "number" in types else frozenset())
    if wanted & {"object", "array", "string", "boolean", "null", "integer"} == frozenset():
        return None

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        kind = type_of(value)
        if kind in wanted:
            return notes.changed(path, value, int(value)) if _whole(value, kind, types) else value
        if kind == "string" and (inner := _encoded(coercer, schema, value)) is not None:
            return coercer.mend(schema, notes.changed(path, value, inner), path, notes)
        if kind == "array":
            return _unlist(coercer, schema, value, path, notes)
        if "array" in wanted and value is not None:
            return _list(coercer, schema, value, path, notes)
        return _scalar(value, types, path, notes)

    return mend


def _whole(value: JSON, kind: str, types: tuple[str, ...]) -> bool:
    return kind == "integer" and isinstance(value, float) and "number" not in types


def _encoded(coercer: Coercer, schema: JSONObject, value: str) -> JSON:
    """The list or object that a string holds as JSON, when that is what is wanted; None otherwise."""
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        inner = from_json(value, allow_inf_nan=False)
    except ValueError:
        return None
    return inner if coercer.accepts(coercer.mend(schema, inner, (), _Notes()), schema) else None


def _list(coercer: Coercer, schema: JSONObject, value: JSON, path: Path, notes: _Notes) -> JSON:
    """One value where a list of one is meant."""
    items = schema.get("items", True)
    if isinstance(value, str) and any(mark in value for mark in _SEPARATORS):
        return notes.doubt(path, value, ("one item", "several"))
    trial = _Notes()
    item = coercer.mend(items, value, (*path, 0), trial)
    if trial.problems or not coercer.accepts(item, items):
        return value
    notes.changed(path, value, [value])
    notes.add(trial)
    return [item]


def _unlist(coercer: Coercer, schema: JSONObject, value: list[JSON], path: Path, notes: _Notes) -> JSON:
    """A list of one where its value is meant."""
    if len(value) != 1 or isinstance(value[0], list):
        return value
    trial = _Notes()
    item = coercer.mend(schema, value[0], path, trial)
    if trial.problems or not coercer.accepts(item, schema):
        return value
    notes.changed(path, value, value[0])
    notes.add(trial)
    return item


def _scalar(value: JSON, types: tuple[str, ...], path: Path, notes: _Notes) -> JSON:
    readings = [reading for kind in types if (reading := as_type(value, kind)) is not NO]
    for reading in readings:
        if isinstance(reading, Ambiguous):
            return notes.doubt(path, value, reading.meanings)
    if not readings:
        return value
    if any(not same(reading, readings[0]) for reading in readings):
        return notes.doubt(path, value, tuple(map(shown, readings)))
    return notes.changed(path, value, readings[0])


def _format(_: Coercer, schema: JSONObject) -> Mend | None:
    form = schema.get("format")
    if form not in _DATES or not isinstance(form, str):
        return None

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        if not isinstance(value, str):
            return value
        match iso(value, form):
            case None:
                return value
            case Ambiguous(meanings):
                return notes.doubt(path, value, meanings)
            case text:
                return value if text == value else notes.changed(path, value, text)

    return mend


def _object(coercer: Coercer, schema: JSONObject) -> Mend | None:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not properties and not isinstance(more, dict):
        return None

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        if not isinstance(value, dict):
            return value
        mended = {key: coercer.mend(properties.get(key, more), item, (*path, key), notes) for key, item in value.items()}
        return mended if any(mended[key] is not value[key] for key in value) else value

    return mend


def _array(coercer: Coercer, schema: JSONObject) -> Mend | None:
    first, rest = schema.get("prefixItems", []), schema.get("items", True)
    if not first and not isinstance(rest, dict):
        return None

    def mend(value: JSON, path: Path, notes: _Notes) -> JSON:
        if not isinstance(value, list):
            return value
        mended = [
            coercer.mend(first[index] if index < len(first) else rest, item, (*path, index), notes)
            for index, item in enumerate(value)
        ]
        return mended if any(a is not b for a, b in zip(mended, value, strict=True)) else value

    return mend


_MAKERS: tuple[Callable[[Coercer, JSONObject], Mend | None], ...] = (
    _reference,
    _all_of,
    _union,
    _typed,
    _enum,
    _format,
    _object,
    _array,
)
