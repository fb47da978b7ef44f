"""Messages as Instructor's users write them, as assay's: templates filled in, images and other parts in the wire's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from textwrap import dedent
from typing import Any

from instructor.mode import Mode
from instructor.processing.multimodal import convert_messages
from jinja2 import DebugUndefined
from jinja2.sandbox import SandboxedEnvironment

from assay.types import JSON, Message


def read(
    messages: str | Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None, *, autodetect_images: bool
) -> tuple[Message, ...]:
    """The messages, none of them changed. With a context their texts are Jinja templates; a name that it lacks stays as written."""
    given: list[Any] = (
        [{"role": "user", "content": messages}] if isinstance(messages, str) else [dict(message) for message in messages]
    )
    converted = convert_messages(given, Mode.JSON, autodetect_images=autodetect_images)
    return tuple(_message(message, context) for message in converted)


def _message(message: Mapping[str, Any], context: Mapping[str, Any] | None) -> Message:
    extra = {key: value for key, value in message.items() if key not in ("role", "content")}
    return Message(message["role"], _filled(message.get("content"), context) if context else message.get("content"), extra)


def _filled(content: JSON, context: Mapping[str, Any]) -> JSON:
    if isinstance(content, str):
        return dedent(_templates().from_string(content).render(**context)) if "{" in content else content
    if isinstance(content, list):
        return [{**part, "text": _filled(part["text"], context)} if "text" in part else part for part in content]
    return content


@cache
def _templates() -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=DebugUndefined)
