"""Read, write and remove what a JSON Pointer names in JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

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
