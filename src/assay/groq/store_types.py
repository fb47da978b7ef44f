"""The answers of models, files, batches, audio and embeddings."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from assay.groq.answer import Answer


class Model(Answer):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(Answer):
    object: Literal["list"]
    data: list[Model]


class Deleted(Answer):
    """What was deleted: a model or a file."""

    id: str
    object: str
    deleted: bool


class File(Answer):
    id: str
    object: Literal["file"] | None = None
    bytes: int | None = None
    created_at: int | None = None
    filename: str | None = None
    purpose: Literal["batch", "batch_output"] | None = None


class FileList(Answer):
    object: Literal["list"]
    data: list[File]


class BatchProblem(Answer):
    code: str | None = None
    message: str | None = None
    param: str | None = None
    line: int | None = None
    """Line of the input file."""


class BatchProblems(Answer):
    object: str | None = None
    data: list[BatchProblem] | None = None


class RequestCounts(Answer):
    total: int
    completed: int
    failed: int


BatchStatus: TypeAlias = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]


class Batch(Answer):
    """The `*_at` are seconds since 1970."""

    id: str
    object: Literal["batch"]
    endpoint: str
    status: BatchStatus
    input_file_id: str
    completion_window: str
    created_at: int
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: BatchProblems | None = None
    request_counts: RequestCounts | None = None
    metadata: Any = None
    in_progress_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    expires_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None


class BatchList(Answer):
    object: Literal["list"]
    data: list[Batch]


class Transcription(Answer):
    """What was said, or its translation into English; with `verbose_json` its segments too."""

    text: str


class EmbeddingUsage(Answer):
    prompt_tokens: int
    total_tokens: int


class Embedding(Answer):
    embedding: list[float] | str
    """Numbers; with `encoding_format="base64"` a text."""
    index: int
    object: Literal["embedding"]


class EmbeddingList(Answer):
    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage | None = None
