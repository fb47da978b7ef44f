"""jsonschema's validators with what we do otherwise: numbers compared as they are written, patterns that end, work that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent_encoded

from jsonschema import FormatChecker, validators
from jsonschema.exceptions import ValidationError

from assay.target.bounds import step
from assay.target.evaluated import evaluated
from assay.target.patterns import searcher
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]

_LONG = 500
"""Characters of an IRI from which on it is checked as the URI that it stands for: its own grammar takes quadratic time."""


@cache
def checking(draft: type[Validator]) -> type[Validator]:
    """The validator of a draft as it is used here."""
    keywords: dict[str, Keyword] = {**draft.VALIDATORS, **{key: own for key, own in _OWN.items() if key in draft.VALIDATORS}}
    formats = FormatChecker(formats=())
    formats.checkers = {**draft.FORMAT_CHECKER.checkers, "regex": (_is_pattern, ValueError)}
    for name, plain in (("iri", "uri"), ("iri-reference", "uri-reference")):
        if {name, plain} <= formats.checkers.keys():
            formats.checkers[name] = (_short(formats, name, plain), ValueError)
    own: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        draft, {key: _counted(check) for key, check in keywords.items()}, format_checker=formats
    )
    own.descend = _placed(own.descend)  # type: ignore[attr-defined]  # not in its protocol
    return own


def _placed(descend: Callable[..., Iterator[ValidationError]]) -> Callable[..., Iterator[ValidationError]]:
    """As jsonschema descends, which forgets where it is when the schema there is `false`."""

    def run(self: Any, instance: Any, schema: Any, path: Any = None, schema_path: Any = None, resolver: Any = None) -> Any:
        for error in descend(self, instance, schema, path, schema_path, resolver):
            if schema is False:
                error.path.extend(() if path is None else (path,))
                error.schema_path.extend(() if schema_path is None else (schema_path,))
            yield error

    return run


def _counted(check: Keyword) -> Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[ValidationError] | None:
        step()
        return check(validator, value, instance, schema)

    return run


def _is_pattern(text: object) -> bool:
    return not isinstance(text, str) or bool(searcher(text))


def _short(formats: FormatChecker, name: str, plain: str) -> Callable[[object], bool]:
    full, other = formats.checkers[name][0], formats.checkers[plain][0]

    def check(text: object) -> bool:
        if not isinstance(text, str) or len(text) < _LONG:
            return bool(full(text))
        return bool(other(percent_encoded(text, safe="".join(map(chr, range(128))))))

    return check


def _multiple(validator: Any, unit: float, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    """Compared as decimals are written: 19.99 is a multiple of 0.01."""
    if validator.is_type(instance, "number") and (_endless(instance) or _exact(instance) % _exact(unit)):
        yield ValidationError(f"{instance!r} is not a multiple of {unit!r}")


def _endless(number: Any) -> bool:
    return isinstance(number, float) and not isfinite(number)


def _exact(number: float) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    if validator.is_type(instance, "string") and not searcher(pattern)(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: JSONObject, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    if validator.is_type(instance, "object"):
        for pattern, part in patterns.items():
            for key, value in instance.items():
                if searcher(pattern)(key):
                    yield from validator.descend(value, part, path=key, schema_path=pattern)


def _additional(validator: Any, free: JSON, instance: Any, schema: JSONObject) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    properties, patterns = schema.get("properties", {}), [searcher(pattern) for pattern in schema.get("patternProperties", {})]
    extra = [key for key in instance if key not in properties and not any(search(key) for search in patterns)]
    if validator.is_type(free, "object"):
        for key in extra:
            yield from validator.descend(instance[key], free, path=key)
    elif not free and extra:
        yield ValidationError(f"no such keys: {', '.join(map(repr, extra))}")


def _unevaluated_properties(validator: Any, free: JSON, instance: Any, schema: JSONObject) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    beside = {key: part for key, part in schema.items() if key != "unevaluatedProperties"}
    known = evaluated(validator, instance, beside)
    extra = [key for key in instance if key not in known]
    if validator.is_type(free, "object"):
        for key in extra:
            yield from validator.descend(instance[key], free, path=key)
    elif not free and extra:
        yield ValidationError(f"no such keys: {', '.join(map(repr, extra))}")


def _items(validator: Any, items: JSON, instance: Any, schema: JSONObject) -> Iterator[ValidationError]:
    """All drafts' forms: one schema for all items, those after `prefixItems`, or a schema for each position."""
    if not validator.is_type(instance, "array"):
        return
    if isinstance(items, list):
        for index, (item, part) in enumerate(zip(instance, items, strict=False)):
            yield from validator.descend(item, part, path=index, schema_path=index)
        return
    prefix = len(schema.get("prefixItems", ())) if "prefixItems" in validator.VALIDATORS else 0
    for index, item in enumerate(instance[prefix:], prefix):
        yield from validator.descend(item, items, path=index)


def _additional_items(validator: Any, free: JSON, instance: Any, schema: JSONObject) -> Iterator[ValidationError]:
    listed = schema.get("items")
    if isinstance(listed, list) and validator.is_type(instance, "array"):
        for index, item in enumerate(instance[len(listed) :], len(listed)):
            yield from validator.descend(item, free, path=index)


def _unique(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001, FBT001
    if wanted and validator.is_type(instance, "array") and len({_key(item) for item in instance}) < len(instance):
        yield ValidationError("has an item twice")


def _key(value: JSON) -> object:
    """The same for values that are equal as JSON: 1 is 1.0, but not true."""
    if isinstance(value, dict):
        return frozenset((name, _key(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(map(_key, value))
    return (isinstance(value, bool), value)


_OWN: dict[str, Keyword] = {
    "multipleOf": _multiple,
    "divisibleBy": _multiple,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated_properties,
    "items": _items,
    "additionalItems": _additional_items,
    "uniqueItems": _unique,
}
