"""What a tiny model copies out of the worked example when a piece says nothing: never part of an answer."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from assay.data.paths import leaves
from assay.engine.task import Task
from assay.types import JSON, frozen


@frozen
class Placeholders:
    """The texts and numbers of the worked example that a task shows; none for a task that shows none."""

    values: frozenset[tuple[type, JSON]] = frozenset()

    @classmethod
    def of(cls, task: Task[Any]) -> Placeholders:
        if not task.profile.worked_example:
            return cls()
        known = leaves(task.target.example())
        return cls(frozenset((type(value), value) for _, value in known if _may_be_copied(value)))

    def without(self, data: JSON, standing: AbstractSet[str], path: str = "") -> JSON:
        """The data without them, and without items that nothing is left of. `standing`: the paths of what stands in the text."""
        if isinstance(data, dict):
            return {key: self.without(value, standing, f"{path}/{_escaped(key)}") for key, value in data.items()}
        if isinstance(data, list):
            kept = [self.without(item, standing, f"{path}/{at}") for at, item in enumerate(data)]
            return kept if len(kept) == len(data) and not any(map(_is_void, kept)) else [i for i in kept if not _is_void(i)]
        return None if path not in standing and self._holds(data) else data

    def _holds(self, value: JSON) -> bool:
        return _may_be_copied(value) and (type(value), value) in self.values


def _may_be_copied(value: JSON) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_void(value: JSON) -> bool:
    """Nothing at all: what a model writes for an item that a border cut off, too."""
    if isinstance(value, dict):
        return all(map(_is_void, value.values()))
    return value is None or value in ([], "")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
