"""A JSON Schema of any draft in one plain form, from which prompts, the forms that servers take, coercion and words are made.

- It is written in the words of 2020-12.
- Definitions stand under the root's `$defs`, those that are used and no others. A reference is `#/$defs/NAME`, and beside it
  stands at most what describes it.
- What holds for a value at once (`allOf`, what stands beside a reference or a union) is one schema; so a union stands alone.
  What cannot be said in one, or would grow too large, stays under `allOf`, and demands more of a value that has its form.

Validation does not go by it: it goes by the schema as it was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from urllib.parse import unquote

from assay.data.pointer import look, split
from assay.errors import SchemaError
from assay.schema.keywords import DEFINITIONS, NOTES, UNIONS, rebuild, references, walk
from assay.schema.merge import merge, settled
from assay.schema.upgrade import NEWEST, REFERENCES, reference, upgraded
from assay.types import JSON, JSONObject

Find = Callable[[JSONObject], JSON]
"""Gives the schema that a schema with a reference refers to: the very object."""

DEPTH_LIMIT = 128
"""Objects and lists within each other: nobody writes as many by hand, and walking them is recursive."""
_CHAIN = 40
"""Definitions within definitions that are merged into one."""


def normal(schema: JSONObject, find: Find | None = None, draft: int = NEWEST) -> JSONObject:
    """The plain form of a schema, which is left as it is. Without `find`, references are pointers from the root.

    Raises `SchemaError` for a schema that is nested too deeply.
    """
    size = measured(schema)
    return _Normal(schema, find or (lambda part: local(schema, part["$ref"])), draft, 5000 + 5 * size).whole()


def measured(schema: JSONObject) -> int:
    """The objects and lists in a schema, each place where one stands counted.

    Raises `SchemaError` when more than `DEPTH_LIMIT` lie within each other, or when few objects stand in so many places that
    they would take unbounded work.
    """
    known: set[int] = set()
    size, depth = 0, 0
    level: list[JSON] = [schema]
    while level:
        size, depth = size + len(level), depth + 1
        if depth > DEPTH_LIMIT:
            raise SchemaError(f"the schema is nested too deeply: more than {DEPTH_LIMIT} nested objects and lists", path="")
        known.update(map(id, level))
        if size > _SHARED * len(known) and size > _MANY:
            raise SchemaError(f"the schema doubles: {len(known)} objects stand in more than {_MANY} places", path="")
        level = [part for here in level for part in _inner(here) if isinstance(part, dict | list)]
    return size


_SHARED, _MANY = 10, 10_000


def _inner(data: JSON) -> Iterable[Any]:
    return data.values() if isinstance(data, dict) else data


def local(root: JSONObject, ref: str) -> JSON:
    """What a reference of the kind `#/$defs/Name` leads to; True, which takes anything, when it leads nowhere."""
    found = look(root, split(unquote(ref[1:]))) if ref.startswith("#") else True
    return True if found is None else found


@dataclass(slots=True)
class _Normal:
    root: JSONObject
    find: Find
    draft: int
    room: int
    """Keywords that may still be written by merging."""
    names: dict[int, str] = field(default_factory=dict)
    """What definitions are called, by the identity of the schema as it was given."""
    given: dict[str, JSON] = field(default_factory=dict)
    made: dict[str, JSON] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    joins: dict[str, tuple[JSONObject, JSONObject]] = field(default_factory=dict)
    """Definitions that are two schemas at once, and by what these are known."""
    joined: dict[str, str] = field(default_factory=dict)

    def whole(self) -> JSONObject:
        root = self.flat(self.plain(self.root))
        while isinstance(root, dict) and "$ref" in root:
            notes = {key: value for key, value in root.items() if key != "$ref"}
            target = self.definition(_name_of(root))
            root = {**target, **notes} if isinstance(target, dict) else target
        if not isinstance(root, dict):
            root = {} if root else {"not": {}}
        definitions: JSONObject = {}
        ahead: list[JSON] = [root]
        while ahead:
            for _, ref in references(ahead.pop()):
                if (name := ref.removeprefix(_PREFIX)) not in definitions:
                    definitions[name] = self.definition(name)
                    ahead.append(definitions[name])
        return {**root, "$defs": definitions} if definitions else root

    # -- one dialect, all references to `$defs` --------------------------------------------------------------------------

    def plain(self, part: JSON) -> JSON:
        if not isinstance(part, dict):
            return part
        new = {
            key: value for key, value in upgraded(part, self.draft).items() if key not in DEFINITIONS and not _endless(value)
        }
        if (found := reference(part)) is not None:
            target = self.find(part)
            if target is False:
                return False
            ref = {"$ref": _PREFIX + self.name(target, found[1])} if isinstance(target, dict) else {}
            new = ref | {key: value for key, value in new.items() if key not in REFERENCES}
        return rebuild(new, self.plain)

    def name(self, target: JSONObject, ref: str) -> str:
        if id(target) not in self.names:
            last = re.split(r"[/#]", unquote(ref))[-1] or str(target.get("title") or "Whole")
            name = self.names[id(target)] = self.free(re.sub(r"[^A-Za-z0-9_.-]+", "_", last).strip("_") or "Part")
            self.given[name] = target
        return self.names[id(target)]

    def free(self, base: str) -> str:
        name, at = base, 1
        while name in self.given or name in self.joins:
            name = f"{base}_{(at := at + 1)}"
        return name

    # -- what holds at once, merged ----------------------------------------------------------------------------------------

    def definition(self, name: str) -> JSON:
        """A definition in its plain form; None while it is being made, or where too many lie within each other."""
        if name not in self.made:
            if name in self.active or len(self.active) > _CHAIN:
                return None
            self.active.append(name)
            self.made[name] = self.make(name)
            self.active.pop()
        return self.made[name]

    def make(self, name: str) -> JSON:
        if name not in self.joins:
            return self.flat(self.plain(self.given[name]))
        a, b = self.joins[name]
        left, right = self.followed(a), self.followed(b)
        return {"allOf": [a, b]} if left is None or right is None else self.both(left, right)

    def flat(self, part: JSON) -> JSON:
        """A schema, and all within it, with what holds at once in one."""
        if not isinstance(part, dict) or _is_reference(part):
            return part
        held = [{"$ref": part["$ref"]}] if "$ref" in part else []
        held += [self.flat(inner) for inner in part.get("allOf", ())]
        whole: JSON = self.alone(
            rebuild({key: value for key, value in part.items() if key not in ("$ref", "allOf")}, self.flat)
        )
        for inner in held:
            whole = self.join(whole, inner)
        return settled(whole) if isinstance(whole, dict) else whole

    def join(self, a: JSON, b: JSON) -> JSON:
        """What takes the values that both take."""
        if a is True or b is True or a == b or a is False or b is False:
            return a is not False and b is not False and (b if a is True else a)
        for notes, other in ((a, b), (b, a)):
            if notes.keys() <= NOTES:
                return {**other, **notes} if notes is a else {**notes, **other}
        left, right = self.followed(a), self.followed(b)
        if self.room <= 0:
            return {"allOf": [a, b]}
        if left is None or right is None or (_is_reference(a) and _is_reference(b)):
            return self.later(a, b)
        return self.both(left, right)

    def both(self, a: JSON, b: JSON) -> JSON:
        self.room -= len(a) + len(b) if isinstance(a, dict) and isinstance(b, dict) else 1
        merged = merge(a, b, self.join)
        return self.alone(merged) if isinstance(merged, dict) else merged

    def later(self, a: JSONObject, b: JSONObject) -> JSONObject:
        """Both of two schemas as a definition of its own: they may lead back to themselves, both at once."""
        key = json.dumps([a, b], sort_keys=True, default=str)
        if key not in self.joined:
            names = [_name_of(part) for part in (a, b) if "$ref" in part]
            self.joined[key] = self.free("_and_".join(names) if len(names) == 2 else f"{names[0]}_with")
            self.joins[self.joined[key]] = a, b
        notes = {key: value for key, value in {**b, **a}.items() if key in NOTES}
        return {"$ref": _PREFIX + self.joined[key], **notes}

    def followed(self, part: JSON) -> JSON:
        """A schema in place of a reference to it; None when it is not at hand."""
        while isinstance(part, dict) and "$ref" in part:
            notes = {key: value for key, value in part.items() if key != "$ref"}
            target = self.definition(_name_of(part))
            part = {**target, **notes} if isinstance(target, dict) else target
        return part

    # -- a union stands alone ----------------------------------------------------------------------------------------------

    def alone(self, part: JSONObject) -> JSON:
        """A schema whose union has at most notes beside it: what stood there is in each alternative, or the union in `allOf`."""
        options = {key: part[key] for key in UNIONS if key in part}
        if not options:
            return part
        beside = {key: value for key, value in part.items() if key not in options}
        notes = {key: value for key, value in beside.items() if key in NOTES}
        shape = {key: value for key, value in beside.items() if key not in NOTES}
        chosen = next((key for key in options if not shape or self.fits(shape, options[key])), None)
        aside = [{key: value} for key, value in options.items() if key != chosen]
        if aside:
            shape["allOf"] = [*shape.get("allOf", ()), *aside]
        if chosen is None:
            return notes | shape
        made = [self.join(shape, option) if shape else option for option in options[chosen]]
        made = [option for option in made if option is not False]
        if len(made) == 1 and isinstance(made[0], dict):
            return {**made[0], **notes}
        return {**notes, chosen: made} if made else False

    def fits(self, shape: JSONObject, options: list[JSON]) -> bool:
        """Whether the alternatives differ in form, and there is room to say in each what holds for all."""
        told = any(isinstance(option, dict) and not _is_condition(option) for option in options)
        size = sum(1 for _ in walk({"allOf": [shape]})) * len(options)
        if not told or size > min(self.room, _WIDE):
            return False
        self.room -= size
        return True


_WIDE = 400
"""Schemas that may be written by putting what holds for all alternatives into each."""
_PREFIX = "#/$defs/"
_CONDITIONS = NOTES | {
    "dependentRequired", "dependentSchemas", "else", "if", "maxProperties", "minProperties", "not", "required", "then",
    "unevaluatedProperties",
}  # fmt: skip


def _is_condition(option: JSONObject) -> bool:
    """Whether an alternative only says which of the keys there are, or which not."""
    plain = all(part is True or part == {} for part in option.get("properties", {}).values())
    kind = option.get("type", "object") == "object"
    known = _CONDITIONS | ({"properties"} if plain else set()) | ({"type"} if kind else set())
    inner = [part for key in ("allOf", *UNIONS) for part in option.get(key, ())]
    return option.keys() <= known | {"allOf", *UNIONS} and all(isinstance(i, dict) and _is_condition(i) for i in inner)


def _endless(value: JSON) -> bool:
    """Whether a bound is beyond all floats, as 1e400 is: no JSON can say it."""
    return isinstance(value, float) and not isfinite(value)


def _is_reference(part: JSON) -> bool:
    return isinstance(part, dict) and "$ref" in part and part.keys() <= NOTES | {"$ref"}


def _name_of(part: JSONObject) -> str:
    name: str = part["$ref"].removeprefix(_PREFIX)
    return name
