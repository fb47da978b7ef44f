"""Made-up data that fits a JSON Schema: valid, and the same for the same seed."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from re import _constants as ops  # type: ignore[attr-defined]  # the standard library's own reading of patterns
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any
from uuid import UUID

from assay.errors import SchemaError
from assay.schema.navigate import branches, positions, resolve, types_of
from assay.types import JSON, JSONObject

DEPTH = 6
"""Objects within objects that a recursive schema is followed into; deeper down what is optional is left out."""
_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "haven",
    "inlet",
    "juniper",
    "kelp",
    "linden",
    "maple",
    "nectar",
    "olive",
    "pine",
    "quartz",
    "river",
]
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def made_up(schema: JSONObject, random_: random.Random) -> JSON:
    """A value that the schema takes. Raises `SchemaError` for what cannot be made up (a pattern with a look-around)."""
    return _Maker(schema, random_).make(schema, 0)


class _Maker:
    def __init__(self, root: JSONObject, random_: random.Random) -> None:
        self._root, self._random = root, random_

    def make(self, schema: JSON, depth: int) -> JSON:
        schema = resolve(schema, self._root)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if options := branches(schema):
            return self.make({**_beside(schema), **resolve(self._option(options, depth), self._root)}, depth)
        types = types_of(schema) or (("object",) if "properties" in schema else ("string",))
        kind = next((t for t in types if t == "null"), types[0]) if depth > DEPTH else self._random.choice(types)
        return getattr(self, f"_{kind}")(schema, depth)

    def _option(self, options: list[JSON], depth: int) -> JSON:
        if depth > DEPTH:  # the way out of a recursive schema
            ends = [option for option in options if types_of(resolve(option, self._root)) == ("null",)]
            return (ends or options)[0]
        return self._random.choice(options)

    def _null(self, _: JSONObject, __: int) -> JSON:
        return None

    def _boolean(self, _: JSONObject, __: int) -> JSON:
        return self._random.random() < 0.5

    def _integer(self, schema: JSONObject, _: int) -> JSON:
        low, high = _bounds(schema, step=1)
        step = int(schema.get("multipleOf", 1)) or 1
        return self._random.randint(-(-int(low) // step), int(high) // step) * step

    def _number(self, schema: JSONObject, _: int) -> JSON:
        low, high = _bounds(schema, step=0.01)
        step = float(schema.get("multipleOf", 0.01))
        return round(round(self._random.uniform(low, high) / step) * step, 6)

    def _string(self, schema: JSONObject, _: int) -> JSON:
        if "pattern" in schema:
            return self._matching(schema["pattern"])
        if (make := _FORMATS.get(schema.get("format", ""))) is not None:
            return make(self._random)
        low, high = schema.get("minLength", 0), schema.get("maxLength", 1_000)
        text = " ".join(self._random.choice(_WORDS) for _ in range(self._random.randint(1, 3)))
        while len(text) < low:
            text += f" {self._random.choice(_WORDS)}"
        return text[:high].ljust(low, "x")

    def _matching(self, pattern: str) -> str:
        try:
            text = "".join(self._matches(parser.parse(pattern)))
        except (re.error, _Unmade) as error:
            raise SchemaError(f"no text can be made up for the pattern {pattern!r}: {error}") from error
        if re.search(pattern, text) is None:
            raise SchemaError(f"no text can be made up for the pattern {pattern!r}")
        return text

    def _matches(self, parsed: Any) -> list[str]:
        return [part for op, argument in parsed for part in self._match(op, argument)]

    def _match(self, op: Any, argument: Any) -> list[str]:
        match op:
            case ops.LITERAL:
                return [chr(argument)]
            case ops.NOT_LITERAL:
                return [next(c for c in string.ascii_letters if ord(c) != argument)]
            case ops.ANY:
                return [self._random.choice(string.ascii_lowercase)]
            case ops.AT:
                return []
            case ops.IN:
                return [self._random.choice(_members(argument))]
            case ops.BRANCH:
                return self._matches(self._random.choice(argument[1]))
            case ops.SUBPATTERN:
                return self._matches(argument[3])
            case ops.MAX_REPEAT | ops.MIN_REPEAT:
                low, high, inner = argument
                times = self._random.randint(low, min(int(high), low + 3))
                return [part for _ in range(times) for part in self._matches(inner)]
        raise _Unmade(f"it has {op}")

    def _array(self, schema: JSONObject, depth: int) -> JSON:
        prefix = positions(schema)
        items = [self.make(part, depth + 1) for part in prefix]
        rest = schema.get("items")
        if isinstance(rest, dict):
            low = schema.get("minItems", 0)
            most = min(schema.get("maxItems", low + 3), max(low, 3)) if depth <= DEPTH else low
            unique = schema.get("uniqueItems", False)
            for _ in range(
                max(0, self._random.randint(max(low, 1 if depth <= DEPTH and most else 0), max(most, low)) - len(items))
            ):
                item = self.make(rest, depth + 1)
                if not unique or item not in items:
                    items.append(item)
        return items

    def _object(self, schema: JSONObject, depth: int) -> JSON:
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        made = {
            name: self.make(part, depth + 1)
            for name, part in properties.items()
            if name in required or (depth <= DEPTH and self._random.random() < 0.8)
        }
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and not properties and depth <= DEPTH:
            made |= {
                self._random.choice(_WORDS): self.make(extra, depth + 1) for _ in range(max(1, schema.get("minProperties", 1)))
            }
        return made


class _Unmade(Exception):  # noqa: N818  # a signal within this file
    pass


def _beside(schema: JSONObject) -> JSONObject:
    return {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "discriminator", "default")}


def _bounds(schema: JSONObject, step: float) -> tuple[float, float]:
    """The least and the greatest number that a schema takes; where it names none, some hundred wide."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if (above := schema.get("exclusiveMinimum")) is not None and not isinstance(above, bool):
        low = above + step
    if (below := schema.get("exclusiveMaximum")) is not None and not isinstance(below, bool):
        high = below - step
    if low is None:
        low = 0 if high is None or high > 0 else high - 500
    return low, low + 500 if high is None else high


def _members(argument: Any) -> str:
    """Letters of a character class."""
    if argument[0][0] is ops.NEGATE:
        hit = _members(argument[1:])
        return "".join(c for c in string.ascii_letters + string.digits if c not in hit)
    found: list[str] = []
    for op, value in argument:
        match op:
            case ops.LITERAL:
                found.append(chr(value))
            case ops.RANGE:
                found += map(chr, range(value[0], min(value[1], value[0] + 60) + 1))
            case ops.CATEGORY:
                found += _CATEGORIES.get(value, string.ascii_lowercase)
            case _:
                raise _Unmade(f"it has {op}")
    return "".join(found)


_CATEGORIES = {
    ops.CATEGORY_DIGIT: string.digits,
    ops.CATEGORY_SPACE: " ",
    ops.CATEGORY_WORD: string.ascii_lowercase,
    ops.CATEGORY_NOT_DIGIT: string.ascii_lowercase,
    ops.CATEGORY_NOT_SPACE: string.ascii_lowercase,
    ops.CATEGORY_NOT_WORD: " ",
}


def _moment(random_: random.Random) -> datetime:
    return _EPOCH + timedelta(minutes=random_.randrange(3_000_000))


_FORMATS: dict[str, Callable[[random.Random], str]] = {
    "date": lambda random_: _moment(random_).date().isoformat(),
    "date-time": lambda random_: _moment(random_).isoformat().replace("+00:00", "Z"),
    "time": lambda random_: f"{_moment(random_).time().isoformat()}Z",
    "duration": lambda random_: f"PT{random_.randint(1, 90)}M",
    "email": lambda random_: f"{random_.choice(_WORDS)}@example.com",
    "uri": lambda random_: f"https://example.com/{random_.choice(_WORDS)}",
    "uuid": lambda random_: str(UUID(int=random_.getrandbits(128), version=4)),
    "ipv4": lambda random_: f"192.0.2.{random_.randint(1, 254)}",
    "ipv6": lambda random_: f"2001:db8::{random_.randint(1, 9999)}",
}
