"""The items of a list, each as soon as it is whole and valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from assay.data.pointer import look
from assay.errors import ConfigurationError
from assay.schema.navigate import resolve
from assay.streaming.model import Rules
from assay.streaming.partial import Partial
from assay.streaming.shape import shape
from assay.target.build import Target, target
from assay.target.json_schema import JSONSchema
from assay.target.problems import Invalid
from assay.types import JSON


class Items:
    """Reads a stream of partial values as the items of one list: the target itself, or the only list in it.

    An item is given once. One that is not valid, and those after it, wait for the whole: a re-ask may correct it.
    """

    def __init__(self, whole: Target[Any], context: Any = None, *, strict: bool = False) -> None:
        """Raises `ConfigurationError` when the target has no list, or several."""
        self._key = _list_key(whole)
        self._prefix = "/" if self._key is None else f"/{self._key}/"
        self._name, self._check = _reader(whole, self._key, Rules(context, strict or None))
        self._given = 0
        self._waiting = self._check is None

    def of(self, partial: Partial[Any]) -> list[Any]:
        """The items that a partial value brings."""
        if partial.outcome is not None:
            return self._all(partial.outcome.value)[self._given :]
        ready: list[Any] = []
        for path in partial.paths:
            if path.startswith(self._prefix) and path[len(self._prefix) :] == str(self._given) and not self._waiting:
                self._take(partial, ready)
        return ready

    def grown(self, items: Sequence[JSON], starts: Sequence[int | None], border: int) -> list[Any]:
        """What a list brings that grows in another way, up to the first item that stands beyond `border` in the source, or nowhere.

        `starts`: where each item stands.
        """
        ready: list[Any] = []
        for start in starts[self._given :]:
            if self._waiting or self._check is None or start is None or start >= border:
                break
            try:
                ready.append(self._check(items[self._given]))
            except (ValidationError, Invalid):
                self._waiting = True
            else:
                self._given += 1
        return ready

    def rest(self, value: Any) -> list[Any]:
        """The items of the whole that were not given yet."""
        return self._all(value)[self._given :]

    @property
    def key(self) -> str | None:
        """The key of the list; None when the value itself is one."""
        return self._key

    def _take(self, partial: Partial[Any], ready: list[Any]) -> None:
        steps = (self._given,) if self._key is None else (self._key, self._given)
        assert self._check is not None
        try:
            ready.append(self._check(look(partial.live, steps)))
        except (ValidationError, Invalid):
            self._waiting = True
        else:
            self._given += 1

    def _all(self, value: Any) -> list[Any]:
        if self._name is None:
            return list(value)
        return list((value[self._name] if isinstance(value, Mapping) else getattr(value, self._name)) or ())


def _list_key(whole: Target[Any]) -> str | None:
    """The key of the list; None when the value itself is one."""
    if whole.wrapper == "items":
        return None
    root = whole.json_schema
    properties = {key: resolve(part, root) for key, part in resolve(root, root).get("properties", {}).items()}
    lists: list[str] = [key for key, part in properties.items() if part.get("type") == "array"]
    if len(lists) == 1:
        return lists[0]
    found = f"it has {len(lists)}: {', '.join(lists)}" if lists else "it has none"
    raise ConfigurationError(f"items can be streamed from a list, or from an object with one list in it; {whole.name}: {found}")


def _reader(whole: Target[Any], key: str | None, rules: Rules) -> tuple[Any, Callable[[JSON], Any] | None]:
    """The list's name in Python, and the check of one item; None when items cannot be checked alone."""
    if whole.annotation is None:
        pointer = "/items/0" if key is None else f"/{key}/0"
        item = target(JSONSchema(whole.slices.at(pointer).schema))
        return key, lambda data: item.validate(data, context=rules.context)
    name, annotation = None, whole.annotation
    if key is not None:
        outer = shape(annotation)
        entry = outer.entry(key) if outer is not None else None
        if entry is None:
            return key, None
        name, annotation = entry.name, entry.annotation
    inner = shape(annotation)
    one = inner.entry(0) if inner is not None else None
    return name, None if one is None else lambda data: one.check(data, {}, rules)
