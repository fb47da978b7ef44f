"""The lenient reader: a recursive descent over JSON as models write it, in one pass, with every repair recorded.

Where a rule cannot tell between two values, the reader says so (`UnreadableError`) instead of choosing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from assay.decode.cursor import Cursor, UnreadableError
from assay.decode.scan import QUOTES, Where, at, bare_key, peek, quoted_key, value_start
from assay.decode.tokens import grouped, number, prefix, string, strings, take_number, word
from assay.decode.valid import valid
from assay.schema.accept import same
from assay.types import JSON, Repair

# What most of a text consists of, even of a malformed one: read in one match each.
_GAP = r"[ \t\n\r]*"


def _plain(quote: str, follow: str, without: str = "") -> re.Pattern[str]:
    """A string without escapes and what `without` names; Q in `follow` stands for its quote, and _ for white space."""
    body = rf"{quote}([^{quote}\\\x00-\x1f{without}]*+){quote}"
    return re.compile(body + follow.replace("_", _GAP).replace("Q", quote))


_SHORT = r"Q[^Q\\\n]{0,160}Q"
_PLAIN_KEY = {quote: _plain(quote, "(?<!: Q)_:_", r"\[{") for quote in "\"'"}
_PLAIN = {
    (where, quote): _plain(quote, follow)
    for quote in "\"'"
    for where, follow in (
        ("member", rf"(?=_(?:,_{_SHORT}_:|\}}_(?:[}}\]]|,_[{{Q]|\Z)))"),
        ("item", rf"(?=_(?:,_{_SHORT}_[,\]]|\]))"),
    )
}
_CALL = re.compile(r"(?:new\s+)?[A-Za-z_$][\w$.]{0,80}\s*\(")
_BARE_KEY = re.compile(r"[^\s:,{}\[\]\"'`=()][^:,{}\[\]\"'`=()\n]{0,200}?(?=\s*:)|[\w$-]{1,80}(?=\s+[\"'{\[])")
_QUOTE_TWICE = re.compile(rf"[{QUOTES}]\s*:(?=\s)")
_A_STRING = re.compile(r"\"[^\"\n]*\"\s*[,}]|'[^'\n]*'\s*[,}]")
_KEY_WITHOUT_QUOTE = re.compile(r"([\w$ -]{1,80})[\"'](?=\s*:)")
_KEY_CUT = re.compile(r"[\w$ .-]*\Z")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A value read from `text[start:end]`."""

    value: JSON
    start: int
    end: int
    repairs: tuple[Repair, ...]
    truncated: bool
    closed: bool
    """Whether all closing brackets were there."""


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


_VALID = json.JSONDecoder(parse_constant=_no_number).raw_decode
"""Valid JSON amid other text is most of what is found: the standard library's scanner reads it many times as fast."""


class Tries:
    """How often more text may turn out to be no valid JSON: the error of the library counts lines from the start of the text each time."""

    def __init__(self) -> None:
        self.left = 50


def read_at(text: str, start: int, tries: Tries) -> Parsed:
    """The value that starts at `start`. Raises `UnreadableError`."""
    if text[start : start + 1] in ("{", "[") and tries.left:
        try:
            _, end = _VALID(text, start)
            value = valid(text[start:end], exact=True)  # one reader of valid JSON: same numbers, same depth, each key once
        except (ValueError, RecursionError):
            tries.left -= 1  # not valid, or nested deep: read leniently, within bounds
        else:
            return Parsed(value, start, end, (), truncated=False, closed=True)
    cursor = Cursor(text, start)
    value = _value(cursor, "top")
    return Parsed(value, start, cursor.pos, tuple(cursor.repairs), cursor.truncated, cursor.assumed == 0)


def _value(cursor: Cursor, where: Where) -> JSON:
    mark = cursor.skip()
    if (plain := _PLAIN.get((where, mark))) and (found := plain.match(cursor.text, cursor.pos)):
        return _take(cursor, found, mark)
    if mark == "{":
        return _object(cursor)
    if mark in ("[", "("):
        return _array(cursor, mark)
    if mark == "" or cursor.cut_sign(mark):
        raise cursor.failure("the text ends where a value is wanted", "truncated")
    if mark in QUOTES or prefix(cursor):
        return strings(cursor, where)
    if (value := grouped(cursor, where)) is not None:
        return value
    if found := number(cursor, where):
        return take_number(cursor, found)
    if found := _CALL.match(cursor.text, cursor.pos):
        return _call(cursor, found, where)
    return word(cursor, where)


def _take(cursor: Cursor, found: re.Match[str], quote: str) -> str:
    cursor.pos = found.end()
    value = found.group(1)
    if quote != '"':
        cursor.note("quote", f"{quote}{value}{quote}", value)
    return value


def _object(cursor: Cursor) -> dict[str, JSON]:
    cursor.open("{", cursor.pos + 1)
    value: dict[str, JSON] = {}
    while True:
        mark, comma = cursor.commas(first=not value)
        if mark in (")", "]", "}"):
            if cursor.closes(mark, value):
                break
            continue
        next_item = mark == "{" and value and cursor.parent() == "["
        if next_item and not _same_kind(cursor, value):
            raise cursor.doubt("a closing brace is missing, or an opening one is too many")
        if mark == "" or next_item or not _member(cursor, mark, value, comma=comma):
            cursor.assume_closed(value)
            break
    cursor.stack.pop()
    return value


def _same_kind(cursor: Cursor, value: dict[str, JSON]) -> bool:
    """Whether the object that starts here begins as the one before it: it is the next item, and not something within."""
    found = _FIRST_KEY.match(cursor.text, cursor.pos)
    return found is not None and found.group(1) in value


_FIRST_KEY = re.compile(r"\{\s*[\"']?([^\"'\s:{}\[\],]{1,80})[\"']?\s*:")


def _member(cursor: Cursor, mark: str, into: dict[str, JSON], *, comma: bool) -> bool:
    """Parsed a key and its value; False when the text was cut before the value."""
    if into and not comma:
        cursor.note("missing comma", "", ",")
    key = _key(cursor, mark)
    if key is None:
        return False
    cursor.keys.append(key)
    try:
        value = _value(cursor, "member")
    except UnreadableError as error:
        if error.kind != "truncated" or not cursor.ended:
            raise
        cursor.note("cut member", key, "")
        return False
    finally:
        cursor.keys.pop()
    if key in into and not same(into[key], value):
        raise cursor.doubt(f"the key {key!r} has two values")
    cursor.suspect |= key in into
    into.pop(key, None)  # a key that is repeated stands where it stood last: the order tells where brackets may be missing
    into[key] = value
    return True


def _key(cursor: Cursor, mark: str) -> str | None:
    """The key that stands here, its colon read too; None when the text ends within it."""
    text, start = cursor.text, cursor.pos
    if (plain := _PLAIN_KEY.get(mark)) and (found := plain.match(text, start)):
        return _take(cursor, found, mark)
    if found := _KEY_WITHOUT_QUOTE.match(text, start):
        key, cursor.pos = found.group(1), found.end()
        if "  " in key:
            raise cursor.doubt("a key has no beginning")
        cursor.note("missing quote", found.group(), key)
    elif mark in QUOTES or prefix(cursor):
        key = string(cursor, "key")
    elif found := _BARE_KEY.match(text, start):
        key, cursor.pos = found.group(), found.end()
        cursor.note("unquoted key", key, f'"{key}"')
    elif found := _KEY_CUT.match(text, start):
        key, cursor.pos = found.group(), len(text)
    else:
        raise cursor.failure("a key is wanted")
    if ("\n" in key and any(mark in key for mark in ":{}[],")) or ("  " in key and key[0] == " "):
        raise cursor.doubt("a key has no end, or no beginning")
    if cursor.ended:
        if any(mark in key for mark in ":{}[]"):
            raise cursor.doubt("a key has no end")
        cursor.note("cut key", text[start:], "")
        return None
    _colon(cursor)
    return key


def _colon(cursor: Cursor) -> None:
    mark = cursor.skip()
    if mark == ":":
        cursor.pos += 1
    elif mark == "=":
        sign = "=>" if cursor.text.startswith("=>", cursor.pos) else "="
        cursor.pos += len(sign)
        cursor.note("colon", sign, ":")
    elif found := _QUOTE_TWICE.match(cursor.text, cursor.pos):
        if _A_STRING.match(cursor.text, cursor.pos):
            raise cursor.doubt("a colon is missing before a string, or a quote is there twice")
        cursor.note("quote", found.group(), ":")
        cursor.pos = found.end()
    elif mark in QUOTES and at(cursor.text, peek(cursor.text, cursor.pos + 1)) == ":":
        raise cursor.doubt("a quote is there twice, or a colon is missing before a string that starts with one")
    elif mark and value_start(cursor.text, cursor.pos):
        cursor.note("missing colon", "", ":")
    elif mark:
        raise cursor.failure("a colon is wanted after a key")


def _array(cursor: Cursor, opener: str) -> list[JSON]:
    cursor.open(opener, cursor.pos + 1)
    if opener == "(":
        cursor.note("tuple", "(", "[")
    value: list[JSON] = []
    bare = quoted = False
    while True:
        mark, comma = cursor.commas(first=not value)
        if mark in (")", "]", "}"):
            if cursor.closes(mark, value):
                break
            continue
        if mark == "" or (value and _next_member(cursor)) or cursor.cut_sign(mark):
            if (len(value) < 2 or not comma) and not cursor.ended and mark:
                raise cursor.doubt("a list of one whose bracket is missing: the other bracket may be one too many")
            cursor.assume_closed(value)
            break
        if value and not comma:
            _check_gap(cursor, mark)
            cursor.note("missing comma", "", ",")
        cursor.keys.append(len(value))
        known = len(cursor.repairs)
        value.append(_value(cursor, "item"))
        bare |= any(repair.kind == "unquoted string" for repair in cursor.repairs[known:]) and isinstance(value[-1], str)
        quoted |= mark in QUOTES and mark != ""
        if bare and quoted:
            raise cursor.doubt("texts with and without quotes in one list: a quote may be missing")
        cursor.keys.pop()
        if at(cursor.text, peek(cursor.text, cursor.pos)) == ":":
            raise cursor.failure("a key without an object")
    cursor.stack.pop()
    return value


def _check_gap(cursor: Cursor, mark: str) -> None:
    """Raises where no comma stands between two items, and what stands there may be one damaged item as well."""
    before = cursor.text[cursor.pos - 1]
    if cursor.repairs[-1:] and cursor.repairs[-1].kind == "trailing comma":
        raise cursor.doubt("a comma stands before a bracket and not behind it")
    by_string = (before in QUOTES and mark in QUOTES + "[{") or (before in "]}" and (mark.isalnum() or mark in QUOTES))
    if by_string or (mark in QUOTES and mark != '"' and before.isdigit()):
        raise cursor.doubt("items side by side without a comma: they may be one")


def _next_member(cursor: Cursor) -> bool:
    """Whether a key of the object around an array stands here: the array's bracket is missing."""
    return cursor.parent() == "{" and (quoted_key(cursor.text, cursor.pos) or bare_key(cursor.text, cursor.pos))


def _call(cursor: Cursor, found: re.Match[str], where: Where) -> JSON:
    """`ObjectId("1")`, `new Date("2024-01-01")`, `callback({...})`: the one argument is the value."""
    cursor.open("(", found.end())
    value = _value(cursor, "top" if where == "top" else "item")
    cursor.stack.pop()
    if cursor.skip() != ")":
        raise cursor.failure("a call with more than one argument is not a value")
    cursor.pos += 1
    cursor.note("call", found.group() + "...)", "...")
    return value
