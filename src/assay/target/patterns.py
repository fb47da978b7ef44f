"""The regular expressions of JSON Schemas: run in time that grows with the text, or under a bound.

pydantic's engine, which never goes back, takes most. What it does not take (look-around, references back) is run by the `regex`
package, which reads more of what ECMA 262 writes than Python does, and stops after a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError as CoreError
from pydantic_core import SchemaValidator, core_schema

from assay.target.bounds import Endless

SECONDS = 1.0
"""How long one search may take."""


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text has a match, as a function; raises `ValueError` with the part of the pattern that no engine supports."""
    pattern = _in_other_words(pattern)
    if not _SETS.search(pattern):
        try:
            return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
        except CoreError:
            pass
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415  # it ships no types

    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from error

    def search(text: str) -> bool:
        try:
            return compiled.search(text, timeout=SECONDS) is not None
        except TimeoutError as error:
            raise Endless(f"the pattern {pattern} takes too long on it") from error

    return search


_SETS = re.compile(r"\[[^\]]*(?:\[|&&|--|~~)")
"""What stands for itself in a class, and is an operation to pydantic's engine."""
_ESCAPES = re.compile(r"\\(?:c([A-Za-z])|u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_EMPTY = {"[^]": r"[\s\S]", "[]": r"[^\s\S]"}


def _in_other_words(pattern: str) -> str:
    """What ECMA 262 writes in its own way: any character as `[^]`, control characters, code points."""
    pattern = _ESCAPES.sub(_escape, pattern)
    if not any(empty in pattern for empty in _EMPTY) or _is_read(pattern):
        return pattern
    for empty, other in _EMPTY.items():
        pattern = pattern.replace(empty, other)
    return pattern


def _escape(found: re.Match[str]) -> str:
    if found[1]:
        return f"\\x{ord(found[1]) % 32:02x}"
    code = found[2] or found[3]
    return f"\\U{int(code, 16):08x}" if code and int(code, 16) < _CODES else found[0]


_CODES = 0x110000


def _is_read(pattern: str) -> bool:
    import regex  # noqa: PLC0415

    try:
        regex.compile(pattern)
    except regex.error:
        return False
    return True
