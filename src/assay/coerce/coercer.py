"""Between decoding and validation: values that the schema plainly means, in the type that it asks for.

Only what has one meaning is changed, and every change is a `Repair` of kind `coerced`; what could mean two things is left
alone and is a `Problem` of kind `ambiguous`. A value that the schema takes as it is, in any branch of a union, is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.coerce.keys import keyed, wrapped
from assay.coerce.notes import Mend, Notes, Path, shown
from assay.coerce.scalars import enum_member, finite, formatted, no_moment
from assay.coerce.typed import typed
from assay.data.pointer import look, split
from assay.schema.accept import Acceptor, plainly, same
from assay.schema.marks import Mark, Marks
from assay.schema.navigate import types_of
from assay.types import JSON, JSONObject, Problem, Repair

_TRIALS = 5  # unions within unions that are tried out: more would cost exponential time


@dataclass(frozen=True, slots=True)
class Coerced:
    """A value after coercion. `problems` are the places where two meanings were possible; they hold the value as it was."""

    value: JSON
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Problem, ...] = ()


def coerce(value: JSON, schema: JSONObject) -> Coerced:
    """`Coercer(schema)(value)`, for a single use."""
    return Coercer(schema)(value)


_UNMARKED = Mark()


class Coercer:
    """`Coercer(schema)(value) -> Coerced`. Build it once per schema: parts are compiled when a value first reaches them.

    It changes: a printed number ("12,111.5", "$1,200.50") for a number; 3.0 for an integer; "yes" for a boolean; an integer for a
    string; "" or "null" for null; one value for a list of one, a list of one for its value; an enum member in another case;
    a list or object for its JSON in a string; a date in another unambiguous form. It takes data out of wrappers, spells keys as
    the schema does and leaves out those that have no place: see `assay.coerce.keys`. The value that it is given is never changed
    in place.

    `marks` are what a Python type says beside its schema; `name` is the target's, under which an answer may be wrapped; `wrapper`
    the key under which a bare value travels. With `strict`, scalars and lists stay as they are.
    """

    def __init__(
        self,
        schema: JSONObject,
        marks: Marks | None = None,
        *,
        strict: bool = False,
        name: str = "",
        wrapper: str | None = None,
    ) -> None:
        self.root = schema
        self.marks = {id(look(schema, split(place))): mark for place, mark in (marks or {}).items()}
        self.strict = strict
        self.name = name
        self.root_depth = 0 if wrapper is None else 1
        """How many keys lead to the value that was asked for."""
        self._each_for_itself = schema.keys().isdisjoint(_SELECTIVE) and "object" in (types_of(schema) or ("object",))
        self._mends: dict[tuple[int, bool], Mend] = {}
        self.accepts = Acceptor(schema)

    def __call__(self, value: JSON) -> Coerced:
        return self._mended(value, keys=True)

    def _mended(self, value: JSON, *, keys: bool) -> Coerced:
        notes = Notes()
        try:
            mended = self.mend(self.root, value, (), notes, keys=keys)
        except RecursionError:  # nested more deeply than anybody means: validation says so
            return Coerced(value)
        return Coerced(mended, tuple(notes.repairs), tuple(notes.problems))

    def anew(self, value: JSON, keys: frozenset[str]) -> Coerced:
        """What `self(value)` gives, for a value that was coerced before all but what these keys of it hold now."""
        if not isinstance(value, dict) or not self._each_for_itself:
            return self(value)
        new = {key: value[key] for key in filter(keys.__contains__, value)}
        made = self._mended(new, keys=False)
        return Coerced(value if made.value is new else {**value, **made.value}, made.repairs, made.problems)

    def mend(self, schema: JSON, value: JSON, path: Path, notes: Notes, *, keys: bool = True) -> JSON:
        """`value` as `schema`, a part of the whole one, means it. Without `keys`, those of an object are another schema's business."""
        if not isinstance(schema, dict):
            return value
        mend = self._mends.get((id(schema), keys))
        if mend is None:
            mend = self._mends[id(schema), keys] = self._compile(schema, keys=keys)
        return mend(value, path, notes)

    def takes(self, value: JSON, schema: JSON) -> bool:
        """Whether a part of the schema takes a value that was made for it: digits are text where all of them count."""
        return self.accepts(value, schema) or (isinstance(value, str) and self.marks.get(id(schema), _UNMARKED).exact)

    def _compile(self, schema: JSONObject, *, keys: bool) -> Mend:
        mark = self.marks.get(id(schema), _UNMARKED)
        if mark.raw:
            return _as_it_is
        inner = "properties" in schema  # then what is referred to, combined or chosen sees only some of the keys
        made: list[Mend | None] = [
            _reference(self, schema, keys=keys and not inner),
            _all_of(self, schema),
            _union(self, schema, keys=keys and not inner),
            keyed(self, schema) if keys else None,
            wrapped(self, schema),
            typed(self, schema, exact=mark.exact),
            _object(self, schema),
            _array(self, schema),
            *(() if self.strict else (enum_member(schema), formatted(schema))),
            no_moment(schema),
            None if mark.infinite else finite(schema),
        ]
        mends = [mend for mend in made if mend is not None]
        if len(mends) == 1:
            return mends[0]

        def each(value: JSON, path: Path, notes: Notes) -> JSON:
            for mend in mends:
                value = mend(value, path, notes)
            return value

        return each


def _as_it_is(value: JSON, path: Path, notes: Notes) -> JSON:  # noqa: ARG001  # a function of the user gets the data first
    return value


def _reference(coercer: Coercer, schema: JSONObject, *, keys: bool) -> Mend | None:
    if "$ref" not in schema:
        return None
    target = coercer.accepts.resolve(schema["$ref"])
    return lambda value, path, notes: coercer.mend(target, value, path, notes, keys=keys)


def _all_of(coercer: Coercer, schema: JSONObject) -> Mend | None:
    parts = schema.get("allOf")
    if not parts:
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        for part in parts:
            value = coercer.mend(part, value, path, notes, keys=False)
        return value

    return mend


def _union(coercer: Coercer, schema: JSONObject, *, keys: bool) -> Mend | None:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if not branches:
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        taking = [branch for branch in branches if coercer.accepts(value, branch)]
        if len(taking) == 1:
            return coercer.mend(taking[0], value, path, notes, keys=keys)
        if taking and not isinstance(value, dict | list):
            return value
        if notes.depth >= _TRIALS:
            return value
        return _try_branches(coercer, taking or branches, value, path, notes, keys=keys)

    return mend


def _try_branches(coercer: Coercer, branches: list[JSON], value: JSON, path: Path, notes: Notes, *, keys: bool) -> JSON:
    """The one value that the branches can make of `value`; `value` itself when they make none or several, or take it as it is."""
    made: list[tuple[JSON, Notes]] = []
    doubts = Notes()
    for branch in branches:
        trial = Notes(notes.depth + 1, notes.opened)
        mended = coercer.mend(branch, value, path, trial, keys=keys)
        if trial.problems:
            doubts = trial
        elif coercer.takes(mended, branch):
            if mended is value:
                return value
            if not any(same(mended, other) for other, _ in made):
                made.append((mended, trial))
    if len(made) == 1 and not (doubts.problems and not isinstance(value, dict | list)):
        notes.add(made[0][1])
        return made[0][0]
    if len(made) > 1:
        return notes.doubt(path, value, tuple(shown(mended) for mended, _ in made))
    notes.problems += doubts.problems
    return value


_SELECTIVE = frozenset({"enum", "const", "format", "$ref", "allOf", "anyOf", "oneOf"})
_NOTES = frozenset({"type", "title", "description", "default", "examples"})


def _settled(schema: JSON) -> frozenset[type]:
    """Types of values that this schema leaves as they are, so that most values of an object cost a look-up and no call.

    Not floats: one may be infinite.
    """
    if not isinstance(schema, dict):
        return frozenset()
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches and schema.keys() <= _NOTES | {"anyOf", "oneOf"}:
        plain = [branch for branch in branches if isinstance(branch, dict) and branch.keys() <= _NOTES]
        return frozenset().union(*map(_settled, plain))
    if schema.keys() & _SELECTIVE:
        return frozenset()
    return plainly(types_of(schema)) - {list, dict, float}


def _object(coercer: Coercer, schema: JSONObject) -> Mend | None:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not properties and not isinstance(more, dict):
        return None
    settled = {key: _settled(part) for key, part in properties.items()}
    settled_more = _settled(more)

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if not isinstance(value, dict):
            return value
        changed: JSONObject = {}
        for key, item in value.items():
            if type(item) not in settled.get(key, settled_more):
                mended = coercer.mend(properties.get(key, more), item, (*path, key), notes)
                if mended is not item:
                    changed[key] = mended
        return {**value, **changed} if changed else value

    return mend


def _array(coercer: Coercer, schema: JSONObject) -> Mend | None:
    first, rest = schema.get("prefixItems", []), schema.get("items", True)
    if not first and not isinstance(rest, dict):
        return None

    def mend(value: JSON, path: Path, notes: Notes) -> JSON:
        if not isinstance(value, list):
            return value
        mended = [
            coercer.mend(first[index] if index < len(first) else rest, item, (*path, index), notes)
            for index, item in enumerate(value)
        ]
        return mended if any(a is not b for a, b in zip(mended, value, strict=True)) else value

    return mend
