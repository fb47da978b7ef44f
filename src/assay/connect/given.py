"""What a user gives as the source becomes what the engine asks about: a text, or chat messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from assay.documents.document import Document
from assay.documents.reader import check_text, drawn, read
from assay.engine import prompt
from assay.engine.prompt import Source
from assay.errors import ConfigurationError
from assay.outcome import Outcome
from assay.types import JSON, Message, Profile, frozen

T = TypeVar("T")

Given: TypeAlias = str | Sequence[Mapping[str, JSON] | Message] | Document | Path | bytes
"""What a user gives as the source: a text, chat messages, a document, or the path or the bytes of a file."""


DEFAULT_IMAGES = 20
"""Limits of one request to a model that is known as a vision model only from the user."""


def opened(given: Given) -> Given:
    """The document, if a file is given; anything else as it is. Raises `ConfigurationError` for an unreadable file, and for a str that is one."""
    if isinstance(given, str):
        check_text(given)
    return read(given) if isinstance(given, Path | bytes) else given


def source_of(given: Given, sight: Sight) -> Source:
    """The source for the engine. Raises `ConfigurationError` for anything that is not one, and for pages that the model cannot see."""
    if isinstance(given, Document):
        return _seen(given, sight)
    if isinstance(given, str):
        return given
    if not isinstance(given, Sequence):
        raise ConfigurationError(f"the source must be a text, chat messages, a Document or a pathlib.Path; got {_named(given)}")
    return tuple(_message(at, message) for at, message in enumerate(given))


def _named(given: object) -> str:
    """What was given instead of a source, with what was probably meant."""
    match given:
        case None:
            return "None"
        case type():
            return f"the class {given.__name__}: the type comes first, extract({given.__name__}, text)"
        case Mapping() if "role" in given:
            return f"a {type(given).__name__}: put the message in a list"
        case float() if given != given:  # noqa: PLR0124  # NaN is the number that is not itself
            return "NaN, which marks an empty cell: leave out rows without a text"
    if type(given).__name__ in ("NAType", "NaTType"):
        return f"{given}, which marks an empty cell: leave out rows without a text"
    return type(given).__name__


@frozen
class Sight:
    """How pages that are images reach a model."""

    model: str
    profile: Profile
    vision: Literal["auto", "never", "always"]


def needs_images(given: Given, vision: Literal["auto", "never", "always"]) -> bool:
    """Whether pages of it have to be drawn first, which takes a while."""
    return isinstance(given, Document) and vision != "never" and bool(given.blank or (vision == "always" and given.data))


def _seen(document: Document, sight: Sight) -> Source:
    """The text of a document, with the pages that are images in their place; pages that nobody can read are an error."""
    shown = _shown(document, sight)
    unread = [number for number in document.blank if number not in shown]
    if unread and (sight.vision != "never" or not document.text.strip()):
        raise ConfigurationError(
            f"{document.name or 'the document'}: {_pages(unread)} without text, as in scans, and {sight.model} is not known as a vision model: "
            "use one that is (or vision='always' if this one is), or have them read with ocr='tesseract'"
        )
    if not shown:
        return document.text
    most = sight.profile.images or DEFAULT_IMAGES
    if len(shown) > most:
        raise ConfigurationError(
            f"{document.name or 'the document'}: {len(shown)} pages would be sent as images, but {sight.model} takes {most} per request: "
            "choose fewer with pages="
        )
    pictures = dict(zip(shown, drawn(document, shown, most_bytes=sight.profile.image_bytes), strict=True))
    return prompt.pictured(
        [(str(place), document.text[place.start : place.end], pictures.get(place.number)) for place in document.places]
    )


def _shown(document: Document, sight: Sight) -> tuple[int, ...]:
    """The pages that go as images."""
    if sight.vision == "never" or not document.data:
        return ()
    if sight.vision == "always":
        return tuple(place.number for place in document.places)
    return document.blank if sight.profile.images else ()


def _pages(numbers: Sequence[int]) -> str:
    return f"page{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))} {'are' if len(numbers) > 1 else 'is'}"


def _message(at: int, given: object) -> Message:
    if isinstance(given, Message):
        return given
    if not isinstance(given, Mapping) or "role" not in given:
        raise ConfigurationError(f"message {at} of the source is not a chat message: it needs a role and content")
    extra = {key: value for key, value in given.items() if key not in ("role", "content")}
    return Message(given["role"], given.get("content"), extra)


def placed(outcome: Outcome[T], given: Given) -> Outcome[T]:
    """The outcome with the places of the document that was asked about, its text as the source, and its notes."""
    if not isinstance(given, Document):
        return outcome
    return replace(
        outcome,
        source=given.text,
        places=given.places,
        words=given.words,
        notes=(*given.notes, *_left_out(given, outcome), *outcome.notes),
    )


def _left_out(document: Document, outcome: Outcome[Any]) -> tuple[str, ...]:
    """Pages without text that no model got to see."""
    asked = any(not prompt.is_text(attempt.messages) for attempt in outcome.attempts)
    return (f"{_pages(document.blank)} without text and not read",) if document.blank and not asked and outcome.attempts else ()
