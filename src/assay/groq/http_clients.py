"""What the groq package offers for `http_client=`, for programs that import it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.backends import http
from assay.flow.effects import AsyncTransport
from assay.options import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 5.0
"""Seconds."""


def default_timeout() -> httpx.Timeout:
    import httpx  # noqa: PLC0415  # takes 0.1 s to import

    return httpx.Timeout(DEFAULT_TIMEOUT, connect=CONNECT_TIMEOUT)


def connection_limits() -> httpx.Limits:
    import httpx  # noqa: PLC0415  # takes 0.1 s to import

    return httpx.Limits(max_connections=100, max_keepalive_connections=20)


def DefaultHttpxClient(**options: Any) -> httpx.Client:  # noqa: N802  # a class there
    """An `httpx.Client` with a client's usual limits; `options` are httpx's (`proxy`, `verify`, `transport` ...)."""
    import httpx  # noqa: PLC0415  # takes 0.1 s to import

    return httpx.Client(**{"limits": connection_limits(), "timeout": default_timeout(), **options})


def DefaultAsyncHttpxClient(**options: Any) -> httpx.AsyncClient:  # noqa: N802
    """An `httpx.AsyncClient` with a client's usual limits; `options` are httpx's."""
    import httpx  # noqa: PLC0415  # takes 0.1 s to import

    return httpx.AsyncClient(**{"limits": connection_limits(), "timeout": default_timeout(), **options})


def DefaultAioHttpClient() -> AsyncTransport:  # noqa: N802
    """The transport that an `AsyncGroq` has anyway: it is made for many calls at once, the reason to choose aiohttp there."""
    return http.async_transport()
