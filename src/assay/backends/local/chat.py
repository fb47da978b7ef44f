"""The chat-completions dialect of the embedded model: its bodies in, JSON and event stream out. Nothing here runs anything."""

from __future__ import annotations

import json
from collections.abc import Sequence

from assay.backends.local.engine import Refused
from assay.flow.effects import Request
from assay.schema.llama import bounded
from assay.types import JSON, JSONObject

JSON_HEADERS = {"content-type": "application/json"}
EVENT_HEADERS = {"content-type": "text/event-stream"}
DONE = b"data: [DONE]\n\n"

Event = JSONObject | Refused


def body_of(request: Request) -> JSONObject | Refused:
    """The engine's body for a chat-completions request."""
    if not request.url.endswith("/chat/completions"):
        return Refused({"message": f"the embedded model has no {request.url}", "type": "not_found_error", "status": 404})
    body: JSONObject = json.loads(request.body)
    if body.get("tools"):
        return _refused("the embedded model cannot call tools: use mode json_schema", "tools")
    if not body.get("messages"):
        return _refused("messages is empty", "messages")
    if any(isinstance(message, dict) and not _is_text(message.get("content")) for message in body["messages"]):
        return _refused("the embedded model reads only text: leave images and files out, or use a vision model", "messages")
    form = body.get("response_format") or {}
    if isinstance(form, dict) and form.get("type") == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema")
        if not isinstance(schema, dict):
            return _refused("response_format json_schema has no schema", "response_format")
        del body["response_format"]
        body["grammar"] = grammar(schema, len(str(body["messages"][-1])))
    if "max_completion_tokens" in body:
        body["max_tokens"] = body.pop("max_completion_tokens")
    body.setdefault("chat_template_kwargs", {"enable_thinking": False})  # under a grammar there is no place to think
    return body


def _is_text(content: JSON) -> bool:
    return not isinstance(content, list) or all(isinstance(part, dict) and part.get("type") == "text" for part in content)


def _refused(message: str, param: str) -> Refused:
    return Refused({"message": message, "type": "invalid_request_error", "param": param})


def grammar(schema: JSONObject, room: int = 0) -> str:
    """A JSON Schema as the engine's llguidance grammar, for an answer about a document of `room` characters.

    The engine's other way, `response_format`, silently ignores float bounds, patterns with classes, `multipleOf` and
    more. White space is not the model's to choose: small ones fall into endless runs of it. The same happens to their strings
    and lists, so those without a bound get one that an extracted value does not meet: about as long as the document.
    """
    room_for = bounded(schema, characters=max(200, room), items=max(8, room // 25))
    ruled = {**room_for, "x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}
    return f"%llguidance {{}}\nstart: %json {json.dumps(ruled)}"


def status_of(refused: Refused) -> int:
    status = refused.error.get("status", 400)
    return status if isinstance(status, int) else 400


def error_body(refused: Refused) -> bytes:
    """A refusal as the error object of the chat-completions API."""
    error = {key: value for key, value in refused.error.items() if key not in {"code", "status"}}
    if error.get("type") == "exceed_context_size_error":
        error |= {"type": "invalid_request_error", "code": "context_length_exceeded", "message": _too_long(error)}
    return json.dumps({"error": error}).encode()


def _too_long(error: JSONObject) -> str:
    return (
        f"the prompt is {error['n_prompt_tokens']} tokens long, and the model's context holds {error['n_ctx']}, answer "
        "included: shorten the source, split it, or use a model with a larger context"
    )


def frame(event: Event) -> bytes:
    """A chunk as an event of the stream."""
    if isinstance(event, Refused):
        return b"event: error\ndata: " + error_body(event) + b"\n\n"
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def whole(chunks: Sequence[JSONObject]) -> bytes:
    """The chunks of a finished generation as one chat completion."""
    message: dict[str, str] = {"role": "assistant", "content": ""}
    finish = None
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        finish = choice["finish_reason"] or finish
        for key, text in choice["delta"].items():
            if key != "role" and isinstance(text, str):
                message[key] = message.get(key, "") + text
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return json.dumps({**chunks[-1], "object": "chat.completion", "choices": choices}).encode()
