"""What a user gives as the source becomes what the engine asks about: a text, or chat messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from assay.documents.document import Document
from assay.documents.reader import check_text, read
from assay.engine.prompt import Source
from assay.errors import ConfigurationError
from assay.outcome import Outcome
from assay.types import JSON, Message

T = TypeVar("T")

Given: TypeAlias = str | Sequence[Mapping[str, JSON] | Message] | Document | Path | bytes
"""What a user gives as the source: a text, chat messages, a document, or the path or the bytes of a file."""


def opened(given: Given) -> Given:
    """A file read; what is none, as it is. Raises `ConfigurationError` for a file that cannot be read, and a str that is one."""
    if isinstance(given, str):
        check_text(given)
    return read(given) if isinstance(given, Path | bytes) else given


def source_of(given: Given) -> Source:
    """The source that the engine takes. Raises `ConfigurationError` for what is none."""
    if isinstance(given, Document):
        return given.text
    if isinstance(given, str):
        return given
    if not isinstance(given, Sequence):
        raise ConfigurationError(
            f"the source must be a text, chat messages, a Document or a pathlib.Path; got {type(given).__name__}"
        )
    return tuple(_message(at, message) for at, message in enumerate(given))


def _message(at: int, given: object) -> Message:
    if isinstance(given, Message):
        return given
    if not isinstance(given, Mapping) or "role" not in given:
        raise ConfigurationError(f"message {at} of the source is no chat message: it needs a role and a content")
    extra = {key: value for key, value in given.items() if key not in ("role", "content")}
    return Message(given["role"], given.get("content"), extra)


def placed(outcome: Outcome[T], given: Given) -> Outcome[T]:
    """The outcome with the places of the document that was asked about, its text as the source, and its notes."""
    if not isinstance(given, Document):
        return outcome
    return replace(outcome, source=given.text, places=given.places, words=given.words, notes=(*given.notes, *outcome.notes))
