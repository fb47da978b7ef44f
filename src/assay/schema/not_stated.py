"""Values that a document does not state: a field with the marker may be null although its type is not, and says why.

Over the wire it is the value, or `{"not_stated": REASON}`; a plain null is taken for absent.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.data.pointer import Token, join
from assay.schema.keywords import UNIONS, rebuild, walk
from assay.schema.navigate import child, govern, types_of
from assay.types import JSON, JSONObject, Repair

KEYWORD = "x-not-stated"
REASONS = ("absent", "illegible", "contradictory")
REPAIR = "not stated"
"""The kind of the `Repair` that records a reason."""

_KEY = "not_stated"
_REASON: JSONObject = {
    "type": "object",
    "description": "in place of a value that the document does not state",
    "properties": {_KEY: {"enum": list(REASONS)}},
    "required": [_KEY],
    "additionalProperties": False,
}


def may_abstain(schema: JSONObject) -> bool:
    """Whether any field has the marker."""
    return any(part.get(KEYWORD) is True for _, part in walk(schema))


def nullable(schema: JSONObject) -> JSONObject:
    """A copy that takes null where the marker is: what values are checked against."""
    made = rebuild(schema, lambda part: nullable(part) if isinstance(part, dict) else part)
    if schema.get(KEYWORD) is not True:
        return made
    if "enum" in made and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    types = types_of(made)
    if types and "null" not in types:
        made["type"] = [*types, "null"]
    union = next((key for key in UNIONS if key in made), None)
    if union is not None and {"type": "null"} not in made[union]:
        made[union] = [*made[union], {"type": "null"}]
    if "$ref" in made or "const" in made:
        return {KEYWORD: True, "anyOf": [{key: value for key, value in made.items() if key != KEYWORD}, {"type": "null"}]}
    return made


def abstaining(schema: JSONObject) -> JSONObject:
    """A copy in which a reason may stand where the marker is: what the model is asked for."""
    made = rebuild(schema, lambda part: abstaining(part) if isinstance(part, dict) else part)
    if schema.get(KEYWORD) is not True:
        return made
    union = next((key for key in UNIONS if key in made), None)
    if union is not None:
        return {**made, union: [*made[union], _REASON]}
    told: JSONObject = {key: made.pop(key) for key in ("title", "description") if key in made}
    return {**told, "anyOf": [made, _REASON]}


def taken_out(data: JSON, schema: JSONObject) -> tuple[JSON, tuple[Repair, ...]]:
    """`data` with null for each reason, and a `Repair` that keeps it."""
    repairs: list[Repair] = []
    return _taken_out(data, schema, schema, (), repairs), tuple(repairs)


def _taken_out(data: JSON, schema: JSON, root: JSONObject, way: tuple[Token, ...], repairs: list[Repair]) -> JSON:
    if isinstance(data, dict) and data.keys() == {_KEY} and _is_marked(schema):
        repairs.append(Repair(join(way), REPAIR, data[_KEY] if data[_KEY] in REASONS else REASONS[0], "null"))
        return None
    if not isinstance(data, dict | list) or not data:
        return data
    governing = govern(schema, data, root)
    if isinstance(data, dict):
        return {key: _taken_out(value, child(governing, key), root, (*way, key), repairs) for key, value in data.items()}
    return [_taken_out(value, child(governing, at), root, (*way, at), repairs) for at, value in enumerate(data)]


def left_null(data: JSON, schema: JSON, root: JSONObject, way: tuple[Token, ...] = ()) -> Iterator[str]:
    """The paths of marked fields that are null."""
    if data is None and _is_marked(schema):
        yield join(way)
    elif isinstance(data, dict | list) and data:
        governing = govern(schema, data, root)
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from left_null(value, child(governing, key), root, (*way, key))


def _is_marked(schema: JSON) -> bool:
    return isinstance(schema, dict) and schema.get(KEYWORD) is True
