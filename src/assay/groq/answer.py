"""What the server's answers become: open pydantic models, checked and built in one pass of compiled code.

An answer never fails for being newer than this package. Fields that are not named here are kept and read like the
others; a value of an unforeseen type is kept as it came (the object is then built without checks).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from assay.errors import APIResponseError
from assay.types import JSON, JSONObject
from assay.wire.body import read_json
from assay.wire.errors import inner_error


class Answer(BaseModel):
    """A part of an answer. Attributes read it; `model_fields_set` tells a null from a field that was not there."""

    model_config = ConfigDict(extra="allow", defer_build=True, strict=True, protected_namespaces=())

    def to_dict(self, *, mode: Literal["json", "python"] = "python", exclude_unset: bool = True, **dump: Any) -> dict[str, Any]:
        """The fields that the server sent; `dump` are further arguments of `model_dump`."""
        return self.model_dump(mode=mode, exclude_unset=exclude_unset, **{"warnings": False, **dump})

    def to_json(self, *, indent: int | None = 2, exclude_unset: bool = True, **dump: Any) -> str:
        """The fields that the server sent, as JSON."""
        return self.model_dump_json(indent=indent, exclude_unset=exclude_unset, **{"warnings": False, **dump})


A = TypeVar("A", bound=Answer)


def read(cls: type[A], body: bytes, headers: Mapping[str, str]) -> A:
    """The JSON object `body` as a `cls`. Raises an `APIError` for an error object, `APIResponseError` for anything that is not an object."""
    try:
        return cls.model_validate_json(body)
    except ValidationError:
        data = read_json(body)
    if not isinstance(data, dict):
        raise APIResponseError(f"the answer is a JSON {type(data).__name__}, not an object", code="not_object", body=data)
    if data.get("error"):
        raise inner_error(data, headers)
    return build(cls, data)


def read_object(cls: type[A], data: JSONObject) -> A:
    """A JSON object as a `cls`."""
    try:
        return cls.model_validate(data)
    except ValidationError:
        return build(cls, data)


def build(cls: type[A], data: dict[str, JSON]) -> A:
    """A `cls` of `data` as it is: what fits the declared type becomes an object, anything else stays plain JSON."""
    fields = cls.model_fields
    known = {name: _build(fields[name].annotation, value) if name in fields else value for name, value in data.items()}
    return cls.model_construct(_fields_set=set(data), **known)


def _build(wanted: Any, value: JSON) -> Any:
    for choice in get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,):
        if choice is NoneType:
            continue
        if get_origin(choice) is list and isinstance(value, list):
            return [_build(get_args(choice)[0], item) for item in value]
        if isinstance(choice, type) and issubclass(choice, Answer) and isinstance(value, dict):
            return build(choice, value)
    return value
