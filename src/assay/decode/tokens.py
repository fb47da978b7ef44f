"""Scalars at a cursor: strings in any quotes, numbers in any notation, bare words."""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re

from assay.decode.bare import GROUPED, NUMBER, SPACED, bare, literal, near_literal, several
from assay.decode.cursor import Cursor
from assay.decode.scan import QUOTES, Where, at, peek
from assay.decode.strings import Ending, cut_escape, ending, unescape
from assay.types import JSON

_CONTROL = re.compile(r"[\x00-\x1f]")
_PREFIX = re.compile(r"[rRbBuUfF]{1,2}(?=[\"'](?!\s*(?:[,}\]:]|\Z)))")  # a quote before these closes: `b"` is a string's end
_LOOSE_ENDS = ("missing comma", "extra comma", "leading comma", "unquoted string")
_DECIMAL_COMMA = re.compile(r"\d[,\s]\s*\Z")
_WORD_BEFORE = re.compile(r"([a-z]{1,5})\s*,\s*\Z")
_BRACKET = re.compile(r"[\[\]{}]")
_ALNUM = re.compile(r"[^\W_]")
_AFTER_COMMA = re.compile(r",\s*\Z")


def prefix(cursor: Cursor) -> bool:
    """Go over the prefix of a Python string: u'...', b'...'."""
    found = _PREFIX.match(cursor.text, cursor.pos)
    if found:
        cursor.note("string prefix", found.group(), "")
        cursor.pos = found.end()
    return found is not None


def strings(cursor: Cursor, where: Where) -> str:
    """A string, or several that are joined by `+`."""
    value = string(cursor, where)
    while at(cursor.text, ahead := peek(cursor.text, cursor.pos)) == "+":
        quote = peek(cursor.text, ahead + 1)
        if quote >= len(cursor.text) or cursor.text[quote] not in QUOTES:
            break
        cursor.pos = quote
        cursor.note("concatenation", "+", "")
        value += string(cursor, where)
    return value


def string(cursor: Cursor, where: Where) -> str:
    """One string, whose opening quote is here."""
    text, start = cursor.text, cursor.pos
    quote = text[start]
    if text.startswith(quote * 3, start) and (end := text.find(quote * 3, start + 3)) >= 0:
        return _text(cursor, start + 3, Ending(end, end + 3, "triple quote"))
    found = ending(text, start + 1, quote, where, cursor.stack)
    body = text[start + 1 : found.end]
    scalar = found.kind in ("missing quote", "quote") and near_literal(body.strip())  # the quote may be too many
    side_by_side = cursor.repairs[-1:] != [] and cursor.repairs[-1].kind == "missing comma"
    behind = side_by_side and (found.kind == "inner quote" or _BRACKET.search(body) is not None)
    if found.doubt or scalar or behind or (where == "item" and found.stray):
        raise cursor.doubt("a quote inside a string can be read in two ways")
    if quote != '"' and not found.kind:
        found = Ending(found.end, found.resume, "quote")
    return _text(cursor, start + 1, found)


def _text(cursor: Cursor, start: int, found: Ending) -> str:
    raw = cursor.text[start : found.end]
    cut = found.kind == "cut string"
    cursor.truncated |= cut
    value, escape = unescape(cut_escape(raw) if cut else raw, cursor.text[start - 1])
    if escape == "doubt" or (escape and found.kind == "inner quote"):
        raise cursor.doubt("some backslashes of a string are escapes and others are not")
    control = "control character" if _CONTROL.search(raw) else ""
    for kind in (found.kind, escape, control):
        if kind:
            cursor.note(kind, cursor.text[cursor.pos : found.resume], value)
    cursor.pos = found.resume
    return value


def number(cursor: Cursor, where: Where) -> re.Match[str] | None:
    """The number that stands here, as far as its end is plain."""
    return NUMBER.match(cursor.text, cursor.pos) or (SPACED.match(cursor.text, cursor.pos) if where == "item" else None)


def take_number(cursor: Cursor, found: re.Match[str]) -> JSON:
    cursor.pos = found.end()
    if cursor.ended and cursor.stack:
        cursor.note("cut number", found.group(), found.group())  # more digits may have followed
    return literal(found.group(), cut=False)[0]


def grouped(cursor: Cursor, where: Where) -> JSON:
    """`"total": -2,000.00`, where what follows the comma cannot be a key; None when there is no such number."""
    found = GROUPED.match(cursor.text, cursor.pos) if where == "member" else None
    if not found:
        return None
    cursor.pos = found.end()
    value, _ = literal(found.group().replace(",", ""), cut=False)
    cursor.note("number", found.group(), str(value))
    return value


def word(cursor: Cursor, where: Where) -> JSON:
    """A literal of some language, a number in another notation, or an unquoted string."""
    start = cursor.pos
    run = bare(cursor.text, start, where, cursor.stack)
    found = cursor.text[start : run.end]
    if not _ALNUM.search(found) or found[0] in ":=":
        raise cursor.failure("a value is wanted")
    value, kind = literal(found, cut=run.resume >= len(cursor.text))
    half_quoted = run.kind == "missing quote" and (kind != "unquoted string" or _open_before(cursor, where))
    unclear = several(found, where) or (kind == "unquoted string" and near_literal(found))
    unclear |= found[0] == "." and _DECIMAL_COMMA.search(cursor.text, max(0, start - 9), start) is not None
    before = _WORD_BEFORE.search(cursor.text, max(0, start - 10), start) if where == "item" else None
    unclear |= before is not None and before.group(1) + found in ("true", "false", "null")
    half_quoted |= run.kind == "missing quote" and "\\" in found  # were its escapes meant?
    if run.doubt or half_quoted or unclear:
        raise cursor.doubt("an unquoted string can be read in two ways")
    if kind == "unquoted string":
        kind = run.kind
    if kind:
        cursor.note(kind, cursor.text[start : run.resume].rstrip(), str(value))
    cursor.truncated |= kind.startswith("cut ")
    cursor.pos = run.resume
    return value


def _open_before(cursor: Cursor, where: Where) -> bool:
    """Whether what stands before a string without its opening quote may belong to it: `[1, b"]`."""
    if cursor.repairs and cursor.repairs[-1].kind == "unquoted key":
        return True
    if where == "item" and _AFTER_COMMA.search(cursor.text, max(0, cursor.pos - 40), cursor.pos):
        return True
    return cursor.repairs != [] and cursor.repairs[-1].kind in _LOOSE_ENDS
