"""The schema of an answer in which numbers, dates and times are texts, as the document prints them.

A small model that is asked for a number does arithmetic that it cannot do; a text it only has to copy. What it copied is turned by
`assay.coerce.written`. What may be a text anyway, members of an enum and durations stay as they are.
"""

from __future__ import annotations

from assay.schema.keywords import UNIONS, rebuild
from assay.schema.navigate import types_of
from assay.types import JSON, JSONObject

FORMATS = frozenset({"date", "date-time", "time"})
_KEPT = ("title", "description", "deprecated", "x-not-stated")
_NOTE = "as written in the document"


def as_written(schema: JSONObject) -> JSONObject:
    """A copy with a text wherever the schema wants a number, a date or a time."""
    if any(
        _is_text(option) and any(_is_printed(other) for other in schema[union])
        for union in UNIONS
        for option in schema.get(union, ())
    ):
        return schema  # a text is allowed there anyway: it would not be known which is meant
    if _is_printed(schema):
        kept = {key: schema[key] for key in _KEPT if key in schema}
        text = f"{kept['description']} ({_NOTE})" if "description" in kept else _NOTE
        null = "null" in types_of(schema)
        return {**kept, "type": ["string", "null"] if null else "string", "description": text}
    return rebuild(schema, lambda part: as_written(part) if isinstance(part, dict) else part)


def _is_printed(schema: JSON) -> bool:
    """Whether a schema wants a number, a date or a time, and nothing else but null."""
    if not isinstance(schema, dict) or not schema.keys().isdisjoint(("enum", "const")):
        return False
    types = set(types_of(schema)) - {"null"}
    return bool(types) and (types <= {"number", "integer"} or (types == {"string"} and schema.get("format") in FORMATS))


def _is_text(schema: JSON) -> bool:
    return isinstance(schema, dict) and "string" in types_of(schema) and not _is_printed(schema)
