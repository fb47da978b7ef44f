"""Chat completions over any transport: a `Call` in, a `Reply` out, whole or streamed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from assay.backends.exchange import Done, Once, Try, open_once, persist, read_all, send_once
from assay.backends.limiter import Limiter
from assay.backends.retry import RetryPolicy
from assay.errors import APIStatusError
from assay.flow.effects import Emit, Flow, Incoming, Read, Request
from assay.options import DEFAULT_TIMEOUT
from assay.types import Call, Rejection, Reply
from assay.wire.errors import GENERATION_CODES
from assay.wire.headers import rate_limits
from assay.wire.openai_chat import ChatDialect, Delta, decode, encode
from assay.wire.openai_stream import StreamReply, decode_stream, looks_streamed
from assay.wire.sse import SSEDecoder

BYTES_PER_TOKEN = 4
"""Of English and JSON: foresees a prompt's tokens for a limiter; the server's own count settles it afterwards."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is and how it is talked to."""

    base_url: str
    """With its version path: `https://api.groq.com/openai/v1`."""
    model: str
    api_key: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    dialect: ChatDialect = field(default_factory=ChatDialect)
    timeout: float = DEFAULT_TIMEOUT
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limiter: Limiter | None = field(default=None, repr=False)

    def request(self, path: str, body: bytes, accept: str = "application/json") -> Request:
        headers = [
            ("accept", accept),
            ("accept-encoding", "identity"),  # nothing to unpack: no bomb, no cut frame that passes for whole
            ("content-type", "application/json"),
            ("user-agent", "assay"),
            *self.headers,
        ]
        if self.api_key:
            headers.append(("authorization", f"Bearer {self.api_key}"))
        return Request("POST", self.base_url.rstrip("/") + path, tuple(headers), body, self.timeout)


def complete(endpoint: Endpoint, call: Call) -> Flow[Reply]:
    """The reply to a call. Raises the kin of `APIError`; a generation that the server rejected is a reply with `refused`."""
    body = encode(call, endpoint.model, endpoint.dialect)
    return _reply(_whole, endpoint, call, endpoint.request("/chat/completions", body))


def stream(endpoint: Endpoint, call: Call) -> Flow[Reply]:
    """`complete`, emitting a `Delta` for each piece as it comes. A stream that breaks is begun again, said by `Delta.restart`."""
    body = encode(call, endpoint.model, endpoint.dialect, stream=True)
    request = endpoint.request("/chat/completions", body, accept="text/event-stream")
    begun = False

    def once(trying: Try) -> Flow[Done[Reply]]:
        nonlocal begun
        incoming = yield from open_once(trying.request)
        if begun:
            yield Emit(Delta(restart=True))
        begun = True
        return _done((yield from _collect(incoming, trying)))

    return _reply(once, endpoint, call, request)


def _whole(trying: Try) -> Flow[Done[Reply]]:
    response = yield from send_once(trying.request)
    read = decode_stream if looks_streamed(response.body) else decode
    return _done(read(response.body, response.headers, trying.number, trying.seconds()))


def _collect(incoming: Incoming, trying: Try) -> Flow[Reply]:
    """Read an opened answer to its end, emitting what it adds; an answer that is no stream is emitted as one piece."""
    collected, decoder = StreamReply(incoming.headers), SSEDecoder()
    chunk: bytes = yield Read(incoming)
    if chunk.lstrip().startswith((b"{", b"[", b"<")):
        reply = decode(chunk + (yield from read_all(incoming)), incoming.headers, trying.number, trying.seconds())
        yield Emit(Delta(reply.text, reply.reasoning or ""))
        return reply
    while chunk:
        for event in decoder.feed(chunk):
            if (delta := collected.take(event)) is not None:
                yield Emit(delta)
        if collected.done:
            break
        chunk = yield Read(incoming)
    return collected.reply(trying.number, trying.seconds())


def _done(reply: Reply) -> Done[Reply]:
    return Done(reply, reply.usage.total_tokens or None, reply.limits)


def _reply(once: Once[Reply], endpoint: Endpoint, call: Call, request: Request) -> Flow[Reply]:
    tokens = len(request.body) // BYTES_PER_TOKEN + (call.params.max_tokens or 0)
    started = time.monotonic()
    try:
        return (yield from persist(once, request, endpoint.retry, endpoint.limiter, tokens))
    except APIStatusError as error:
        if error.code not in GENERATION_CODES:
            raise
        return _rejected(error, time.monotonic() - started)


def _rejected(error: APIStatusError, seconds: float) -> Reply:
    """A generation that the server rejected, as the reply that it is: what the model wrote can be read, or asked again."""
    headers = error.response.headers
    return Reply(
        text=error.failed_generation or "",
        request_id=error.request_id,
        latency=seconds,
        requests=error.requests,
        rejected=Rejection(error.code or "", error.message, error.status_code),
        limits=rate_limits(headers),
    )
