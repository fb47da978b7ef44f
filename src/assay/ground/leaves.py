"""What is to be looked for: the values of an answer, each with what its schema says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from assay.data.pointer import Token, join
from assay.schema.keywords import walk
from assay.schema.navigate import child, govern, resolve
from assay.types import JSON, JSONObject

KEYWORD = "x-ground"
"""In a JSON Schema: how a value is to be grounded."""

Rule: TypeAlias = Literal["value", "quote", "none", ""]
"""What a marker says; "" where there is none: then texts, numbers and dates are to stand in the source."""
Kind: TypeAlias = Literal["text", "number", "date", "time", "date-time"]

_ISO = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*"),
    "time": re.compile(r"\d\d:\d\d:\d\d.*"),
}


class Leaf(NamedTuple):
    """One value."""

    path: str
    value: JSON
    kind: Kind
    rule: Rule
    counts: bool
    """Whether it is to stand in the source."""


def leaves(data: JSON, schema: JSON, root: JSONObject) -> Iterator[Leaf]:
    """The texts and numbers of an answer, in its order; `schema`, a part of `root`, governs it. Booleans, null and "" are none."""
    yield from _leaves(data, schema, root, (), "")


def _leaves(data: JSON, schema: JSON, root: JSONObject, way: tuple[Token, ...], rule: Rule) -> Iterator[Leaf]:
    if data is None or isinstance(data, bool) or data in ("", [], {}):
        return
    governing = govern(schema, data, root)
    rule = _rule(schema, root) or _marker(governing) or rule
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, child(governing, key), root, (*way, key), rule)
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _leaves(value, child(governing, at), root, (*way, at), rule)
    else:
        yield Leaf(join(way), data, _kind(data, governing), rule, _counts(data, schema, governing, rule))


def _rule(schema: JSON, root: JSONObject) -> Rule:
    """A marker beside a reference or a union counts before one within."""
    return _marker(schema) or _marker(resolve(schema, root)) if isinstance(schema, dict) else ""


def _marker(schema: JSONObject) -> Rule:
    found = schema.get(KEYWORD)
    return found if found in ("value", "quote", "none") else ""


def _counts(data: JSON, schema: JSON, governing: JSONObject, rule: Rule) -> bool:
    if rule:
        return rule != "none"
    chosen = not governing.keys().isdisjoint(("enum", "const"))
    default = schema.get("default") if isinstance(schema, dict) else None
    return not chosen and (default is None or default != data)


def _kind(data: JSON, schema: JSONObject) -> Kind:
    if not isinstance(data, str):
        return "number"
    form = schema.get("format")
    for kind, iso in _ISO.items():
        if (form == kind or form is None) and iso.fullmatch(data):
            return kind  # type: ignore[return-value]  # the keys are kinds
    return "text"


def marked(schema: JSONObject) -> bool:
    """Whether any part of a schema asks for evidence of its own."""
    return any(part.get(KEYWORD) in ("value", "quote") for _, part in walk(schema))
