"""Groq's API: `Groq`, `AsyncGroq`, and what goes with them under the groq package's names."""

from __future__ import annotations

from assay.errors import AssayError as GroqError
from assay.groq.groq import AsyncGroq, Groq
from assay.groq.http_clients import DefaultAioHttpClient, DefaultAsyncHttpxClient, DefaultHttpxClient
from assay.groq.params import NOT_GIVEN, NotGiven
from assay.groq.responses import APIResponse, AsyncAPIResponse
from assay.groq.streams import AsyncStream, Stream

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
