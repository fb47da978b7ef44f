"""The model of the examples: Groq's when GROQ_API_KEY is set, else the embedded one, a toy; and the chat client, likewise."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import assay
from assay.backends.local.transport import AsyncLocalTransport, LocalTransport
from assay.backends.local.weights import resolve

HOSTED, EMBEDDED = "openai/gpt-oss-20b", "smollm2-135m"

MODEL = os.environ.get("ASSAY_MODEL") or (f"groq/{HOSTED}" if os.environ.get("GROQ_API_KEY") else f"local/{EMBEDDED}")
"""What `model=` of an extraction is here."""


@contextmanager
def connect() -> Iterator[tuple[assay.Groq, str]]:
    """A client and the name of its model."""
    if os.environ.get("GROQ_API_KEY"):
        with assay.Groq() as client:
            yield client, HOSTED
    else:
        with assay.Groq(api_key="none", http_client=LocalTransport(resolve(EMBEDDED))) as client:
            yield client, EMBEDDED


@asynccontextmanager
async def aconnect() -> AsyncIterator[tuple[assay.AsyncGroq, str]]:
    """`connect`, awaited."""
    if os.environ.get("GROQ_API_KEY"):
        async with assay.AsyncGroq() as client:
            yield client, HOSTED
    else:
        async with assay.AsyncGroq(api_key="none", http_client=AsyncLocalTransport(resolve(EMBEDDED))) as client:
            yield client, EMBEDDED
