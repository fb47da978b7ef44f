"""A JSON Schema as a model reads it in the prompt: few tokens, nothing lost. The same bytes for the same schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from assay.schema.definitions import Definitions
from assay.schema.navigate import branches, positions, resolve
from assay.schema.passes import trim
from assay.schema.words import bounds, quote
from assay.types import JSON, JSONObject, PromptStyle

_WIDTH = 96
"""Characters of an object that still stands on one line."""


_NAMED_FIELDS, _NAMED_SIZE = 2, 12
"""Fields, and parts in all, of a form that is written once and named where it recurs."""
_LONGER, _SHORT = 8, 4000
"""How many times longer than the schema itself a prompt may be, and the characters that it may have in any case."""


def render(schema: JSONObject, style: PromptStyle) -> str:
    """The schema in a prompt style; as a schema where the style would make many times as much of it."""
    text = _rendered(schema, style)
    if style is PromptStyle.SCHEMA or len(text) <= _SHORT:
        return text
    plain = _rendered(schema, PromptStyle.SCHEMA)
    return text if len(text) <= _LONGER * len(plain) else plain


def _rendered(schema: JSONObject, style: PromptStyle) -> str:
    match style:
        case PromptStyle.SCHEMA:
            return json.dumps(trim(schema), ensure_ascii=False, separators=(",", ":"))
        case PromptStyle.TEMPLATE:
            return _Writer.of(schema).template()
        case PromptStyle.FIELDS:
            return _Writer.of(schema).field_list()
        case _:
            assert_never(style)


@dataclass(slots=True)
class _Writer:
    root: JSONObject
    named: dict[str, str]
    """The references that are written by name, because they recur: `{"#/$defs/Node": "Node"}`."""
    met: list[str] = field(default_factory=list)
    """Those of them that were written, in order: their own forms follow."""

    @classmethod
    def of(cls, schema: JSONObject) -> _Writer:
        definitions = Definitions.of(schema)

        def big(ref: str, size: int) -> bool:
            wide = len(resolve({"$ref": ref}, schema).get("properties", ())) > _NAMED_FIELDS
            return definitions.uses[ref] > 1 and (wide or size > _NAMED_SIZE)

        named = definitions.apart(big)
        return cls(schema, {ref: ref.rpartition("/")[2] or "Whole" for ref in sorted(named)})

    # -- template ------------------------------------------------------------------------------------------------------

    def template(self) -> str:
        text = self.form(self.root, "")
        for ref in self.met:  # grows while we write
            named = resolve({"$ref": ref}, self.root)
            text += f"\nwhere {self.named[ref]} is {'again all of this' if self._is_whole(named) else self.form(named, '')}"
        return text

    def form(self, schema: JSON, indent: str) -> str:
        """The shape of a value: a type where each value goes."""
        if isinstance(schema, dict) and (name := self._name(schema)):
            return name
        schema = resolve(schema, self.root)
        if "const" in schema:
            return quote(schema["const"])
        if "enum" in schema:
            return " | ".join(map(quote, schema["enum"]))
        if options := branches(schema):
            return " or ".join(dict.fromkeys(self.form(option, indent) for option in options))
        types = schema.get("type", "object" if "properties" in schema else ())
        types = [types] if isinstance(types, str) else types
        return " or ".join(self._typed(schema, t, indent) for t in types) or "any value"

    def _name(self, schema: JSONObject) -> str | None:
        ref = schema.get("$ref", "")
        if ref in self.named and ref not in self.met:
            self.met.append(ref)
        return self.named.get(ref)

    def _typed(self, schema: JSONObject, type_: str, indent: str) -> str:
        match type_:
            case "object":
                return self._object(schema, indent)
            case "array":
                return self._array(schema, indent) + ("" if positions(schema) else _limits(schema))
            case _:
                return type_ + _limits(schema)

    def _array(self, schema: JSONObject, indent: str) -> str:
        if prefix := positions(schema):
            return f"[{', '.join(self.form(part, indent) for part in prefix)}]"
        return f"[{self.form(schema.get('items', {}), indent)}]"

    def _object(self, schema: JSONObject, indent: str) -> str:
        deeper = indent + "  "
        lines = [
            (f"{quote(name)}: {self.form(part, deeper)}{_optional(schema, name, part)}", self._comment(part))
            for name, part in schema.get("properties", {}).items()
        ]
        lines += [(f'"...": {self.form(part, deeper)}', said) for said, part in _free(schema)]
        flat = "{" + ", ".join(line for line, _ in lines) + "}"
        if len(flat) <= _WIDTH and "\n" not in flat and not any(comment for _, comment in lines):
            return flat
        body = "\n".join(
            deeper + line + ("," if n < len(lines) else "") + (f" // {comment}" if comment else "")
            for n, (line, comment) in enumerate(lines, 1)
        )
        return f"{{\n{body}\n{indent}}}"

    def _comment(self, schema: JSON) -> str:
        schema = resolve(schema, self.root)
        told = " ".join(str(schema.get("description", "")).split())
        shown = f"e.g. {', '.join(map(quote, schema['examples']))}" if schema.get("examples") else ""
        return " ".join(filter(None, [told, shown]))

    def _is_whole(self, schema: JSONObject) -> bool:
        return "properties" in schema and schema["properties"] == self.root.get("properties")

    # -- field list ------------------------------------------------------------------------------------------------------

    def field_list(self) -> str:
        lines = list(self._lines(self.root, ""))
        for ref in self.met:
            named = resolve({"$ref": ref}, self.root)
            if self._is_whole(named):
                lines.append(f"where {self.named[ref]} has again all of these fields")
            else:
                lines += [f"where {self.named[ref]} has:", *self._lines(named, "  ")]
        return "\n".join(lines)

    def _lines(self, schema: JSON, path: str) -> Iterator[str]:
        """One line per field of an object, and those of the objects in it."""
        schema = resolve(schema, self.root)
        for name, part in schema.get("properties", {}).items():
            here = f"{path}.{name}" if path.strip() else f"{path}{name}"
            told = self._comment(part)
            yield f"{here}: {self._brief(part)}{_optional(schema, name, part)}{'. ' if told else ''}{told}"
            yield from self._below(part, here)
        for said, part in _free(schema):
            here = f"{path}.<key>" if path.strip() else f"{path}<key>"
            yield f"{here}: {self._brief(part)} ({said})"
            yield from self._below(part, here)

    def _below(self, schema: JSON, path: str) -> Iterator[str]:
        if isinstance(schema, dict) and schema.get("$ref") in self.named:
            return
        schema = resolve(schema, self.root)
        for option in branches(schema):
            yield from self._below(option, path)
        if isinstance(schema.get("items"), dict):
            yield from self._below(schema["items"], f"{path}[]")
        if not branches(schema):
            yield from self._lines(schema, path)

    def _brief(self, schema: JSON) -> str:
        """A type in words; objects are told by the lines that follow."""
        if isinstance(schema, dict) and (name := self._name(schema)):
            return name
        schema = resolve(schema, self.root)
        if options := branches(schema):
            return " or ".join(dict.fromkeys(self._brief(option) for option in options))
        if schema.get("type") == "object" or "properties" in schema:
            return "object"
        if schema.get("type") == "array" and not positions(schema):
            return f"array of {self._brief(schema.get('items', {}))}{_limits(schema)}"
        return self.form(schema, "")


def _free(schema: JSONObject) -> Iterator[tuple[str, JSON]]:
    """The schemas of an object's free keys, and what is said of the keys."""
    for pattern, part in schema.get("patternProperties", {}).items():
        yield f"keys matching {pattern}", part
    open_ = schema.get("type") == "object" and not schema.keys() & {"properties", "patternProperties"}
    free = schema.get("additionalProperties", open_)
    if isinstance(free, dict) or (free and open_):
        yield "any keys", free


def _optional(schema: JSONObject, name: str, part: JSON) -> str:
    """The mark of a field that may be left out; one that may be null says so itself."""
    if name in schema.get("required", ()):
        return ""
    default = part.get("default") if isinstance(part, dict) else None
    if default not in (None, [], {}, ""):
        return f" (default {quote(default)})"
    return "" if isinstance(part, dict) and _nullable(part) else " (optional)"


def _nullable(schema: JSONObject) -> bool:
    return any(isinstance(o, dict) and o.get("type") == "null" for o in branches(schema)) or "null" in schema.get("type", ())


def _limits(schema: JSONObject) -> str:
    """What narrows a type, in parentheses."""
    parts = [schema.get("format", ""), bounds(schema)]
    if "pattern" in schema:
        parts.append(f"matching {schema['pattern']}")
    for what, unit in (("Length", "characters"), ("Items", "items")):
        parts.append(_span(schema.get(f"min{what}"), schema.get(f"max{what}"), unit))
    if schema.get("uniqueItems"):
        parts.append("no item twice")
    told = ", ".join(filter(None, parts))
    return f" ({told})" if told else ""


def _span(low: int | None, high: int | None, unit: str) -> str:
    if low is not None and high is not None:
        return f"{low} to {high} {unit}" if low != high else f"{low} {unit}"
    if low is not None:
        return f"at least {low} {unit}"
    return f"at most {high} {unit}" if high is not None else ""
