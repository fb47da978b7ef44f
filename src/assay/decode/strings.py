"""Quoted strings: where one ends when the quotes inside it are not escaped, and what its escapes mean.

A quote closes a string when what follows it can follow a string there. Otherwise it belongs to the text. Quotes inside
come in pairs; one that opens inside and never closes leaves two readings, and the ending says so (`doubt`).
"""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.decode.scan import DOUBLE, OPENS, QUOTES, SINGLE, Where, at, peek, value_start
from assay.decode.signs import Sign, sign_of

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
        sign = Sign.INNER if brackets > 0 else sign_of(text, pos, where, stack, seen.count)
        if sign is Sign.CLOSE or (sign is Sign.WEAK and not seen.opened):
            return _closed(text, start, pos, where, seen)
        if sign is Sign.COLON and not seen.count:  # `"a": "b": 1`: the string looks like a key, an opening brace is missing
            return Ending(pos, pos + 1, "inner quote", doubt=True)
        if sign is Sign.COLON and (early := _missed(text, start, last, pos, where, seen)):
            return early
        if brackets <= 0 and pos > start and text[pos - 1] in "{[":
            brackets = 1  # JSON inside the text: its quotes are its own
            ahead = peek(text, pos + 1)
            if at(text, peek(text, ahead + 1) if at(text, ahead) == quote else ahead) in ",:]}":
                return Ending(pos, pos + 1, doubt=True)  # ... but this one closes what it does not open
        elif brackets <= 0:
            seen.add(text, start, pos, where)
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

    def add(self, text: str, start: int, pos: int, where: Where) -> None:
        before, after = text[pos - 1] if pos > start else " ", at(text, pos + 1)
        structural = at(text, peek(text, pos + 1)) in ",}]"
        self.structural |= structural
        if self.opened:
            self.opened = False
        elif _opens(before, after):
            self.opened = True
        else:
            self.stray = True
            self.torn |= structural or (where == "item" and _AFTER_COMMA.search(text, max(start, pos - 40), pos) is not None)


def _cut(text: str, start: int, stack: list[str], seen: _Inner) -> Ending:
    """No quote closes the string: the text was cut, unless it ends in just the brackets that are open."""
    end = len(text)
    for opener in stack:
        head = text[start:end].rstrip().rstrip("`").rstrip()
        end = start + len(head)
        if OPENS.get(head[-1:]) != opener:
            break
        end -= 1
    else:
        body = text[start:end].rstrip()
        if _swallowed(body):
            return Ending(end, end, "missing quote", doubt=True)
        if stack and not body:
            return Ending(end, end, doubt=True)  # only a quote: one too many, or the end of what stands before it
        if stack and not any(opener in body for opener in stack):
            doubt = seen.count > 0 or body[-1:] in ("]", "}") or any(mark in body for mark in ",:\n")
            doubt = doubt and not _PATH.fullmatch(body)
            return _unclosed(text, start, start + len(body), end, doubt=doubt)
    doubt = seen.stray or seen.structural or _swallowed(text[start:])
    return Ending(len(text), len(text), "cut string", seen.stray, doubt)


def _swallowed(body: str) -> bool:
    """Whether a string without an end seems to have run over its end."""
    return _MEMBERS.search(body) is not None or _UNOPENED.match(body) is not None


def _opens(before: str, after: str) -> bool:
    return (before.isspace() or before in "([{-/=>:,;") and not after.isspace() and after not in ",.;:!?)]}"


def _depth(text: str, start: int, end: int) -> int:
    part = text[start:end]
    return part.count("{") + part.count("[") - part.count("}") - part.count("]")


def _closed(text: str, start: int, pos: int, where: Where, seen: _Inner) -> Ending:
    if where == "key" and seen.count:
        return _bad_key(text, start, pos)
    if where == "key" and _ran_on(text, start, pos):
        return Ending(pos, pos + 1, doubt=True)
    odd = seen.opened or seen.stray
    edge = odd and (text[start] in QUOTES or text[pos - 1] in QUOTES)  # one quote too many, or one of the text's own
    over = seen.count > 0 and any(sign.search(text, start, pos) is not None for sign in _RAN_OVER)
    over |= seen.count > 0 and _RAN_ON.match(text, start, pos) is not None
    over |= seen.count > 0 and _NEXT_KEY.search(text, start, pos) is not None and not _JSON_INSIDE.search(text, start, pos)
    over |= _UNOPENED.match(text, start, pos) is not None if seen.count else _LINE_OF_ITEMS.search(text, start, pos) is not None
    over |= text[start - 1] not in "\"'`" and text[pos] in "\"'" and _MARKS.search(text, start, pos) is not None
    return Ending(pos, pos + 1, "inner quote" if seen.count else "", seen.stray, seen.opened or seen.torn or edge or over)


_MEMBERS = re.compile(r"(?<!\\)[\"']\s*[,:]\s*[\"'\[{\d]")  # what looks like members swallowed by a string
_UNOPENED = re.compile(r"[^{\[]*[}\]]")  # a bracket that closes what the string did not open
_LINE_OF_ITEMS = re.compile(
    r"[\"'`”’][ \t]*,[ \t]*\r?\n|,[ \t]*\r?\n[ \t]*[\"']"
)  # lines that end and begin as those of items do
_RAN_OVER = (
    _LINE_OF_ITEMS,
    re.compile(r"\\[\"']\s*,\s*\"[^\"\n]{0,80}\"\s*:"),  # an escaped quote that seems to end a string, and a key behind it
    re.compile(r"[\"'][ \t]*\n\s*\Z"),  # an inner quote that ends a line, and then the closing one
    re.compile(r"[\"'“”][\"'“”][\"'“”]|[\"']{2}[^\s,}\]]"),  # quotes side by side
    re.compile(r"[^\"'\s]\s*,\s*[{\[]?[\"']|:[\"']"),  # a quote behind a comma that stands behind no quote
    re.compile(r"\\[bfnrt][\"']"),  # an escape that may have been the quote's
)
"""What shows that a string with quotes inside has run over its end."""
_MARKS = re.compile(r"[\[\]{},:]")
_RAN_ON = re.compile(
    r"\s*\n\s*[\"']|\s+[\"'][^\"'\n]*[\"']\s*:"
)  # a quote right at the beginning, as if there were none before
_JSON_INSIDE = re.compile(r"[{\[]\s*[\"']")
_NEXT_KEY = re.compile(
    r"\"\s*(?:,\s*\"[^\"\n]{0,40}|[;(\[]?\s*\"[\w ]{1,40}\"\s*):|\s[\"'][\w ]{1,40}[\"']\s*:"
)  # a string that ends and a key behind it
_PATH = re.compile(r"[A-Za-z]:\\[^,\n:]*")
_KEY_WORD = re.compile(r"\s*[\w$.-]+(?=\s*:)")


def _bad_key(text: str, start: int, pos: int) -> Ending:
    """A key with quotes inside: its own closing quote is missing, or one is there that belongs to nothing."""
    word = _KEY_WORD.match(text, start)
    if word:
        return Ending(word.end(), word.end(), "missing quote")
    return Ending(pos, pos + 1, "inner quote", doubt=True)


def _ran_on(text: str, start: int, pos: int) -> bool:
    """Whether a key seems to have run over its closing quote: `{"a: ["b", 1]}`."""
    if _KEY_RAN_ON.search(text, max(start, pos - 80), pos):
        return True
    return at(text, peek(text, pos + 1)) != ":" and _KEY_DOUBT.search(text[start:pos]) is not None


_KEY_RAN_ON = re.compile(r":\s[\s\[{(]*\Z")
_KEY_DOUBT = re.compile(rf"[:{{}}\[\],\n]|\A[{QUOTES}]|[{QUOTES}]\Z")
_AFTER_COMMA = re.compile(r",\s*\Z")
_BEFORE_KEY = re.compile(r"[,\n]\s*\Z")


def _missed(text: str, start: int, last: int, pos: int, where: Where, seen: _Inner) -> Ending | None:
    """`"a": "b, "c": 1`: the quote at `last` opened the key before this colon, so the string had ended before it."""
    gap = text[max(start, last - 60) : last]
    found = _BEFORE_KEY.search(gap)
    if not found:
        return None
    end = last - len(gap) + found.start()
    colon = peek(text, peek(text, pos + 1) + 1)
    if not value_start(text, colon):
        return None
    over = where == "item" or _UNOPENED.match(text, start, end) is not None  # the end of the array was swallowed, too
    return _unclosed(text, start, end, end, doubt=seen.structural or over or seen.count > 1)


def _unclosed(text: str, start: int, end: int, resume: int, *, doubt: bool) -> Ending:
    """A string without its closing quote. When its text ends in an escaped quote, that may have been meant to close it."""
    doubt = doubt or _BRACKETS.search(text, start, end) is not None or _SCALAR.match(text, start, end) is not None
    last = text[end - 1] if end > start else ""
    if not text.endswith(('\\"', "\\'"), start, end):
        if last and last in QUOTES and text.find(_OPENING.get(last, last), start, end - 1) < 0:  # "a' closes with another quote
            doubt = doubt or not text[end - 2].isalnum()
            doubt = doubt or (text[start - 1] == "'" and last == '"')  # 'a" may have begun with both: "'a"
            return Ending(end - 1, resume, "quote", doubt=doubt)
        straight = bool(last) and last in QUOTES and last not in _OPENING
        return Ending(end, resume, "missing quote", doubt=doubt or straight)
    body = text[start : end - 2]
    if "\\" in body and '\\"' not in body:  # C:\dir\
        return Ending(end - 1, resume, "escape", doubt=doubt)
    return Ending(end, resume, "missing quote", doubt=doubt or body.count('\\"') % 2 == 0)


_BRACKETS = re.compile(r"[\[\]{}]")
_SCALAR = re.compile(r"\s*(?:-?[\d.]+(?:[eE][-+]?\d+)?|true|false|null)\s*\Z")  # the quote may be too many
_OPENING = {"”": "“", "’": "‘", "»": "«"}
"""Of a closing quote, the one that opens: together they are a quotation within the text."""


def unescape(raw: str, quote: str = '"') -> tuple[str, str]:
    r"""The text that `raw`, from within these quotes, stands for, and the kind of repair that reading it took ("" for none).

    A string with an escape that does not exist was not escaped at all: its backslashes are its own. Where it has others that do exist,
    that is plain only of a path (C:\new\work) and of TeX (\frac, \times): else the kind is "doubt".
    """
    if "\\" not in raw:
        return raw, ""
    escapes = _ESCAPE.findall(raw)
    rest = [found for found in escapes if not _VALID_ESCAPE.fullmatch(found)]
    own = QUOTES if quote not in "\"'`" else "\"'`"
    meant = {found[1] for found in escapes if _VALID_ESCAPE.fullmatch(found)}
    if any(not (_LOOSE_ESCAPE.match(found) or found[1] in own) or (meant and found[1] in "\r\n") for found in rest):
        plain = not meant or (meant <= _CONTROLS and _DRIVE.match(raw)) or _TEX.fullmatch(raw)
        return raw, "escape" if plain else "doubt"
    if _X_IN_WORD.search(raw):
        return raw, "doubt"
    value = _ESCAPE.sub(_replace, raw)
    kind = "escape" if rest else ""
    if _SURROGATE.search(value):
        joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined, "escape" if joined.count("\ufffd") > value.count("\ufffd") else kind
    return value, kind


_X_IN_WORD = re.compile(r"[A-Za-z]\\x[0-9a-fA-F]{2}[A-Za-z]")
_LOOSE_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|[\r\n\u2028])")
_CONTROLS = frozenset("bfnrt")
_DRIVE = re.compile(r"[A-Za-z]:\\(?!\\)|\\\\?\?")
_TEX = re.compile(
    r"(?:[^\\]|\\[^\"\\/bfnrtu]|\\(?:frac|forall|flat|flushleft|flushright|footnote|fbox|beta|bar|begin|bf|big|binom|bmod|bot|boldsymbol|bullet|"
    r"nabla|natural|ne|neg|neq|newline|ngeq|ni|nleq|not|notin|nu|rangle|rceil|ref|rfloor|rho|right|rightarrow|rm|tag|tan|tau|tbinom|"
    r"text|textbf|textit|tfrac|tfrac|therefore|theta|tilde|times|to|top|triangle|tt|underline|uparrow|upsilon)(?![a-z]))*+"
)


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
