"""A made-up value that fits a schema, for a worked example.

Tiny models copy what an example holds. So its strings say what belongs there, in angle brackets, and its numbers are
zeros: a copied one is plain to see, and never passes for something the text said.
"""

from __future__ import annotations

import re

from assay.pointer import branches, positions, resolve
from assay.types import JSON, JSONObject

_FORMATS = {
    "date": "1111-11-11",
    "date-time": "1111-11-11T11:11:11Z",
    "time": "11:11:11",
    "duration": "P1D",
    "email": "name@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "0.0.0.0",  # noqa: S104  # a placeholder
    "ipv6": "::",
}


def example(schema: JSONObject) -> JSON:
    """A value of the schema's form. A pattern is met when it is a plain row of characters and classes."""
    return _value(schema, schema, "value", ())


def _value(schema: JSON, root: JSONObject, name: str, within: tuple[str, ...]) -> JSON:
    within = _entered(schema, within)
    schema = resolve(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if options := branches(schema):
        return _value(_simplest(options, root, within), root, name, within)
    types = schema.get("type", "object" if "properties" in schema else "string")
    match types if isinstance(types, str) else next((t for t in types if t != "null"), "null"):
        case "object":
            return _object(schema, root, within)
        case "array":
            return _array(schema, root, name, within)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return _string(schema, name)


def _simplest(options: list[JSON], root: JSONObject, within: tuple[str, ...]) -> JSON:
    """The first alternative that says something and does not lead back to where we are."""
    told = [o for o in options if resolve(o, root).get("type") != "null"]
    return next((o for o in told if not _returns(o, within)), options[-1])


def _object(schema: JSONObject, root: JSONObject, within: tuple[str, ...]) -> JSONObject:
    required = schema.get("required", ())
    fields = {
        name: _value(part, root, name, within)
        for name, part in schema.get("properties", {}).items()
        if part is not False and (name in required or not _returns(part, within))
    }
    free = schema.get("additionalProperties")
    if not fields and isinstance(free, dict) and free:
        fields["<key>"] = _value(free, root, "value", within)
    return fields


def _entered(schema: JSON, within: tuple[str, ...]) -> tuple[str, ...]:
    ref = schema.get("$ref") if isinstance(schema, dict) else None
    return (*within, ref) if isinstance(ref, str) else within


def _returns(schema: JSON, within: tuple[str, ...]) -> bool:
    """Whether a schema does nothing but lead back into one that we are in."""
    if not isinstance(schema, dict):
        return False
    if options := branches(schema):
        return all(_returns(option, within) or option.get("type") == "null" for option in options)
    return schema.get("$ref") in within or len(within) > _DEPTH


_DEPTH = 12


def _array(schema: JSONObject, root: JSONObject, name: str, within: tuple[str, ...]) -> list[JSON]:
    prefix = [_value(part, root, name, within) for part in positions(schema)]
    items = schema.get("items")
    wanted = max(schema.get("minItems", 0), 0 if not isinstance(items, dict) or _returns(items, within) else 1)
    return prefix + [_value(items, root, name, within) for _ in range(wanted - len(prefix))]


def _number(schema: JSONObject) -> float:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    low = max((b for b in (low, above) if isinstance(b, int | float)), default=None)
    high = min((b for b in (high, below) if isinstance(b, int | float)), default=None)
    value = 0 if (low is None or low <= 0) and (high is None or high >= 0) else (low if low is not None else high)
    assert value is not None
    if value == above:
        return value + 1 if high is None or value + 1 < high else (value + high) / 2
    return value - 1 if value == below else value


_PIECE = re.compile(r"(\\d|\[[^\]\\^]+\]|\\[^\w]|[^\\\[\](){}|*+?.^$])(?:\{(\d+)(?:,\d*)?\}|([*+?]))?")


def _matching(pattern: str) -> str | None:
    """The plainest string that matches: `00000` for `^[0-9]{5}$`; None when the pattern is no plain row of characters."""
    rest, made = pattern.removeprefix("^").removesuffix("$"), ""
    while rest:
        piece = _PIECE.match(rest)
        if piece is None:
            return None
        what, count, repeat = piece.groups()
        made += _character(what) * (int(count) if count else 0 if repeat in ("*", "?") else 1)
        rest = rest[piece.end() :]
    return made if made and re.search(pattern, made) else None


def _character(piece: str) -> str:
    if piece == r"\d":
        return "0"
    return piece[1] if piece[0] in "[\\" else piece


def _string(schema: JSONObject, name: str) -> str:
    text = _FORMATS.get(schema.get("format", ""), f"<{name.replace('_', ' ')}>")
    if "pattern" in schema:
        return _matching(schema["pattern"]) or text
    return text.ljust(schema.get("minLength", 0), "_")[: schema.get("maxLength")]
