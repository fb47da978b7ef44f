"""One call of the API as a value: what to send, and how to read what comes back.

`operations` makes actions, `calls` performs them. Nothing here touches the network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel

from assay.errors import ConfigurationError
from assay.flow.effects import Request
from assay.flow.urls import origin, shown
from assay.groq.cut import Decoder
from assay.groq.params import CallOptions, NotGiven
from assay.groq.settings import API_PATH, ClientSettings, checked, limits
from assay.groq.upload import Upload
from assay.types import JSON
from assay.wire.request import bearer, sealed
from assay.wire.request import request as request_to

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    method: str
    path: str
    parse: Callable[[bytes, Mapping[str, str]], T]
    """Reads a whole body, given the headers too. Raises `APIError` when it is not what the API promises."""
    body: Mapping[str, Any] | Upload | bytes | None = None
    options: CallOptions = field(default_factory=CallOptions)
    decoder: Callable[[Mapping[str, str]], Decoder[Any]] | None = None
    """Set for a call that streams: what cuts the body into items, given the headers. Then `parse` is not used."""
    accept: str = "application/json"
    at_root: bool = False
    """Whether the path begins at the server, and not at the API's own path."""

    @property
    def model(self) -> str:
        """The model whose limits it counts against."""
        return str(self.body.get("model", "")) if isinstance(self.body, Mapping) else ""


def request(action: Action[Any], settings: ClientSettings) -> Request:
    """The HTTP request of an action, under a client's settings."""
    body, content_type = _encode(action)
    given = {**sealed(settings.headers), **sealed(action.options.get("extra_headers") or {})}
    timeout = action.options.get("timeout", NotGiven())
    total, phases = limits(settings.timeout if isinstance(timeout, NotGiven) else checked(timeout))
    sent = request_to(
        action.method,
        _url(action, settings),
        bearer(settings.api_key),
        given,
        body=body,
        accept=action.accept,
        content_type=content_type,
        timeout=total,
    )
    kept = tuple((name, value) for name, value in sent.headers if not isinstance(value, NotGiven))
    return sent if phases is None and len(kept) == len(sent.headers) else replace(sent, headers=kept, limits=phases)


def _encode(action: Action[Any]) -> tuple[bytes, str | None]:
    extra = action.options.get("extra_body") or {}
    match action.body:
        case bytes() as content:
            return content, None
        case None if not extra:
            return b"", None
        case Upload() as upload:
            return upload.with_fields(extra).encode()
        case fields:
            given = {name: value for name, value in {**(fields or {}), **extra}.items() if not isinstance(value, NotGiven)}
            return json_bytes(given), "application/json"


def json_bytes(value: JSON) -> bytes:
    """`value` as JSON. Answers may be part of it (a message sent back); they stand for the fields that the server sent."""
    try:
        return _ENCODER.encode(value).encode()
    except ValueError as error:  # NaN, a cycle, half a surrogate pair
        raise ConfigurationError(f"the request cannot be written as JSON: {error}") from None


def _plain(value: Any) -> JSON:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _url(action: Action[Any], settings: ClientSettings) -> str:
    query = {**settings.query, **(action.options.get("extra_query") or {})}
    pairs = urlencode({name: _query_value(value) for name, value in query.items() if not isinstance(value, NotGiven)})
    url = _place(action.path, settings.base_url, action.at_root)
    return url + ("&" if "?" in url else "?") * bool(pairs) + pairs


def _place(path: str, base_url: str, at_root: bool) -> str:
    if not path.startswith(("http://", "https://")):
        return (base_url.removesuffix(API_PATH) if at_root else base_url) + path
    try:
        if origin(path) == origin(base_url):
            return path
    except ValueError:
        pass
    raise ConfigurationError(f"{shown(path)} is not on this client's server, the only one to which its key is sent")


def _query_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(map(_query_value, value))
        case _:
            return str(value)
