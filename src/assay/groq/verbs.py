"""Calls that this client does not name: `client.post("/openai/v1/...", body=..., cast_to=...)`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, Unpack

from pydantic import BaseModel

from assay.groq.action import Action
from assay.groq.params import OPTIONS, CallOptions, check
from assay.groq.settings import API_PATH
from assay.types import JSON
from assay.wire.body import read_json


class Verb(Protocol):
    def __call__(
        self, path: str, *, cast_to: Any = object, body: Mapping[str, JSON] | None = None, **options: Unpack[CallOptions]
    ) -> Action[Any]: ...


def verb(method: str) -> Verb:
    """The description of calls with an HTTP method.

    `path` is with or without `/openai/v1`. `cast_to` says what the body becomes: a pydantic model, `bytes`, `str`, an
    `httpx.Response`; with anything else it becomes plain JSON data, None when there is no body.
    """

    def call(
        path: str, *, cast_to: Any = object, body: Mapping[str, JSON] | None = None, **options: Unpack[CallOptions]
    ) -> Action[Any]:
        check(options, OPTIONS, (), f"{method.lower()}()")
        return Action(method, "/" + path.removeprefix(API_PATH).lstrip("/"), partial(_cast, cast_to), body, options)

    call.__name__ = method.lower()
    return call


def _cast(cast_to: Any, body: bytes, headers: Mapping[str, str]) -> Any:
    if cast_to is bytes:
        return body
    if cast_to is str:
        return body.decode()
    if isinstance(cast_to, type) and issubclass(cast_to, BaseModel):
        return cast_to.model_validate(read_json(body))
    if isinstance(cast_to, type) and hasattr(cast_to, "raise_for_status"):  # an httpx.Response; httpx itself need not be loaded
        return cast_to(200, headers=dict(headers), content=body)
    return read_json(body) if body else None
