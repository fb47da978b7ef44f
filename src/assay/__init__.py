"""assay: turn text into data you can trust.

    invoice = assay.extract(Invoice, text)

A pydantic model (any type, or a JSON Schema) in, the validated value out, from Groq, any OpenAI-compatible server, or a
small language model embedded in the process.
"""

from assay import decode
from assay.api import Extractable, aextract, extract, extractable
from assay.client import AsyncGroq, Groq
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
    UnprocessableEntityError,
)
from assay.extractor import Extractor
from assay.options import Budget, Options
from assay.outcome import Attempt, Outcome
from assay.prices import Price
from assay.schema import JSONSchema
from assay.streaming import Partial
from assay.types import Message, Mode, Problem, PromptStyle, RateLimits, Repair, Span, Usage

__version__ = "0.1.0"

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AssayError",
    "AsyncGroq",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Budget",
    "BudgetExceeded",
    "ConfigurationError",
    "ConflictError",
    "DecodeError",
    "Extractable",
    "ExtractionError",
    "Extractor",
    "Groq",
    "InternalServerError",
    "JSONSchema",
    "JSONValidateFailed",
    "Message",
    "Mode",
    "NotFoundError",
    "Options",
    "Outcome",
    "Partial",
    "PermissionDeniedError",
    "Price",
    "Problem",
    "PromptStyle",
    "RateLimitError",
    "RateLimits",
    "Repair",
    "RequestTooLargeError",
    "SchemaError",
    "Span",
    "UnprocessableEntityError",
    "Usage",
    "aextract",
    "decode",
    "extract",
    "extractable",
]
