"""Where the model's own text stands in an answer, whole or streamed, whichever protocol it is in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from assay.flow.effects import Response
from assay.types import JSON, JSONObject

Place = tuple[JSONObject, str]
"""An object and the key in it under which a piece of text stands."""


def changed(response: Response, change: Callable[[str], str]) -> Response:
    """The answer with its text changed; as it is when it holds none (an error, for example)."""
    if response.status != 200:
        return response
    if "event-stream" in response.headers.get("content-type", ""):
        return replace(response, body=_stream(response.body, change))
    try:
        body = json.loads(response.body)
    except ValueError:
        return response
    places = list(_places(body))
    if not places:
        return response
    _put(places, change("".join(holder[key] for holder, key in places)))
    return replace(response, body=json.dumps(body).encode())


def _stream(body: bytes, change: Callable[[str], str]) -> bytes:
    lines = body.decode().splitlines(keepends=True)
    events: dict[int, JSON] = {}
    for n, line in enumerate(lines):
        if line.startswith("data:") and line[5:].strip().startswith("{"):
            events[n] = json.loads(line[5:])
    places = [place for event in events.values() for place in _places(event)]
    if places:
        _put(places, change("".join(holder[key] for holder, key in places)))
    for n, event in events.items():
        lines[n] = f"data: {json.dumps(event)}\n"
    return "".join(lines).encode()


def _put(places: list[Place], text: str) -> None:
    """The whole text in the first place, in whose stead the others are empty."""
    for n, (holder, key) in enumerate(places):
        holder[key] = text if n == 0 else ""


def _places(body: JSON) -> Iterator[Place]:
    """The texts of a chat completion or its chunk, an Anthropic message or delta, Gemini content, a Responses output."""
    if not isinstance(body, dict):
        return
    for choice in _objects(body.get("choices")):
        for holder in _objects([choice.get("message"), choice.get("delta")]):
            yield from _texts([holder], "content")
            yield from _texts([call.get("function") for call in _objects(holder.get("tool_calls"))], "arguments")
    yield from _texts(body.get("content"), "text")
    yield from _texts([body.get("delta")], "text")
    for candidate in _objects(body.get("candidates")):
        yield from _texts((candidate.get("content") or {}).get("parts"), "text")
    for item in _objects(body.get("output")):
        yield from _texts(item.get("content"), "text")
    if str(body.get("type", "")).endswith("output_text.delta"):
        yield from _texts([body], "delta")


def _objects(items: JSON) -> Iterator[JSONObject]:
    return (item for item in items or () if isinstance(item, dict))


def _texts(items: JSON, key: str) -> Iterator[Place]:
    if isinstance(items, list):
        yield from ((item, key) for item in _objects(items) if isinstance(item.get(key), str))
