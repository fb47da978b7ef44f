"""How long an answer of a schema can be that is made out of a source of so many characters and words."""

from __future__ import annotations

from functools import cached_property

from assay.data.pointer import look, split
from assay.schema.keywords import DEFINITIONS, NOTES, parts, walk
from assay.schema.navigate import types_of
from assay.types import JSON, JSONObject

COPIES = 4
"""How often an answer may hold its source: as it is, escaped, in another language, under several fields."""
LEAST, A_TEXT = 800, 100
"""Characters that all texts of an answer may have beyond that: at least, and for each text field."""
A_SCALAR, A_MEMBER = 12, 10
"""Characters of a number, a bracket or a short word, and of what stands around a key and its value, white space included."""
FEWEST = 5
"""Items that a list may have however few words its source has."""

A_LONG_TEXT = 600
"""Characters that one text may have however short its source is."""

Size = tuple[int, int]
"""Characters of what is there once, and of what may be there again for each word of the source."""


class Extent:
    """Generous, so that only an answer that runs away exceeds it.

    A field that is to be longer than its source allows, as a story about a word, says so by its `maxLength`.
    """

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema
        self._known: dict[str, Size] = {}

    def characters(self, length: int, words: int) -> int:
        """Of an answer out of a source of so many characters and words."""
        once, each = self._frame_size
        texts, said, items = self._said
        return once + each * max(FEWEST, words, items) + COPIES * length + max(LEAST, A_TEXT * texts) + said

    def text(self, length: int) -> int:
        """Characters of one text of such an answer."""
        return max(A_LONG_TEXT, COPIES * length, self._said[1])

    @cached_property
    def _frame_size(self) -> Size:
        return self._frame(self._schema)

    @cached_property
    def _said(self) -> tuple[int, int, int]:
        """How many text fields there are, the characters that their bounds allow them, and the most items that a list must have."""
        schemas = [part for _, part in walk(self._schema)]
        limits = [max(part.get("maxLength", 0), part.get("minLength", 0)) for part in schemas]
        most = max(part.get("minItems", 0) for part in schemas)
        return sum("string" in types_of(part) for part in schemas), 2 * sum(limits), most

    def _frame(self, schema: JSON) -> Size:
        """Of all that is not text."""
        if not isinstance(schema, dict) or schema.keys() <= NOTES:
            return A_SCALAR, A_SCALAR
        if isinstance(ref := schema.get("$ref"), str):
            return self._referred(ref)
        once, each = max([A_SCALAR, *(len(str(value)) for value in schema.get("enum", [schema.get("const", "")]))]), 0
        for (keyword, *step), part in parts(schema):
            if keyword in DEFINITIONS:
                continue
            one, more = self._frame(part)
            if keyword in ("additionalProperties", "patternProperties") or (keyword == "items" and not step):
                each += A_MEMBER + one + more
            else:
                once, each = once + one + (A_MEMBER + len(str(step[0])) if keyword == "properties" else 0), each + more
        return once, each + (A_MEMBER if types_of(schema) == ("object",) and "properties" not in schema else 0)

    def _referred(self, ref: str) -> Size:
        """Of a definition; one within itself is there as often as there are words."""
        if ref not in self._known:
            self._known[ref] = (0, A_MEMBER)
            once, each = self._frame(look(self._schema, split(ref.removeprefix("#"))))
            self._known[ref] = (once, each)
        return self._known[ref]
