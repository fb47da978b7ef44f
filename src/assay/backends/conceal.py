"""Keys are shown nowhere: an error whose server repeats the key it was sent says `[key]` in its place."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from assay.errors import APIError
from assay.flow.effects import Request
from assay.types import JSON, Secret
from assay.wire.request import SECRET_HEADERS

SHORTEST = 6
"""Characters of a key worth hiding: shorter ones are the `x` of local servers, and would be found in any word."""
_TEXTS = ("message", "code", "type", "param", "request_id", "failed_generation", "body")
"""The parts of an error that may hold what a server said."""


def conceal(error: APIError, request: Request) -> None:
    """Take the request's keys out of an error, wherever they are in it."""
    for secret in secrets(request):
        _conceal(error, secret)


def secrets(request: Request) -> Iterator[str]:
    """The parts of a request that nobody may see: keys in its headers, the password in its URL."""
    for name, value in request.headers:
        if name.lower() in SECRET_HEADERS or isinstance(value, Secret):
            yield from _long_enough(value.partition(" ")[2] or value)
    if "@" in request.url:
        user, _, password = urlsplit(request.url).netloc.rpartition("@")[0].partition(":")
        hidden = password or user
        for secret in {hidden, unquote(hidden), base64.b64encode(unquote(f"{user}:{password}").encode()).decode()}:
            yield from _long_enough(secret)


def without(value: JSON, secrets: Iterator[str]) -> JSON:
    """A JSON value with `[key]` for each of the secrets."""
    for secret in secrets:
        value = _without(value, secret)
    return value


def _long_enough(secret: str) -> Iterator[str]:
    if len(secret) >= SHORTEST:
        yield secret


def _conceal(error: APIError, secret: str) -> None:
    response = error.response
    texts = [str(getattr(error, name)) for name in _TEXTS]
    texts += [response.text, *response.headers.values()] if response is not None else []
    if not any(secret in text for text in texts):
        return
    for name in _TEXTS:
        setattr(error, name, _without(getattr(error, name), secret))
    error.args = (error.message,)
    if response is not None:
        error.response = replace(
            response, headers=_without(dict(response.headers), secret), text=_without(response.text, secret)
        )


def _without(value: JSON, secret: str) -> JSON:
    match value:
        case str():
            return value.replace(secret, "[key]")
        case dict():
            return {_without(key, secret): _without(item, secret) for key, item in value.items()}
        case list():
            return [_without(item, secret) for item in value]
    return value
