"""Chat messages as turns of a conversation: what protocols other than chat completions are made from.

A `Message` is in the form of chat completions. Here its content becomes parts of a few kinds; what no protocol below takes
(audio, files) is a `ConfigurationError` that names the part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from assay.errors import ConfigurationError
from assay.types import JSON, JSONObject, Message
from assay.wire.body import an_object, objects, text_or_none

_DATA_URL = re.compile(r"data:([\w.+-]{1,80}/[\w.+-]{1,80});base64,", re.ASCII)

ENDED = "(This is the end of the conversation.)"
"""The last turn where a conversation ends with the assistant's: an answer is only given to somebody else's."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """By its URL, or with its data in base64."""

    url: str
    media_type: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that an assistant of the conversation called."""

    id: str
    name: str
    arguments: JSONObject


@dataclass(frozen=True, slots=True)
class ToolResult:
    id: str
    name: str
    text: str


Part: TypeAlias = Text | Image | ToolUse | ToolResult


@dataclass(slots=True)
class Turn:
    role: Literal["user", "assistant"]
    parts: list[Part]


def conversation(messages: Iterable[Message]) -> tuple[list[str], list[Turn]]:
    """The system texts, and the turns, neighbours of one role merged, the last from the user. Empty texts are left out."""
    system: list[str] = []
    turns: list[Turn] = []
    names: dict[str, str] = {}
    for message in messages:
        parts = list(_parts(message, names))
        if message.role in ("system", "developer"):
            system += [part.text for part in parts if isinstance(part, Text)]
            continue
        role: Literal["user", "assistant"] = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1].role == role:
            turns[-1].parts += parts
        elif parts:
            turns.append(Turn(role, parts))
    if not turns or turns[-1].role == "assistant":
        turns.append(Turn("user", [Text(ENDED)]))
    return system, turns


def _parts(message: Message, names: dict[str, str]) -> Iterable[Part]:
    """A message's parts; `names` are those of the tools that were called, by the call's id."""
    content = message.content
    if message.role in ("tool", "function"):
        id_ = text_or_none(message.extra.get("tool_call_id")) or ""
        yield ToolResult(id_, text_or_none(message.extra.get("name")) or names.get(id_, id_), _plain(content))
        return
    if isinstance(content, str):
        if content.strip():
            yield Text(content)
    else:
        yield from filter(None, map(_part, content if isinstance(content, list | tuple) else ()))
    for call in objects(message.extra.get("tool_calls")):
        function = an_object(call.get("function"))
        use = ToolUse(str(call.get("id") or ""), str(function.get("name") or ""), _arguments(function.get("arguments")))
        names[use.id] = use.name
        yield use


def _part(part: JSON) -> Part | None:
    kind = part.get("type") if isinstance(part, dict) else None
    match part:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return Text(text) if text.strip() else None
        case {"type": "image_url", "image_url": str(url) | {"url": str(url)}} | {"type": "input_image", "image_url": str(url)}:
            return image(url)
    raise ConfigurationError(f"this server takes only text and images; the source has a part of the type {kind!r}")


def image(url: str) -> Image:
    found = _DATA_URL.match(url)
    return Image(url) if found is None else Image(url, found[1], url[found.end() :])


def _plain(content: JSON) -> str:
    if isinstance(content, str):
        return content
    return "".join(text_or_none(part.get("text")) or "" for part in objects(content))


def _arguments(value: JSON) -> JSONObject:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {"arguments": value}
    return an_object(value)
