"""Warnings before a run: what in a schema invites wrong answers, costs tokens, or is refused by a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.data.pointer import join
from assay.schema.definitions import Definitions
from assay.schema.keywords import DEFINITIONS, IDENTITY, NOTES, Way, parts, walk
from assay.schema.navigate import accepts_null, branches, resolve
from assay.schema.passes import NotStrict, strict_form, trim
from assay.schema.render import render
from assay.target.build import Target
from assay.types import JSON, JSONObject, Profile, PromptStyle

TOKENS_LIMIT = 1500
"""Estimated tokens of a schema in the prompt above which it is worth a warning; the dearest parts are named with it."""
DEPTH_LIMIT = 5
"""Objects within objects above which answers of small models get worse."""
_CHARACTERS_PER_TOKEN = 4
_DEAREST = 3

# What OpenAI documents for its strict mode; the strict form of other servers is held to it as the upper bound.
STRICT_PROPERTIES = 5000
STRICT_DEPTH = 10
STRICT_NAMES = 120_000
STRICT_ENUM_VALUES = 1000
STRICT_ENUM_MANY = 250
STRICT_ENUM_CHARACTERS = 15_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning. `path` is a JSON Pointer into the schema, `rule` the name of the check."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '(whole)'}: {self.message} [{self.rule}]"


def lint(schema: Target[object] | JSONObject, for_: Profile | None = None) -> list[Finding]:
    """What may go wrong with a schema; with a profile, also what its server refuses of it."""
    root = schema.json_schema if isinstance(schema, Target) else schema
    found = [finding for way, part in walk(root) for finding in _about(way, part, root)]
    found += _depth(root)
    found += _cost(root, for_.prompt_style if for_ else PromptStyle.SCHEMA)
    if for_ is not None and for_.dialect == "strict":
        found += _strict(root)
    return found


# -- one place ---------------------------------------------------------------------------------------------------------


def _about(way: Way, part: JSONObject, root: JSONObject) -> Iterator[Finding]:
    path = join(way)
    if _untyped(part) and not (way and way[-1] in ("not", "if", "then", "else")):
        yield Finding(path, "untyped", "any value is allowed here: say what belongs here")
    if part.get("type") == "object" and "properties" not in part and part.get("additionalProperties", True) in (True, {}):
        yield Finding(path, "untyped-dict", "an object with any keys and values: name its fields, or the type of its values")
    if _is_closed_choice(part) and not _optional(way, root) and not any(map(_way_out, part["enum"])):
        yield Finding(
            path, "no-way-out", 'none of the values fits every text: add one like "other" or "unknown", or allow null'
        )
    for name, field in part.get("properties", {}).items():
        yield from _field((*way, "properties", name), field, part, root)


def _untyped(part: JSONObject) -> bool:
    return not part.keys() - NOTES - IDENTITY - set(DEFINITIONS)


def _is_closed_choice(part: JSONObject) -> bool:
    return len(part.get("enum", ())) > 1


_OUT = ("other", "unknown", "none", "n/a", "na", "neutral", "mixed", "unspecified", "not_", "unclear", "misc", "any")


def _way_out(value: JSON) -> bool:
    return value is None or (isinstance(value, str) and value.casefold().startswith(_OUT)) or value == ""


def _optional(way: Way, root: JSONObject) -> bool:
    """Whether the value at a place in the schema may be null, by a union around it."""
    around = way[:-2] if len(way) >= 2 and way[-2] in ("anyOf", "oneOf") else way
    part: JSON = root
    for step in around:
        part = part[step]
    return accepts_null(part, root)


def _field(way: Way, field: JSON, owner: JSONObject, root: JSONObject) -> Iterator[Finding]:
    name, required, null = way[-1], way[-1] in owner.get("required", ()), accepts_null(field, root)
    schema = resolve(field, root)
    if required and not null and _said_by_texts(schema):
        yield Finding(
            join(way),
            "required",
            f"{name} is required and may not be null: the model has to guess when the text does not say it",
        )
    if not required and not null and "default" not in schema and "default" not in (field if isinstance(field, dict) else {}):
        yield Finding(join(way), "optional", f"{name} may be left out but not be null: models write null, so allow it")
    if required and null and isinstance(field, dict) and "default" in field:
        yield Finding(join(way), "optional", f"{name} is required and has a default: choose one")
    if null and schema.get("type") == "string" and schema.get("default") == "":
        yield Finding(join(way), "optional", f'{name} may be null and "": two ways to say nothing')


def _said_by_texts(schema: JSONObject) -> bool:
    """Whether a value comes out of the text as it stands; lists may be empty, tags and objects are the schema's own."""
    if branches(schema):
        return not any(branch.get("type") in ("object", "array") or "$ref" in branch for branch in branches(schema))
    return "const" not in schema and "enum" not in schema and schema.get("type") in ("string", "integer", "number", "boolean")


# -- the whole ---------------------------------------------------------------------------------------------------------


def depth(schema: JSONObject) -> int:
    """Objects within objects, recursion counted once."""
    return _levels(schema, Definitions.of(schema))


def _levels(schema: JSONObject, definitions: Definitions) -> int:
    deep = {ref: _deep(resolve({"$ref": ref}, schema), {}) for ref in definitions.looped}
    for ref in definitions.inner_first():
        deep[ref] = _deep(resolve({"$ref": ref}, schema), deep)
    return _deep(schema, deep)


def _deep(schema: JSON, known: Mapping[str, int]) -> int:
    """`known`: of the references within."""
    if not isinstance(schema, dict):
        return 0
    inner = (_deep(part, known) for step, part in parts(schema) if step[0] not in DEFINITIONS)
    return ("properties" in schema) + max((known.get(schema.get("$ref", ""), 0), *inner))


def _depth(root: JSONObject) -> Iterator[Finding]:
    definitions = Definitions.of(root)
    if (deep := _levels(root, definitions)) > DEPTH_LIMIT:
        yield Finding("", "deep", f"{deep} nested objects: small models get lost below {DEPTH_LIMIT}")
    if looped := sorted(definitions.looped):
        yield Finding(
            looped[0].removeprefix("#"), "recursive", "a recursive type: without a limit, small models may never stop"
        )


def tokens(text: str) -> int:
    """Tokens of a text, estimated as a quarter of its characters: tokenizers differ, the order of magnitude does not."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def _cost(root: JSONObject, style: PromptStyle) -> Iterator[Finding]:
    total = tokens(render(root, style))
    if total <= TOKENS_LIMIT:
        return
    parts = sorted(_costs(root), key=lambda cost: cost[0], reverse=True)[:_DEAREST]
    dearest = ", ".join(f"{what} of {join(way)} about {cost}" for cost, way, what in parts)
    yield Finding("", "tokens", f"the schema costs about {total} tokens in every prompt as {style}; dearest: {dearest}")


def _costs(root: JSONObject) -> Iterator[tuple[int, Way, str]]:
    for way, part in walk(trim(root)):
        if "description" in part:
            yield tokens(part["description"]), way, "the description"
        if "enum" in part:
            yield tokens(json.dumps(part["enum"])), way, "the values"
        if way and len(way) > 1 and way[-2] == "properties":
            yield tokens(str(way[-1])), way, "the name"


def _strict(root: JSONObject) -> Iterator[Finding]:
    try:
        form = strict_form(root)
    except NotStrict as refused:
        yield Finding(refused.path, "strict", f"no strict mode: {refused}; the schema is sent, but not enforced exactly")
        return
    parts = [part for _, part in walk(form)]
    names = [name for part in parts for key in ("properties", *DEFINITIONS) for name in part.get(key, ())]
    choices = [part["enum"] for part in parts if "enum" in part]
    written = sum(len(str(value)) for values in choices for value in values) + sum(map(len, names))
    for amount, limit, what in (
        (sum(len(part.get("properties", ())) for part in parts), STRICT_PROPERTIES, "properties"),
        (depth(form), STRICT_DEPTH, "levels of objects"),
        (written, STRICT_NAMES, "characters of names and values"),
        (sum(map(len, choices)), STRICT_ENUM_VALUES, "enum values"),
        (
            max((_characters(v) for v in choices if len(v) > STRICT_ENUM_MANY), default=0),
            STRICT_ENUM_CHARACTERS,
            "characters in an enum",
        ),
    ):
        if amount > limit:
            yield Finding("", "strict-limit", f"{amount} {what}: strict mode takes {limit}")
    for way, part in walk(root):
        lost = sorted(part.keys() & {"minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties"})
        if lost:
            yield Finding(
                join(way),
                "strict-keyword",
                f"strict mode does not enforce {', '.join(lost)}: validation does, after the answer",
            )


def _characters(values: list[JSON]) -> int:
    return sum(len(str(value)) for value in values)
