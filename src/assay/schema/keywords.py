"""The keywords of JSON Schema, drafts 3 to 2020-12: what each holds. Every pass and every walk goes by this table.

`walk` gives all schemas within a schema, `rebuild` a copy of one with the schemas directly in it changed: a pass is a function
that changes one schema and calls `rebuild` with itself. What stands under a keyword that holds data, or under an unknown one,
is never taken for a schema: an `enum` may list `{"$ref": "#/x"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Flag, auto

from assay.data.pointer import Token
from assay.types import JSON, JSONObject


class Holds(Flag):
    """What a keyword's value is: decided by its form where a keyword may hold several, as `items` may."""

    DATA = 0
    """Never walked: values, names, numbers."""
    SCHEMA = auto()
    LIST = auto()
    """A list of schemas; strings among them, as in draft 3's `type`, are not schemas."""
    MAP = auto()
    """Schemas by name; lists of names among them, as in `dependencies`, are not schemas."""


_TABLE = {
    Holds.SCHEMA: "additionalItems additionalProperties contains contentSchema else if not propertyNames then unevaluatedItems "
    "unevaluatedProperties",
    Holds.LIST: "allOf anyOf disallow oneOf prefixItems type",
    Holds.SCHEMA | Holds.LIST: "extends items",
    Holds.MAP: "$defs definitions dependencies dependentSchemas patternProperties properties",
    Holds.DATA: "$anchor $comment $dynamicAnchor $dynamicRef $id $recursiveAnchor $recursiveRef $ref $schema $vocabulary const "
    "contentEncoding contentMediaType default dependentRequired deprecated description discriminator divisibleBy enum examples "
    "exclusiveMaximum exclusiveMinimum format id maxContains maxItems maxLength maxProperties maximum minContains minItems "
    "minLength minProperties minimum multipleOf pattern readOnly required title uniqueItems writeOnly",
}
KEYWORDS: dict[str, Holds] = {name: holds for holds, names in _TABLE.items() for name in names.split()}
"""Each keyword, and what it holds."""

DEFINITIONS = ("$defs", "definitions")
"""Where schemas stand that are only referred to."""
UNIONS = ("anyOf", "oneOf")
MARKERS = frozenset({"x-ground", "x-not-stated"})
"""Our own: what a value has to do with its source. No server is told of them."""
NOTES = (
    MARKERS
    | {"$comment", "default", "deprecated", "description", "discriminator"}
    | {"examples", "readOnly", "title", "writeOnly"}
)
"""What says something about a value and demands nothing of it."""
IDENTITY = frozenset({"$anchor", "$dynamicAnchor", "$id", "$recursiveAnchor", "$schema", "$vocabulary", "id"})
"""What names a schema and its draft."""

Way = tuple[Token, ...]


def parts(schema: JSON) -> Iterator[tuple[Way, JSON]]:
    """The schemas directly within a schema, objects and booleans, with the steps to each."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield from (((key, *step), part) for step, part in _held(key, value))


def _held(key: str, value: JSON) -> Iterator[tuple[Way, JSON]]:
    holds = KEYWORDS.get(key, Holds.DATA)
    if isinstance(value, list):
        if Holds.LIST in holds:
            yield from (((n,), part) for n, part in enumerate(value) if _is_schema(part))
    elif Holds.MAP in holds and isinstance(value, dict):
        yield from (((name,), part) for name, part in value.items() if _is_schema(part))
    elif Holds.SCHEMA in holds and _is_schema(value):
        yield (), value


def _is_schema(value: JSON) -> bool:
    return isinstance(value, dict | bool)


def walk(schema: JSON) -> Iterator[tuple[Way, JSONObject]]:
    """Every schema within a schema that is an object, itself first and in the order they are written, with the way to it."""
    stack: list[tuple[Way, JSON]] = [((), schema)]
    while stack:
        way, here = stack.pop()
        if isinstance(here, dict):
            yield way, here
            stack += [((*way, *step), part) for step, part in reversed(list(parts(here)))]


def rebuild(schema: JSONObject, change: Callable[[JSON], JSON]) -> JSONObject:
    """A copy of a schema in which each schema directly within it, object or boolean, is what `change` makes of it."""
    return {key: changed(key, value, change) for key, value in schema.items()}


def changed(key: str, value: JSON, change: Callable[[JSON], JSON]) -> JSON:
    """A keyword's value with each schema in it changed."""
    holds = KEYWORDS.get(key, Holds.DATA)
    if isinstance(value, list) and Holds.LIST in holds:
        return [change(part) if _is_schema(part) else part for part in value]
    if isinstance(value, dict) and Holds.MAP in holds:
        return {name: change(part) if _is_schema(part) else part for name, part in value.items()}
    return change(value) if Holds.SCHEMA in holds and _is_schema(value) else value


def references(schema: JSON) -> Iterator[tuple[Way, str]]:
    """Every `$ref` within a schema, with the way to the schema that it stands in."""
    return ((way, part["$ref"]) for way, part in walk(schema) if isinstance(part.get("$ref"), str))
