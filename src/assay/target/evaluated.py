"""Which keys of an object a JSON Schema has looked at: what `unevaluatedProperties` leaves alone.

As jsonschema finds it, but with patterns read as everywhere here: its own code gives them to `re`, which does not read all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from referencing.jsonschema import lookup_recursive_ref

from assay.target.patterns import searcher
from assay.types import JSON, JSONObject


def evaluated(validator: Any, instance: JSONObject, schema: JSON) -> set[str]:
    """The keys of `instance` that `schema`, or a part of it that applies to the same object and fits, has checked."""
    if not isinstance(schema, dict):
        return set()
    keys = _own(instance, schema)
    for part, within in _applied(validator, instance, schema):
        keys |= evaluated(within, instance, part)
    return keys


def _own(instance: JSONObject, schema: JSONObject) -> set[str]:
    if {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        return set(instance)  # it looks at all that is left; what it refuses is refused there
    patterns = [searcher(pattern) for pattern in schema.get("patternProperties", {})]
    return {key for key in instance if key in schema.get("properties", {}) or any(search(key) for search in patterns)}


def _applied(validator: Any, instance: JSONObject, schema: JSONObject) -> Iterator[tuple[JSON, Any]]:
    """The parts that apply to the object itself, each with the validator that finds its references."""
    for resolved in _references(validator, schema):
        yield resolved.contents, validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
    parts = [part for key, part in schema.get("dependentSchemas", {}).items() if key in instance]
    for keyword in ("allOf", "oneOf", "anyOf"):
        parts += [part for part in schema.get(keyword, ()) if _fits(validator, instance, part)]
    if "if" in schema:
        fits = _fits(validator, instance, schema["if"])
        parts += [schema["if"], schema.get("then")] if fits else [schema.get("else")]
    yield from ((part, validator) for part in parts)


def _references(validator: Any, schema: JSONObject) -> Iterator[Any]:
    resolver = validator._resolver  # noqa: SLF001  # jsonschema has no other way to ask where a reference leads
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema and keyword in validator.VALIDATORS:
            yield resolver.lookup(schema[keyword])
    if "$recursiveRef" in schema and "$recursiveRef" in validator.VALIDATORS:
        yield lookup_recursive_ref(resolver)


def _fits(validator: Any, value: JSON, schema: JSON) -> bool:
    return next(validator.descend(value, schema), None) is None
