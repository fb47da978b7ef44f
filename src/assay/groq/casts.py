"""What the body of a call without a method of its own becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from assay.errors import APIResponseError
from assay.wire.body import read_json


def cast_body(to: Any, body: bytes, headers: Mapping[str, str]) -> Any:
    """`bytes`, `str`, an `httpx.Response`, or any type that pydantic knows; with `object` plain JSON data, None when there is no body.

    Raises `APIResponseError` for a body that is not of the type.
    """
    if to is bytes:
        return body
    if to is str:
        return body.decode(errors="replace")
    if isinstance(to, type) and hasattr(to, "raise_for_status"):  # an httpx.Response; httpx itself need not be loaded
        return to(200, headers=dict(headers), content=body)
    data = read_json(body) if body else None
    if to in (object, Any, None, type(None)):
        return data if to is not type(None) else None
    try:
        return TypeAdapter(to).validate_python(data)
    except ValidationError as error:
        name = getattr(to, "__name__", str(to))
        raise APIResponseError(f"the answer is not a valid {name}: {error}", code="validation", body=data) from error
