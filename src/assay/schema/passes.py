"""Passes over a JSON Schema: pure functions from one schema to another, the same bytes for the same schema.

`form` gives the form that a server's constrained decoding takes. None of them replaces validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from assay.schema.anthropic import anthropic_form
from assay.schema.definitions import Definitions
from assay.schema.gemini import gemini_form
from assay.schema.keywords import DEFINITIONS, IDENTITY, NOTES, changed, rebuild, references, walk
from assay.schema.llama import llama_form
from assay.schema.navigate import followed
from assay.schema.required import Required
from assay.schema.strict import NotStrict, from_strict, strict_form
from assay.types import JSON, Dialect, JSONObject

__all__ = ["NotStrict", "form", "from_strict", "llama_form", "strict_form", "trim", "undo"]


def form(schema: JSONObject, dialect: Dialect) -> tuple[JSONObject, bool]:
    """The schema in the form of a dialect, and whether a server may enforce it exactly.

    What the strict form cannot say (free keys) goes out plain and is not exact.
    """
    match dialect:
        case "plain":
            return trim(schema), False
        case "nullable":
            return trim(Required(hoist(schema)).schema), False
        case "llama.cpp":
            return llama_form(hoist(schema)), False
        case "strict":
            try:
                return strict_form(hoist(schema)), True
            except NotStrict:
                return trim(schema), False
        case "anthropic":
            whole = hoist(schema)
            try:
                return (trim(schema), False) if Definitions.of(whole).looped else (anthropic_form(whole), True)
            except NotStrict:
                return trim(schema), False
        case "gemini":
            whole = hoist(schema)  # a recursion may stand in optional properties alone
            return gemini_form(trim(whole if Definitions.of(whole).looped else Required(whole).schema)), False
        case _:
            assert_never(dialect)


def undo(schema: JSONObject, dialect: Dialect) -> Undo | None:
    """What leads an answer in the form of a dialect back to the schema; None where an answer needs no leading back."""
    if dialect not in _REQUIRING:
        return None
    asked = Required(hoist(schema))
    return asked.undo if asked.adds else None


Undo = Callable[[JSON], JSON]
_REQUIRING: set[Dialect] = {"nullable", "strict", "llama.cpp", "gemini"}
"""Dialects in which fields that may be left out are required and may be null."""


# -- trim ------------------------------------------------------------------------------------------------------------

_NOISE = IDENTITY | NOTES - {"description", "default", "examples"}


def trim(schema: JSONObject) -> JSONObject:
    """Without keywords that a model does not need; definitions used once stand where they are used. Descriptions stay."""
    if not any("$ref" in part or not part.keys().isdisjoint(DEFINITIONS) for _, part in walk(schema)):
        small: JSONObject = _trimmed(schema, lambda part: part)
        return small
    schema = _reachable(hoist(schema))
    definitions = Definitions.of(schema)
    once = set(definitions.uses) - definitions.apart(lambda ref, _: definitions.uses[ref] > 1 or not ref.startswith("#/"))
    whole = _trimmed(schema, lambda part: _inline(part, schema, once))
    return _reachable(whole)


def _reachable(schema: JSONObject) -> JSONObject:
    """Without definitions that nothing refers to."""
    definitions = {f"#/{key}/{name}": part for key in DEFINITIONS for name, part in schema.get(key, {}).items()}
    used: set[str] = set()
    ahead = [{key: value for key, value in schema.items() if key not in DEFINITIONS}]
    while ahead:
        found = {ref for _, ref in references(ahead.pop())} - used
        used |= found
        ahead += [definitions[ref] for ref in found if ref in definitions]
    whole = {key: value for key, value in schema.items() if key not in DEFINITIONS}
    for key in DEFINITIONS:
        if kept := {name: part for name, part in schema.get(key, {}).items() if f"#/{key}/{name}" in used}:
            whole[key] = kept
    return whole


def _inline(part: JSONObject, root: JSONObject, refs: set[str]) -> JSONObject:
    while (ref := part.get("$ref")) in refs:
        target = followed({"$ref": ref}, root)
        part = {**target, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _trimmed(part: JSON, inline: Callable[[JSONObject], JSONObject]) -> JSON:
    """One schema trimmed, in a fixed order of keys."""
    if not isinstance(part, dict):
        return part
    part = inline(part)
    kept: JSONObject = {}
    for key in sorted(part, key=_order):
        value = part[key]
        if key in _NOISE or (key == "default" and value in (None, [], {}, "")):
            continue
        kept[key] = changed(key, value, lambda inner: _trimmed(inner, inline))
    if "const" in kept or "enum" in kept:
        kept.pop("type", None)
    return kept


_ORDER = {key: n for n, key in enumerate(("type", "description", "enum", "const", "properties", "items", "required"))}


def _order(key: str) -> tuple[int, str]:
    return (len(_ORDER) + (key in DEFINITIONS), key) if key not in _ORDER else (_ORDER[key], key)


def hoist(schema: JSONObject) -> JSONObject:
    """Definitions of the parts put at the root, where references look for them."""
    found: dict[str, JSONObject] = {}
    for way, part in walk(schema):
        for key in DEFINITIONS if way else ():
            found.setdefault(key, {}).update(part.get(key, {}))
    if not any(found.values()):
        return schema
    whole: JSONObject = _without_inner_defs(schema, root=True)
    return whole | {key: {**whole.get(key, {}), **inner} for key, inner in found.items() if inner}


def _without_inner_defs(part: JSON, *, root: bool = False) -> JSON:
    if not isinstance(part, dict):
        return part
    return rebuild({key: value for key, value in part.items() if root or key not in DEFINITIONS}, _without_inner_defs)
