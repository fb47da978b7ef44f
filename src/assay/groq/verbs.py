"""Calls without a method of their own: `client.post("/openai/v1/...", body=..., cast_to=...)`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, TypedDict, Unpack

from assay.groq.action import Action
from assay.groq.casts import cast_body
from assay.groq.params import OPTIONS, CallOptions, NotGiven, check
from assay.groq.settings import API_PATH
from assay.types import JSON


class RequestOptions(TypedDict, total=False):
    """The groq package's own form of a call's options."""

    headers: Mapping[str, str]
    params: Mapping[str, object]
    timeout: Any
    extra_json: Mapping[str, JSON]


_NAMES = {"headers": "extra_headers", "params": "extra_query", "extra_json": "extra_body", "timeout": "timeout"}


class Verb(Protocol):
    def __call__(
        self,
        path: str,
        *,
        cast_to: Any = object,
        body: Mapping[str, JSON] | None = None,
        content: bytes | None = None,
        options: RequestOptions | None = None,
        **more: Unpack[CallOptions],
    ) -> Action[Any]: ...


def verb(method: str) -> Verb:
    """The description of calls with an HTTP method.

    `path` begins at the server: `/openai/v1/models`; a whole URL of the same server will do. `cast_to` says what the body becomes:
    any type that pydantic knows, `bytes`, `str`, an `httpx.Response`; without it, plain JSON data, None when there is no body.
    """

    def call(
        path: str,
        *,
        cast_to: Any = object,
        body: Mapping[str, JSON] | None = None,
        content: bytes | None = None,
        options: RequestOptions | None = None,
        **more: Unpack[CallOptions],
    ) -> Action[Any]:
        check(more, OPTIONS, (), f"{method.lower()}()")
        check(options or {}, frozenset(_NAMES), (), "options")
        asked: Any = {_NAMES[name]: value for name, value in (options or {}).items() if not isinstance(value, NotGiven)}
        own = path.startswith(f"{API_PATH}/")
        if not path.startswith(("/", "http://", "https://")):
            path = f"/{path}"
        parse = partial(cast_body, cast_to)
        return Action(
            method,
            path.removeprefix(API_PATH) if own else path,
            parse,
            body if content is None else content,
            {**asked, **more},
            at_root=not own,
        )

    call.__name__ = method.lower()
    return call
