"""What a value of a Python type looks like while only a part of it is there.

A `Shape` knows, for one type, how an open JSON object or list is shown: which check each finished entry passes, and
how the entries so far make a value. Types whose look is not known before their end (unions of several objects, types
with a validator that sees the raw data) have no shape: they are held back until they are whole.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, NotRequired, Required, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, PlainValidator, RootModel, TypeAdapter, WrapValidator
from pydantic_core import to_json

from assay.streaming.model import Rules, field_check, fields_validator, open_model, wire_names
from assay.types import JSON

Key: TypeAlias = str | int
Check: TypeAlias = Callable[[JSON, Mapping[str, Any], Rules], Any]
"""Checks a finished entry, given the checked entries before it; raises `ValidationError` when it is not valid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one entry of an open container."""

    name: Key
    """Its name in Python."""
    check: Check
    annotation: Any

    def shows(self, begun: JSON) -> bool:
        """Whether a string or number may be shown before its end: only where every beginning of it fits the type."""
        wanted = _plain(self.annotation)
        return wanted in (Any, object) or type(begun) in _BEGINNINGS.get(wanted, ())


_BEGINNINGS: Final[Mapping[Any, tuple[type, ...]]] = {str: (str,), int: (int,), float: (int, float)}


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """How an open container is shown."""

    entry: Callable[[Key], Entry | None]
    """By the key on the wire; None: it is not shown."""
    build: Callable[[Any], Any]
    """The value from the entries so far, a list or a dict by Python names that is the value's to keep."""


def shape(annotation: Any) -> Shape | None:
    """The shape of a type; None when it is held back until it is whole."""
    try:
        return _shape(annotation)
    except TypeError:  # not hashable, as metadata that holds a list
        return _shape.__wrapped__(annotation)


@cache
def _shape(annotation: Any) -> Shape | None:
    plain = _plain(annotation)
    kind = get_origin(plain) or plain
    arguments = get_args(plain)
    if kind in _MAPPINGS and (not arguments or arguments[0] is str):
        item = _item(arguments[1] if arguments else Any)
        return Shape(item, _same)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        items = [_item(argument) for argument in arguments]
        return Shape(lambda key: items[key](key) if isinstance(key, int) and key < len(items) else None, tuple)
    if kind in _LISTS:
        return Shape(_item(arguments[0] if arguments else Any), _LISTS[kind])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind)
    if typing.is_typeddict(kind):
        return _keyed(kind, _same)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _keyed(kind, lambda entries: _open_dataclass(kind, entries))
    return None


def _same(entries: Any) -> Any:
    return entries


_MAPPINGS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_LISTS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    list: _same,
    collections.abc.Sequence: _same,
    collections.abc.MutableSequence: _same,
    collections.abc.Iterable: _same,
    tuple: tuple,
}
"""Sets are held back until they are whole: an open item has no hash that stays."""


def _plain(annotation: Any) -> Any:
    """A type without its alias, `Annotated` and `None`. One whose raw data a validator sees stays as it is: it has no shape."""
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            if any(isinstance(mark, BeforeValidator | PlainValidator | WrapValidator) for mark in arguments[1:]):
                return annotation
            annotation = arguments[0]
        elif origin in (Union, types.UnionType):
            members = [member for member in arguments if member is not types.NoneType]
            if len(members) != 1:
                return annotation
            annotation = members[0]
        elif origin in (Required, NotRequired):
            annotation = arguments[0]
        elif hasattr(annotation, "__value__"):  # type X = ...
            annotation = annotation.__value__
        else:
            return annotation


def _item(annotation: Any) -> Callable[[Key], Entry]:
    check = _check(annotation)
    return lambda key: Entry(key, check, annotation)


def _check(annotation: Any) -> Check:
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    # Through JSON text, so that strict models, sets and dates take data as they take a reply.
    return lambda value, _, rules: adapter.validate_json(to_json(value), strict=rules.strict, context=rules.context)


def _model(model: type[BaseModel]) -> Shape | None:
    if issubclass(model, RootModel):
        root = shape(model.model_fields["root"].annotation)
        return root and Shape(root.entry, lambda values: open_model(model, {"root": root.build(values)}))
    if fields_validator(model) is None:
        return None
    entries = {
        key: Entry(name, field_check(model, name), model.model_fields[name].annotation)
        for key, name in wire_names(model).items()
    }
    return Shape(lambda key: entries.get(str(key)), lambda values: open_model(model, values))


def _keyed(kind: Any, build: Callable[[Any], Any]) -> Shape | None:
    try:
        hints = _field_hints(kind) if dataclasses.is_dataclass(kind) else get_type_hints(kind, include_extras=True)
    except NameError:  # refers to a local class
        return None
    entries = {key: Entry(key, _check(inner := _required(hint)), inner) for key, hint in hints.items()}
    return Shape(lambda key: entries.get(str(key)), build)


def _field_hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields. `ClassVar`, `InitVar` and `KW_ONLY` are no types, and not all can be resolved as such."""
    names = {field.name for field in dataclasses.fields(kind) if field.init}
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        own = {name: hint for name, hint in inspect.get_annotations(base).items() if name in names}
        holder = type(base.__name__, (), {"__annotations__": own, "__module__": base.__module__})
        hints |= get_type_hints(holder, include_extras=True)
    return hints


def _required(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


def _open_dataclass(kind: Any, entries: Mapping[str, Any]) -> Any:
    value = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(value, field.name, entries.get(field.name))  # it may be frozen
    return value
