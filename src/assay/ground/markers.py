"""What a field says of its own evidence: markers for `Annotated`, which are keywords in the field's JSON Schema."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler

from assay.ground.leaves import KEYWORD
from assay.types import JSONObject


class Marker:
    """Metadata of an `Annotated` type: the JSON Schema of the field gets a keyword, its Python type stays as it is."""

    def __init__(self, name: str, keyword: str, value: str | bool) -> None:
        self._name, self._keyword, self._value = name, keyword, value

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> JSONObject:
        return {**handler(core_schema), self._keyword: self._value}

    def __reduce__(self) -> tuple[Any, ...]:
        return Marker, (self._name, self._keyword, self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marker) and (self._keyword, self._value) == (other._keyword, other._value)

    def __hash__(self) -> int:
        return hash((self._keyword, self._value))

    def __repr__(self) -> str:
        return self._name


Grounded = Marker("Grounded", KEYWORD, "value")
"""The value stands in the text, as it is or in another print: asked again when it does not, whatever `ground=` is."""
Inferred = Marker("Inferred", KEYWORD, "none")
"""The value is concluded from the text: nobody looks for it there."""
Quoted = Marker("Quoted", KEYWORD, "quote")
"""The value does not stand in the text as such, but a passage that shows it does: the model is asked to quote it, once, last."""
