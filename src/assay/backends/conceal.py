"""Keys are shown nowhere: an error whose server repeats the key it was sent says `[key]` in its place."""

from __future__ import annotations

from dataclasses import replace

from assay.errors import APIError
from assay.flow.effects import Request
from assay.types import JSON

SECRET_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "proxy-authorization"})
SHORTEST = 6
"""Characters of a key worth hiding: shorter ones are the `x` of local servers, and would be found in any word."""


def conceal(error: APIError, request: Request) -> None:
    """Take the request's keys out of an error, wherever they are in it."""
    for name, value in request.headers:
        secret = value.removeprefix("Bearer ")
        if name.lower() in SECRET_HEADERS and len(secret) >= SHORTEST:
            _conceal(error, secret)


def _conceal(error: APIError, secret: str) -> None:
    response = error.response
    texts = [error.message, response.text if response is not None else "", *(response.headers.values() if response else ())]
    if not any(secret in text for text in texts) and secret not in str(error.body):
        return
    for name in ("message", "code", "type", "param", "failed_generation", "body"):
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
