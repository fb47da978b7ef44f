"""The events of a streamed completion, as chunks: a `cut.Decoder`.

An error that the server sends inside the stream ends it and is raised after the chunks before it. A stream that is cut off
before the server said that it is finished ends in an `APIConnectionError`, so that half an answer never passes for a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.errors import APIConnectionError, APIError, APIResponseError
from assay.groq.answer import read
from assay.groq.chat_types import ChatCompletionChunk, ChunkXGroq
from assay.groq.usage import counted
from assay.types import JSONObject
from assay.wire.errors import excerpt, inner_error, request_id
from assay.wire.openai_chat import read_json
from assay.wire.sse import ServerSentEvent, SSEDecoder

_SHOWN = 1000


class Chunks:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.done = False
        self._headers = headers
        self._events = SSEDecoder()
        self._start = b""  # the first bytes, to show when the body is no stream
        self._finished = False  # the server gave a finish_reason
        self._failure: APIError | None = None

    def feed(self, piece: bytes) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        self._start += piece[: _SHOWN - len(self._start)]
        for event in self._events.feed(piece):
            if event.data == "[DONE]":
                self.done = True
                break
            try:
                chunks.append(self._chunk(event))
            except APIError as error:
                self._failure, self.done = error, True
                break
        return chunks

    def end(self) -> list[ChatCompletionChunk]:
        if not self.done and not self._finished:
            self._failure = self._cut_off()
        if self._failure is not None:
            self._failure.request_id = self._failure.request_id or request_id(self._headers)
            raise self._failure
        return []

    def _chunk(self, event: ServerSentEvent) -> ChatCompletionChunk:
        if event.event == "error":
            raise inner_error(_object(event.data), self._headers, event=True)
        chunk = counted(read(ChatCompletionChunk, event.data.encode(), self._headers))
        if isinstance(chunk.x_groq, ChunkXGroq) and chunk.x_groq.error:
            raise APIResponseError(f"the server ended the stream: {chunk.x_groq.error}", code="stream_error")
        choices = getattr(chunk, "choices", None)
        self._finished |= isinstance(choices, list) and any(getattr(choice, "finish_reason", None) for choice in choices)
        return chunk

    def _cut_off(self) -> APIError:
        kind = self._headers.get("content-type", "")
        if "event-stream" not in kind:
            shown = excerpt(self._start.decode(errors="replace"))
            return APIResponseError(f"a stream was asked for, the answer is {kind or 'of no type'}: {shown}", code="no_stream")
        return APIConnectionError("the stream was cut off: neither a finish_reason nor [DONE] came")


def _object(data: str) -> JSONObject:
    """The error object of an error event; one of a server that sends bare text has it as the message."""
    try:
        value = read_json(data.encode())
    except APIResponseError:
        value = None
    return value if isinstance(value, dict) else {"message": data}
