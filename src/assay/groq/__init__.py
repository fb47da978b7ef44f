"""Groq's API: `Groq`, `AsyncGroq`, and what goes with them under the groq package's names.

`from assay import groq` stands for `import groq`. Names that need httpx are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from assay.errors import APIResponseError as APIResponseValidationError
from assay.errors import AssayError as GroqError
from assay.groq.answer import Answer as BaseModel
from assay.groq.groq import AsyncGroq, Groq
from assay.groq.http_clients import (
    DefaultAioHttpClient,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    connection_limits,
    default_timeout,
)
from assay.groq.params import NOT_GIVEN, NotGiven, Omit, not_given, omit
from assay.groq.responses import APIResponse, AsyncAPIResponse
from assay.groq.streams import AsyncStream, Stream
from assay.groq.upload import file_from_path
from assay.groq.verbs import RequestOptions
from assay.options import DEFAULT_MAX_RETRIES

Client, AsyncClient = Groq, AsyncGroq
NoneType = type(None)

if TYPE_CHECKING:
    from httpx import URL, Limits, Proxy, Timeout
    from httpx import BaseTransport as Transport

    ProxiesTypes = str | Proxy | dict[str | URL, str | URL | Proxy | None]
    DEFAULT_TIMEOUT: Timeout
    DEFAULT_CONNECTION_LIMITS: Limits
else:

    def __getattr__(name: str) -> Any:
        import httpx  # noqa: PLC0415  # takes 0.1 s to import

        match name:
            case "Timeout":
                return httpx.Timeout
            case "Transport":
                return httpx.BaseTransport
            case "ProxiesTypes":
                return str | httpx.Proxy | dict[str | httpx.URL, str | httpx.URL | httpx.Proxy | None]
            case "DEFAULT_TIMEOUT":
                return default_timeout()
            case "DEFAULT_CONNECTION_LIMITS":
                return connection_limits()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APIResponse",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAPIResponse",
    "AsyncClient",
    "AsyncGroq",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "BaseModel",
    "Client",
    "ConflictError",
    "DefaultAioHttpClient",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "Groq",
    "GroqError",
    "InternalServerError",
    "NoneType",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "PermissionDeniedError",
    "ProxiesTypes",
    "RateLimitError",
    "RequestOptions",
    "Stream",
    "Timeout",
    "Transport",
    "UnprocessableEntityError",
    "file_from_path",
    "not_given",
    "omit",
]
