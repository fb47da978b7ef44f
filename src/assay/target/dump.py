"""A value of a type as a model should write it: by the keys, and in the forms, that its JSON Schema has.

pydantic writes what a program reads: by serialisation aliases, named tuples as lists, Decimals as text, secrets as asterisks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from assay.types import JSON


def as_read(value: Any, dumped: JSON) -> JSON:
    """What pydantic dumped of a value, in the form that is asked for."""
    match value:
        case SecretStr() | SecretBytes():
            return to_jsonable_python(value.get_secret_value())
        case Decimal() if isinstance(dumped, str) and value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        case Enum():
            return dumped
        case BaseModel() if isinstance(dumped, dict):
            return dict(_fields(value, dumped))
        case tuple() if hasattr(value, "_fields") and isinstance(dumped, list):
            return {name: as_read(*pair) for name, *pair in zip(value._fields, value, dumped, strict=True)}
        case Mapping() if isinstance(dumped, dict) and len(dumped) == len(value):
            return {key: as_read(part, dumped[key]) for key, part in zip(dumped, value.values(), strict=True)}
        case list() | tuple() | set() | frozenset() if isinstance(dumped, list) and len(dumped) == len(value):
            return [as_read(part, written) for part, written in zip(value, dumped, strict=True)]
        case _ if is_dataclass(value) and isinstance(dumped, dict):
            parts = {field.name: getattr(value, field.name, None) for field in fields(value)}
            return {key: as_read(parts[key], part) if key in parts else part for key, part in dumped.items()}
    return dumped


def _fields(value: BaseModel, dumped: dict[str, JSON]) -> Iterator[tuple[str, JSON]]:
    left = dict(dumped)
    for name, info in type(value).model_fields.items():
        written = info.serialization_alias or info.alias or name
        if written in left:
            yield _key(info.validation_alias) or info.alias or name, as_read(getattr(value, name), left.pop(written))
    yield from left.items()


def _key(alias: str | AliasPath | AliasChoices | None) -> str | None:
    """The key that a schema has for a field; None for one that is found by a path, which no schema can say."""
    first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return first if isinstance(first, str) else None
