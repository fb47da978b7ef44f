"""`read`: the JSON value in a model's text, or the reason why there is none."""

from __future__ import annotations

import re
from functools import cached_property

from assay.decode.result import Reading
from assay.decode.valid import valid
from assay.errors import DecodeError
from assay.schema.accept import Acceptor
from assay.schema.navigate import child, govern
from assay.types import JSON, JSONObject, Problem

MOST_DIGITS = 4300
"""Of a whole number: what `sys.get_int_max_str_digits` is by default, beyond which it can be neither written nor shown."""
_ENDLESS: int = 10**MOST_DIGITS
_DIGITS = re.compile(r"[0-9]+")


class Reader:
    """`Reader(schema)(text) -> Reading`: `read`, made once for texts of one schema.

    `wrapper` is the key under which a bare value travels: it may be left out. With `exact`, numbers with more digits than a float has
    are given as `Digits`. With `infinite`, NaN and infinities are numbers.
    """

    def __init__(
        self, schema: JSONObject | None = None, *, wrapper: str | None = None, exact: bool = False, infinite: bool = False
    ) -> None:
        self.schema, self.wrapper, self.exact, self.infinite = schema, wrapper, exact, infinite

    def __call__(self, text: str) -> Reading:
        reading = self._read(text)
        if has_endless_number(text) and _is_endless(reading.value):
            want = f"a number of at most {MOST_DIGITS:,} digits"
            raise DecodeError(f"want {want}", problems=(Problem("", f"{text[:200]}…", want, "json"),), text=text)
        return reading

    def _read(self, text: str) -> Reading:
        try:
            value = self.valid(text)
            if type(value) is not str or self.schema is None:
                return Reading(value, candidates=(value,))
        except ValueError:
            pass
        from assay.decode.mending import mended  # noqa: PLC0415  # takes 20 ms to import, and most replies are plain JSON

        return mended(text, self)

    def valid(self, text: str) -> JSON:
        return valid(text, exact=self.exact, infinite=self.infinite)

    @cached_property
    def parts(self) -> Reader:
        """For texts that hold parts of such values."""
        return Reader(exact=self.exact, infinite=self.infinite)

    def accepts(self, value: JSON) -> bool:
        """Whether the schema takes a value as it is, perhaps without the wrapper."""
        return self._accepts(value) or (self.wrapper is not None and self._accepts({self.wrapper: value}))

    def knows(self, value: JSON) -> bool:
        """Whether the schema takes a value, and has a place for each key in it."""
        return self.schema is not None and self._accepts(value) and _is_known(self.schema, value, self.schema)

    @cached_property
    def _accepts(self) -> Acceptor:
        return Acceptor({} if self.schema is None else self.schema)


def _is_known(schema: JSON, value: JSON, root: JSONObject) -> bool:
    if not isinstance(value, dict | list):
        return True
    part = govern(schema, value, root)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return all((inner := child(part, key)) is not None and _is_known(inner, item, root) for key, item in items)


def has_endless_number(text: str) -> bool:
    """Whether digits stand in a row that may be a number of more of them than Python writes out again."""
    return len(text) > MOST_DIGITS and any(found.end() - found.start() > MOST_DIGITS for found in _DIGITS.finditer(text))


def _is_endless(value: object) -> bool:
    match value:
        case dict():
            return any(map(_is_endless, value.values()))
        case list():
            return any(map(_is_endless, value))
        case int():
            return abs(value) >= _ENDLESS
    return False


def read(text: str, schema: JSONObject | None = None) -> Reading:
    """The JSON value in a model's text.

    Valid JSON is taken as it is. Otherwise the value is looked for behind thinking, in fences and amid prose, and read leniently; every
    repair is recorded. When several values are there, `schema` decides which is meant; without one they must be equal.

    Raises `DecodeError` when there is no value, when values contradict each other, when a repair could give two different
    values, when an object has a key twice with different values, and when the text is nested deeper than 200 levels or
    (malformed) longer than 16 million characters.
    """
    return Reader(schema)(text)
