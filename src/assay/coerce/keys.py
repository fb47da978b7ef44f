"""Keys: what is wrapped, what is spelled in another style, what has no place; so that no data is lost under an unknown key.

A model that puts the answer under a key of its own making (`{"result": {...}}`, a tool call written out as text) has it taken out, when
all of it fits. An object with data in such a place that does not fit, or none of whose keys is known, is a problem: read as it
is, it would pass for "nothing found" wherever all fields are optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic_core import from_json

from assay.coerce.notes import Mend, Notes, Path, shown
from assay.data.pointer import join
from assay.schema.accept import same
from assay.schema.navigate import positions, resolve, types_of
from assay.types import JSON, JSONObject

if TYPE_CHECKING:
    from assay.coerce.coercer import Coercer

_STYLE = re.compile(r"[\W_]+")


def plain(key: str) -> str:
    """What stays of a key when case and style do not count: `Invoice-Number`, `invoiceNumber` and `invoice_number` are one."""
    return _STYLE.sub("", key).casefold() or key


def _words(text: str) -> frozenset[str]:
    return frozenset(map(plain, text.split()))


_CALLS = _words("arguments args function input kwargs parameters params tool_calls tool_input")
"""Keys of a tool call under which its arguments stand."""
_WRAPPERS = _CALLS | _words(
    "answer content data document entity extraction failed_generation item items json object output payload record response result "
    "results value values"
)
"""Keys that only say that the answer follows: it is taken out even with keys in it that have no place."""
_TOOLS = frozenset({"name", "function", "tool", "tool_name", "type", "id"})
"""Keys of a tool call besides its arguments."""
_BESIDE = _words(
    "call_id code completion confidence count created error errors finish_reason format id index is_error kind language message model "
    "name notes object ok page pages recipient_name role schema status success tool tool_call_id tool_name total type version"
)
"""Keys that may accompany such a key without being data: of a tool call, or of some API's answer."""
_SELECTING = {"anyOf", "oneOf", "if", "patternProperties", "dependentSchemas", "dependencies", "unevaluatedProperties"}
_DEEP = 4
"""Wrappers within wrappers that are opened."""


class _Keys:
    """The keys that an object of one schema has."""

    def __init__(self, coercer: Coercer, schema: JSONObject) -> None:
        mark = coercer.marks.get(id(schema))
        whole = resolve(schema, coercer.root)
        more = whole.get("additionalProperties")
        self.coercer, self.schema = coercer, schema
        self.properties = frozenset(whole.get("properties", ()))
        self.required = bool(whole.get("required"))
        self.known = self.properties | (mark.names if mark and mark.names else frozenset())
        self.open = isinstance(more, dict) or more is True or not whole.keys().isdisjoint(_SELECTING)
        """Whether keys besides the known ones are allowed."""
        self.drops = not self.open and (more is False or (mark is not None and mark.names is not None))
        """Whether keys without a place are left out; a JSON Schema that does not close its object keeps them."""
        self.closed = more is False
        self.titles = {plain(name) for name in (coercer.name, whole.get("title")) if isinstance(name, str)}
        self._styles: dict[str, list[str]] = {}
        for name in self.properties:
            self._styles.setdefault(plain(name), []).append(name)

    def mend(self, value: JSON, path: Path, notes: Notes) -> JSON:
        if type(value) is not dict or value.keys() <= self.known:
            return value
        if not self.open:
            value = self._spelled(value, path, notes)
        unknown = [key for key in value if key not in self.known]
        if not unknown:
            return value
        if (inner := self._opened(value, unknown, path, notes)) is not None:
            return inner
        if self.open:
            return value
        if len(unknown) == len(value):
            if not self.required:  # else what is missing says more
                notes.problem(
                    path, value, f"an object with at least one of the keys {_listed(self.properties)}: none of them is there"
                )
            return value
        if lost := self._lost(value, unknown):
            notes.problem(path, value, f"{_listed(self.properties)} as keys of the object itself, not within {shown(lost)}")
            return value
        return self._without(value, unknown, path, notes) if self.drops else value

    def _spelled(self, value: JSONObject, path: Path, notes: Notes) -> JSONObject:
        """With keys that differ from known ones in case and style only spelled as those are."""
        meant: dict[str, list[str]] = {}
        for key in value.keys() - self.known:
            for name in self._styles.get(plain(key), ()):
                meant.setdefault(key, []).append(name)
        names = {key: found[0] for key, found in meant.items() if len(found) == 1 and found[0] not in value}
        twice = len(set(names.values())) < len(names)
        if not names or twice:
            return value
        for key, name in names.items():
            notes.noted((*path, name), "key", shown(key), shown(name))
        return {names.get(key, key): item for key, item in value.items()}

    def _without(self, value: JSONObject, unknown: list[str], path: Path, notes: Notes) -> JSONObject:
        """Without the keys that have no place, each on record; a type that forbids them gets them under `strict`."""
        if self.closed and self.coercer.strict:
            return value
        for key in unknown:
            notes.noted((*path, key), "dropped", shown(value[key]), "")
        return {key: item for key, item in value.items() if key in self.known}

    # -- wrappers ----------------------------------------------------------------------------------------------------

    def _opened(self, value: JSONObject, unknown: list[str], path: Path, notes: Notes) -> JSON:
        """The object that stands under a key of `value` that is only a wrapper; None when there is none."""
        if _echoed(value, self.properties) or notes.opened >= _DEEP:
            return None
        found = [(key, inner) for key in unknown if (inner := object_in(value[key])) is not None]
        if len(found) != 1:
            return None
        key, inner = found[0]
        if not self._only_beside(value, key, inner):
            return None
        trial = Notes(notes.depth, notes.opened + 1)
        made = self.coercer.mend(self.schema, inner, path, trial)
        here = join(path)
        if any(problem.path == here for problem in trial.problems) or not self._fits(key, inner, made, trial):
            return None
        notes.noted(path, "wrapper", f"{{{shown(key)}: ...}}", "...")
        notes.add(trial)
        return made

    def _only_beside(self, value: JSONObject, key: str, inner: JSONObject) -> bool:
        """Whether what stands beside a wrapper is no data: `{"name": "Person", "arguments": {...}}` names the tool, or says the same."""
        others = [other for other in value if other != key]
        data = [other for other in others if other in self.known]
        if not data or self._names_tool(value):
            return all(plain(other) in _BESIDE for other in others)
        if plain(key) in _CALLS and all(name in inner for name in data):
            return all(plain(other) in _BESIDE for other in others)
        return len(data) == len(others) and all(name in inner and same(value[name], inner[name]) for name in data)

    def _names_tool(self, value: JSONObject) -> bool:
        texts = {plain(key): item for key, item in value.items() if isinstance(item, str)}
        named = plain(texts.get("name", "")) in self.titles
        return named or texts.get("type") in ("function", "tool_use", "tool_call", "function_call")

    def _says_nothing(self, key: str) -> bool:
        return plain(key) in _WRAPPERS or plain(key) in self.titles

    def _fits(self, key: str, inner: JSONObject, made: JSON, trial: Notes) -> bool:
        """Whether a wrapper's inside is an object of this schema: all its keys are known, or its wrapper says nothing else."""
        by_name = self._says_nothing(key)
        if type(made) is not dict:
            return False
        if not made:
            return by_name and not inner
        if made.keys().isdisjoint(self.known):
            return False
        return by_name or not (made.keys() - self.known or any(repair.kind == "dropped" for repair in trial.repairs))

    def _lost(self, value: JSONObject, unknown: list[str]) -> str | None:
        """A key without a place under which there is what should stand beside it, or what looks like the answer itself."""
        styles = {plain(name): name for name in self.properties}
        for key in unknown:
            inner = _decoded(value[key])
            if not isinstance(inner, dict | list):
                continue
            if plain(key) in _CALLS and not value.keys().isdisjoint(_TOOLS):
                return key
            names = [styles[name] for name in _names_in(inner) if name in styles]
            if any(name not in value for name in names) or (names and self._says_nothing(key) and not _repeats(value, inner)):
                return key
        return None


def _repeats(value: JSONObject, inner: JSON) -> bool:
    """Whether all that stands in `inner` stands in `value`, too."""
    return isinstance(inner, dict) and all(key in value and same(item, value[key]) for key, item in inner.items())


def keyed(coercer: Coercer, schema: JSONObject) -> Mend | None:
    """Looks after the keys of an object."""
    if types_of(schema) and "object" not in types_of(schema):
        return None
    keys = _Keys(coercer, schema) if "properties" in schema or "allOf" in schema else None
    return keys.mend if keys is not None and keys.properties else None


def object_in(value: JSON) -> JSONObject | None:
    """The object that a wrapper holds: itself, alone in a list, or as JSON in a string."""
    value = _decoded(value)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def _decoded(value: JSON) -> JSON:
    """The list or object that a string holds as JSON; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with suppress(ValueError):
            return from_json(value, allow_inf_nan=False)
    return value


def _names_in(value: JSON) -> Iterator[str]:
    """The keys of all objects within a value, and within JSON in its strings, without their style."""
    stack = [value]
    while stack:
        part = _decoded(stack.pop())
        if isinstance(part, dict):
            yield from map(plain, part)
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)


def _echoed(value: JSONObject, properties: frozenset[str]) -> bool:
    """Whether an object is the JSON Schema that was asked with."""
    inner = value.get("properties")
    return isinstance(inner, dict) and "properties" not in properties and all(isinstance(part, dict) for part in inner.values())


def _listed(names: frozenset[str] | list[str], most: int = 8) -> str:
    quoted = [shown(name) for name in sorted(names)[:most]]
    return ", ".join(quoted) + (", ..." if len(names) > most else "")


# -- where no object is wanted -----------------------------------------------------------------------------------------


def wrapped(coercer: Coercer, schema: JSONObject) -> Mend | None:
    """Takes the value out of an object where the schema wants none: `{"leads": [...]}` for a list, `{"value": 5}` for a number."""
    types = types_of(schema)
    if not types or "object" in types:
        return None
    items = schema.get("items", True) if "array" in types and not positions(schema) else None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if type(value) is not dict or not value:
            return value
        made = _inside(coercer, schema, value, path, notes)
        if made is None:
            return value
        inner, trial, key = made
        if items is not None and _is_item(coercer, items, value, path, notes):
            return notes.doubt(path, value, ("one item", f"a list under the key {shown(key)}"))
        notes.noted(path, "wrapper", f"{{{shown(key)}: ...}}", "...")
        notes.add(trial)
        return inner

    return mend


def _inside(
    coercer: Coercer, schema: JSONObject, value: JSONObject, path: Path, notes: Notes
) -> tuple[JSON, Notes, str] | None:
    """What stands under the one key of `value` that fits the schema."""
    data = (
        [key for key in value if isinstance(value[key], dict | list)]
        or [key for key in value if plain(key) not in _BESIDE]
        or list(value)
    )
    others = [key for key in value if key != data[0]]
    if len(data) != 1 or any(plain(key) not in _BESIDE for key in others) or notes.opened >= _DEEP:
        return None
    (key,) = data
    listed = isinstance(value[key], list) and "array" in types_of(schema)
    if not listed and len(path) > coercer.root_depth and plain(key) not in _WRAPPERS:
        return None  # {"months": 5} is no number of years
    trial = Notes(notes.depth, notes.opened + 1)
    inner = coercer.mend(schema, value[key], path, trial)
    if trial.problems or not coercer.accepts(inner, schema):
        return None
    return inner, trial, key


def _is_item(coercer: Coercer, items: JSON, value: JSONObject, path: Path, notes: Notes) -> bool:
    trial = Notes(notes.depth, _DEEP)
    item = coercer.mend(items, value, (*path, 0), trial)
    return not trial.problems and coercer.accepts(item, items)
