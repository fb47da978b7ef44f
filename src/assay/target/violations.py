"""How the violations of a JSON Schema, which jsonschema finds, become problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.data.pointer import Token, join
from assay.schema.keywords import Way, rebuild
from assay.schema.navigate import at
from assay.schema.words import FORMATS, one_of, quote, wanted
from assay.target.problems import rank
from assay.types import JSON, JSONObject, Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError as Violation


def from_jsonschema(errors: Iterable[Violation], data: JSON, schema: JSONObject, way: Way = ()) -> tuple[Problem, ...]:
    """The problems that a jsonschema validator found, in words; of a union, those of the branch that fits best.

    `schema` is the plain form of the schema, and `way` leads within `data` to what was validated.
    """
    words = _Words(data, schema, way)
    return rank(problem for error in errors for problem in words.problems(error))


@dataclass(frozen=True, slots=True)
class _Words:
    data: JSON
    root: JSONObject
    way: Way

    def problems(self, error: Violation) -> list[Problem]:
        way = (*self.way, *error.absolute_path)
        if error.validator in ("anyOf", "oneOf") and error.context:
            return self._branch(error, way)
        said: Any = error.instance
        value, within = _demand(error), _object(error.schema)
        match error.validator:
            case "required" if isinstance(value, list):
                missing = [key for key in value if key not in said and repr(key) in error.message]
                return [Problem(join((*way, key)), None, self.told((*way, key), True), "missing") for key in missing]
            case "required":  # draft 3 says it of the property itself, with the object at hand
                return [Problem(join(way), None, self.told(way, error.schema), "missing")]
            case "additionalProperties" | "unevaluatedProperties":
                known = within.get("properties", {})
                extra = [key for key in said if key not in known and repr(key) in error.message]
                return [Problem(join((*way, key)), said[key], "no such key", "extra") for key in extra]
            case "type":
                return [Problem(join(way), said, self.told(way, error.schema), "type")]
            case "enum" | "const" if said is None:
                return [Problem(join(way), said, _rule(error), "type")]
            case _:
                return [Problem(join(way), said, _rule(error), "value")]

    def told(self, way: Way, schema: JSON) -> str:
        """What is wanted at a place: by the plain form, or by the schema that was violated where that says nothing of it."""
        part = at(self.root, way, self.data)
        words = "" if part is None else wanted(part, self.root)
        return words if words not in ("", "a value") else wanted(_without_references(schema), self.root)

    def _branch(self, error: Violation, way: Way) -> list[Problem]:
        options: dict[Token, list[Violation]] = {}
        for inner in error.context:
            options.setdefault(inner.schema_path[0] if inner.schema_path else len(options), []).append(inner)
        near = [found for found in options.values() if not any(self._other_kind(e, way) for e in found)]
        if not near:
            return [Problem(join(way), error.instance, self.told(way, {"anyOf": _demand(error)}), "type")]
        chosen = min(near, key=lambda found: (sum(e.validator in ("const", "enum") for e in found), len(found)))
        return [problem for inner in chosen for problem in self.problems(inner)]

    def _other_kind(self, error: Violation, way: Way) -> bool:
        return (*self.way, *error.absolute_path) == way and error.validator in ("type", "const", "enum", None)


def _without_references(schema: JSON) -> JSON:
    """References of a schema as it was given say nothing in its plain form."""
    if not isinstance(schema, dict):
        return schema
    return rebuild({key: value for key, value in schema.items() if key != "$ref"}, _without_references)


def _demand(error: Violation) -> Any:
    """The violated keyword's value."""
    return error.validator_value


def _object(schema: JSON) -> JSONObject:
    return schema if isinstance(schema, dict) else {}


def _rule(error: Violation) -> str:
    """A keyword's demand in words."""
    value = _demand(error)
    match error.validator:
        case "enum":
            return one_of(value)
        case "const":
            return quote(value)
        case "format":
            return FORMATS.get(value, f"a string of the format {value}")
        case "pattern":
            return f"a string that matches {value}"
        case "minimum":
            return f"at least {value}"
        case "maximum":
            return f"at most {value}"
        case "exclusiveMinimum":
            return f"above {value}"
        case "exclusiveMaximum":
            return f"below {value}"
        case "multipleOf":
            return f"a multiple of {value}"
        case "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties":
            least, unit = str(error.validator)[:3] == "min", str(error.validator)[3:]
            return f"at {'least' if least else 'most'} {value} {_UNITS[unit]}"
        case "uniqueItems":
            return "no item twice"
        case "unevaluatedItems" if value is False:
            return "an array without items that the schema does not name"
        case "oneOf":
            return "what fits exactly one of the alternatives"
        case "not":
            return f"anything but {wanted(value, {})}"
        case "contains":
            return f"an item that is {wanted(value, {})}"
        case None:
            return "nothing: no value is allowed here"
        case keyword:
            return f"what the schema says: {keyword} {quote(value)[:_CLIP]}"


_UNITS = {"Length": "characters", "Items": "items", "Properties": "keys"}
_CLIP = 200
