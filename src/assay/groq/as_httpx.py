"""Requests and responses in httpx's types, made on demand: a successful call never loads httpx for them.

None holds a key: an error may be logged, pickled and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from assay.backends.conceal import conceal
from assay.errors import APIError, APIStatusError, ErrorResponse
from assay.flow.effects import Request
from assay.flow.urls import bare
from assay.types import frozen
from assay.wire.request import SECRET_HEADERS

if TYPE_CHECKING:
    import httpx

_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that tell of bytes as they came; ours are unpacked."""


@frozen
class Sent:
    """A request without its keys. It can be pickled."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, request: Request) -> Sent:
        headers = tuple((name, "[key]" if name.lower() in SECRET_HEADERS else value) for name, value in request.headers)
        return cls(request.method, bare(request.url), headers, request.body)

    def request(self) -> httpx.Request:
        import httpx  # noqa: PLC0415  # takes 0.1 s to import

        return httpx.Request(self.method, self.url, headers=list(self.headers), content=self.body)

    def response(self, status: int, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        import httpx  # noqa: PLC0415  # takes 0.1 s to import

        plain = {name: value for name, value in headers.items() if name not in _OF_THE_WIRE}
        return httpx.Response(status, headers=plain, content=body, request=self.request())


def dressed(error: APIError, request: Request) -> APIError:
    """An error as the groq package has it: its wording, its `request`, and an `httpx.Response` as its `response`."""
    if "_later" in vars(error):
        return error
    conceal(error, request)
    error.__cause__ = error.__cause__ or _frameless(error.__context__)
    if isinstance(error, APIStatusError):
        error.message = f"Error code: {error.status_code} - {error.message.removeprefix(f'{error.status_code}: ')}"
        error.args = (error.message,)
    sent = Sent.of(request)
    if error.response is None:
        error.later(request=sent.request)
    else:
        error.later(request=sent.request, response=partial(_response, sent, error.response))
    return error


def _frameless(cause: BaseException | None) -> BaseException | None:
    """What a transport raised, without its frames: their variables hold the request's headers."""
    inner = cause
    while inner is not None:
        inner.__traceback__ = None
        inner = inner.__cause__ or inner.__context__
    return cause


def _response(sent: Sent, plain: ErrorResponse) -> httpx.Response:
    return sent.response(plain.status_code, plain.headers, plain.text.encode())
