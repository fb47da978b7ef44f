"""The transports that the public API uses: the default ones, and those over an `httpx` client that the user brings.

A client that is a transport itself, as the embedded model's, is used as it is.
"""

from __future__ import annotations

import sys
from types import ModuleType

from assay.backends.transports.pyreqwest_transport import BlockingPyreqwestTransport, PyreqwestTransport
from assay.errors import ConfigurationError
from assay.flow.effects import AsyncTransport, Transport


def transport(client: object = None) -> Transport:
    """A blocking transport: over an `httpx.Client`, or the default one, which opens nothing before its first request."""
    if client is None:
        return BlockingPyreqwestTransport()
    if isinstance(client, Transport):
        return client
    httpx_transport = _over_httpx(client)
    if isinstance(client, httpx_transport.httpx.Client):
        over: Transport = httpx_transport.HttpxTransport(client)
        return over
    raise ConfigurationError(f"a blocking call needs an httpx.Client, not {type(client).__name__}")


def async_transport(client: object = None) -> AsyncTransport:
    """An awaited transport: over an `httpx.AsyncClient`, or the default one, which opens nothing before its first request."""
    if client is None:
        return PyreqwestTransport()
    if isinstance(client, AsyncTransport):
        return client
    httpx_transport = _over_httpx(client)
    if isinstance(client, httpx_transport.httpx.AsyncClient):
        over: AsyncTransport = httpx_transport.AsyncHttpxTransport(client)
        return over
    raise ConfigurationError(f"an awaited call needs an httpx.AsyncClient, not {type(client).__name__}")


def is_httpx(client: object) -> bool:
    """Whether this is an `httpx` client. Nobody has one without having imported httpx, so it is not imported to find out."""
    httpx = sys.modules.get("httpx")
    return httpx is not None and isinstance(client, httpx.Client | httpx.AsyncClient)


def _over_httpx(client: object) -> ModuleType:
    if not is_httpx(client):
        raise ConfigurationError(f"a {type(client).__name__} is not an httpx client")
    from assay.backends.transports import httpx_transport  # noqa: PLC0415  # httpx takes 0.1 s to import: only for those who bring a client

    return httpx_transport
