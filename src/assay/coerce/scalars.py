"""Mending one scalar: as another JSON type, as an enum member, as a date. And the notes that are taken meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from assay.coerce.dates import iso
from assay.coerce.numbers import Ambiguous, number
from assay.data.pointer import join
from assay.schema.accept import same
from assay.types import JSON, JSONObject, Problem, Repair

Path: TypeAlias = tuple[str | int, ...]

_DATES = {"date", "date-time", "time"}
_BOOLEANS = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}
_NULLS = {"", "null", "none", "n/a"}


class Notes:
    """What was done and what was left alone during one call."""

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        """How many trials of union branches this one is inside of."""
        self.repairs: list[Repair] = []
        self.problems: list[Problem] = []

    def changed(self, path: Path, before: JSON, after: JSON) -> JSON:
        self.repairs.append(Repair(join(path), "coerced", shown(before), shown(after)))
        return after

    def doubt(self, path: Path, said: JSON, meanings: tuple[str, ...]) -> JSON:
        want = f"one meaning: {said!r} can be read as {' or as '.join(meanings)}"
        self.problems.append(Problem(join(path), said, want, "ambiguous"))
        return said

    def add(self, other: Notes) -> None:
        self.repairs += other.repairs
        self.problems += other.problems


Mend: TypeAlias = Callable[[JSON, Path, Notes], JSON]


def enum_member(schema: JSONObject) -> Mend | None:
    members = [schema["const"]] if "const" in schema else schema.get("enum")
    if not members:
        return None
    folded: dict[str, list[JSON]] = {}
    for member in members:
        folded.setdefault(fold(member), []).append(member)

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if isinstance(value, list | dict | None) or any(same(value, member) for member in members):
            return value
        near = folded.get(fold(value), [])
        if len(near) == 1:
            return notes.changed(path, value, near[0])
        return notes.doubt(path, value, tuple(map(shown, near))) if near else value

    return mend


def formatted(schema: JSONObject) -> Mend | None:
    form = schema.get("format")
    if form not in _DATES or not isinstance(form, str):
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
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


def scalar(value: JSON, types: tuple[str, ...], path: Path, notes: Notes) -> JSON:
    readings = [reading for kind in types if (reading := as_type(value, kind)) is not NO]
    for reading in readings:
        if isinstance(reading, Ambiguous):
            return notes.doubt(path, value, reading.meanings)
    if not readings:
        return value
    if any(not same(reading, readings[0]) for reading in readings):
        return notes.doubt(path, value, tuple(map(shown, readings)))
    return notes.changed(path, value, readings[0])


NO = object()


def as_type(value: JSON, kind: str) -> JSON:
    """`value` as a JSON Schema type; `NO` when it is not plainly one, `Ambiguous` when it is two."""
    match kind, value:
        case "integer" | "number", str():
            found = number(value, whole=kind == "integer")
            return NO if found is None else found
        case "boolean", str():
            return _BOOLEANS.get(value.strip().casefold(), NO)
        case "null", str():
            return None if value.strip().casefold() in _NULLS else NO
        case "string", int() if not isinstance(value, bool):
            return str(value)  # a float is not turned: 1.10 would become "1.1"
        case _:
            return NO


def fold(value: JSON) -> str:
    """What stays of an enum member when case, spaces, hyphens and underscores do not count."""
    text = value if isinstance(value, str) else shown(value)
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split()) or text


shown = json.JSONEncoder(ensure_ascii=False).encode
"""A value as JSON text, for repairs and problems."""
