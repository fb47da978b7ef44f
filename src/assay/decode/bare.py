"""What stands without quotes: numbers in many notations, literals of many languages, bare words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.data.digits import number
from assay.decode.scan import QUOTES, SINGLE, Where, at, bare_key, comment_end, peek, quoted_key
from assay.types import JSON

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?(?=[ \t]*(?:[\n\r,\]}{\[)]|/[/*]|\\[nrt]|\Z)|[ \t]+[\"'#])")
"""A JSON number with what may follow it; a group is set when it is no integer."""

GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?=\s*(?:\}|,\s*[\"'}]|,\s*[A-Za-z_$]))")
"""A number in groups of three, with what may follow it in an object."""

SPACED = re.compile(r"-?\d+(?:\.\d+)?(?=(?:[ \t]+(?!\d{3}(?!\d))-?\d+(?:\.\d+)?)+[ \t]*[,\]\n])")
"""A number among numbers without commas; `1 234` is not, it may be one number."""

_HEX = re.compile(r"([-+]?)0[xX]([1-9a-fA-F][0-9a-fA-F]*)\Z")
_LOOSE = re.compile(r"[-+]?(?:(?:0|[1-9]\d{0,2}(?:_\d{3})+|[1-9]\d*)(\.\d*)?|(\.\d+))([eE][-+]?\d+)?\Z")
_CUT_NUMBER = re.compile(r"(-?(?:0|[1-9]\d*)(?:\.\d+)?)(?:\.|[eE][-+]?)\Z")
_DIGITS = 4300  # Python reads no longer integers

_LITERALS: dict[str, JSON] = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    "null": None, "None": None, "NULL": None, "Null": None, "undefined": None,
    # As ECMAScript's JSON.stringify writes them: JSON has no such numbers.
    "NaN": None, "Infinity": None, "-Infinity": None, "+Infinity": None,
}  # fmt: skip
_VALID = ("true", "false", "null")
_STOP = {
    "member": re.compile(r"[,}\[\]\n\r(){/#;" + QUOTES + r"]"),
    "item": re.compile(r"[,}\[\]\n\r(){/#;" + QUOTES + r"]"),
    "top": re.compile(r"[)\n\r;]"),
    "key": re.compile(r"[:,}\]\n\r]"),
}
_GLUED = re.compile(r"(?:true|false|null|True|False|None){2,}")
_GLUED_ITEMS = re.compile(r"(?:true|false|null|True|False|None|[-+]?\.?\d[\d.eE+-]*)+")
_UNCLEAR = re.compile(
    r"[-+]{2,}[\d.]+|[-+]?[\d.]*_[\d_.eE+-]*|[-+]?0[xXoObB]\w*|[-+]?[\d.]+[eE][-+]?|[-+]?\d*\.{2,}\d*|"
    r"[-+\d.]+[A-Za-z_]\w*:.*|.*:(?:true|false|null)|[-+]0\d+(?:\.\d*)?|0\d+\.\d*|[^\w$€£¥]\s.*|[-+]?\d[\d.]*\s*[\\#;=].*"
)
_APART = re.compile(r"\S\s{2,}\S|[{}]|\w\[|\[\s*\]|\s[\[({][^\])}]*[\])}]\s*\Z")
_NUMBER_BEHIND = re.compile(r"(?:\S{1,2}|[-+\d]\S*)\s+[-+]?\d[\d.]*")
_INNER_KEY = re.compile(r":\s|;|\\[nrt]")


@dataclass(frozen=True, slots=True)
class Bare:
    """An unquoted run of text: `text[start:end]`, and where reading goes on."""

    end: int
    resume: int
    kind: str = "unquoted string"
    doubt: bool = False


def literal(word: str, *, cut: bool) -> tuple[JSON, str]:
    """What a bare `word` means, and the repair's kind ("" when it is JSON as it stands).

    `cut` says that the text ends with it: then it may be a beginning.
    """
    if word in _LITERALS:
        return _LITERALS[word], "" if word in _VALID else "literal"
    if found := NUMBER.fullmatch(word):
        return _number(word, whole=not found.group(1) and not found.group(2)), ""
    if found := _HEX.match(word):
        value = int(found.group(2), 16)
        return -value if found.group(1) == "-" else value, "number"
    if found := _LOOSE.match(word):
        whole = not any(found.groups()) and "." not in word
        return _number(word.replace("_", ""), whole=whole), "number"
    if cut:
        return _cut(word)
    return word, "unquoted string"


def _number(word: str, *, whole: bool) -> JSON:
    return int(word) if whole and len(word) < _DIGITS else number(word)


def _cut(word: str) -> tuple[JSON, str]:
    if found := _CUT_NUMBER.match(word):
        return literal(found.group(1), cut=False)[0], "cut number"
    for whole in (*_VALID, "True", "False", "None"):
        if whole.startswith(word):
            return _LITERALS[whole], "cut literal"
    return word, "cut string"


def bare(text: str, start: int, where: Where, stack: list[str]) -> Bare:
    """Where the unquoted run that starts at `start` ends."""
    stop, pos, braces, opened = _STOP[where], start, 0, False
    while found := stop.search(text, pos):
        pos, mark = found.start(), found.group()
        if mark in "[{" and _is_literal(text, start, pos):
            return _bare(text, start, pos)  # a value, and behind it the next one: a comma is missing
        if mark in "{(":
            braces += 1
        elif mark == "[":
            opened = True  # part of the text, as in `see [1]`; unbalanced, it is doubtful
        elif mark in "})" and braces:
            braces -= 1
        elif mark in QUOTES:
            ended = _at_quote(text, start, pos, where)
            if ended:
                return ended
        elif mark in "/#":
            known = _is_literal(text, start, pos)
            if (comment_end(text, pos, pos + 2) > pos and text[pos - 1].isspace()) or (known and mark == "#"):
                ends = known or text.startswith("/*", pos) or "\n" in text[pos : comment_end(text, pos, len(text)) + 1]
                return _bare(text, start, pos, doubt=not ends)
            if known and text.startswith(("//", "/*"), pos):
                return _bare(text, start, pos)
        elif _stops(mark, where, stack) or (mark == "]" and not opened):
            return _bare(text, start, pos, doubt=_doubtful(text, start, pos, mark, where))
        pos += 1
    return _bare(text, start, len(text))


def _is_literal(text: str, start: int, pos: int) -> bool:
    return pos - start < _LONGEST_LITERAL and literal(text[start:pos].rstrip(), cut=False)[1] != "unquoted string"


_LONGEST_LITERAL = 500  # looked at again at every sign: longer runs are no literals


def _bare(text: str, start: int, pos: int, *, doubt: bool = False) -> Bare:
    end = start + len(text[start:pos].rstrip())
    return Bare(end, pos, doubt=doubt)


def _doubtful(text: str, start: int, pos: int, mark: str, where: Where) -> bool:
    """Whether a run that ends at `mark` may be more than one string, or less."""
    if where not in ("member", "item"):
        return False
    if _APART.search(text, start, pos):
        return True
    if text.count("[", start, pos) > text.count("]", start, pos):
        return True
    return _INNER_KEY.search(text, start, pos) is not None or (where == "member" and mark == "," and _torn(text, pos))


def several(word: str, where: Where) -> bool:
    """Whether `word` is a row of literals and numbers: one text, or values without commas; or a number that no notation has."""
    parts = word.split()
    if _GLUED.fullmatch(word):
        return True
    if _UNCLEAR.fullmatch(word) and literal(word, cut=False)[1] == "unquoted string":
        return True
    if where == "item" and _GLUED_ITEMS.fullmatch(word):
        return literal(word, cut=False)[1] == "unquoted string"
    if len(parts) > 1 and (any(part in _VALID for part in parts) or _NUMBER_BEHIND.fullmatch(word)):
        return True
    return len(parts) > 1 and all(part in _LITERALS or _LOOSE.match(part) for part in parts)


def near_literal(word: str) -> bool:
    """Whether a word may be a literal with a letter too many, too few or wrong: `tru`, `nul1`, `fasle`."""
    if len(word) > _LONGEST_NEAR:
        return False
    letters = _LETTERS.sub("", word.lower())
    return any(_near(letters, literal) for literal in _VALID)


def _near(word: str, literal: str) -> bool:
    if literal in word:
        return True
    if len(word) < 3 or len(word) > len(literal) + 2:
        return False
    if _within(word, literal) or _within(literal, word) or sorted(word) == sorted(literal):
        return True
    return len(word) == len(literal) and sum(a != b for a, b in zip(word, literal, strict=True)) == 1


def _within(short: str, long: str) -> bool:
    """Whether `long` has the letters of `short` in their order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


_LONGEST_NEAR = 10
_LETTERS = re.compile(r"[^a-z]")


def _stops(mark: str, where: Where, stack: list[str]) -> bool:
    if mark == ";":
        return where == "top"
    if mark == ")":
        return "(" in stack or where == "top"
    if mark == "]":
        return "[" in stack
    return True


def _torn(text: str, pos: int) -> bool:
    """Whether the comma at `pos` is followed by something that is no member: it may belong to the text."""
    ahead = peek(text, pos + 1)
    mark = at(text, ahead)
    return not (mark == "" or mark in ",}]{" + QUOTES or text.startswith("...", ahead) or bare_key(text, ahead))


def _at_quote(text: str, start: int, pos: int, where: Where) -> Bare | None:
    """A quote behind a bare word opens the next string, or closes this one whose opening quote is missing."""
    if where == "member" and quoted_key(text, pos):
        return _bare(text, start, pos, doubt=_doubtful(text, start, pos, "", where))
    mark = at(text, peek(text, pos + 1))
    spaced = text[pos - 1].isspace()
    if not spaced and (mark == "" or mark in ",}]"):
        return Bare(pos, pos + 1, "missing quote")
    if where == "item" and (spaced or _is_literal(text, start, pos)):
        return _bare(text, start, pos, doubt=_doubtful(text, start, pos, mark, where))
    return None if text[pos] in SINGLE else _bare(text, start, pos, doubt=True)
