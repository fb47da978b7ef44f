"""What a quote inside a string is, told from what follows it and from where the string stands."""

from __future__ import annotations

import re
from enum import Enum, auto

from assay.decode.scan import (
    QUOTES,
    Where,
    at,
    bare_key,
    clean_item,
    pair_without_colon,
    peek,
    quoted_key,
    value_start,
    word_item,
)


class Sign(Enum):
    """What a quote is, from what follows it."""

    CLOSE = auto()
    WEAK = auto()  # may close, unless an inner quotation is open
    INNER = auto()
    COLON = auto()


def sign_of(text: str, pos: int, where: Where, stack: list[str], inner: int) -> Sign:
    """What the quote at `pos` is."""
    ahead = peek(text, pos + 1)
    mark = at(text, ahead)
    if mark == "" or text.startswith("```", ahead):
        return Sign.CLOSE
    if mark == "+" and at(text, peek(text, ahead + 1)) in QUOTES:
        return Sign.CLOSE
    match where:
        case "key":
            return _after_key(text, ahead, mark)
        case "member":
            return _after_member(text, pos, ahead, mark, stack)
        case "item":
            return _after_item(text, pos, ahead, stack, inner)
        case "top":
            return Sign.CLOSE if mark in ");" and not text[ahead:].strip(" \t\r\n);") else Sign.INNER


def _after_key(text: str, ahead: int, mark: str) -> Sign:
    if mark in ":{[,}=":
        return Sign.CLOSE
    return Sign.CLOSE if clean_item(text, ahead) else Sign.INNER


def _after_member(text: str, pos: int, ahead: int, mark: str, stack: list[str]) -> Sign:
    if mark == ":":
        return Sign.COLON
    if mark == ",":
        return _after_comma(text, peek(text, ahead + 1))
    if mark == "}":
        return _after_brace(text, peek(text, ahead + 1), len(stack))
    if mark in "])":
        return _after_foreign(text, ahead, "[" if mark == "]" else "(", stack)
    if mark in QUOTES:
        return Sign.CLOSE if quoted_key(text, ahead) else Sign.INNER
    if mark == "{" and "[" in stack and quoted_key(text, peek(text, ahead + 1)):
        return Sign.CLOSE
    if bare_key(text, ahead) and "\n" in text[pos:ahead]:
        return Sign.CLOSE
    return Sign.INNER


def _after_comma(text: str, ahead: int) -> Sign:
    mark = at(text, ahead)
    if mark == "" or mark in ",}]" or quoted_key(text, ahead) or text.startswith("...", ahead):
        return Sign.CLOSE
    if mark == "{" and (quoted_key(text, peek(text, ahead + 1)) or bare_key(text, peek(text, ahead + 1))):
        return Sign.CLOSE
    if bare_key(text, ahead) or pair_without_colon(text, ahead) or _started(text, ahead):
        return Sign.WEAK
    return Sign.INNER


_WORD_AT_END = re.compile(r"[\w$.-]{1,80}\Z")


def _started(text: str, ahead: int) -> bool:
    """Only a started key is left of the text."""
    if text[ahead] in QUOTES:
        return len(text) - ahead < 100 and text.find(text[ahead], ahead + 1) < 0
    return _WORD_AT_END.match(text, ahead) is not None


def _after_brace(text: str, ahead: int, depth: int) -> Sign:
    mark = at(text, ahead)
    if mark == "" or mark in "}])" or quoted_key(text, ahead):
        return Sign.CLOSE
    if mark == ",":
        follow = peek(text, ahead + 1)
        mark = at(text, follow)
        clear = (
            mark == ""
            or mark in "{[}],"
            or (depth > 1 and (mark in QUOTES or bare_key(text, follow) or value_start(text, follow)))
        )
        return Sign.CLOSE if clear else Sign.INNER
    if mark in QUOTES or mark == ":":
        return Sign.CLOSE if text.startswith("```", ahead) else Sign.INNER
    return Sign.CLOSE if depth <= 1 or mark in "{[" else Sign.INNER


def _after_foreign(text: str, ahead: int, opener: str, stack: list[str]) -> Sign:
    """A bracket that closes another container than the one we are in."""
    rest = at(text, peek(text, ahead + 1))
    if opener in stack:
        return Sign.CLOSE if rest == "" or rest in ",]})" or len(stack) <= 2 else Sign.WEAK
    goes_on = rest == "," and quoted_key(text, peek(text, peek(text, ahead + 1) + 1))
    return Sign.CLOSE if rest == "" or goes_on else Sign.INNER


def _after_item(text: str, pos: int, ahead: int, stack: list[str], inner: int) -> Sign:
    mark = at(text, ahead)
    if mark == ":":
        return Sign.COLON if inner else Sign.CLOSE
    if mark == ",":
        return _after_item_comma(text, peek(text, ahead + 1))
    if mark == "]" or (mark == ")" and "(" in stack):
        return Sign.CLOSE
    if mark == "}":
        return _after_foreign(text, ahead, "{", stack)
    if mark in "{[" and at(text, peek(text, ahead + 1)) in QUOTES + "}]":
        return Sign.CLOSE
    if inner == 0 and (clean_item if mark in QUOTES + "-" or mark.isdigit() else value_start)(text, ahead):
        return Sign.CLOSE
    return Sign.CLOSE if "\n" in text[pos:ahead] and clean_item(text, ahead) else Sign.INNER


def _after_item_comma(text: str, ahead: int) -> Sign:
    mark = at(text, ahead)
    if mark == "" or mark in ",]})([{" or text.startswith("...", ahead):
        return Sign.CLOSE
    if mark in QUOTES:
        return Sign.CLOSE if clean_item(text, ahead) else Sign.WEAK
    return Sign.WEAK if value_start(text, ahead) or word_item(text, ahead) else Sign.INNER
