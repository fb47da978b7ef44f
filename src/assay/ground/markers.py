"""What a field says of its own evidence: markers for `Annotated`, which are keywords in the field's JSON Schema."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from assay.ground.leaves import KEYWORD
from assay.schema.not_stated import KEYWORD as MAY_ABSTAIN
from assay.types import JSONObject


class Marker:
    """Metadata of an `Annotated` type: the JSON Schema of the field gets a keyword, its Python type stays as it is."""

    def __init__(self, name: str, keyword: str, value: str | bool) -> None:
        self._name, self._keyword, self._value = name, keyword, value

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JSONObject:
        return {**handler(schema), self._keyword: self._value}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._name, self._keyword, self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marker) and (self._keyword, self._value) == (other._keyword, other._value)

    def __hash__(self) -> int:
        return hash((self._keyword, self._value))

    def __repr__(self) -> str:
        return self._name


class Abstaining(Marker):
    """A marker that lets null pass: the field's annotation stays as it is."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.nullable_schema(handler(source))


Grounded = Marker("Grounded", KEYWORD, "value")
"""The value is in the text, as it is or in another notation: if it is not, it is asked for again, whatever `ground=` is."""
Inferred = Marker("Inferred", KEYWORD, "none")
"""The value is inferred from the text: it is not looked for there."""
Quoted = Marker("Quoted", KEYWORD, "quote")
"""The value itself is not in the text, but a passage that shows it is: the model is asked to quote it, once, at the end."""

NotStated = Abstaining("NotStated", MAY_ABSTAIN, value=True)
"""A required field may abstain: it is None then, and `outcome.not_stated` says why (absent, illegible, contradictory)."""
