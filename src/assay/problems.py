"""What is wrong with a value, said the same way whoever found it: pydantic or jsonschema.

Problems point into the data as the model wrote it, say what is wanted in words and name no library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import ErrorDetails, ValidationError

from assay.pointer import Token, at, join, look
from assay.types import JSON, JSONObject, Problem, ProblemKind
from assay.words import FORMATS, describe, one_of, quote

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError as Violation


class Invalid(Exception):  # noqa: N818  # a signal within the house, never raised to a user
    """The data does not validate. `problems` are ranked, the telling one first."""

    def __init__(self, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(*map(str, problems[:1]))
        self.problems = problems


_RANKS: dict[ProblemKind, int] = {
    "refusal": 0, "server": 0, "empty": 0, "truncated": 0, "json": 0, "ambiguous": 1,
    "type": 2, "missing": 3, "value": 4, "extra": 5,
}  # fmt: skip


def rank(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The telling ones first: what spoils a whole before what spoils a part, else in the order found; no repeats."""
    unique = {(p.path, p.kind, p.want): p for p in problems}
    return tuple(sorted(unique.values(), key=lambda p: (_RANKS[p.kind], p.path.count("/") if p.kind == "type" else 0)))


# -- pydantic ---------------------------------------------------------------------------------------


def from_pydantic(error: ValidationError, data: JSON, schema: JSONObject) -> tuple[Problem, ...]:
    """The problems of `data`, which pydantic refused. `schema` is the JSON Schema of the type, used for its words."""
    # Without the inputs: pydantic would copy the whole parent for every missing key.
    tree = _Place()
    for details in error.errors(include_url=False, include_input=False):
        tree.add(details, data)
    return rank(_problem(tokens, details, data, schema) for tokens, details in tree.best(()))


@dataclass(slots=True)
class _Place:
    """The errors at a place of the data: its own, those further in, and those of each branch of a union there."""

    own: list[ErrorDetails] = field(default_factory=list)
    inner: dict[Token, _Place] = field(default_factory=dict)
    branches: dict[Token, _Place] = field(default_factory=dict)

    def add(self, details: ErrorDetails, data: JSON) -> None:
        """Hang an error where its location leads. What in a location is not in the data is the name of a union's branch."""
        place, missing = self, details["type"] in _MISSING
        loc = details["loc"]
        for depth, token in enumerate(loc):
            if token == "[key]":  # the error is about the key itself; the pointer ends at it
                continue
            if (
                isinstance(data, dict)
                and token in data
                or isinstance(data, list)
                and isinstance(token, int)
                and token < len(data)
            ):
                place, data = place.inner.setdefault(token, _Place()), data[token]
            elif missing and depth == len(loc) - 1:
                place = place.inner.setdefault(token, _Place())
            else:
                place = place.branches.setdefault(token, _Place())
        place.own.append(details)

    def best(self, way: tuple[Token, ...]) -> list[tuple[tuple[Token, ...], ErrorDetails]]:
        """The errors to report: all of them, but of a union's branches only the one that fits best."""
        found = [(way, details) for details in self.own]
        for token, place in self.inner.items():
            found += place.best((*way, token))
        if self.branches:
            options = [place.best(way) for place in self.branches.values()]
            near = [option for option in options if not any(_mismatch(e, way) for e in option)]
            # No branch takes this kind of value: then all of them say what would be taken.
            found += min(near, key=_weight) if near else [error for option in options for error in option]
        return found


_Found = tuple[tuple[Token, ...], ErrorDetails]


def _mismatch(found: _Found, way: tuple[Token, ...]) -> bool:
    """Whether this error says that the branch wants another kind of value altogether."""
    return found[0] == way and (_kind(found[1], None) == "type" or found[1]["type"] in ("literal_error", "enum"))


def _weight(option: list[_Found]) -> tuple[int, int]:
    """How far a branch is from taking the value: wrong tags weigh most."""
    return sum(e["type"] in ("literal_error", "enum", "extra_forbidden") for _, e in option), len(option)


_MISSING = {"missing", "missing_argument", "missing_positional_only_argument", "missing_keyword_only_argument"}
_EXTRA = {"extra_forbidden", "unexpected_keyword_argument", "unexpected_positional_argument", "no_such_attribute"}
_TYPED = re.compile(
    r"_type$|_parsing$|^int_from_float$|^model_attributes_type$|^is_instance_of$|^none_required$|^needs_python_object$"
)


def _kind(details: ErrorDetails, said: JSON) -> ProblemKind:
    code = details["type"]
    if code in _MISSING or code == "union_tag_not_found":
        return "missing"
    if code in _EXTRA:
        return "extra"
    if code == "json_invalid":
        return "json"
    dated = isinstance(said, str) and code.endswith("_parsing") and code.split("_")[0] in _TEXTUAL
    return "type" if _TYPED.search(code) and not dated else "value"


_TEXTUAL = ("date", "datetime", "time", "timedelta", "uuid", "url", "decimal")


def _problem(tokens: tuple[Token, ...], details: ErrorDetails, data: JSON, schema: JSONObject) -> Problem:
    said = look(data, tokens)
    kind = _kind(details, said)
    return Problem(join(tokens), None if kind == "missing" else said, _want(details, tokens, data, schema), kind)


def _want(details: ErrorDetails, tokens: tuple[Token, ...], data: JSON, schema: JSONObject) -> str:
    code, context = details["type"], details.get("ctx", {})
    if code in ("value_error", "assertion_error"):
        return str(context.get("error", "")) or _plain(details["msg"])
    if code in _EXTRA:
        return "no such key"
    if code in _LIMITS:
        return _LIMITS[code].format(**context)
    if "[key]" in details["loc"]:
        return f"a key that is {_plain(details['msg'])}"
    if code in ("union_tag_not_found", "union_tag_invalid"):
        name = str(context.get("discriminator", "")).strip("'")
        return f"{quote(name)}: {context['expected_tags']}" if "expected_tags" in context else f"the key {quote(name)}"
    if code in _MISSING or _TYPED.search(code) or code in ("literal_error", "enum"):
        part = at(schema, tokens, data)
        words = "" if part is None else describe(part, schema)
        if words and words != "a value":
            return words
    return _plain(details["msg"])


_LIMITS = {
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "string_pattern_mismatch": "a string that matches {pattern}",
    "decimal_max_digits": "at most {max_digits} digits",
    "decimal_max_places": "at most {decimal_places} decimal places",
    "decimal_whole_digits": "at most {whole_digits} digits before the decimal point",
}

_PREFIX = re.compile(r"^(?:Value error, |Assertion failed, |Input should be )")


def _plain(message: str) -> str:
    """pydantic's message without its opening."""
    return _PREFIX.sub("", message).replace(" valid ", " ")


# -- jsonschema -------------------------------------------------------------------------------------


def from_jsonschema(errors: Iterable[Violation], schema: JSONObject) -> tuple[Problem, ...]:
    """The problems that a jsonschema validator found, in words; of a union, those of the branch that fits best."""
    return rank(problem for error in errors for problem in _violation(error, schema))


def _violation(error: Violation, schema: JSONObject) -> list[Problem]:
    way = tuple(error.absolute_path)
    if error.validator in ("anyOf", "oneOf") and error.context:
        return _branch(error, way, schema)
    said, value = error.instance, error.validator_value
    match error.validator:
        case "required":
            return [
                Problem(join((*way, key)), None, _wanted(error.schema, key, schema), "missing")
                for key in value
                if key not in said and f"'{key}'" in error.message
            ]
        case "additionalProperties" | "unevaluatedProperties":
            known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
            return [Problem(join((*way, key)), said[key], "no such key", "extra") for key in said if key not in known]
        case "type":
            return [Problem(join(way), said, describe(error.schema, schema), "type")]
        case "propertyNames":
            return [Problem(join(way), said, "other keys: " + error.message, "value")]
        case _:
            return [Problem(join(way), said, _rule(error), "value")]


def _wanted(schema: JSON, key: str, root: JSONObject) -> str:
    part = schema.get("properties", {}).get(key) if isinstance(schema, dict) else None
    return describe(part, root) if part is not None else "a value"


def _branch(error: Violation, way: tuple[Token, ...], schema: JSONObject) -> list[Problem]:
    options: dict[Token, list[Violation]] = {}
    for inner in error.context:
        options.setdefault(inner.schema_path[0], []).append(inner)
    near = [found for found in options.values() if not any(_other_kind(e, way) for e in found)]
    if not near:
        return [Problem(join(way), error.instance, describe({"anyOf": error.validator_value}, schema), "type")]
    chosen = min(near, key=lambda found: (sum(e.validator in ("const", "enum") for e in found), len(found)))
    return [problem for inner in chosen for problem in _violation(inner, schema)]


def _other_kind(error: Violation, way: tuple[Token, ...]) -> bool:
    return tuple(error.absolute_path) == way and error.validator in ("type", "const", "enum")


def _rule(error: Violation) -> str:
    """A keyword's demand in words."""
    value = error.validator_value
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
        case "minLength" | "maxLength":
            return f"at {'least' if error.validator == 'minLength' else 'most'} {value} characters"
        case "minItems" | "maxItems":
            return f"at {'least' if error.validator == 'minItems' else 'most'} {value} items"
        case "uniqueItems":
            return "no item twice"
        case _:
            return error.message
