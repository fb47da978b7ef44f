"""The lenient reader: a recursive descent over JSON as models bend it, in one pass, every repair noted.

Where a rule cannot tell between two values, the reader says so (`Unreadable`) instead of choosing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.decode.scan import DEPTH, QUOTES, Where, at, bare_key, peek, plain_skip, quoted_key, skip, value_start
from assay.decode.strings import Ending, cut_escape, ending, unescape
from assay.decode.words import GROUPED, NUMBER, SPACED, bare, literal, several
from assay.types import JSON, ProblemKind, Repair

# What most of a text consists of, even of a malformed one: read in one match each.
_PLAIN_KEY = re.compile(r'"([^"\\\x00-\x1f]*+)"[ \t\n\r]*:[ \t\n\r]*')
_PLAIN_MEMBER = re.compile(
    r'"([^"\\\x00-\x1f]*+)"(?=[ \t\n\r]*(?:,[ \t\n\r]*"[^"\\\n]{0,160}"[ \t\n\r]*:|\}[ \t\n\r]*(?:[}\]]|,[ \t\n\r]*[{"]|\Z)))'
)
_PLAIN_ITEM = re.compile(r'"([^"\\\x00-\x1f]*+)"(?=[ \t\n\r]*(?:,[ \t\n\r]*"[^"\\\n]{0,160}"[ \t\n\r]*[,\]]|\]))')
_CONTROL = re.compile(r"[\x00-\x1f]")
_PREFIX = re.compile(r"[rRbBuUfF]{1,2}(?=[\"'])")
_CALL = re.compile(r"(?:new\s+)?[A-Za-z_$][\w$.]{0,80}\s*\(")
_BARE_KEY = re.compile(r"[^\s:,{}\[\]\"'`=()][^:,{}\[\]\"'`=()\n]{0,200}?(?=\s*:)")
_KEY_WITHOUT_COLON = re.compile(r"[\w$-]{1,80}(?=\s+[\"'{\[])")
_KEY_WITHOUT_QUOTE = re.compile(r"[\w$ -]{1,80}(?=[\"']\s*:)")
_ALNUM = re.compile(r"[^\W_]")
_AFTER_STRING = re.compile(r"[\"'”’]\s*,\s*\Z")
_ELLIPSIS = re.compile(r"\.{3}|…")
_CLOSE = {"{": "}", "[": "]", "(": ")"}
_OPEN = {"}": "{", "]": "[", ")": "("}


class Unreadable(Exception):
    """There is no value here, or more than one. `kind` says which."""

    def __init__(self, why: str, pos: int, kind: ProblemKind = "json", path: str = "") -> None:
        super().__init__(why)
        self.why, self.pos, self.kind, self.path = why, pos, kind, path


@dataclass(frozen=True, slots=True)
class Read:
    """A value read from `text[start:end]`."""

    value: JSON
    start: int
    end: int
    repairs: tuple[Repair, ...]
    truncated: bool
    closed: bool
    """Whether the value's own closing bracket was there."""


def read_at(text: str, start: int, where: Where = "top") -> Read:
    """The value that starts at `start`. Raises `Unreadable`."""
    reader = _Reader(text, start)
    value = reader.value(where)
    return Read(value, start, reader.pos, tuple(reader.repairs), reader.truncated, reader.assumed == 0)


class _Reader:
    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.pos = start
        self.repairs: list[Repair] = []
        self.truncated = False
        self.assumed = 0
        """Closing brackets that were not there."""
        self._stack: list[str] = []
        self._keys: list[str | int] = []

    # -- notes -------------------------------------------------------------------------------------------------------

    def _path(self) -> str:
        return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in self._keys)

    def _note(self, kind: str, before: str, after: str) -> None:
        self.repairs.append(Repair(self._path(), kind, before, after))

    def _fail(self, why: str, kind: ProblemKind = "json") -> Unreadable:
        return Unreadable(why, self.pos, kind, self._path())

    def _doubt(self, why: str) -> Unreadable:
        return self._fail(why, "ambiguous")

    # -- between values ----------------------------------------------------------------------------------------------

    def _skip(self) -> str:
        """Go to the next character that counts, and return it: "" at the end of the text."""
        start = plain_skip(self.text, self.pos)
        self.pos = start
        mark = self.text[start : start + 1]
        if mark and (mark in "/#" or mark > "~"):
            self.pos = skip(self.text, start)
            if self.pos > start:
                skipped = self.text[start : self.pos]
                self._note("comment" if mark in "/#" or skipped.strip() else "white space", skipped, "")
                mark = at(self.text, self.pos)
        if mark == "`" and self.text.startswith("```", self.pos):
            return ""  # the end of the fence is the end of the JSON
        return mark

    def _at_end(self, opener: str) -> None:
        """The text ends inside a container."""
        cut = self.pos >= len(self.text)
        self.truncated |= cut
        self.assumed += 1
        self._note("closed after truncation" if cut else "missing bracket", "", _CLOSE[opener])

    def _cut_sign(self, mark: str) -> bool:
        """At a sign whose number was cut off: go over it."""
        if mark not in "-+." or self.pos < len(self.text) - 1:
            return False
        self._note("cut number", mark, "")
        self.pos += 1
        return True

    def _closes(self, mark: str, opener: str, *, empty: bool) -> bool:
        """At a closing bracket: whether it is ours, or stands for ours. It stays for its owner when it has one."""
        own = _CLOSE[opener]
        if mark == own:
            self.pos += 1
            return True
        if _OPEN[mark] in self._stack:
            self.assumed += 1
            self._note("missing bracket", "", own)
            return True
        if self.assumed or empty:
            raise self._doubt(f"brackets that do not match: {mark!r} closes nothing")
        self.pos += 1
        ends = at(self.text, peek(self.text, self.pos)) != ","  # else the container goes on, and the bracket is one too many
        self._note("bracket", mark, own if ends else "")
        return ends

    def _commas(self, *, first: bool) -> tuple[str, bool]:
        """Go over commas to the next character; also whether there was one."""
        mark, seen, start = self._skip(), 0, self.pos
        while mark == "," or (mark in ".…" and mark and _ELLIPSIS.match(self.text, self.pos)):
            if mark == ",":
                seen += 1
                self.pos += 1
            else:
                self.pos = _ELLIPSIS.match(self.text, self.pos).end()  # type: ignore[union-attr]
                self._note("ellipsis", "...", "")
            mark = self._skip()
        if seen and first:
            self._note("leading comma", self.text[start : self.pos], "")
        elif seen and mark in ")]}":
            self._note("trailing comma", ",", "")
        elif seen > 1:
            self._note("extra comma", self.text[start : self.pos], ",")
        return mark, seen > 0

    # -- values ------------------------------------------------------------------------------------------------------

    def value(self, where: Where) -> JSON:
        mark = self._skip()
        if mark == '"':
            plain = _PLAIN_MEMBER if where == "member" else _PLAIN_ITEM
            if where in ("member", "item") and (found := plain.match(self.text, self.pos)):
                self.pos = found.end()
                return found.group(1)
            return self._strings(where)
        if mark == "{":
            return self._object()
        if mark == "[":
            return self._array("[")
        if mark == "" or self._cut_sign(mark):
            raise self._fail("the text ends where a value is wanted", "truncated")
        if where == "member" and (found := GROUPED.match(self.text, self.pos)):
            return self._grouped(found)
        if found := NUMBER.match(self.text, self.pos) or (where == "item" and SPACED.match(self.text, self.pos)) or None:
            return self._number(found)
        if mark in QUOTES:
            return self._strings(where)
        return self._array("(") if mark == "(" else self._word(where)

    def _number(self, found: re.Match[str]) -> JSON:
        self.pos = found.end()
        if self.pos == len(self.text) and self._stack:
            self._note("cut number", found.group(), found.group())  # more digits may have followed
        return literal(found.group(), cut=False)[0]

    def _grouped(self, found: re.Match[str]) -> JSON:
        """`"total": -2,000.00`: what follows the comma cannot be a key."""
        self.pos = found.end()
        value, _ = literal(found.group().replace(",", ""), cut=False)
        self._note("number", found.group(), str(value))
        return value

    def _open(self, opener: str) -> None:
        if len(self._stack) >= DEPTH:
            raise self._fail(f"nested deeper than {DEPTH} levels")
        self._stack.append(opener)
        self.pos += 1

    def _object(self) -> dict[str, JSON]:
        self._open("{")
        value: dict[str, JSON] = {}
        comma = True
        while True:
            mark, seen = self._commas(first=not value)
            comma = comma or seen
            if mark == "":
                self._at_end("{")
                break
            if mark in ")]}":
                if self._closes(mark, "{", empty=not value):
                    break
                continue
            if mark in "{[" and value and self._parent() == "[":
                self._note("missing bracket", "", "}")
                self.assumed += 1
                break
            key = self._key(mark)
            if key is None:
                break
            if not comma:
                self._note("missing comma", "", ",")
            self._keys.append(key)
            if not self._member(value, key):
                self._keys.pop()
                self._at_end("{")
                break
            self._keys.pop()
            comma = False
        self._stack.pop()
        return value

    def _parent(self) -> str:
        return self._stack[-2] if len(self._stack) > 1 else ""

    def _member(self, into: dict[str, JSON], key: str) -> bool:
        """Read the value of `key`; False when the text was cut before it."""
        try:
            value = self.value("member")
        except Unreadable as error:
            if error.kind != "truncated" or self.pos < len(self.text):
                raise
            self._note("cut member", key, "")
            return False
        if key in into and into[key] != value:
            raise self._doubt(f"the key {key!r} has two values")
        into[key] = value
        return True

    def _key(self, mark: str) -> str | None:
        """The key at a position, its colon read too; None when the text ends within it."""
        if found := _PLAIN_KEY.match(self.text, self.pos):
            self.pos = found.end()
            return found.group(1)
        if found := _PREFIX.match(self.text, self.pos):
            self._note("string prefix", found.group(), "")
            self.pos = found.end()
            mark = self.text[self.pos]
        if mark in QUOTES:
            start = self.pos
            key = self._string("key")
            if self.pos >= len(self.text):
                return self._cut_key(start)
        elif found := _KEY_WITHOUT_QUOTE.match(self.text, self.pos):
            key, self.pos = found.group(), found.end() + 1
            self._note("missing quote", key + '"', f'"{key}"')
        elif found := _BARE_KEY.match(self.text, self.pos) or _KEY_WITHOUT_COLON.match(self.text, self.pos):
            key, self.pos = found.group(), found.end()
            self._note("unquoted key", key, f'"{key}"')
        elif re.compile(r"[\w$ .-]*\Z").match(self.text, self.pos):
            return self._cut_key(self.pos)
        else:
            raise self._fail("a key is wanted")
        self._colon()
        return key

    def _cut_key(self, start: int) -> None:
        self.pos = len(self.text)
        self._note("cut key", self.text[start:], "")
        self._at_end("{")

    def _colon(self) -> None:
        mark = self._skip()
        if mark == ":":
            self.pos += 1
        elif mark == "=":
            self.pos += 2 if self.text.startswith("=>", self.pos) else 1
            self._note("colon", "=", ":")
        elif mark and value_start(self.text, self.pos):
            self._note("missing colon", "", ":")
        elif mark:
            raise self._fail("a colon is wanted after a key")

    def _array(self, opener: str) -> list[JSON]:
        self._open(opener)
        if opener == "(":
            self._note("tuple", "(", "[")
        value: list[JSON] = []
        comma = True
        while True:
            mark, seen = self._commas(first=not value)
            comma = comma or seen
            if mark == "" or self._cut_sign(mark):
                self._at_end(opener)
                break
            if mark in ")]}":
                if self._closes(mark, opener, empty=not value):
                    break
                continue
            if value and self._parent() == "{" and (quoted_key(self.text, self.pos) or bare_key(self.text, self.pos)):
                self._note("missing bracket", "", _CLOSE[opener])
                self.assumed += 1
                break
            if not comma:
                self._note("missing comma", "", ",")
            self._keys.append(len(value))
            value.append(self.value("item"))
            self._keys.pop()
            if at(self.text, peek(self.text, self.pos)) == ":":
                raise self._fail("a key without an object")
            comma = False
        self._stack.pop()
        return value

    # -- scalars -----------------------------------------------------------------------------------------------------

    def _strings(self, where: Where) -> str:
        """A string, or several that are joined by `+`."""
        value = self._string(where)
        while at(self.text, ahead := peek(self.text, self.pos)) == "+":
            quote = peek(self.text, ahead + 1)
            if at(self.text, quote) not in QUOTES or quote >= len(self.text):
                break
            self.pos = quote
            self._note("concatenation", "+", "")
            value += self._string(where)
        return value

    def _string(self, where: Where) -> str:
        start, quote = self.pos, self.text[self.pos]
        if quote in "\"'" and self.text.startswith(quote * 3, start):
            if (end := self.text.find(quote * 3, start + 3)) >= 0:
                self.pos = end + 3
                return self._text_of(Ending(end, end + 3, "triple quote"), start + 3, start)
        found = ending(self.text, start + 1, quote, where, self._stack)
        torn = where == "item" and found.stray and _AFTER_STRING.search(self.text, max(0, start - 40), start)
        if found.doubt or torn:
            raise self._doubt("a quote inside a string can be read in two ways")
        if quote != '"' and not found.kind:
            found = Ending(found.end, found.resume, "quote")
        self.pos = found.resume
        return self._text_of(found, start + 1, start)

    def _text_of(self, found: Ending, start: int, quote: int) -> str:
        raw = self.text[start : found.end]
        cut = found.kind == "cut string"
        value, escape = unescape(cut_escape(raw) if cut else raw)
        if cut:
            self.truncated = True
        control = "control character" if _CONTROL.search(raw) else ""
        for kind in dict.fromkeys((found.kind, escape, control)):
            if kind:
                self._note(kind, self.text[quote : found.resume], value)
        return value

    def _word(self, where: Where) -> JSON:
        if found := _PREFIX.match(self.text, self.pos):
            self._note("string prefix", found.group(), "")
            self.pos = found.end()
            return self._strings(where)
        if found := _CALL.match(self.text, self.pos):
            return self._call(found, where)
        start = self.pos
        run = bare(self.text, start, where, self._stack)
        word = self.text[start : run.end]
        if not word:
            raise self._fail("a value is wanted")
        if not _ALNUM.search(word):
            raise self._fail("a value is wanted")
        if run.doubt or several(word):
            raise self._doubt("an unquoted string can be read in two ways")
        value, kind = literal(word, cut=run.resume >= len(self.text))
        if kind == "unquoted string" and run.kind == "missing quote":
            kind = run.kind
        if kind:
            self._note(kind, self.text[start : run.resume].rstrip(), str(value))
        self.truncated |= kind.startswith("cut ")
        self.pos = run.resume
        return value

    def _call(self, found: re.Match[str], where: Where) -> JSON:
        """`ObjectId("1")`, `new Date("2024-01-01")`, `callback({...})`: the one argument is the value."""
        start = self.pos
        self.pos = found.end()
        self._stack.append("(")
        value = self.value("item" if where != "top" else "top")
        self._stack.pop()
        if self._skip() != ")":
            raise self._fail("a call with more than one argument is no value")
        self.pos += 1
        self._note("call", self.text[start : found.end()] + "...)", "...")
        return value
