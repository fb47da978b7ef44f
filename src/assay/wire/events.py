"""The JSON objects of an event stream, whatever the protocol: bytes in, objects out, errors raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_core import from_json

from assay.errors import APIResponseError
from assay.types import JSONObject
from assay.wire.body import BOM
from assay.wire.errors import excerpt, inner_error, request_id
from assay.wire.sse import ServerSentEvent, SSEDecoder

DONE = "[DONE]"


class Events:
    """`feed` it what arrives. `done` becomes true with `[DONE]`; whoever reads may set it where a protocol ends in another way."""

    __slots__ = ("_count", "_decoder", "done", "headers", "request_id")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.done = False
        self.headers = headers
        self.request_id = request_id(headers)
        self._decoder = SSEDecoder()
        self._count = 0

    def feed(self, piece: bytes) -> Iterator[JSONObject]:
        """The objects that `piece` completes, up to an error that is then raised. Events without data, pings, are passed over."""
        for event in self._decoder.feed(piece):
            self._count += 1
            if self.done:
                return
            if event.data == DONE:
                self.done = True
            elif event.data.strip():
                yield self._object(event)

    def cut(self) -> APIResponseError:
        """The error of a stream that ended before its answer."""
        return APIResponseError(
            "the stream was cut off: it ended before the answer did", code="stream_cut", request_id=self.request_id
        )

    def _object(self, event: ServerSentEvent) -> JSONObject:
        failed = event.event == "error"
        try:
            data = from_json(event.data)
        except ValueError as error:
            if not failed:
                where = f"event {self._count} of the stream is broken JSON: {error}: {excerpt(event.data)}"
                raise APIResponseError(where, code="invalid_json", request_id=self.request_id) from None
            data = {"message": event.data}
        data = data if isinstance(data, dict) else {}
        if failed or data.get("error"):
            raise inner_error(data, self.headers, event=failed)
        return data


def looks_streamed(body: bytes) -> bool:
    """Whether a body is an event stream, whatever its content type says."""
    return body.removeprefix(BOM).startswith((b"data:", b"event:", b": ", b":\n"))
