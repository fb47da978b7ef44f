"""What a transport raises when no whole answer came: the place, the reason and the limit that was met, in our own classes.

None of these shows a header's value or a URL's user part, because either may hold a key.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

from assay.errors import APIConnectionError, APITimeoutError, ConfigurationError
from assay.flow.effects import Request
from assay.flow.urls import place, shown

CLOSED = "the client was closed"
"""The reason when we caused it ourselves."""


def host(request: Request) -> str:
    """`host:port` of a request, for messages: without the path and the rest of the URL."""
    return place(request.url)


def connection_failed(request: Request, reason: str) -> APIConnectionError:
    """Refused, reset, cut off, not found, not HTTP, refused by a proxy."""
    if "certificate" in reason.lower():
        message = f"the certificate of {host(request)} cannot be trusted: {reason}"
        return APIConnectionError(message, code="certificate")
    proxy = _proxy(request)
    through = f" through the proxy {proxy}" if proxy else ""
    return APIConnectionError(f"no answer from {host(request)}{through}: {reason}", code="connection")


def _proxy(request: Request) -> str | None:
    """The proxy that the environment names for a request, without its password; it may make an exception for the host."""
    scheme = urlsplit(request.url).scheme
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if value := os.environ.get(name):
            return shown(value).rpartition("@")[2].rpartition("//")[2].rstrip("/")
    return None


def refuse_at_exit(request: Request) -> None:
    """Raise where the interpreter is ending, as when a `__del__` makes a last call: no thread that could make it is running any more, and
    waiting for one would hang or crash the process.
    """
    if sys.is_finalizing():
        raise APIConnectionError(f"nothing can be sent to {host(request)}: the program is ending", code="ending")


def connect_timed_out(request: Request, seconds: float) -> APITimeoutError:
    return APITimeoutError(f"no connection to {host(request)} within {seconds:g} s (connect timeout)", code="connect_timeout")


def read_timed_out(request: Request, seconds: float) -> APITimeoutError:
    return APITimeoutError(f"no more data from {host(request)} for {seconds:g} s (read timeout)", code="read_timeout")


def write_timed_out(request: Request, seconds: float) -> APITimeoutError:
    return APITimeoutError(
        f"{host(request)} accepted no data of the request for {seconds:g} s (write timeout)", code="write_timeout"
    )


def pool_timed_out(request: Request, seconds: float) -> APITimeoutError:
    """Nothing was sent: it is not the network that was slow."""
    message = f"no connection to {host(request)} was free within {seconds:g} s (pool timeout): the httpx client has too few connections for its calls"
    return APITimeoutError(message, code="pool_timeout")


def timed_out(request: Request) -> APITimeoutError:
    limit = "the time allowed" if request.timeout is None else f"{request.timeout:.3g} s"
    return APITimeoutError(f"no complete answer from {host(request)} within {limit} (timeout)", code="timeout")


def cannot_be_sent(request: Request) -> ConfigurationError:
    """No library would send this request: its URL is not valid, or a header has characters that are not allowed."""
    for name, value in request.headers:
        if not (value.isascii() and value.isprintable() and name.isascii() and name.isprintable()):
            return ConfigurationError(
                f"the value for the header {name!r} has a character that is not allowed in a header, such as a line break: "
                "check the key that was read from a file or a variable"
            )
    return ConfigurationError(f"{shown(request.url)!r} is not a URL that a request can be sent to")
