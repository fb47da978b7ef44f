"""How each field is compared: as `same` says, or as the schema's `x-compare` or a function of the user does.

    "x-compare": "exact"             the same JSON value
    "x-compare": "text"              texts, ignoring case and white space, never read as numbers or dates
    "x-compare": "date"              the same day, whatever the time
    "x-compare": "set"               two lists with the same items count as one value, right or wrong
    "x-compare": {"number": 0.01}    numbers that differ by at most this
    "x-compare": {"number": "1%"}    numbers that differ by at most this share of gold's

In a pydantic model it stands in `Field(json_schema_extra={"x-compare": ...})`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from assay.coerce.dates import iso
from assay.coerce.numbers import readings
from assay.data.pointer import join
from assay.errors import ConfigurationError
from assay.evals.same import same
from assay.schema.navigate import branches, positions, resolve
from assay.types import JSON, JSONObject

Same: TypeAlias = Callable[[Any, Any], bool]
"""Whether gold's value and the answer's are the same."""

Rules: TypeAlias = Mapping[str, Same]
"""By field: `/items/*/price`."""

KEYWORD = "x-compare"
DEEPEST = 12
"""Levels of a recursive schema in which fields are looked for."""


def rules_of(schema: JSONObject) -> dict[str, Same]:
    """The rules that a JSON Schema gives its fields. Raises `ConfigurationError` for an unknown one."""
    return {field: _rule(rule, field) for field, rule in _found(schema, schema, "", 0)}


def is_set(rules: Rules, field: str) -> bool:
    """Whether the list at this field counts as one value."""
    return rules.get(field) is _set


def _found(schema: JSON, root: JSONObject, field: str, depth: int) -> Iterator[tuple[str, JSON]]:
    here = resolve(schema, root)
    if KEYWORD in here:
        yield field, here[KEYWORD]
    if depth == DEEPEST:
        return
    for name, part in here.get("properties", {}).items():
        yield from _found(part, root, field + join((name,)), depth + 1)
    items = [*positions(here), *([here["items"]] if isinstance(here.get("items"), dict) else [])]
    for part in items:
        yield from _found(part, root, f"{field}/*", depth + 1)
    for option in branches(here):
        yield from _found(option, root, field, depth + 1)


def _rule(rule: JSON, field: str) -> Same:
    match rule:
        case "exact":
            return _exact
        case "text":
            return _text
        case "date":
            return _date
        case "set":
            return _set
        case {"number": int() | float() as most} if not isinstance(most, bool) and most >= 0:
            return partial(_near, most=float(most), share=0.0)
        case {"number": str(share)} if share.endswith("%") and share[:-1].replace(".", "", 1).isdecimal():
            return partial(_near, most=0.0, share=float(share[:-1]) / 100)
    raise ConfigurationError(
        f'{KEYWORD} of {field or "the whole"} must be "exact", "text", "date", "set", {{"number": 0.01}} or {{"number": "1%"}}; got {rule!r}'
    )


def _exact(gold: JSON, said: JSON) -> bool:
    return type(gold) is type(said) and bool(gold == said)


def _text(gold: JSON, said: JSON) -> bool:
    return " ".join(str(gold).split()).casefold() == " ".join(str(said).split()).casefold()


def _date(gold: JSON, said: JSON) -> bool:
    one = _day(gold)
    return one is not None and one == _day(said)


def _day(value: JSON) -> str | None:
    for form in ("date", "date-time"):
        if isinstance(found := iso(str(value), form), str):
            return found[:10]
    return None


def _set(gold: JSON, said: JSON) -> bool:
    if not (isinstance(gold, list) and isinstance(said, list)):
        return same(gold, said)
    return all(any(same(a, b) for b in said) for a in gold) and all(any(same(a, b) for a in gold) for b in said)


def _near(gold: JSON, said: JSON, *, most: float, share: float) -> bool:
    one, other = _number(gold), _number(said)
    return one is not None and other is not None and abs(one - other) <= max(most, share * abs(one)) * (1 + 1e-9)


def _number(value: JSON) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = {float(one.value) for one in readings(value)} if isinstance(value, str) else set()
    return found.pop() if len(found) == 1 else None
