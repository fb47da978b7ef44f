"""What a JSON Schema wants, in a few words: `an integer from 1 to 5`, `one of "a", "b"`, `a date like 2024-03-05`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from assay.schema.navigate import alternatives, branches, resolve
from assay.types import JSON, JSONObject

FORMATS = {
    "date": "a date like 2024-03-05",
    "date-time": "a date and time like 2024-03-05T14:30:00",
    "time": "a time like 14:30:00",
    "duration": "a duration like P3DT4H",
    "email": "an email address",
    "uri": "a URL",
    "uuid": "a UUID",
    **{f"uuid{version}": f"a UUID of version {version}" for version in range(1, 9)},
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "ipvanyaddress": "an IPv4 or IPv6 address",
    "ipv4network": "an IPv4 network like 10.0.0.0/8",
    "ipv6network": "an IPv6 network like 2001:db8::/32",
    "ipvanynetwork": "an IPv4 or IPv6 network like 10.0.0.0/8",
    "ipv4interface": "an IPv4 address with its network like 10.0.0.1/8",
    "ipv6interface": "an IPv6 address with its network like 2001:db8::1/32",
    "ipvanyinterface": "an IPv4 or IPv6 address with its network like 10.0.0.1/8",
    "multi-host-uri": "a URL",
    "uri-reference": "a URL or a part of one",
    "hostname": "a host name",
    "base64": "text in Base64",
    "base64url": "text in Base64 for URLs",
    "regex": "a regular expression",
    "json-string": "JSON as text",
    "json-pointer": "a JSON Pointer",
}
_TEXTS = {"application/json": "text that is JSON"}
"""By `contentMediaType`."""
_NOTHING: Mapping[int, str] = MappingProxyType({})
_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_SHOWN = 40
"""Alternatives of an enum that are listed; the schema in the prompt has them all."""


quote = json.JSONEncoder(ensure_ascii=False).encode
"""A JSON value as it is written."""


def either(parts: Iterable[str]) -> str:
    """`a, b or c`, without repeats."""
    *others, last = dict.fromkeys(filter(None, parts)) or ("a value",)
    return f"{', '.join(others)} or {last}" if others else last


def one_of(values: Sequence[JSON]) -> str:
    """`one of "a", "b"`."""
    if not values:
        return "nothing: no value is allowed here"
    shown = ", ".join(map(quote, values[:_SHOWN]))
    more = f" (and {len(values) - _SHOWN} more)" if len(values) > _SHOWN else ""
    return f"one of {shown}{more}" if len(values) > 1 else shown


def wanted(schema: JSON, root: JSONObject, told: Mapping[int, str] = _NOTHING) -> str:
    """What a schema wants of a value, one level deep. `told` has, by `id`, the words for schemas that do not say all themselves."""
    schema = resolve(schema, root)
    if id(schema) in told:
        return told[id(schema)]
    if "const" in schema:
        return quote(schema["const"])
    if "enum" in schema:
        return one_of(schema["enum"])
    if branches(schema):
        return either(wanted(option, root, told) for option in alternatives(schema, root))
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    return either(_typed(schema, t, root) for t in types)


def _typed(schema: JSONObject, type_: str, root: JSONObject) -> str:
    match type_:
        case "string":
            base = FORMATS.get(schema.get("format", ""), _TEXTS.get(schema.get("contentMediaType", ""), "a string"))
            return " ".join(filter(None, [base, _pattern(schema), _range(schema, "Length", "characters")]))
        case "integer" | "number":
            return " ".join(filter(None, [_TYPES[type_], bounds(schema)]))
        case "array":
            return " ".join(filter(None, [_array(schema, root), _range(schema, "Items", "items")]))
        case "object" if keys := schema.get("properties"):
            return f"an object with {', '.join(map(quote, list(keys)[:_SHOWN]))}"
        case _:
            return _TYPES.get(type_, type_)


def _pattern(schema: JSONObject) -> str:
    return f"that matches {schema['pattern']}" if "pattern" in schema else ""


def _array(schema: JSONObject, root: JSONObject) -> str:
    items = resolve(schema.get("items", {}), root)
    simple = items.get("type") in ("string", "integer", "number", "boolean", "object", "array") and "enum" not in items
    return f"an array of {_PLURALS[items['type']]}" if simple else "an array"


_PLURALS = {
    "string": "strings",
    "integer": "integers",
    "number": "numbers",
    "boolean": "booleans",
    "object": "objects",
    "array": "arrays",
}


def bounds(schema: JSONObject) -> str:
    """`from 1 to 5`, `at least 1`, `above 0`, `a multiple of 5`."""
    if schema.keys().isdisjoint(_BOUNDS):
        return ""
    low, high = schema.get("minimum"), schema.get("maximum")
    parts = []
    if low is not None and high is not None:
        parts.append(f"from {low} to {high}")
    elif low is not None:
        parts.append(f"at least {low}")
    elif high is not None:
        parts.append(f"at most {high}")
    above, below, step = (schema.get(k) for k in ("exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
    parts += [f"above {above}"] * _given(above) + [f"below {below}"] * _given(below) + [f"a multiple of {step}"] * _given(step)
    return " and ".join(parts)


_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}


def _given(bound: JSON) -> bool:
    return bound is not None and not isinstance(bound, bool)  # draft 4 has a boolean exclusiveMinimum


def _range(schema: JSONObject, what: str, unit: str) -> str:
    low, high = schema.get(f"min{what}"), schema.get(f"max{what}")
    if low is not None and low == high:
        return f"of exactly {low} {unit}"
    if low is not None and high is not None:
        return f"of {low} to {high} {unit}"
    if low is not None:
        return f"of at least {low} {unit}"
    return f"of at most {high} {unit}" if high is not None else ""
