"""Checks data against a Python type, with pydantic."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from assay.data.pointer import look, split
from assay.errors import ConfigurationError
from assay.schema.keywords import walk
from assay.schema.marks import Marks
from assay.schema.words import FORMATS
from assay.target.dump import as_read
from assay.target.problems import TOLD, Invalid, from_pydantic
from assay.types import JSON, JSONObject


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """The checker of a Python type."""

    adapter: TypeAdapter[Any]
    schema: JSONObject
    guarded: bool
    """Whether numbers are looked for where the type wants a date; not for types that run the user's functions."""
    by_name: bool | None
    """Whether field names are taken beside aliases: needed where an alias is a path, which no JSON Schema can say."""
    told: Mapping[int, str]
    """By the `id` of a part of `schema`, what is wanted where the part does not say all of it."""
    doubtful: re.Pattern[str] | None
    """What a text may hold that the type's own parser would take for something else: see `_doubtful`."""

    def parse(self, text: str, context: Any) -> Any:
        if self.doubtful is not None and self.doubtful.search(text):
            raise Invalid
        try:
            return self.adapter.validate_json(text, strict=True, extra="forbid", context=context, by_name=self.by_name)
        except ValidationError as error:
            raise Invalid from error

    def validate(self, data: JSON, text: bytes, *, strict: bool, context: Any) -> Any:
        # The text, so that strict models, sets, tuples and dates take data as they take a reply.
        try:
            value = self.adapter.validate_json(text, strict=strict or None, context=context, by_name=self.by_name)
        except ValidationError as error:
            raise Invalid(from_pydantic(error, data, self.schema, self.told)) from error
        if self.guarded and not strict:
            self._refuse_timestamps(text, data, context)
        return value

    def _refuse_timestamps(self, text: bytes, data: JSON, context: Any) -> None:
        """Refuse a number where a date is due: it would pass as seconds since 1970, but may as well be a year."""
        try:
            self.adapter.validate_json(text, strict=True, context=context, by_name=self.by_name)
        except ValidationError as error:
            found = from_pydantic(error, data, self.schema, self.told)
            numbers = tuple(p for p in found if isinstance(p.said, int | float) and any(words in p.want for words in _MOMENTS))
            if numbers:
                raise Invalid(numbers) from error

    def dump(self, value: Any) -> JSON:
        """A value of the type as the JSON data that a model should write."""
        try:
            dumped = self.adapter.dump_python(value, mode="json", by_alias=True, exclude_computed_fields=True, warnings="error")
        except PydanticSerializationError:
            dumped = _plain(value)
        return as_read(value, dumped)


_TEMPORAL = {name: FORMATS[name] for name in ("date", "date-time", "time", "duration")}
_MOMENTS = (*_TEMPORAL.values(), *(words for code, words in TOLD.items() if code.startswith(("date", "timezone"))))
"""The words for what a number would pass for."""


def _plain(value: Any) -> JSON:
    """Data that holds objects where the type has them as text: a dict with dates, with models."""
    try:
        return to_jsonable_python(value, by_alias=True)
    except PydanticSerializationError as error:
        raise ConfigurationError(f"an example holds what JSON cannot: {str(error).splitlines()[0]}") from error


def checker(adapter: TypeAdapter[Any], schema: JSONObject, marks: Marks) -> Typed:
    """The checker of an adapter's type, whose JSON Schema is `schema`."""
    core = adapter.core_schema
    dated = any(part.get("format") in _TEMPORAL for _, part in walk(schema))
    told = {id(look(schema, split(place))): mark.words for place, mark in marks.items() if mark.words}
    doubtful = _doubtful(dated=dated, exact=any(mark.exact for mark in marks.values()))
    return Typed(adapter, schema, dated and not runs_user_code(core), has_path_alias(core) or None, told, doubtful)


def _doubtful(*, dated: bool, exact: bool) -> re.Pattern[str] | None:
    """Texts that are not for the quick way: a number in quotes, which passes for seconds since 1970 where a moment is wanted; and
    more digits than a float has where a `Decimal` is, since pydantic makes a float of them first.
    """
    parts = [r'"\s*[-+]?\d[\d.]*\s*"'] * dated + [r"\d[\d.]{15}"] * exact
    return re.compile("|".join(parts)) if parts else None


def runs_user_code(schema: Any) -> bool:
    """Whether validating runs functions of the user: they may cost money or have effects."""
    return any(_is_users(part) or part.get("custom_init") or part.get("post_init") for part in _parts(schema))


def awaited(schema: Any) -> str | None:
    """The name of a validator that would have to be awaited: pydantic takes the coroutine itself for the value. None: there is none."""
    functions = (part["function"]["function"] for part in _parts(schema) if str(part.get("type", "")).startswith("function-"))
    return next((function.__qualname__ for function in functions if inspect.iscoroutinefunction(function)), None)


def _is_users(part: Mapping[str, Any]) -> bool:
    if not str(part.get("type", "")).startswith("function-"):
        return False
    function = part["function"]["function"]
    return is_foreign(function) and _module(function) not in sys.stdlib_module_names


def is_foreign(function: Any) -> bool:
    """Whether a function that validation calls is none of pydantic's own."""
    return _module(function) not in _THEIRS


def _module(function: Any) -> str:
    """The package that a function comes from; "" when it does not say."""
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__module__", None) or "").partition(".")[0]


_THEIRS = {"pydantic", "pydantic_core", "annotated_types"}


def has_path_alias(schema: Any) -> bool:
    """Whether a field is only found by a path of keys, which a JSON Schema cannot say."""
    return any(
        isinstance(alias := part.get("validation_alias"), list)
        and any(isinstance(a, list) and len(a) > 1 for a in [alias, *alias])
        for part in _parts(schema)
    )


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every dictionary of a core schema but for what only serialisation needs."""
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack.extend(value for key, value in part.items() if key not in _ASIDE)
        elif isinstance(part, list | tuple):
            stack.extend(part)


_ASIDE = {"metadata", "serialization", "cls", "default", "config"}
