"""Looking ahead in a malformed text: what stands at a position, without moving there.

Every look is bounded in length, so that reading stays linear however often it looks.
"""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Where: TypeAlias = Literal["key", "member", "item", "top"]
"""Where a scalar stands: a key or a value of an object, an item of an array, or the whole text."""

DEPTH = 200
"""Deepest nesting that is read: the limit of pydantic_core's own parser."""

DOUBLE = '"“”„«»'
SINGLE = "'‘’`´‚"
QUOTES = DOUBLE + SINGLE

CLOSES = {"{": "}", "[": "]", "(": ")"}
OPENS = {closer: opener for opener, closer in CLOSES.items()}

_LOOK = 2000  # how far a comment is followed when only looking
SPACE = re.compile(r"[ \t\n\r]*+")
"""The white space that JSON itself allows."""
_ANY_SPACE = re.compile(r"(?:[\s\u180e\u200b-\u200d\u2060\ufeff]|\\[nrt])*+")
_LINE = re.compile(r"[^\n\r\u2028]*+")
_LINE_COMMENT = re.compile(r"(?<![\"'])//|(?<![^\s,\[\]{}el])#")  # directly behind a quote, it may be text that was in quotes

_QUOTED = r"(?:\"(?:[^\"\\\n]|\\.){0,160}+\"|'(?:[^'\\\n]|\\.){0,160}+'|[“”„«»][^“”„«»\n\"]{0,160}[“”„«»]|[‘’`´][^‘’`´\n']{0,160}[‘’`´])"
_LITERAL = r"(?:true|false|null|True|False|None|undefined|[-+]?\.?\d[\w.+-]*)"
_NAME = r"[^\W\d][\w$.\-]{0,80}|\$[\w$.\-]{0,80}|[-\d.]{1,30}"
_QUOTED_KEY = re.compile(rf"{_QUOTED}\s*(?::|=>)")
_BARE_KEY = re.compile(rf"(?:{_NAME})\s*:(?!//)")
_PAIR = re.compile(rf"{_QUOTED}\s*(?:{_QUOTED}|{_LITERAL})\s*(?:[,}}]|\Z)")
_CLEAN = re.compile(rf"(?:{_QUOTED}|{_LITERAL}|[\w.-]{{1,80}}(?=\s*[,\]]))\s*(?:[,\]}})]|[\"'\d]|/[/*]|\Z)")
_VALUE_START = re.compile(rf"[\[{{\"'“‘`-]|{_LITERAL}(?=\s*(?:[,\]}}]|/[/*]|#|\Z)|\n)")
_WORD_ITEM = re.compile(r"[\w.-]{1,80}\s*(?:[,\]]|/[/*])")


def skip(text: str, pos: int) -> int:
    """The position after white space and comments; an unclosed comment runs to the end."""
    while True:
        pos = _ANY_SPACE.match(text, pos).end()  # type: ignore[union-attr]  # matches the empty string
        end = comment_end(text, pos, len(text))
        if end == pos:
            return pos
        pos = end


def peek(text: str, pos: int) -> int:
    """As `skip`, but a comment is followed only so far: for looking ahead."""
    pos = SPACE.match(text, pos).end()  # type: ignore[union-attr]
    if "$" < text[pos : pos + 1] <= "~" and text[pos] not in "/\\":
        return pos  # most often: nothing to go over
    while True:
        pos = _ANY_SPACE.match(text, pos).end()  # type: ignore[union-attr]
        end = comment_end(text, pos, pos + _LOOK)
        if end == pos or (end >= pos + _LOOK):
            return pos
        pos = end


def comment_end(text: str, pos: int, limit: int) -> int:
    """The end of the comment that starts at `pos`; `pos` itself when none does."""
    if text.startswith("/*", pos):
        end = text.find("*/", pos + 2, limit)
        return min(limit, len(text)) if end < 0 else end + 2
    if _LINE_COMMENT.match(text, pos):
        return _LINE.match(text, pos, limit).end()  # type: ignore[union-attr]  # matches the empty string
    return pos


def at(text: str, pos: int) -> str:
    """The character at `pos`, "" behind the end."""
    return text[pos : pos + 1]


def quoted_key(text: str, pos: int) -> bool:
    return _QUOTED_KEY.match(text, pos) is not None


def bare_key(text: str, pos: int) -> bool:
    return _BARE_KEY.match(text, pos) is not None


def pair_without_colon(text: str, pos: int) -> bool:
    """`"key" value` and then a comma or brace: a member whose colon is missing."""
    return _PAIR.match(text, pos) is not None


def clean_item(text: str, pos: int) -> bool:
    """A complete scalar and then what may follow an item."""
    return _CLEAN.match(text, pos) is not None


def word_item(text: str, pos: int) -> bool:
    return _WORD_ITEM.match(text, pos) is not None


def value_start(text: str, pos: int) -> bool:
    return _VALUE_START.match(text, pos) is not None
