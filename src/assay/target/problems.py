"""What is wrong with a value: ranked problems, and how pydantic's errors become them.

Problems point into the data as the model wrote it, say what is wanted in words and name no library.
Those of JSON Schemas are made in `assay.target.violations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import get_args

from pydantic_core import ErrorDetails, ValidationError
from pydantic_core.core_schema import ErrorType

from assay.data.pointer import Token, join, look
from assay.schema.navigate import at
from assay.schema.words import quote, wanted
from assay.types import JSON, JSONObject, Problem, ProblemKind


class Invalid(Exception):  # noqa: N818  # a signal within the house, never raised to a user
    """The data does not validate. `problems` are ranked, the telling one first."""

    def __init__(self, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(*problems[:1])
        self.problems = problems


_RANKS: dict[ProblemKind, int] = {
    "refusal": 0, "server": 0, "empty": 0, "truncated": 0, "json": 0, "ambiguous": 1,
    "type": 2, "missing": 3, "value": 4, "extra": 5, "ungrounded": 6,
}  # fmt: skip


def rank(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The telling ones first: what spoils a whole before what spoils a part, else in the order found; no repeats."""
    unique: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        unique.setdefault((problem.path, problem.want), problem)
    return tuple(sorted(unique.values(), key=lambda p: (_RANKS[p.kind], p.path.count("/") if p.kind == "type" else 0)))


def from_pydantic(error: ValidationError, data: JSON, schema: JSONObject, told: Mapping[int, str]) -> tuple[Problem, ...]:
    """The problems of `data`, which pydantic refused. `schema` is the JSON Schema of the type, used for its words; `told` as in `wanted`."""
    # Without the inputs: pydantic would copy the whole parent for every missing key.
    tree = _Errors()
    for details in error.errors(include_url=False, include_input=False):
        tree.add(details, data)
    return rank(_problem(tokens, details, data, _Said(schema, told)) for tokens, details in tree.best(()))


@dataclass(slots=True)
class _Errors:
    """The errors at a place of the data: its own, those further in, and those of each branch of a union there."""

    own: list[ErrorDetails] = field(default_factory=list)
    inner: dict[Token, _Errors] = field(default_factory=dict)
    branches: dict[Token, _Errors] = field(default_factory=dict)

    def add(self, details: ErrorDetails, data: JSON) -> None:
        """Hang an error where its location leads. What in a location is not in the data is the name of a union's branch."""
        place, loc = self, details["loc"]
        for depth, step in enumerate(loc):
            if step == "[key]":  # the error is about the key itself; the pointer ends at it
                continue
            if _has(data, step):
                place, data = place.inner.setdefault(step, _Errors()), data[step]
            elif depth == len(loc) - 1 and details["type"] in _MISSING:
                place = place.inner.setdefault(step, _Errors())
            else:
                place = place.branches.setdefault(step, _Errors())
        place.own.append(details)

    def best(self, way: tuple[Token, ...]) -> list[_Found]:
        """The errors to report: all of them, but of a union's branches only the one that fits best."""
        found: list[_Found] = [(way, details) for details in self.own]
        for step, place in self.inner.items():
            found += place.best((*way, step))
        if self.branches:
            options = [place.best(way) for place in self.branches.values()]
            near = [option for option in options if not any(_mismatch(e, way) for e in option)]
            # No branch takes this kind of value: then all of them say what would be taken.
            found += min(near, key=_weight) if near else chain(*options)
        return found


def _has(data: JSON, step: Token) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


_Found = tuple[tuple[Token, ...], ErrorDetails]


def _mismatch(found: _Found, way: tuple[Token, ...]) -> bool:
    """Whether this error says that the branch wants another kind of value altogether."""
    return found[0] == way and (_kind(found[1], None) == "type" or found[1]["type"] in ("literal_error", "enum"))


def _weight(option: Iterable[_Found]) -> tuple[int, int]:
    """How far a branch is from taking the value: wrong tags weigh most."""
    return sum(e["type"] in ("literal_error", "enum", "extra_forbidden") for _, e in option), len(list(option))


_MISSING = {"missing", "missing_argument", "missing_positional_only_argument", "missing_keyword_only_argument"}
_EXTRA = {"extra_forbidden", "unexpected_keyword_argument", "unexpected_positional_argument", "no_such_attribute"}
_TYPED = {"int_from_float", "is_instance_of", "none_required", "needs_python_object"}


def _kind(details: ErrorDetails, said: JSON) -> ProblemKind:
    code = details["type"]
    if code in _MISSING or code == "union_tag_not_found":
        return "missing"
    if code in _EXTRA:
        return "extra"
    if "[key]" in details["loc"]:
        return "value"
    if said is None and code in ("literal_error", "enum"):
        return "type"
    if code == "json_invalid":
        return "json"
    dated = isinstance(said, str) and code.endswith("_parsing") and code.split("_")[0] in _TEXTUAL
    return "type" if (code in _TYPED or code.endswith(("_type", "_parsing"))) and not dated else "value"


_TEXTUAL = ("date", "datetime", "time", "timedelta", "uuid", "url", "decimal")


@dataclass(frozen=True, slots=True)
class _Said:
    """What says what is wanted: a schema, and words for those parts of it that do not say all."""

    schema: JSONObject
    told: Mapping[int, str]

    def wanted(self, tokens: tuple[Token, ...], data: JSON) -> str:
        part = at(self.schema, tokens, data)
        return "" if part is None else wanted(part, self.schema, self.told)


def _problem(tokens: tuple[Token, ...], details: ErrorDetails, data: JSON, by: _Said) -> Problem:
    said = look(data, tokens)
    kind = _kind(details, said)
    return Problem(join(tokens), None if kind == "missing" else said, _want(details, tokens, data, by), kind, details["type"])


def _want(details: ErrorDetails, tokens: tuple[Token, ...], data: JSON, by: _Said) -> str:
    code, context = details["type"], details.get("ctx", {})
    if code in ("value_error", "assertion_error"):
        return str(context.get("error", "")) or _plain(details["msg"])
    if code in _EXTRA:
        return "no such key"
    if code in _LIMITS:
        return _LIMITS[code].format(**context)
    if code in TOLD:
        return TOLD[code].format(**context)
    if "[key]" in details["loc"]:
        return f"a key that is {_plain(details['msg'])}"
    if code in ("union_tag_not_found", "union_tag_invalid"):
        name = quote(str(context.get("discriminator", "")).strip("'"))
        return f"{name}: one of {context['expected_tags']}" if "expected_tags" in context else f"the key {name}"
    words = by.wanted(tokens, data) if code in _KNOWN else ""
    says_less = words in ("", "a value") or (words.startswith("a string") and " or " not in words and code not in _STRINGS)
    return _plain(details["msg"]) if says_less else words


_STRINGS = {"bytes_type", "string_type", "string_sub_type", "string_unicode", "missing", "union_tag_not_found"}
"""Complaints that have nothing to add where a string is wanted."""
TOLD = {
    "timezone_naive": "a date and time without a time zone, like 2024-03-05T14:30:00",
    "timezone_aware": "a date and time with its time zone, like 2024-03-05T14:30:00+01:00",
    "date_past": "a date in the past, like 2024-03-05",
    "date_future": "a date in the future",
    "datetime_past": "a date and time in the past, like 2024-03-05T14:30:00",
    "datetime_future": "a date and time in the future",
    "uuid_version": "a UUID of version {expected_version}",
    "url_scheme": "a URL that begins with {expected_schemes}",
    "url_too_long": "a URL of at most {max_length} characters",
    "json_invalid": "text that is JSON: {error}",
    "json_type": "text that is JSON",
    "complex_type": "a complex number like 1+2j",
    "complex_str_parsing": "a complex number like 1+2j",
}
"""Complaints of which neither the schema nor pydantic says plainly what would do."""

_ADDRESSES = {f"ip_{version}_{kind}" for version in ("v4", "v6", "any") for kind in ("address", "interface", "network")}
_KNOWN = {*get_args(ErrorType), *_ADDRESSES} - {"custom_error"}
"""pydantic's own complaints. Any other message was written by someone for this very field, and is kept."""


def by_validator(problem: Problem) -> bool:
    """Whether a validator of the user's complains: the form of the answer is right then."""
    return problem.code in ("value_error", "assertion_error") or bool(problem.code and problem.code not in _KNOWN)


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
    """The message of pydantic without its opening."""
    return _ARTICLE.sub("an ", _TAIL.sub("", _PREFIX.sub("", message)).replace(" valid ", " "))


_ARTICLE = re.compile(r"\ba (?=[aeio])")
_TAIL = re.compile(r", unable to (?:parse|interpret) .*$")
