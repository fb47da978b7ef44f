"""Read, write and remove what a JSON Pointer names in JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from assay.data.pointer import join, split
from assay.types import JSON

MISSING = object()


def get(data: JSON, path: str) -> JSON:
    """What stands at `path`; `MISSING` when nothing does."""
    for step in split(path):
        data = _child(data, step)
        if data is MISSING:
            return MISSING
    return data


def put(data: JSON, path: str, value: JSON) -> JSON:
    """A copy of `data` with `value` at `path`; only the containers on the way are copied.

    A key is added to an object, an index equal to its length appends to an array; a path through a scalar is a KeyError.
    """
    return _put(data, split(path), value)


def _put(data: JSON, path: tuple[str, ...], value: JSON) -> JSON:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(data, dict):
        return {**data, step: _put(data.get(step, {}), rest, value)}
    if isinstance(data, list) and step.isdigit() and int(step) <= len(data):
        at = int(step)
        return [*data[:at], _put(data[at] if at < len(data) else {}, rest, value), *data[at + 1 :]]
    raise KeyError(step)


def remove(data: JSON, path: str) -> JSON:
    """A copy of `data` without what stands at `path`; unchanged when nothing does."""
    *parents, last = split(path)
    above = join(parents)
    parent = get(data, above)
    if isinstance(parent, dict) and last in parent:
        return put(data, above, {key: value for key, value in parent.items() if key != last})
    if isinstance(parent, list) and last.isdigit() and int(last) < len(parent):
        return put(data, above, [*parent[: int(last)], *parent[int(last) + 1 :]])
    return data


def without(data: JSON, places: Iterable[str]) -> JSON:
    """A copy of `data` without what stands at these places, in one pass; only the containers on the way are copied."""
    tree: dict[str, Any] = {}
    for place in places:
        branch = tree
        for step in split(place):
            branch = branch.setdefault(step, {})
    return _pruned(data, tree)


def _pruned(data: JSON, tree: dict[str, Any]) -> JSON:
    """`data` without what the tree's ends name."""
    if isinstance(data, dict):
        kept = ((key, item, tree.get(key)) for key, item in data.items())
        return {key: item if inner is None else _pruned(item, inner) for key, item, inner in kept if inner != {}}
    if isinstance(data, list):
        numbered = ((item, tree.get(str(at))) for at, item in enumerate(data))
        return [item if inner is None else _pruned(item, inner) for item, inner in numbered if inner != {}]
    return data


def leaves(data: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Every scalar (and empty container) with its path, in document order."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, path + join((key,)))
    elif isinstance(data, list) and data:
        for at, value in enumerate(data):
            yield from leaves(value, f"{path}/{at}")
    else:
        yield path, data


def walk(data: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Every value with its path, containers before what is in them."""
    yield path, data
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield from walk(value, path + join((key,)))


def count(data: JSON, most: int) -> int:
    """How many leaves there are; counting ends at `most`."""
    if isinstance(data, dict | list) and len(data) >= most:  # each has a leaf at least
        return most
    return sum(1 for _ in islice(leaves(data), most))


def _child(data: JSON, step: str) -> JSON:
    if isinstance(data, dict):
        return data.get(step, MISSING)
    if isinstance(data, list) and step.isdigit() and int(step) < len(data):
        return data[int(step)]
    return MISSING
