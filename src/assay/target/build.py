"""Any type, or a JSON Schema, compiled once into what an extraction needs: a name, a schema and a check."""

from __future__ import annotations

import collections.abc
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar, cast, get_args, get_origin

from pydantic_core import PydanticSerializationError, to_json

from assay.decode import Reader
from assay.errors import ConfigurationError, SchemaError
from assay.schema.example import example, example_text
from assay.schema.extent import Extent
from assay.schema.marks import Marks, taken
from assay.schema.not_stated import may_abstain, nullable
from assay.schema.slices import Slices
from assay.target import generate, typed
from assay.target.cache import Cache
from assay.target.json_schema import JSONSchema
from assay.target.problems import Invalid
from assay.target.wrap import wrapped_type, wrapper_for
from assay.types import JSON, JSONObject, Problem

T = TypeVar("T")


class Checker(Protocol):
    """Checks data against a type or a schema. Both raise `Invalid`."""

    def parse(self, text: str, context: Any) -> Any: ...
    def validate(self, data: JSON, text: bytes, *, strict: bool, context: Any) -> Any:
        """`text` is the data written as JSON."""

    def dump(self, value: Any) -> JSON: ...


@dataclass(frozen=True, slots=True, eq=False)
class Target(Generic[T]):
    """What is to be extracted. Build one with `target`.

    A model always writes a JSON object, because most servers demand one. So a type whose JSON is not an object, such as `list[int]`,
    travels as the only value of an object, under the key `wrapper`; schema, problems and examples are those of the
    object, values are bare.
    """

    name: str
    """`[A-Za-z0-9_-]{1,64}`."""
    json_schema: JSONObject
    """The schema of what a model writes, by alias, `$defs` kept."""
    has_validators: bool
    """Whether checking runs functions of the user, which may cost money or have effects."""
    wrapper: str | None
    checker: Checker
    slices: Slices
    """The parts of the schema, for questions about parts."""
    extent: Extent
    """How long an answer can be."""
    annotation: Any = None
    """The Python type; None for a JSON Schema."""
    marks: Marks = field(default_factory=dict)
    """What the type says that its schema cannot; none for a JSON Schema."""
    reader: Reader = field(init=False)
    """Reads a model's text."""

    def __post_init__(self) -> None:
        said = self.marks.values()
        exact, infinite = any(mark.exact for mark in said), any(mark.infinite for mark in said)
        object.__setattr__(self, "reader", Reader(self.json_schema, wrapper=self.wrapper, exact=exact, infinite=infinite))

    def parse(self, text: str, *, context: Any = None) -> T:
        """The value in a text that is plain JSON and fits without any conversion; else `Invalid`, without problems.

        The fast path for good replies: one pass over the text, about the cost of pydantic alone. It is always exact. When it fails, decode the text and `validate` the data to learn why.
        It runs the user's validators: with `has_validators`, skip it if they must not run twice.
        """
        return self._bare(self.checker.parse(text, context))

    def validate(self, data: JSON, text: bytes | None = None, *, strict: bool = False, context: Any = None) -> T:
        """The value of decoded data; raises `Invalid` with its problems, whose paths lead into `data`.

        `text` is what `written(data)` gave, when it is at hand.
        """
        whole = self.wrap(data)
        if whole is data:
            return self._bare(self.checker.validate(data, text or written(data), strict=strict, context=context))
        try:
            return self._bare(self.checker.validate(whole, written(whole), strict=strict, context=context))
        except Invalid as invalid:
            raise Invalid(tuple(self._unwrapped(p) for p in invalid.problems)) from invalid

    def wrap(self, data: JSON) -> JSON:
        """Data in the form of `json_schema`: a bare value is put under `wrapper`."""
        if self.wrapper is None or (isinstance(data, dict) and data.keys() == {self.wrapper}):
            return data
        return {self.wrapper: data}

    def dump(self, value: Any) -> JSON:
        """A value of the type, or plain data for one, as the JSON that a model should write: for few-shot examples.

        Raises `ConfigurationError` that says what is wrong with it.
        """
        data = value if self.wrapper is None else {self.wrapper: value}
        if not _is_json(value):
            data = self.checker.dump(data)
        try:
            self.checker.validate(data, written(data), strict=not self.has_validators, context=None)
        except Invalid as invalid:
            wrong = "; ".join(map(str, invalid.problems[:3]))
            hint = "" if _is_json(value) else " (as dumped by alias; or give plain JSON data instead)"
            raise ConfigurationError(f"an example does not fit {self.name}: {wrong}{hint}") from invalid
        return data

    def example(self) -> JSON:
        """A made-up value that shows the form; its parts cannot be mistaken for data."""
        return example(self.json_schema)

    def worked_example(self) -> tuple[str, JSON]:
        """A made-up text, and the answer to it."""
        answer = self.example()
        return example_text(answer), answer

    def _bare(self, value: Any) -> T:
        return cast("T", value if self.wrapper is None else value[self.wrapper])

    def _unwrapped(self, problem: Problem) -> Problem:
        path = problem.path.removeprefix(f"/{self.wrapper}")
        return Problem(path, problem.said, problem.want, problem.kind)


_cache = Cache[Target[Any]]()


def target(type_: Any) -> Target[Any]:
    """The target of a type, built once. A type that has no JSON Schema is a `SchemaError` that names the field."""
    if isinstance(type_, Target):
        return type_
    if isinstance(type_, dict | Path):
        type_ = JSONSchema(type_)
    if isinstance(type_, str | bytes):
        raise SchemaError(
            f"the target must be a type or a JSON Schema; got the {type(type_).__name__} {type_[:40]!r}: the type comes first, "
            "extract(Type, text); the path of a JSON Schema is a pathlib.Path"
        )
    return _cache.get(type_, _build)


def _build(type_: Any) -> Target[Any]:
    if isinstance(type_, JSONSchema):
        return _of_schema(type_)
    return _of_type(type_)


def _of_schema(source: JSONSchema) -> Target[Any]:
    from assay.target import drafts  # noqa: PLC0415

    name = _safe(source.title)
    made = drafts.build(nullable(source.schema) if may_abstain(source.schema) else source.schema, name)
    return Target(
        name,
        made.schema,
        has_validators=False,
        wrapper=made.wrapper,
        checker=made,
        slices=Slices(made.schema),
        extent=Extent(made.schema),
    )


def _of_type(type_: Any) -> Target[Any]:
    if get_origin(type_) in _LAZY or type_ in _LAZY:
        type_ = list[get_args(type_)[0] if get_args(type_) else Any]  # type: ignore[misc]  # a value, not an annotation
    name = _safe(_name(type_))
    adapter, schema = generate.build(type_, name)
    wrapper = wrapper_for(schema)
    if wrapper is not None:
        adapter, schema = generate.build(wrapped_type(type_, wrapper, name), name)
    marks = taken(schema)
    if (validator := typed.awaited(adapter.core_schema)) is not None:
        raise SchemaError(f"{name}: the validator {validator} is async, and pydantic awaits none: make it a plain function")
    has_validators = typed.runs_user_code(adapter.core_schema)
    return Target(
        name,
        schema,
        has_validators,
        wrapper,
        typed.checker(adapter, schema, marks),
        Slices(schema),
        Extent(schema),
        annotation=type_,
        marks=marks,
    )


_LAZY = (collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator)


def _name(type_: Any) -> str:
    if isinstance(type_, type) and not get_args(type_):
        return type_.__name__
    if get_origin(type_) is Annotated:
        return _name(get_args(type_)[0])
    parts = [_name(a) for a in get_args(type_) if isinstance(a, type) or get_args(a)]
    origin = getattr(get_origin(type_), "__name__", "value")
    return "_or_".join(parts) if origin in ("Union", "UnionType") else "_".join([origin, *parts])


def _safe(name: str) -> str:
    """A name that every server takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "value"


def written(data: JSON) -> bytes:
    """Data as the JSON text that is checked; `Invalid` for half of a surrogate pair, which no text has."""
    try:
        return to_json(data, inf_nan_mode="constants")
    except PydanticSerializationError as error:
        raise Invalid((Problem("", None, "text that is valid Unicode", "json"),)) from error


def _is_json(value: Any) -> bool:
    """Whether a value is plain JSON data all through."""
    if isinstance(value, dict):
        return type(value) is dict and all(type(k) is str and _is_json(v) for k, v in value.items())
    if isinstance(value, list):
        return type(value) is list and all(map(_is_json, value))
    return value is None or type(value) in (str, int, float, bool)
