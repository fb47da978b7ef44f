"""assay: turn text into data you can trust.

    invoice = assay.extract(Invoice, text)

A pydantic model (any type, or a JSON Schema) in, the validated value out, from Groq, any OpenAI-compatible server, or a
small language model embedded in the process.
"""

import importlib
from typing import TYPE_CHECKING, Any

from assay.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AssayError,
    AuthenticationError,
    BadRequestError,
    BudgetExceeded,
    ConfigurationError,
    ConflictError,
    DecodeError,
    ExtractionError,
    InternalServerError,
    JSONValidateFailed,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    SchemaError,
    SourceError,
    UnprocessableEntityError,
)
from assay.options import Budget, Options, Split
from assay.outcome import Attempt, Conflict, Outcome
from assay.prices import Price
from assay.types import Message, Mode, Place, Problem, PromptStyle, RateLimits, Repair, Span, Usage

if TYPE_CHECKING:
    from assay import decode, evals, testing
    from assay.api import Extractable, aextract, extract, extractable
    from assay.documents import Document, read
    from assay.extractor import Extractor
    from assay.groq import (
        NOT_GIVEN,
        APIResponse,
        APIResponseValidationError,
        AsyncAPIResponse,
        AsyncGroq,
        AsyncStream,
        DefaultAioHttpClient,
        DefaultAsyncHttpxClient,
        DefaultHttpxClient,
        Groq,
        GroqError,
        NotGiven,
        Omit,
        Stream,
        Timeout,
        not_given,
        omit,
    )
    from assay.ground import Grounded, Inferred, NotStated, Quoted
    from assay.streaming import Partial
    from assay.target import JSONSchema
else:
    _ROOMS = {
        "APIResponse": "groq",
        "APIResponseValidationError": "groq",
        "AsyncAPIResponse": "groq",
        "AsyncStream": "groq",
        "DefaultAioHttpClient": "groq",
        "DefaultAsyncHttpxClient": "groq",
        "DefaultHttpxClient": "groq",
        "GroqError": "groq",
        "NOT_GIVEN": "groq",
        "NotGiven": "groq",
        "Omit": "groq",
        "Stream": "groq",
        "Timeout": "groq",
        "not_given": "groq",
        "omit": "groq",
        "AsyncGroq": "groq",
        "Document": "documents",
        "Extractable": "api",
        "Extractor": "extractor",
        "Grounded": "ground",
        "Groq": "groq",
        "Inferred": "ground",
        "JSONSchema": "target",
        "NotStated": "ground",
        "Partial": "streaming",
        "Quoted": "ground",
        "aextract": "api",
        "extract": "api",
        "extractable": "api",
        "read": "documents",
    }

    def __getattr__(name: str) -> Any:
        """Public names are imported when first used: a program that uses only the client does not pay for extraction, nor the other way round."""
        if name in ("decode", "evals", "testing") or name in _ROOMS.values():
            return importlib.import_module(f"assay.{name}")
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(f"assay.{_ROOMS[name]}"), name)
        return found

    def __dir__() -> list[str]:
        return __all__


__version__ = "0.1.0"

__all__ = [
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APIResponse",
    "APIResponseError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AssayError",
    "AsyncAPIResponse",
    "AsyncGroq",
    "AsyncStream",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Budget",
    "BudgetExceeded",
    "ConfigurationError",
    "Conflict",
    "ConflictError",
    "DecodeError",
    "DefaultAioHttpClient",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "Document",
    "Extractable",
    "ExtractionError",
    "Extractor",
    "Groq",
    "GroqError",
    "Grounded",
    "Inferred",
    "InternalServerError",
    "JSONSchema",
    "JSONValidateFailed",
    "Message",
    "Mode",
    "NotFoundError",
    "NotGiven",
    "NotStated",
    "Omit",
    "Options",
    "Outcome",
    "Partial",
    "PermissionDeniedError",
    "Place",
    "Price",
    "Problem",
    "PromptStyle",
    "Quoted",
    "RateLimitError",
    "RateLimits",
    "Repair",
    "RequestTooLargeError",
    "SchemaError",
    "SourceError",
    "Span",
    "Split",
    "Stream",
    "Timeout",
    "UnprocessableEntityError",
    "Usage",
    "aextract",
    "decode",
    "evals",
    "extract",
    "extractable",
    "not_given",
    "omit",
    "read",
    "testing",
]
