"""What a transport raises when no whole answer came: the place, the reason and the limit that was met, in our own classes."""

from __future__ import annotations

from urllib.parse import urlsplit

from assay.effects import Request
from assay.errors import APIConnectionError, APITimeoutError


def host(request: Request) -> str:
    """`host:port` of a request, for messages: without the path and whatever else a URL may hold."""
    parts = urlsplit(request.url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.hostname}:{port}" if port else str(parts.hostname)


def connection_failed(request: Request, reason: str) -> APIConnectionError:
    return APIConnectionError(f"no answer from {host(request)}: {reason}", code="connection")


def bad_certificate(request: Request, reason: str) -> APIConnectionError:
    """Never retried, never overridden: the one at the other end is not known to be who it claims to be."""
    return APIConnectionError(f"the certificate of {host(request)} is not to be trusted: {reason}", code="certificate")


def connect_timed_out(request: Request, seconds: float) -> APITimeoutError:
    return APITimeoutError(f"no connection to {host(request)} within {seconds:g} s (connect timeout)", code="connect_timeout")


def timed_out(request: Request) -> APITimeoutError:
    return APITimeoutError(f"no whole answer from {host(request)} within {request.timeout:g} s (timeout)", code="timeout")
