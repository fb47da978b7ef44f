"""Groq's API: `Groq`, `AsyncGroq`, and the types of what they take and give."""

from __future__ import annotations

from assay.client.groq import AsyncGroq, Groq
from assay.client.params import NOT_GIVEN, NotGiven
from assay.client.responses import APIResponse, AsyncAPIResponse
from assay.client.streams import AsyncStream, Stream

__all__ = ["NOT_GIVEN", "APIResponse", "AsyncAPIResponse", "AsyncGroq", "AsyncStream", "Groq", "NotGiven", "Stream"]
