"""Where the references of a JSON Schema lead, in the way of its draft; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from assay.data.pointer import join
from assay.errors import SchemaError
from assay.schema.keywords import Way, parts
from assay.schema.upgrade import reference
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

STEPS_LIMIT = 100_000
"""Schemas that checking one value may lead through, references followed and alternatives tried."""


def resolved(draft: type[Validator], schema: JSONObject, name: str, registry: Any) -> dict[int, JSON]:
    """What each reference refers to, by the identity of the schema that it stands in.

    Raises `SchemaError` where one leads nowhere, or back to itself for the same value: checking it would never end.
    """
    specification = specification_with(str(draft.META_SCHEMA["$schema"]))
    found: dict[int, JSON] = {}
    ways: dict[int, Way] = {}
    onward: dict[int, list[int]] = {}
    ahead: list[tuple[Way, JSON, Any]] = [((), schema, registry.resolver_with_root(specification.create_resource(schema)))]
    while ahead:
        way, part, resolver = ahead.pop()
        if not isinstance(part, dict) or id(part) in ways:
            continue
        ways[id(part)] = way
        inner = list(parts(part))
        onward[id(part)] = [id(one) for step, one in inner if step[0] in _SAME and isinstance(one, dict)]
        ahead += [(way + step, one, _within(specification, one, resolver)) for step, one in inner]
        if (here := reference(part)) is not None:
            target = _lookup(resolver, here, way, name)
            found[id(part)] = target.contents
            onward[id(part)].append(id(target.contents))
            ahead.append((way, target.contents, target.resolver))
    _check_ends(onward, ways, name)
    return found


def _within(specification: Any, part: JSON, resolver: Any) -> Any:
    return resolver.in_subresource(specification.create_resource(part)) if isinstance(part, dict) else resolver


_SAME = {
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
    "extends",
    "disallow",
    "type",
}
"""Keywords whose schemas are about the same value."""


def _lookup(resolver: Any, here: tuple[str, str], way: Way, name: str) -> Any:
    keyword, ref = here
    try:
        target = resolver.lookup(ref)
    except (Unresolvable, ValueError) as error:
        why = "it does not exist" if ref.startswith("#") else "nothing is fetched: put its target under $defs"
        raise _wrong(name, (*way, keyword), ref, why) from error
    if not isinstance(target.contents, dict | bool):
        raise _wrong(name, (*way, keyword), ref, "its target is not a schema")
    return target


def _wrong(name: str, way: Way, ref: str, why: str) -> SchemaError:
    return SchemaError(f"{name}: {join(way)} refers to {ref!r}: {why}", path=join(way))


def _check_ends(onward: dict[int, list[int]], ways: dict[int, Way], name: str) -> None:
    """Refuse what leads back to itself within one value, and what leads on in too many ways."""
    graph = TopologicalSorter(onward)
    try:
        order = list(graph.static_order())
    except CycleError as error:
        path = join(next(_ways(error.args[1], ways)))
        raise SchemaError(
            f"{name}: {path or 'the root'} refers back to itself endlessly: the same value would be checked again and again",
            path=path,
        ) from error
    steps: dict[int, int] = {}
    for part in order:
        steps[part] = 1 + sum(steps[one] for one in onward.get(part, ()))
        if steps[part] > STEPS_LIMIT:
            path = join(ways.get(part, ()))
            raise SchemaError(
                f"{name}: {path or 'the root'} takes more than {STEPS_LIMIT} steps to check: its size doubles with each reference",
                path=path,
            )


def _ways(cycle: list[int], ways: dict[int, Way]) -> Iterator[Way]:
    yield from (ways[part] for part in cycle if part in ways)
    yield ()
