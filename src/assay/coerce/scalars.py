"""Repairing one scalar: as another JSON type, as an enum member, as a date; and conversions that are never made silently."""

from __future__ import annotations

import re
from math import isfinite

from assay.coerce.dates import iso
from assay.coerce.notes import Mend, Notes, Path, shown
from assay.coerce.numbers import Ambiguous, number
from assay.schema.accept import same
from assay.schema.navigate import types_of
from assay.types import JSON, JSONObject

_DATES = {"date", "date-time", "time"}
_BOOLEANS = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}
_NULLS = {"", "null", "none", "n/a"}


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


_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*")


def no_moment(schema: JSONObject) -> Mend | None:
    """A number where a moment is wanted, in quotes or not, is a problem: it would pass for seconds since 1970, and is a year as likely."""
    form = schema.get("format")
    if form not in _DATES or not isinstance(form, str):
        return None

    def check(value: JSON, path: Path, notes: Notes) -> JSON:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number and not (isinstance(value, str) and _NUMBER.fullmatch(value)):
            return value
        return notes.problem(path, value, f"{_A_MOMENT[form]}: a number may be a year, or seconds", "value")

    return check


_A_MOMENT = {
    "date": "a date as YYYY-MM-DD",
    "date-time": "a date and time as YYYY-MM-DDTHH:MM:SS",
    "time": "a time as HH:MM:SS",
}


def finite(schema: JSONObject) -> Mend | None:
    """A number beyond all floats (1e999), and a text that would pass for one ("inf"), is a problem."""
    types = types_of(schema)
    if types and "number" not in types and "integer" not in types:
        return None
    texts, wide = "number" in types and "string" not in types, "number" in types and "integer" not in types

    def check(value: JSON, path: Path, notes: Notes) -> JSON:
        if isinstance(value, float):
            good = isfinite(value)
        elif isinstance(value, str):
            good = not (texts and _ENDLESS.match(value))
        else:
            good = not (wide and isinstance(value, int) and value.bit_length() > _FLOAT_BITS)
        return (
            value
            if good
            else notes.problem(path, str(value) if isinstance(value, float) else value, "a finite number", "value")
        )

    return check


_ENDLESS = re.compile(r"\s*[-+]?(?:nan|inf|[\d.]+e\+?\d{3})", re.IGNORECASE)
_FLOAT_BITS = 1023


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
