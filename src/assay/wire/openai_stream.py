"""A streamed chat completion: its events in, deltas out as they come, and the whole `Reply` at the end."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import from_json

from assay.errors import APIResponseError
from assay.types import JSON, JSONObject, Reply, Usage
from assay.wire.errors import excerpt, inner_error, request_id
from assay.wire.headers import rate_limits
from assay.wire.openai_chat import Delta, content_text, groq_extra, listed, read_usage, text_or_none, tool_arguments
from assay.wire.sse import ServerSentEvent, SSEDecoder

DONE = "[DONE]"


class StreamReply:
    """Collects one stream. Nothing partial leaves it as finished: `reply` raises for a stream that was cut off."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.done = False
        """Whether the stream has said that it is over."""
        self._headers = headers
        self._events = 0
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._tools: dict[int, list[str]] = {}
        self._finish: str | None = None
        self._usage = Usage()
        self._model: str | None = None
        self._id = request_id(headers)
        self._chosen = False

    def take(self, event: ServerSentEvent) -> Delta | None:
        """What an event adds, None when it adds no text. Raises the kin of `APIError` for an error in the stream."""
        self._events += 1
        if self.done or event.data == DONE:
            self.done = True
            return None
        chunk = self._chunk(event)
        if event.event == "error" or chunk.get("error"):
            raise inner_error(chunk, self._headers, event=event.event == "error")
        extra = groq_extra(chunk)
        if extra.get("error"):
            raise APIResponseError(f"the server stopped the stream: {extra['error']}", code="stream_stopped", body=chunk)
        self._model = self._model or text_or_none(chunk.get("model"))
        self._id = self._id or text_or_none(extra.get("id"))
        usage = read_usage(chunk)
        if usage.total_tokens:
            self._usage = usage
        return self._choices(chunk)

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        """The whole reply, which took so many requests and seconds.

        Raises `APIResponseError` when the stream ended before the answer did.
        """
        if not self.done and self._finish is None:
            raise APIResponseError("the stream ended before the answer did", code="stream_cut", request_id=self._id)
        if not self._chosen:
            raise APIResponseError("the stream had no choices", code="no_choices", request_id=self._id)
        return Reply(
            text="\n".join("".join(parts) for _, parts in sorted(self._tools.items())) or "".join(self._text),
            finish_reason=self._finish,
            usage=self._usage,
            model=self._model,
            request_id=self._id,
            reasoning="".join(self._reasoning) or None,
            refusal="".join(self._refusal) or None,
            limits=rate_limits(self._headers),
            requests=requests,
            latency=latency,
        )

    def _chunk(self, event: ServerSentEvent) -> JSONObject:
        try:
            chunk = from_json(event.data)
        except ValueError as error:
            if event.event == "error":
                return {"message": event.data}
            where = f"event {self._events} of the stream is no JSON: {error}: {excerpt(event.data)}"
            raise APIResponseError(where, code="invalid_json", request_id=self._id) from None
        return chunk if isinstance(chunk, dict) else {}

    def _choices(self, chunk: JSONObject) -> Delta | None:
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return None  # the first or last chunk may carry usage alone
        self._chosen = True
        choice = choices[0]
        self._finish = text_or_none(choice.get("finish_reason")) or self._finish
        delta = choice.get("delta")
        return self._delta(delta) if isinstance(delta, dict) else None

    def _delta(self, delta: JSONObject) -> Delta | None:
        text = content_text(delta.get("content"))
        reasoning = text_or_none(delta.get("reasoning") or delta.get("reasoning_content")) or ""
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        self._refusal.append(text_or_none(delta.get("refusal")) or "")
        for call in listed(delta.get("tool_calls")):
            text += self._tool(call)
        return Delta(text, reasoning) if text or reasoning else None

    def _tool(self, call: JSON) -> str:
        """Collect a piece of a tool call; its text when it belongs to the first call, which is what is being streamed."""
        index = call.get("index") if isinstance(call, dict) else None
        parts = self._tools.setdefault(index if isinstance(index, int) else 0, [])
        piece = tool_arguments(call)
        if piece:
            parts.append(piece)
        return piece if self._tools[min(self._tools)] is parts else ""


def looks_streamed(body: bytes) -> bool:
    """Whether a body is an event stream, whatever its content type says."""
    return body.removeprefix(b"\xef\xbb\xbf").startswith((b"data:", b"event:", b": ", b":\n"))


def decode_stream(body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
    """A `Reply` from the whole of an event stream, which took so many requests and seconds."""
    collected = StreamReply(headers)
    for event in SSEDecoder().feed(body):
        collected.take(event)
    return collected.reply(requests, latency)
