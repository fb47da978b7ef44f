"""Where the JSON is in a model's text: behind thinking, in fences, amid prose."""

# ruff: noqa: RUF001  # signs that look alike are what this file is about

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.decode.cursor import UnreadableError
from assay.decode.lenient import Parsed, Tries, read_at
from assay.decode.nesting import may_end_later
from assay.decode.scan import CLOSES, QUOTES, at, bare_key, peek, quoted_key, skip, value_start
from assay.types import Repair

_OPEN_TAG = re.compile(r"\s*<(think|thinking|thought|reasoning|reflection|scratchpad)>", re.IGNORECASE)
_CLOSE_TAG = re.compile(r"</(?:think|thinking|thought|reasoning|reflection|scratchpad)>", re.IGNORECASE)
_FENCE = re.compile(r"(?:```|~~~)[ \t]*+(?:[\w+.-]++[ \t]*+)?(?=[\r\n{\[(\"])|```")
_BRACKET = re.compile(r"[{\[]")
_STRONG = re.compile(
    r"\{\s*(?:[\"'“‘`}\\,\[]|[\w$.-]{1,80}\s*:|[\w$-]{1,80}\s+[\"']|//|/\*|#)|"
    r"\[\s*(?:[\"'“‘`{\[\]\\,]|[-+.]?\d[\w.+-]*\s*(?:[,\]]|/[/*])|(?:true|false|null|True|False|None)\s*(?:[,\]]|/[/*])|//|/\*)"
)
_MEMBERS = re.compile(r"[\"\]}]\s*,\s*\"[^\"\n]*\"?\s*:")
_CLOSED_FIRST = re.compile(r"\s*[\]},]\s*\"[^\"\n]*\"\s*:")
_ITEM_BEFORE = re.compile(r"(?:[\"\d}\]]|true|false|null)\s*,\s*\Z")
_MEMBER_BEFORE = re.compile(r"[\"'”’`]\s*:\s*\Z")
_GOES_ON = re.compile(r"\s*:|[\s\]})]*,\s*")
_STRING_FIRST = re.compile(r"\"[^\"\n]*\"\s*[:,]")
_CLOSERS = " \t\r\n]})"
_NOTHING = re.compile(r"\s*\Z")
_ESCAPED = re.compile(r"\s*\\\"|\s*[{\[][\s\\rnt{\[]*\\\"")


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the part of the text that it took."""

    read: Parsed
    strong: bool
    """It looks like data; otherwise like prose in brackets: `[1]`, `{name}`."""


def thinking(text: str) -> int:
    """Where the answer starts behind the model's thinking; 0 without any.

    Thinking that was never closed is no answer, but may hold it: the text is then searched as a whole.
    """
    opened = _OPEN_TAG.match(text)
    if opened or text.lstrip()[:1] not in ("{", "["):
        ends = [found.end() for found in _CLOSE_TAG.finditer(text)]
        if ends and text[ends[0] :].strip() and (opened or not _in_string(text, ends[0])):
            return _last_end(text, ends)
    return opened.end() if opened else 0


def _in_string(text: str, end: int) -> bool:
    """Whether a closing tag that none opens stands in a string of an answer: JSON before it, and no more behind it."""
    return _STRONG.search(text, 0, end) is not None and _STRONG.search(text, end) is None


def _last_end(text: str, ends: list[int]) -> int:
    """Behind the last closing tag that stands before any JSON outside of the thinking."""
    start = ends[0]
    for end in ends[1:]:
        if _STRONG.search(text, start, end) or _NOTHING.match(text, end):
            break
        start = end
    return start


def escaped(text: str) -> bool:
    r"""Whether the whole text is JSON inside a string: `{\"a\": 1}`."""
    return _ESCAPED.match(text) is not None


def in_fences(text: str, start: int) -> Iterator[Found]:
    """The values in the fenced blocks that start with one. Raises `UnreadableError` when one is there that cannot be read."""
    pos = start
    tries = Tries()
    while fence := _FENCE.search(text, pos):
        inner, mark = peek(text, fence.end()), fence.group()[:3]
        end = text.find(mark, fence.end())
        if text[inner : inner + 1] in ("{", "[", "("):
            read = read_at(text, inner, tries)
            _check_end(text, read)
            yield Found(read, strong=True)
            end = text.find("```", read.end)
            yield from _further(text, read.end, len(text) if end < 0 else end, tries)
        if end < 0:
            return
        pos = end + 3


def _further(text: str, pos: int, end: int, tries: Tries) -> Iterator[Found]:
    """More values of a fenced block, behind its first."""
    while (strong := _STRONG.search(text, pos, end)) is not None:
        read = read_at(text, strong.start(), tries)
        yield Found(read, strong=True)
        pos = max(read.end, strong.end())
    _check_rest(text[pos:end], pos)


def _check_rest(rest: str, pos: int) -> None:
    rest = rest.rstrip()
    if rest[-1:] in ("]", "}") and rest.strip(_CLOSERS):
        raise UnreadableError("the text goes on to another closing bracket", pos, "ambiguous")


def in_prose(text: str, start: int) -> Iterator[Found]:
    """The values that stand anywhere. Raises `UnreadableError` when what is plainly JSON cannot be read."""
    pos = skip(text, start)
    root, behind, tries = pos, start, Tries()
    if _STRING_FIRST.match(text, pos) or _CLOSED_FIRST.match(text, pos):
        raise UnreadableError("the opening bracket is missing", pos)
    while bracket := _BRACKET.search(text, pos):
        begin = bracket.start()
        strong = _STRONG.match(text, begin) is not None
        if not strong and begin != root:
            pos = begin + 1
            continue
        if _MEMBER_BEFORE.search(text, max(start, begin - 20), begin) or _MEMBERS.search(text, max(behind, begin - 200), begin):
            raise UnreadableError("the opening bracket of the object is missing", begin)
        if begin > start and _ITEM_BEFORE.search(text, max(behind, begin - 40), begin):
            raise UnreadableError("the opening bracket of what stands before is missing", begin, "ambiguous")
        if text[begin] == "[" and text[begin - 1 : begin].isdigit() and begin > start:
            raise UnreadableError("a digit stands before a bracket: it may belong into it", begin, "ambiguous")
        read = read_at(text, begin, tries)
        _check_end(text, read)
        alone = begin == root and not text[read.end :].strip(_CLOSERS)
        yield Found(read, alone or (strong and not (read.closed and _citation(read.value))))
        pos = behind = max(read.end, begin + 1)
    if pos > root:
        _check_rest(text[pos:], pos)


_TOKEN = re.compile(r"\"(?:[^\"\\]++|\\.)*+(?P<end>\"?)|[{}\[\]]", re.DOTALL)


def cut_off(text: str) -> bool:
    """Whether a text that cannot be read ends within its value: in a string, or in brackets of which the outermost does not end it."""
    first = _BRACKET.search(text)
    if first is None or text.rstrip().endswith(("```", CLOSES[first.group()])):
        return False
    depth = 0
    for token in _TOKEN.finditer(text, first.start()):
        sign = token.group()[0]
        if sign == '"' and not token["end"]:
            return True
        depth += (sign in "{[") - (sign in "}]")
        if depth == 0:
            return False
    return depth > 0


def _citation(value: object) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], int | str)


def _check_end(text: str, read: Parsed) -> None:
    """A value that is followed by more members or items was closed too early; one in a list may lack its opening bracket."""
    closer = at(text, peek(text, read.end))
    if read.end < len(text) and text[read.end].isalnum():
        raise UnreadableError("a letter or digit stands right behind the value: it may belong into it", read.end, "ambiguous")
    if closer == "}" and any(repair.kind == "missing comma" for repair in read.repairs):
        raise UnreadableError("brackets that do not match, and a comma is missing", read.end, "ambiguous")
    if closer == "]" or (closer == "}" and (not read.closed or may_end_later(read.value))):
        raise UnreadableError("brackets that do not match: one is too many, or another is missing", read.end, "ambiguous")
    if closer in ('"', "'") and text[read.start - 1 : read.start] != closer:
        raise UnreadableError("a quote stands behind the value: it may be the end of a string", read.end, "ambiguous")
    found = _GOES_ON.match(text, read.end)
    if not found:
        return
    end = found.end()
    if (
        found.group().endswith(":")
        or quoted_key(text, end)
        or bare_key(text, end)
        or (value_start(text, end) and text[end] not in "{[")
    ):
        raise UnreadableError("the text goes on as if the value had not ended", read.end, "ambiguous")


def whole(text: str, start: int) -> Found | None:
    """A scalar that is the whole text."""
    fence = re.compile(r"\s*```[\w-]*\s*").match(text, start)
    read = read_at(text, fence.end() if fence else start, Tries())
    if text[read.end :].strip(" \t\r\n`;") or any(map(_is_prose, read.repairs)):
        return None
    return Found(read, strong=True)


def _is_prose(repair: Repair) -> bool:
    """Whether a bare word was taken for a string, or a single letter for a literal."""
    if repair.before[:1] in QUOTES:
        return False
    return repair.kind in ("unquoted string", "cut string") or (repair.kind == "cut literal" and len(repair.before) < 2)
