"""A place in a malformed text: how reading moves over what carries no value, and records its repairs."""

from __future__ import annotations

import re

from assay.data.pointer import escape
from assay.decode.nesting import may_end_earlier, may_end_later
from assay.decode.scan import CLOSES, DEPTH, OPENS, SPACE, at, peek, skip
from assay.types import JSON, ProblemKind, Repair

_ELLIPSIS = re.compile(r"(?:\.{3}|…)(?=[\s,\]})]|\Z)")


_COMMENTED_OUT = re.compile(
    r"#(?:[ \t]*[\"\[{}\]]|[ \t]*(?:-?\d[\d.eE+-]*|true|false|null)[ \t]*(?:\n|\Z)|[^\n]*,[ \t]*(?:\n|\Z))"
)
"""What stands behind a `#` would be a value or a member."""
_STRUCTURAL = frozenset(
    {"missing comma", "missing bracket", "bracket", "leading comma", "missing quote", "missing colon", "tuple"}
)


class UnreadableError(Exception):
    """There is no value here, or more than one. `kind` says which."""

    def __init__(self, why: str, pos: int, kind: ProblemKind = "json", path: str = "") -> None:
        super().__init__(why)
        self.why, self.pos, self.kind, self.path = why, pos, kind, path


class Cursor:
    """Where reading stands in `text`, inside which brackets and keys, and the repairs so far."""

    def __init__(self, text: str, pos: int) -> None:
        self.text = text
        self.pos = pos
        self.repairs: list[Repair] = []
        self.truncated = False
        self.assumed = 0
        """Closing brackets that were not there."""
        self._dropped = 0
        """Closing brackets that closed nothing."""
        self.suspect = False
        """A comma stood first in a container, or a key was there twice: a closing bracket may have stood before it."""
        self.stack: list[str] = []
        """The open brackets."""
        self.keys: list[str | int] = []
        """The keys and indexes that lead to the value being read."""

    # -- saying what is there ----------------------------------------------------------------------------------------

    def _path(self) -> str:
        return "".join([f"/{key}" if type(key) is int else "/" + escape(str(key)) for key in self.keys])

    def note(self, kind: str, before: str, after: str) -> None:
        self.repairs.append(Repair(self._path(), kind, before, after))

    def failure(self, why: str, kind: ProblemKind = "json") -> UnreadableError:
        return UnreadableError(why, self.pos, kind, self._path())

    def doubt(self, why: str) -> UnreadableError:
        return self.failure(why, "ambiguous")

    # -- moving ------------------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.pos >= len(self.text)

    def skip(self) -> str:
        """Go to the next character that counts, and return it: "" at the end of the text."""
        text = self.text
        start = self.pos = SPACE.match(text, self.pos).end()  # type: ignore[union-attr]  # matches the empty string
        mark = text[start : start + 1]
        if mark and (mark in "/#\\\f\v" or mark > "~"):
            self.pos = skip(text, start)
            if self.pos > start:
                self._skipped(text[start : self.pos])
                mark = at(text, self.pos)
        if mark == "`" and self.text.startswith("```", self.pos):
            return ""  # the end of the fence is the end of the JSON
        return mark

    def _skipped(self, part: str) -> None:
        if part.count('"') % 2 and not self.ended:
            raise self.doubt("a comment with one quote may be a string that lacks the other one")
        if _COMMENTED_OUT.search(part):
            raise self.doubt("a comment sign stands before a value: it may be there by mistake")
        self.note("comment" if "/" in part or "#" in part else "white space", part, "")

    def commas(self, *, first: bool) -> tuple[str, bool]:
        """Go over commas to the next character; also whether there was one."""
        mark, seen, start = self.skip(), 0, self.pos
        while mark == "," or (mark in (".", "…") and self._ellipsis()):
            if mark == ",":
                seen += 1
                self.pos += 1
            mark = self.skip()
        if seen and first:
            if self.assumed or (self.repairs and self.repairs[-1].kind == "missing comma"):
                raise self.doubt("a comma stands first in brackets where another sign is missing")
            self.suspect = True
            self.note("leading comma", self.text[start : self.pos], "")
        elif seen and mark in (")", "]", "}"):
            self.note("trailing comma", ",", "")
        elif seen > 1:
            if self.stack[-1] != "{":
                raise self.doubt("an item is missing between two commas, or one comma is too many")
            self.note("extra comma", self.text[start : self.pos], ",")
        return mark, seen > 0

    def _ellipsis(self) -> bool:
        found = _ELLIPSIS.match(self.text, self.pos)
        if found:
            self.pos = found.end()
            self.note("ellipsis", found.group(), "")
            self.truncated = True  # there is more, which the model left out
        return found is not None

    def cut_sign(self, mark: str) -> bool:
        """At a sign whose number was cut off: go over it."""
        if mark not in ("-", "+", ".") or self.pos < len(self.text) - 1:
            return False
        self.note("cut number", mark, "")
        self.pos += 1
        return True

    # -- brackets ----------------------------------------------------------------------------------------------------

    def open(self, opener: str, end: int) -> None:
        """Enter a container whose bracket ends at `end`."""
        if len(self.stack) >= DEPTH:
            raise self.failure(f"nested deeper than {DEPTH} levels")
        self.stack.append(opener)
        self.pos = end

    def parent(self) -> str:
        return self.stack[-2] if len(self.stack) > 1 else ""

    def closes(self, mark: str, value: JSON) -> bool:
        """At a closing bracket: whether it is ours, or stands for ours. It stays for its owner when it has one.

        `value` is what the container holds so far.
        """
        own = CLOSES[self.stack[-1]]
        if mark == own:
            self.pos += 1
            return True
        if OPENS[mark] in self.stack:
            if isinstance(value, list) and len(value) < 2:
                raise self.doubt("a list of one whose bracket is missing: the other bracket may be one too many")
            self.assume_closed(value)
            return True
        goes_on = at(self.text, peek(self.text, self.pos + 1)) in (",", own)  # then the bracket is one too many
        if self.assumed or not value or (goes_on and not self._doubled(mark, value)):
            raise self.doubt(f"brackets that do not match: {mark!r} closes nothing")
        self.pos += 1
        self._dropped += goes_on
        self.note("bracket", mark, "" if goes_on else own)
        return not goes_on

    def _doubled(self, mark: str, value: JSON) -> bool:
        """`[{"a": 1}}]`: one brace is plainly there twice. Of any other bracket, the opening one may be missing instead."""
        before = self.text[max(0, self.pos - 80) : self.pos].rstrip()[-1:]
        last = value[-1] if isinstance(value, list) else None
        return mark == before == "}" and not may_end_later(last)

    def _looks_whole(self) -> bool:
        """Whether the text ends as if it were whole, so that the bracket that is missing may be missing anywhere in it."""
        last = self.text[: self.pos].rstrip().rstrip("`").rstrip()[-1:]
        structural = last in ("]", "}") and any(repair.kind in _STRUCTURAL for repair in self.repairs)
        return self.suspect or structural or (len(self.stack) == 1 and not self.assumed and last == CLOSES[self.stack[0]])

    def assume_closed(self, value: JSON) -> None:
        """The innermost container, which holds `value`, ends here without its bracket."""
        if self._dropped:
            raise self.doubt("brackets that do not match: one is too many and another is missing")
        fenced = not self.ended and self.text.startswith("```", self.pos)
        alone = (
            fenced and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
        )  # or the bracket is too many
        if alone or ((self.ended or fenced) and self._looks_whole()):
            raise self.failure("the text was cut, or a bracket is missing in it", "truncated")
        unquoted = self.repairs[-1:] and self.repairs[-1].kind == "missing quote"  # the bracket may be text
        if not self.ended and (not value or self.suspect or unquoted or self.stack[-1] == "(" or may_end_earlier(value)):
            raise self.doubt("a closing bracket is missing, in more than one place perhaps")
        self.assumed += 1
        self.truncated |= self.ended
        self.note("closed after truncation" if self.ended else "missing bracket", "", CLOSES[self.stack[-1]])
