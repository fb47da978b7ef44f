"""`read`: the JSON value in a model's text, or the reason why there is none."""

from __future__ import annotations

from functools import cached_property

from assay.decode.result import Reading
from assay.decode.valid import valid
from assay.schema.accept import Acceptor
from assay.schema.navigate import child, govern
from assay.types import JSON, JSONObject


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


def read(text: str, schema: JSONObject | None = None) -> Reading:
    """The JSON value in a model's text.

    Valid JSON is taken as it is. Otherwise the value is looked for behind thinking, in fences and amid prose, and read leniently; every
    repair is recorded. When several values are there, `schema` decides which is meant; without one they must be equal.

    Raises `DecodeError` when there is no value, when values contradict each other, when a repair could give two different
    values, when an object has a key twice with different values, and when the text is nested deeper than 200 levels or
    (malformed) longer than 16 million characters.
    """
    return Reader(schema)(text)
