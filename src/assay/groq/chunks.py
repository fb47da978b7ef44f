"""The chunks of a streamed completion as objects: a `cut.Decoder` over the one reader of such streams.

An error that the server sends inside the stream ends it and is raised after the chunks before it. A stream that is cut off
before the server said that it is finished ends in an error, so that half an answer is never taken as a complete one.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.errors import APIError, APIResponseError
from assay.groq.answer import read_object
from assay.groq.chat_types import ChatCompletionChunk
from assay.groq.usage import counted
from assay.wire.errors import excerpt
from assay.wire.openai_stream import ChatChunks

_SHOWN = 1000


class Chunks:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.done = False
        self._headers = headers
        self._chunks = ChatChunks(headers)
        self._start = b""  # the first bytes, to show when the body is no stream
        self._failure: APIError | None = None

    def feed(self, piece: bytes) -> list[ChatCompletionChunk]:
        chunks: list[ChatCompletionChunk] = []
        self._start += piece[: _SHOWN - len(self._start)]
        try:
            for chunk in self._chunks.feed(piece):
                chunks.append(counted(read_object(ChatCompletionChunk, chunk)))  # noqa: PERF401  # those before an error count
        except APIError as error:
            self._failure = error
        self.done = self._chunks.done or self._failure is not None
        return chunks

    def end(self) -> list[ChatCompletionChunk]:
        try:
            if self._failure is not None:
                raise self._failure
            self._chunks.end()
        except APIError as error:
            raise self._explained(error) from None
        finally:
            self._failure = None  # it would be kept alive by its own traceback
        return []

    def _explained(self, error: APIError) -> APIError:
        kind = self._headers.get("content-type", "")
        if error.code == "stream_cut" and "event-stream" not in kind:
            shown = excerpt(self._start.decode(errors="replace"))
            error = APIResponseError(
                f"a stream was asked for, but the answer is {kind or 'of no type'}: {shown}", code="no_stream"
            )
        error.request_id = error.request_id or self._chunks.request_id
        return error
