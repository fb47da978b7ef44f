"""Any type, or a JSON Schema, compiled once into what an extraction needs: a name, a schema and a check."""

from __future__ import annotations

import collections.abc
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast, get_args, get_origin

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from assay.errors import ConfigurationError
from assay.pointer import look, resolve, split
from assay.problems import Invalid
from assay.schema import plain, typed
from assay.schema.cache import Cache
from assay.schema.example import example
from assay.schema.plain import JSONSchema
from assay.types import JSON, JSONObject, Problem

T = TypeVar("T")


class Checker(Protocol):
    """Checks data against a type or a schema. Both raise `Invalid`."""

    def parse(self, text: str, context: Any) -> Any: ...
    def validate(self, data: JSON, *, strict: bool, context: Any) -> Any: ...
    def dump(self, value: Any) -> JSON: ...


@dataclass(frozen=True, slots=True, eq=False)
class Target(Generic[T]):
    """What is to be extracted. Build one with `target`.

    A model always writes a JSON object, because most servers demand one. So a type whose JSON is none, as `list[int]`,
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

    def parse(self, text: str, *, strict: bool = False, context: Any = None) -> T:
        """The value in a text that is plain JSON and fits without any conversion; else `Invalid`, without problems.

        The quick way for good replies: one pass over the text, about the cost of pydantic alone. It is always exact,
        so `strict` changes nothing. When it fails, decode the text and `validate` the data to learn why.
        It runs the user's validators: with `has_validators`, skip it if they must not run twice.
        """
        del strict
        return self._bare(self.checker.parse(text, context))

    def validate(self, data: JSON, *, strict: bool = False, context: Any = None) -> T:
        """The value of decoded data; raises `Invalid` with its problems, whose paths lead into `data`."""
        if self.wrapper is None or (isinstance(data, dict) and data.keys() == {self.wrapper}):
            return self._bare(self.checker.validate(data, strict=strict, context=context))
        try:
            return self._bare(self.checker.validate({self.wrapper: data}, strict=strict, context=context))
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
        data = value if _is_json(value) else self.checker.dump(value if self.wrapper is None else {self.wrapper: value})
        data = self.wrap(data)
        try:
            self.checker.validate(data, strict=False, context=None)
        except Invalid as invalid:
            wrong = "; ".join(map(str, invalid.problems[:3]))
            raise ConfigurationError(f"an example does not fit {self.name}: {wrong}") from invalid
        return data

    def example(self) -> JSON:
        """A made-up value that shows the form; its parts cannot be mistaken for data."""
        return example(self.json_schema)

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
    if isinstance(type_, Path):
        type_ = JSONSchema(type_)
    elif isinstance(type_, dict):
        type_ = JSONSchema(type_)
    return _cache.get(type_, _build)


def _build(type_: Any) -> Target[Any]:
    if isinstance(type_, JSONSchema):
        return _of_schema(type_)
    return _of_type(type_)


def _of_schema(source: JSONSchema) -> Target[Any]:
    name = _safe(source.title)
    plain.build(source.schema, name)  # so that an error's path is one of the schema as it was given
    schema, wrapper = _as_object(source.schema)
    return Target(name, schema, has_validators=False, wrapper=wrapper, checker=plain.build(schema, name))


def _of_type(type_: Any) -> Target[Any]:
    if get_origin(type_) in _LAZY or type_ in _LAZY:
        type_ = list[get_args(type_)[0] if get_args(type_) else Any]  # type: ignore[misc]  # a value, not an annotation
    name = _safe(_name(type_))
    adapter, schema, core = typed.build(type_, name)
    root = resolve(schema, schema)
    wrapper = None
    if root.get("type") != "object":
        wrapper = "items" if root.get("type") == "array" else "value"
        adapter, schema, core = typed.build(_wrapped(type_, wrapper), name)
    schema = _inlined(schema)
    checker = typed.Typed(adapter, schema, by_name=typed.has_path_alias(core) or None)
    return Target(name, schema, has_validators=typed.runs_user_code(core), wrapper=wrapper, checker=checker)


_LAZY = (collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator)


def _wrapped(type_: Any, wrapper: str) -> Any:
    """A typed dictionary whose only value is of the type."""
    wrapped = TypedDict(_safe(_name(type_)), {wrapper: type_})  # type: ignore[misc, operator]  # made at run time
    return with_config(ConfigDict(extra="forbid"))(wrapped)


def _as_object(schema: JSONObject) -> tuple[JSONObject, str | None]:
    """The schema itself if it describes an object, else one of an object that holds the value, and its key."""
    root = _inlined(schema)
    resolved = resolve(root, root)
    if resolved.get("type") == "object" or ("type" not in resolved and "properties" in resolved):
        return root, None
    wrapper = "items" if resolved.get("type") == "array" else "value"
    aside = {key: schema[key] for key in ("$schema", "$defs", "definitions") if key in schema and "$id" not in schema}
    inner = {key: value for key, value in schema.items() if key not in aside}
    if "$id" not in schema:  # references from the root lead to another place now
        inner, aside = _moved(inner, f"#/properties/{wrapper}"), _moved(aside, f"#/properties/{wrapper}")
    whole = {"type": "object", "properties": {wrapper: inner}, "required": [wrapper], "additionalProperties": False}
    return {**aside, **whole}, wrapper


def _moved(part: JSON, to: str) -> Any:
    if isinstance(part, list):
        return [_moved(item, to) for item in part]
    if not isinstance(part, dict):
        return part
    moved = {key: _moved(value, to) for key, value in part.items()}
    ref = part.get("$ref")
    if isinstance(ref, str) and (ref == "#" or ref.startswith("#/")) and not ref.startswith(("#/$defs/", "#/definitions/")):
        moved["$ref"] = to + ref[1:]
    return moved


def _inlined(schema: JSONObject) -> JSONObject:
    """The schema with a reference at its root replaced by what it refers to: servers want an object there."""
    ref = schema.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#/"):
        return schema
    return {**{key: value for key, value in schema.items() if key != "$ref"}, **look(schema, split(ref[1:]))}


def _name(type_: Any) -> str:
    if isinstance(type_, type) and not get_args(type_):
        return type_.__name__
    parts = [_name(a) for a in get_args(type_) if isinstance(a, type) or get_args(a)]
    origin = getattr(get_origin(type_), "__name__", "value")
    return "_or_".join(parts) if origin in ("Union", "UnionType") else "_".join([origin, *parts])


def _safe(name: str) -> str:
    """A name that every server takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "value"


def _is_json(value: Any) -> bool:
    """Whether a value is plain JSON data all through."""
    if isinstance(value, dict):
        return type(value) is dict and all(type(k) is str and _is_json(v) for k, v in value.items())
    if isinstance(value, list):
        return type(value) is list and all(map(_is_json, value))
    return value is None or type(value) in (str, int, float, bool)
