"""A JSON value while its text is still coming.

`PartialParser` is fed the text piece by piece and does the work of each character once, whatever the pieces: total
work is linear in the text, and nothing is kept but the value itself. What it shows is final: strings, numbers and
literals are held back until what follows them shows that they have ended (a quote may be one that the model forgot to
escape, a comma a separator of thousands), and containers only grow at their end.

It reads strict JSON (and a comma too many, and raw line breaks in strings), behind any prose, fence or think block.
On anything else it stops showing and says so in `stopped`: repairs are for the whole text, once it is complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from assay.data.pointer import escape
from assay.decode.mark import Container, Mark, Pending, number, unquoted
from assay.types import JSON

MAX_DEPTH = 200
"""Containers within containers; deeper text is no answer to any schema, and pointers to it would cost too much."""

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_WORD = re.compile(r"[-+.0-9A-Za-z]*")
_LITERALS: Final = {"true": True, "false": False, "null": None}
_THINK = "think|thinking|thought|reasoning|reflection|scratchpad"
_THINK_END = re.compile(rf"</(?:{_THINK})>", re.IGNORECASE)
_PROSE = re.compile(r"[^\"':/\n{}\[\]]*")
_NOTHING: Final = object()
_LONGEST_TAG = len("</scratchpad>")


class PartialParser:
    """An incremental JSON parser. `openers` are the brackets that the value may start with."""

    def __init__(self, openers: str = "{[") -> None:
        self._root: Container | None = None
        self._stack: list[Container] = []
        self._paths: list[str] = []
        self._key: str | None = None
        self._held: JSON = _NOTHING
        self._pieces: list[str] = []
        self._tail = ""
        self._changes: list[str] = []
        self._depth = 0
        self._start = re.compile(rf"<({_THINK})>|[{re.escape(openers)}]", re.IGNORECASE)
        self._step: Callable[[str, int], int] = self._seek

    @property
    def complete(self) -> bool:
        """Whether the value's closing bracket has come."""
        return self._root is not None and not self._stack

    @property
    def stopped(self) -> bool:
        """Whether something came that is not JSON: nothing more will be shown."""
        return self._step == self._ignore and not self.complete

    def feed(self, text: str) -> list[str]:
        """Read the next piece. JSON Pointers to the values that it completed, in the order of their ends."""
        text, self._tail = self._tail + text, ""
        changes: list[str] = []
        self._changes = changes
        at, end = 0, len(text)
        while at < end:
            at = self._step(text, at)
        return changes

    def mark(self) -> Mark:
        """What is shown now."""
        pending = None
        if self._step in (self._in_string, self._in_word) or self._held is not _NOTHING:
            quoted = self._step == self._in_string or isinstance(self._held, str)
            pending = Pending(self._key, quoted, self._pieces, len(self._pieces))
        levels = self._stack or ([] if self._root is None else [self._root])
        return Mark(tuple([(container, len(container)) for container in levels]), pending)

    # Each state reads from `text[at:]` what belongs to it, chooses the next state and returns where that begins.

    def _seek(self, text: str, at: int) -> int:
        """Before the value: prose, a fence, a think block."""
        match = self._start.search(text, at)
        if match is None:
            self._keep_tail(text, at)
            return len(text)
        if match.group(1):
            self._step = self._in_think
            return match.end()
        return self._open(text, match.start())

    def _in_think(self, text: str, at: int) -> int:
        end = _THINK_END.search(text, at)
        if end is None:
            self._keep_tail(text, at)
            return len(text)
        self._step = self._seek
        return end.end()

    def _keep_tail(self, text: str, at: int) -> None:
        """Keep the beginning of what may be a tag cut in two."""
        tag = text.rfind("<", max(at, len(text) - _LONGEST_TAG))
        if tag >= 0 and ">" not in text[tag:]:
            self._tail = text[tag:]

    def _value(self, text: str, at: int) -> int:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches anything
        if at == len(text):
            return at
        sign = text[at]
        if sign == '"':
            return self._begin(self._in_string, at + 1)
        if sign in "{[":
            return self._open(text, at)
        if sign == "]" and isinstance(self._stack[-1], list):
            return self._close(at)
        if sign in "-0123456789tfn":
            return self._begin(self._in_word, at)
        return self._fail(at)

    def _name(self, text: str, at: int) -> int:
        """In an object, where a key or its end may stand."""
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            return at
        if text[at] == '"':
            self._settle()
            return self._begin(self._in_name, at + 1)
        return self._close(at) if text[at] == "}" else self._fail(at)

    def _colon(self, text: str, at: int) -> int:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            return at
        if text[at] != ":":
            return self._fail(at)
        self._step = self._value
        return at + 1

    def _next(self, text: str, at: int) -> int:
        """After a value in a container."""
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            return at
        inside_list = isinstance(self._stack[-1], list)
        if text[at] == ",":
            if inside_list or isinstance(self._held, str):
                self._settle()
            self._step = self._value if inside_list else self._name
            return at + 1
        return self._close(at) if text[at] == ("]" if inside_list else "}") else self._fail(at)

    def _begin(self, state: Callable[[str, int], int], at: int) -> int:
        self._pieces = []  # a new list: marks may hold the old one
        self._step = state
        return at

    def _in_name(self, text: str, at: int) -> int:
        at, name = self._quoted(text, at)
        if name is None:
            return at
        if name in self._stack[-1]:
            return self._fail(at)  # which of the two is meant is not for a partial reading to say
        self._key = name
        self._step = self._colon
        return at

    def _in_string(self, text: str, at: int) -> int:
        at, value = self._quoted(text, at)
        return at if value is None else self._put(value, at)

    def _quoted(self, text: str, at: int) -> tuple[int, str | None]:
        """Read on in a string; its value once its closing quote is there."""
        end = _STRING.match(text, at).end()  # type: ignore[union-attr]
        self._pieces.append(text[at:end])
        if end == len(text):
            return end, None
        if text[end] == "\\":  # the last character of the piece: what it escapes comes with the next
            self._tail = "\\"
            return len(text), None
        value = unquoted("".join(self._pieces))
        return (self._fail(end), None) if value is None else (end + 1, value)

    def _in_word(self, text: str, at: int) -> int:
        end = _WORD.match(text, at).end()  # type: ignore[union-attr]
        self._pieces.append(text[at:end])
        if end == len(text):
            return end
        word = "".join(self._pieces)
        if word in _LITERALS:
            return self._put(_LITERALS[word], end)
        value = number(word)
        return self._fail(end) if value is None else self._put(value, end)

    def _put(self, value: JSON, at: int) -> int:
        self._held = value
        self._step = self._next
        return at

    def _settle(self) -> None:
        """What is held back has ended: it is shown."""
        if self._held is not _NOTHING:
            self._changes.append(self._attach(self._held))
            self._held = _NOTHING

    def _attach(self, value: JSON) -> str:
        """Put a value in its place; its path."""
        if not self._stack:
            self._root = value
            return ""
        inside = self._stack[-1]
        if isinstance(inside, list):
            inside.append(value)
            return f"{self._paths[-1]}/{len(inside) - 1}"
        key, self._key = self._key or "", None
        inside[key] = value
        return f"{self._paths[-1]}/{escape(key)}"

    def _open(self, text: str, at: int) -> int:
        if len(self._stack) == MAX_DEPTH:
            return self._fail(at)
        container: Container = {} if text[at] == "{" else []
        path = self._attach(container)
        self._stack.append(container)
        self._paths.append(path)
        self._step = self._value if text[at] == "[" else self._name
        return at + 1

    def _close(self, at: int) -> int:
        self._settle()
        self._stack.pop()
        self._changes.append(self._paths.pop())
        self._step = self._next if self._stack else self._ignore
        return at + 1

    def _fail(self, at: int) -> int:
        """No JSON. Right behind the first bracket it may be prose in brackets: pass over it; else stop."""
        prose = len(self._stack) == 1 and not self._root and self._key is None and self._held is _NOTHING
        self._held = _NOTHING
        if not prose:
            self._step = self._ignore
            return at
        self._root = None
        self._stack.clear()
        self._paths.clear()
        self._depth = 1
        self._step = self._in_prose
        return at

    def _in_prose(self, text: str, at: int) -> int:
        """In brackets that hold no JSON: to their end, unless they hold what looks like loosely written JSON."""
        at = _PROSE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            return at
        if text[at] not in "{}[]":
            self._step = self._ignore
            return at
        self._depth += 1 if text[at] in "{[" else -1
        if self._depth == 0:
            self._step = self._seek
        return at + 1

    def _ignore(self, text: str, at: int) -> int:
        del at
        return len(text)
