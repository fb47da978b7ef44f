"""Groq's API: `Groq`, `AsyncGroq`, and what goes with them under the groq package's names."""

from __future__ import annotations

from assay.client.groq import AsyncGroq, Groq
from assay.client.http_clients import DefaultAioHttpClient, DefaultAsyncHttpxClient, DefaultHttpxClient
from assay.client.params import NOT_GIVEN, NotGiven
from assay.client.responses import APIResponse, AsyncAPIResponse
from assay.client.streams import AsyncStream, Stream
from assay.errors import AssayError as GroqError

__all__ = [
    "NOT_GIVEN",
    "APIResponse",
    "AsyncAPIResponse",
    "AsyncGroq",
    "AsyncStream",
    "DefaultAioHttpClient",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "Groq",
    "GroqError",
    "NotGiven",
    "Stream",
]
