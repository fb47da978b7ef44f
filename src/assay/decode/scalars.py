"""One scalar in another JSON type, when it plainly means that."""

from __future__ import annotations

import json

from assay.decode.numbers import number
from assay.types import JSON

_BOOLEANS = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}
_NULLS = {"", "null", "none", "n/a"}

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


def shown(value: JSON) -> str:
    """A value as JSON text, for repairs and problems."""
    return json.dumps(value, ensure_ascii=False)
