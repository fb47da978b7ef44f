"""The JSON value in a text that is not JSON as it stands: found, read leniently, and chosen among candidates."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic_core import from_json

from assay.decode import find
from assay.decode.cursor import UnreadableError
from assay.decode.find import Found
from assay.decode.result import Reading
from assay.decode.scan import DEPTH, skip
from assay.decode.strings import unescape
from assay.errors import DecodeError
from assay.schema.accept import same
from assay.types import JSON, JSONObject, Problem, ProblemKind, Repair

if TYPE_CHECKING:
    from assay.decode.reading import Reader

MAX_CHARS = 16_000_000
"""Longest malformed text that is read, in characters."""

_BARE = {"unquoted key", "unquoted string", "missing colon"}
_SHOWN = 200


def mended(text: str, reader: Reader) -> Reading:
    """What `assay.decode.read` says, whatever the text is."""
    try:
        value = from_json(text, allow_inf_nan=reader.infinite)
    except ValueError:
        return _lenient(text, reader)
    try:
        value = reader.valid(text)
    except ValueError:  # valid, but for a key that is there twice
        _check_keys(text)
    if type(value) is str and reader.schema is not None:
        return _unwrapped(text, value, reader)
    return Reading(value, candidates=(value,))


def _check_keys(text: str) -> None:
    """Raises `DecodeError` when a key of a valid text has two values that differ."""

    def single(pairs: list[tuple[str, JSON]]) -> JSONObject:
        found: JSONObject = {}
        for key, value in pairs:
            if key in found and not same(found[key], value):
                raise _error(text, f"the key {key[:80]!r} has two values", "ambiguous")
            found[key] = value
        return found

    json.loads(text, object_pairs_hook=single)


def _unwrapped(text: str, value: str, reader: Reader) -> Reading:
    """A valid JSON string: the value itself, or JSON that was encoded twice, as the schema says."""
    if not reader.accepts(value):
        try:
            inner = mended(value, reader.parts)
        except DecodeError:
            return Reading(value, candidates=(value,))
        if reader.accepts(inner.value):
            return replace(inner, repairs=(Repair("", "encoded twice", text, value), *inner.repairs))
    return Reading(value, candidates=(value,))


def _lenient(text: str, reader: Reader) -> Reading:
    if len(text) > MAX_CHARS:
        raise _error(text, f"longer than {MAX_CHARS} characters", "json")
    if not text.strip():
        raise _error(text, "the text is empty", "empty")
    plain = unescape(text)[0] if find.escaped(text) else text
    if plain != text:
        try:
            reading = mended(plain, reader)
        except DecodeError as error:
            raise DecodeError(str(error), problems=error.problems, text=text) from None
        return replace(reading, repairs=(Repair("", "encoded twice", text, plain), *reading.repairs))
    try:
        return _choose(text, _candidates(text), reader)
    except UnreadableError as error:
        if (judged := _by_schema(text, reader)) is not None:
            return judged
        kind: ProblemKind = "truncated" if find.cut_off(text) else error.kind
        raise _error(text, f"{error.why} (character {error.pos})", kind, error.path) from None
    except RecursionError:
        raise _error(text, f"nested too deep: more than {DEPTH} levels, or the caller's stack is nearly full", "json") from None


_MOST_CLOSERS = 6


def _by_schema(text: str, reader: Reader) -> Reading | None:
    """A text that is valid but for its first brace, or for brackets too many at its end, when the schema knows all that it then says."""
    if reader.schema is None:
        return None
    whole = body = text.strip()
    forms = [("{" + body, "", "{")] if body.startswith('"') else []
    while len(forms) < _MOST_CLOSERS and body[-1:] in ("]", "}"):
        body = body[:-1].rstrip()
        forms.append((body, whole[len(body) :], ""))
    for form, before, after in forms:
        try:
            value = reader.valid(form)
        except ValueError:
            continue
        if reader.knows(value):
            return Reading(value, (Repair("", "bracket", before, after),), candidates=(value,))
    return None


def _candidates(text: str) -> tuple[int, list[Found]]:
    """Where the answer starts, and the values in it: those in fences, else those in prose, else the whole as a scalar."""
    start = find.thinking(text)
    first = skip(text, start)
    if text[first : first + 1] not in ("{", "["):
        fenced = list(find.in_fences(text, start))
        if fenced:
            return start, fenced
    found = list(find.in_prose(text, start))
    if not found and (scalar := find.whole(text, start)):
        found = [scalar]
    if not found:
        raise UnreadableError("there is no JSON value in the text", start)
    return start, found


def _choose(text: str, place: tuple[int, list[Found]], reader: Reader) -> Reading:
    start, found = place
    values = tuple(one.read.value for one in found)
    best = [one for one in found if one.strong] or found
    if reader.schema is not None and len(best) > 1:
        if joined := _lines(text, start, best, reader):
            return replace(joined, candidates=values)
        best = [one for one in found if reader.accepts(one.read.value)] or best
    if len(best) > 1:
        best = [one for one in best if not _BARE & {repair.kind for repair in one.read.repairs}] or best
    if any(not same(one.read.value, best[0].read.value) for one in best):
        raise UnreadableError(f"{len(best)} values contradict each other", best[1].read.start, "ambiguous")
    read = best[0].read
    alone = text[start:].strip() == text[read.start : read.end].strip()
    if not alone and _is_prose(best[0], reader):
        raise UnreadableError("there is no JSON value in the text", read.start)
    return Reading(read.value, (*_around(text, start, best[0]), *read.repairs), read.truncated, values)


def _is_prose(found: Found, reader: Reader) -> bool:
    """Whether brackets amid other text hold no answer: `x in [0, 1]` where an object is wanted."""
    if reader.schema is None:
        return not found.strong
    value = found.read.value
    scalars = isinstance(value, list) and not any(isinstance(item, dict) for item in value)
    return scalars and not reader.accepts(value) and not reader.accepts([])


def _lines(text: str, start: int, found: list[Found], reader: Reader) -> Reading | None:
    """Values one after the other where the schema wants a list of them."""
    values = [one.read.value for one in found]
    gaps = (text[a.read.end : b.read.start].strip(" \t\r\n,;") for a, b in pairwise(found))
    listed = reader.accepts(values) or (reader.accepts([]) and all(isinstance(value, dict) for value in values))
    if any(gaps) or not listed or any(map(reader.accepts, values)):
        return None
    repairs = tuple(
        replace(repair, path=f"/{index}{repair.path}") for index, one in enumerate(found) for repair in one.read.repairs
    )
    whole = text[found[0].read.start : found[-1].read.end]
    around = tuple(_around(text, start, found[0], found[-1]))
    return Reading(values, (*around, Repair("", "concatenated values", whole, "[...]"), *repairs), found[-1].read.truncated)


def _around(text: str, start: int, chosen: Found, last: Found | None = None) -> list[Repair]:
    """Repairs for what stands around the value, or around all from `chosen` to `last`."""
    repairs = [Repair("", "think", text[:start], "")] if start else []
    before, after = text[start : chosen.read.start].strip(), text[(last or chosen).read.end :].strip()
    return repairs + [Repair("", _kind_of(part), part, "") for part in (before, after) if part]


def _kind_of(part: str) -> str:
    if part.strip("]})") == "":
        return "bracket"
    if part.endswith("(") or part.strip("; ") == ")":
        return "call"
    if part.startswith(("//", "/*", "#")):
        return "comment"
    bare = part.strip("`~").strip().lower()
    if part != part.strip("`~") and bare in ("", "json", "json5", "jsonc", "javascript", "python"):
        return "fence"
    return "prose"


def _error(text: str, why: str, kind: ProblemKind, path: str = "") -> DecodeError:
    said = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    problem = Problem(path, said, f"one JSON value: {why}", kind)
    return DecodeError(f"no JSON value could be read: {why}", problems=(problem,), text=text)
