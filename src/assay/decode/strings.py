"""Quoted strings: where one ends when the quotes inside it are not escaped, and what its escapes mean.

A quote closes a string when what follows it can follow a string there. Otherwise it belongs to the text. Quotes inside
come in pairs; one that opens inside and never closes leaves two readings, and the ending says so (`doubt`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from assay.decode.scan import (
    DOUBLE,
    QUOTES,
    SINGLE,
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

_RUN = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]++|\\.)*+", re.DOTALL),
}
_RUN |= dict.fromkeys(DOUBLE[1:], re.compile(rf"(?:[^{DOUBLE}\\]++|\\.)*+", re.DOTALL))
_RUN |= dict.fromkeys(SINGLE[1:], re.compile(rf"(?:[^{SINGLE}\\]++|\\.)*+", re.DOTALL))

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPES |= dict.fromkeys(("\n", "\r", "\r\n", "\u2028"), "")  # a line continued
_ESCAPES |= {quote: quote for quote in QUOTES}
_VALID_ESCAPE = re.compile(r"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4})")
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a string's text ends and reading goes on."""

    end: int
    resume: int
    kind: str = ""
    """The repair's kind, "" when nothing was wrong with the quotes."""
    stray: bool = False
    """An inner quote has no partner."""
    doubt: bool = False
    """Two readings are equally good."""


class _Sign(Enum):
    """What a quote is, from what follows it."""

    CLOSE = auto()
    WEAK = auto()  # may close, unless an inner quotation is open
    INNER = auto()
    COLON = auto()


def ending(text: str, start: int, quote: str, where: Where, stack: list[str]) -> Ending:
    """Where the string ends whose text starts at `start`, just behind its opening `quote`."""
    run, pos, last, brackets = _RUN[quote], start, start, 0
    seen = _Inner()
    while True:
        pos = run.match(text, pos).end()  # type: ignore[union-attr]  # matches the empty string
        if pos >= len(text) or text[pos] == "\\":
            return _cut(text, start, stack, seen)
        if brackets:
            brackets += _depth(text, last, pos)
        sign = _Sign.INNER if brackets > 0 else _sign(text, pos, where, stack, seen.count)
        if sign is _Sign.CLOSE or (sign is _Sign.WEAK and not seen.opened):
            return _closed(text, start, pos, where, seen)
        if sign is _Sign.COLON and seen.count and (early := _missed(text, start, last, pos, seen)):
            return early
        if brackets <= 0 and pos > start and text[pos - 1] in "{[":
            brackets = 1  # JSON inside the text: its quotes are its own
        elif brackets <= 0:
            seen.add(text, start, pos)
        seen.count, last, pos = seen.count + 1, pos, pos + 1


class _Inner:
    """What is known of the quotes inside a string so far."""

    def __init__(self) -> None:
        self.count = 0
        self.opened = False
        """An inner quotation is open."""
        self.stray = False
        """A quote had no partner: 24" screen."""
        self.torn = False
        """... and stands where a string could end."""
        self.structural = False
        """A quote stands where a string could end."""

    def add(self, text: str, start: int, pos: int) -> None:
        before, after = text[pos - 1] if pos > start else " ", at(text, pos + 1)
        structural = at(text, peek(text, pos + 1)) in ",}]"
        self.structural |= structural
        if self.opened:
            self.opened = False
        elif _opens(before, after):
            self.opened = True
        else:
            self.stray = True
            self.torn |= structural


_OPENERS = {"}": "{", "]": "[", ")": "("}


def _cut(text: str, start: int, stack: list[str], seen: _Inner) -> Ending:
    """No quote closes the string: the text was cut, unless it ends in just the brackets that are open."""
    end = len(text)
    for opener in stack:
        head = text[start:end].rstrip().rstrip("`").rstrip()
        end = start + len(head)
        if _OPENERS.get(head[-1:]) != opener:
            break
        end -= 1
    else:
        body = text[start:end].rstrip()
        if stack and not any(opener in body for opener in stack):
            return Ending(start + len(body), end, "missing quote", doubt=seen.count > 0 or body[-1:] in ("]", "}") or any(mark in body for mark in ",:\n"))
    return Ending(len(text), len(text), "cut string", seen.stray, seen.stray or seen.structural)


def _opens(before: str, after: str) -> bool:
    return (before.isspace() or before in "([{-/=>:,;") and not after.isspace() and after not in ",.;:!?)]}"


def _depth(text: str, start: int, end: int) -> int:
    part = text[start:end]
    return part.count("{") + part.count("[") - part.count("}") - part.count("]")


def _closed(text: str, start: int, pos: int, where: Where, seen: _Inner) -> Ending:
    if where == "key" and seen.count:
        return _bad_key(text, start, pos)
    return Ending(pos, pos + 1, "inner quote" if seen.count else "", seen.stray, seen.opened or seen.torn)


_KEY_WORD = re.compile(r"\s*[\w$.-]+(?=\s*:)")


def _bad_key(text: str, start: int, pos: int) -> Ending:
    """A key with quotes inside: most likely its own closing quote is missing."""
    word = _KEY_WORD.match(text, start)
    if word:
        return Ending(word.end(), word.end(), "missing quote")
    return Ending(pos, pos + 1, "inner quote", doubt=any(mark in text[start:pos] for mark in ":{}[],\n"))


_BEFORE_KEY = re.compile(r"[,\n]\s*\Z")


def _missed(text: str, start: int, last: int, pos: int, seen: _Inner) -> Ending | None:
    """`"a": "b, "c": 1`: the quote at `last` opened the key before this colon, so the string had ended before it."""
    gap = text[max(start, last - 60) : last]
    found = _BEFORE_KEY.search(gap)
    if not found:
        return None
    end = last - len(gap) + found.start()
    colon = peek(text, peek(text, pos + 1) + 1)
    if not value_start(text, colon):
        return None
    if text.endswith(('\\"', "\\'"), start, end):  # "C:\dir\", "c": 1
        return Ending(end - 1, end, "escape")
    return Ending(end, end, "missing quote", doubt=seen.structural)


def _sign(text: str, pos: int, where: Where, stack: list[str], inner: int) -> _Sign:
    """What the quote at `pos` is."""
    ahead = peek(text, pos + 1)
    mark = at(text, ahead)
    if mark == "" or text.startswith("```", ahead):
        return _Sign.CLOSE
    if mark == "+" and at(text, peek(text, ahead + 1)) in QUOTES:
        return _Sign.CLOSE
    match where:
        case "key":
            return _after_key(text, ahead, mark)
        case "member":
            return _after_member(text, pos, ahead, mark, stack)
        case "item":
            return _after_item(text, pos, ahead, mark, stack, inner)
        case "top":
            return _Sign.CLOSE if mark in ");" and not text[ahead:].strip(" \t\r\n);") else _Sign.INNER


def _after_key(text: str, ahead: int, mark: str) -> _Sign:
    if mark in ":{[,}=":
        return _Sign.CLOSE
    return _Sign.CLOSE if clean_item(text, ahead) else _Sign.INNER


def _after_member(text: str, pos: int, ahead: int, mark: str, stack: list[str]) -> _Sign:
    if mark == ":":
        return _Sign.COLON
    if mark == ",":
        return _after_comma(text, peek(text, ahead + 1))
    if mark == "}":
        return _after_brace(text, peek(text, ahead + 1), len(stack))
    if mark in "])":
        return _after_foreign(text, ahead, "[" if mark == "]" else "(", stack)
    if mark in QUOTES:
        return _Sign.CLOSE if quoted_key(text, ahead) else _Sign.INNER
    if mark == "{" and "[" in stack and quoted_key(text, peek(text, ahead + 1)):
        return _Sign.CLOSE
    if bare_key(text, ahead) and "\n" in text[pos:ahead]:
        return _Sign.CLOSE
    return _Sign.INNER


def _after_comma(text: str, ahead: int) -> _Sign:
    mark = at(text, ahead)
    if mark == "" or mark in ",}]" or quoted_key(text, ahead) or text.startswith("...", ahead):
        return _Sign.CLOSE
    if mark == "{" and (quoted_key(text, peek(text, ahead + 1)) or bare_key(text, peek(text, ahead + 1))):
        return _Sign.CLOSE
    if bare_key(text, ahead) or pair_without_colon(text, ahead) or (mark in QUOTES and _started(text, ahead)):
        return _Sign.WEAK
    return _Sign.INNER


def _started(text: str, ahead: int) -> bool:
    """Only a started key is left of the text."""
    return len(text) - ahead < 100 and text.find(text[ahead], ahead + 1) < 0


def _after_brace(text: str, ahead: int, depth: int) -> _Sign:
    mark = at(text, ahead)
    if mark == "" or mark in "}])" or quoted_key(text, ahead):
        return _Sign.CLOSE
    if mark == ",":
        follow = peek(text, ahead + 1)
        mark = at(text, follow)
        clear = (
            mark == ""
            or mark in "{[}],"
            or (depth > 1 and (mark in QUOTES or bare_key(text, follow) or value_start(text, follow)))
        )
        return _Sign.CLOSE if clear else _Sign.INNER
    if mark in QUOTES or mark == ":":
        return _Sign.CLOSE if text.startswith("```", ahead) else _Sign.INNER
    return _Sign.CLOSE if depth <= 1 or mark in "{[" else _Sign.INNER


def _after_foreign(text: str, ahead: int, opener: str, stack: list[str]) -> _Sign:
    """A bracket that closes another container than the one we are in."""
    rest = at(text, peek(text, ahead + 1))
    if opener in stack:
        return _Sign.CLOSE if rest == "" or rest in ",]})" or len(stack) <= 2 else _Sign.WEAK
    goes_on = rest == "," and quoted_key(text, peek(text, peek(text, ahead + 1) + 1))
    return _Sign.CLOSE if rest == "" or goes_on else _Sign.INNER


def _after_item(text: str, pos: int, ahead: int, mark: str, stack: list[str], inner: int) -> _Sign:
    if mark == ":":
        return _Sign.COLON if inner else _Sign.CLOSE
    if mark == ",":
        return _after_item_comma(text, peek(text, ahead + 1))
    if mark == "]" or (mark == ")" and "(" in stack):
        return _Sign.CLOSE
    if mark == "}":
        return _after_foreign(text, ahead, "{", stack)
    if mark in "{[":
        return _Sign.CLOSE if at(text, peek(text, ahead + 1)) in QUOTES + "}]" else _Sign.INNER
    if inner == 0 and (mark in QUOTES or mark.isdigit()) and clean_item(text, ahead):
        return _Sign.CLOSE
    return _Sign.CLOSE if "\n" in text[pos:ahead] and clean_item(text, ahead) else _Sign.INNER


def _after_item_comma(text: str, ahead: int) -> _Sign:
    mark = at(text, ahead)
    if mark == "" or mark in ",]})([{" or text.startswith("...", ahead):
        return _Sign.CLOSE
    if mark in QUOTES:
        return _Sign.CLOSE if clean_item(text, ahead) else _Sign.WEAK
    return _Sign.WEAK if value_start(text, ahead) or word_item(text, ahead) else _Sign.INNER


def unescape(raw: str) -> tuple[str, str]:
    """The text that `raw` stands for, and the kind of repair that reading it took ("" for none)."""
    if "\\" not in raw:
        return raw, ""
    kind = "escape" if "\\" in _VALID_ESCAPE.sub("", raw) else ""
    value = _ESCAPE.sub(_replace, raw)
    if _SURROGATE.search(value):
        joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined, "escape" if joined.count("\ufffd") > value.count("\ufffd") else kind
    return value, kind


def cut_escape(raw: str) -> str:
    """`raw` without an escape that the end of the text cut in two."""
    found = _CUT_ESCAPE.search(raw, len(raw) - 5 if len(raw) > 5 else 0)
    if not found:
        return raw
    head = raw[: found.start()]
    return raw if (len(head) - len(head.rstrip("\\"))) % 2 else head


def _replace(found: re.Match[str]) -> str:
    escape = found.group()[1:]
    if escape[0] in "ux" and len(escape) > 2:
        return chr(int(escape[1:], 16))
    return _ESCAPES.get(escape, "\\" + escape)  # an unknown escape is a backslash that was meant: \d, \alpha
