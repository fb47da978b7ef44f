"""Members of enums, and keys of dictionaries, that JSON has only as text: what the schema lists, validation takes.

pydantic writes an enum of dates, tuples or Decimals into a schema as JSON has them, and then takes only what they are in Python:
nothing that a model could write. So a member is also found by its JSON, and a key of a dictionary by its text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator, core_schema, to_jsonable_python


def take_texts(adapter: TypeAdapter[Any]) -> None:
    """Make an adapter's validator find members by what a JSON Schema lists for them; one that needs nothing stays as it is."""
    core = _taking(adapter.core_schema)
    if core is not adapter.core_schema:
        adapter.validator = SchemaValidator(core, _use_prebuilt=False)


def _taking(part: Any) -> Any:
    """A core schema with its enums and keys changed; the very object where none is."""
    if isinstance(part, list):
        inner = list(map(_taking, part))
        return inner if any(new is not old for new, old in zip(inner, part, strict=True)) else part
    if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], dict):  # a choice of a union, with its label
        choice = _taking(part[0])
        return part if choice is part[0] else (choice, part[1])
    if not isinstance(part, dict):
        return part
    made = {key: value if key in _ASIDE else _taking(value) for key, value in part.items()}
    changed = any(made[key] is not value for key, value in part.items())
    if part.get("type") == "enum" and (find := _by_text(part["members"])) is not None:
        bare = {key: value for key, value in part.items() if key != "ref"}
        return core_schema.no_info_before_validator_function(find, bare, ref=part.get("ref"))
    if part.get("type") == "dict" and (keys := _keys(part.get("keys_schema", {}))) is not None:
        return {**made, "keys_schema": keys}
    return made if changed else part


_ASIDE = {
    "metadata",
    "serialization",
    "cls",
    "default",
    "default_factory",
    "config",
    "function",
    "members",
    "expected",
    "missing",
}


def _by_text(members: list[Enum]) -> Callable[[Any], Any] | None:
    """Finds a member by its JSON; None where members are what JSON has anyway."""
    if all(member.value is None or type(member.value) in (str, int, float, bool) for member in members):
        return None
    known = {_written(member.value): member for member in members}
    numbers = {member.value: member for member in members if isinstance(member.value, Decimal)}

    def find(value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return numbers.get(Decimal(str(value)), value)
        return value if isinstance(value, Enum) else known.get(_written(value), value)

    return find


def _written(value: Any) -> str:
    return json.dumps(to_jsonable_python(value, fallback=str), sort_keys=True)


def _keys(schema: Any) -> Any:
    """A schema of keys that are numbers in Python: JSON writes them as text."""
    expected = schema.get("expected", ()) if schema.get("type") == "literal" else ()
    known = {_written(value).strip('"'): value for value in expected}
    if all(isinstance(value, str) for value in expected):
        return None
    return core_schema.no_info_before_validator_function(lambda key: known.get(key, key), schema)
