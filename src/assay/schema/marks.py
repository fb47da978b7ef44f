"""What a Python type says about its values that its JSON Schema cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from assay.data.pointer import join
from assay.schema.keywords import walk
from assay.types import JSON, JSONObject

_KEY = "x-assay-mark"
"""Under it marks stand in a schema while it is made; `taken` takes them off."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be known of one schema within a schema."""

    raw: bool = False
    """A function of the user gets the data as it came: nothing there, or further in, is changed before."""
    exact: bool = False
    """All digits of a number count: it is a `Decimal`."""
    infinite: bool = False
    """The type asks for NaN and infinities to be taken."""
    words: str = ""
    """What is wanted, where the schema does not say all of it; "" where it does."""
    names: frozenset[str] | None = None
    """Of a class: keys that it accepts besides those of the schema. It does not keep any others. None: not a class."""


Marks: TypeAlias = Mapping[str, Mark]
"""Marks by the JSON Pointer to their place in the schema."""


def marked(schema: JSONObject, **mark: JSON) -> JSONObject:
    """The schema with a mark, or more on the one that it has, until `taken` takes it off. Plain JSON, as its makers compare schemas."""
    return {**schema, _KEY: {**schema.get(_KEY, {}), **mark}}


def taken(schema: JSON) -> Marks:
    """The marks of a schema and all within it, which are taken off."""
    return {join(way): _mark(part.pop(_KEY)) for way, part in walk(schema) if _KEY in part}


def _mark(said: JSONObject) -> Mark:
    names = said.get("names")
    return Mark(**{**said, "names": None if names is None else frozenset(names)})
