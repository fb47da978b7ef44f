"""What is built once per type, kept as long as the type lives and no longer.

A weak dictionary cannot do it: what is built refers to the type, and would keep it alive. So it is kept on the class
itself, in one slot, and goes with it: also for `list[M]` or `M | None`, in the slot of M. What holds no class of the
user, and what cannot be hashed, goes into a small bounded store.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from assay.target.json_schema import JSONSchema

V = TypeVar("V")
_SLOT = "__assay_slot__"
_BOUND = 256


class _Slot(dict[Hashable, Any]):
    """What was built for types that hold a class, on that class. A pickled class starts again with an empty one."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Slot, ())


class Cache(Generic[V]):
    """Looks up what was built for a type, or builds it."""

    def __init__(self) -> None:
        self._others: OrderedDict[Hashable, tuple[Any, V]] = OrderedDict()

    def get(self, type_: Any, build: Callable[[Any], V]) -> V:
        slot = self._slot(type_)
        if slot is None:
            return self._bounded(type_, build)
        found: V | None = slot.get(type_)
        if found is None:
            found = slot[type_] = build(type_)
        return found

    def _slot(self, type_: Any) -> _Slot | None:
        if isinstance(type_, type) and (own := vars(type_).get(_SLOT)) is not None:
            return own  # type: ignore[no-any-return]
        owner = _owner(type_)
        if owner is None or not _hashable(type_):
            return None
        slot = vars(owner).get(_SLOT)
        if slot is None:
            try:
                setattr(owner, _SLOT, slot := _Slot())
            except (AttributeError, TypeError):
                return None  # a class that takes no attributes
        return slot

    def _bounded(self, type_: Any, build: Callable[[Any], V]) -> V:
        key = _key(type_)
        # The type is kept beside its target: as long as it is, nothing else has its id.
        _, found = self._others.get(key) or (None, None)
        if found is None:
            found = build(type_)
            self._others[key] = type_, found
            if len(self._others) > _BOUND:
                self._others.popitem(last=False)
        return found


def _key(type_: Any) -> Hashable:
    if not isinstance(type_, JSONSchema):
        return type_ if _hashable(type_) else id(type_)
    if isinstance(type_.source, Path):
        try:
            stat = type_.source.stat()
        except OSError:
            return (type_.source, type_.name)
        return (type_.source, type_.name, stat.st_mtime_ns, stat.st_size)
    try:
        return (json.dumps(type_.source, default=str), type_.name)
    except (RecursionError, ValueError):  # a dict that is no JSON Schema: what builds the target says why
        return id(type_)


def _hashable(type_: Any) -> bool:
    try:
        hash(type_)
    except TypeError:
        return False
    return True


def _owner(type_: Any) -> type | None:
    """The user's class within a type that is to keep what is built for it: the shortest-lived one."""
    owners = list(_classes(type_))
    return next((c for c in owners if "<locals>" in c.__qualname__), owners[0] if owners else None)


_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement


def _classes(type_: Any) -> Iterator[type]:
    if isinstance(type_, type) and not get_args(type_):
        if type_.__flags__ & _HEAP and type_.__module__ not in ("typing", "collections.abc"):
            yield type_
    else:
        for argument in get_args(type_):
            yield from _classes(argument)
