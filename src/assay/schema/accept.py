"""Whether a JSON Schema takes a value as it is, as far as its structure is concerned: types, enums, required and unknown keys, items.

Bounds, patterns and formats are left to the validator: they do not distinguish readings of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from assay.data.pointer import split
from assay.schema.navigate import type_of, types_of
from assay.types import JSON, JSONObject

Check: TypeAlias = Callable[[JSON], bool]


_PLAIN: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}


def plainly(types: Iterable[str]) -> frozenset[type]:
    """The Python types whose values are of these JSON Schema types, whatever they are; a float may be an `integer` too."""
    return frozenset().union(*(_PLAIN.get(name, ()) for name in types))


def resolve(root: JSONObject, reference: str) -> JSON:
    """The schema that a local `$ref` (`#`, `#/$defs/Name`) points to; True, which takes anything, when it points elsewhere."""
    target: JSON = root
    for key in split(reference.removeprefix("#")):
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, dict) and key in target:
            target = target[key]
        else:
            return True
    return target if reference.startswith("#") else True


class Acceptor:
    """`Acceptor(schema)(value)`: built once per schema; a part of it is compiled when a value first reaches it."""

    def __init__(self, schema: JSONObject) -> None:
        self._root = schema
        self._checks: dict[int, Check] = {}

    def __call__(self, value: JSON, schema: JSON = None) -> bool:
        part = self._root if schema is None else schema
        if isinstance(part, bool):
            return part
        check = self._checks.get(id(part))
        if check is None:
            check = self._checks[id(part)] = self._compile(part)
        return check(value)

    def _compile(self, schema: JSONObject) -> Check:
        checks = [check for make in _MAKERS if (check := make(self, schema)) is not None]
        return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)

    def resolve(self, reference: str) -> JSON:
        return resolve(self._root, reference)


def _reference(accepts: Acceptor, schema: JSONObject) -> Check | None:
    if "$ref" not in schema:
        return None
    target = accepts.resolve(schema["$ref"])
    return lambda value: accepts(value, target)


def _types(_: Acceptor, schema: JSONObject) -> Check | None:
    types = types_of(schema)
    if not types:
        return None
    known, wanted = plainly(types), {*types, "integer"} if "number" in types else {*types}
    return lambda value: type(value) in known or type_of(value) in wanted


def _enum(_: Acceptor, schema: JSONObject) -> Check | None:
    if "const" in schema:
        return lambda value: same(value, schema["const"])
    if "enum" in schema:
        return lambda value: any(same(value, member) for member in schema["enum"])
    return None


def same(a: JSON, b: JSON) -> bool:
    """Equal as JSON: 1 is 1.0 but not true."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) and isinstance(a, bool) is isinstance(b, bool)


def _unions(accepts: Acceptor, schema: JSONObject) -> Check | None:
    if not schema.keys() & {"anyOf", "oneOf", "allOf"}:
        return None
    any_of = [branches for name in ("anyOf", "oneOf") if (branches := schema.get(name))]
    all_of = schema.get("allOf", [])
    return lambda value: (
        all(any(accepts(value, branch) for branch in branches) for branches in any_of)
        and all(accepts(value, part) for part in all_of)
    )


def _object(accepts: Acceptor, schema: JSONObject) -> Check | None:
    properties, required = schema.get("properties", {}), frozenset(schema.get("required", ()))
    more = schema.get("additionalProperties", True)
    if not properties and not required and more is True:
        return None

    def check(value: JSON) -> bool:
        if not isinstance(value, dict):
            return True
        return required <= value.keys() and all(accepts(item, properties.get(key, more)) for key, item in value.items())

    return check


def _array(accepts: Acceptor, schema: JSONObject) -> Check | None:
    first, rest = schema.get("prefixItems", []), schema.get("items", True)
    if not first and rest is True:
        return None

    def check(value: JSON) -> bool:
        if not isinstance(value, list):
            return True
        return all(accepts(item, first[index] if index < len(first) else rest) for index, item in enumerate(value))

    return check


_MAKERS = (_reference, _types, _enum, _unions, _object, _array)
