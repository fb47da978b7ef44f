"""A call over any wire and any transport: a `Call` in, a `Reply` out, whole or streamed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache

from assay.backends.exchange import Done, Once, Try, open_once, persist, read_all, send_once
from assay.backends.gate import Gate
from assay.backends.limiter import Limiter
from assay.backends.retry import RetryPolicy
from assay.data.runaway import Leash
from assay.errors import APIError, APIStatusError, Reason
from assay.flow.effects import Emit, Flow, Incoming, Read, Request, Response
from assay.flow.relay import relay_emitted
from assay.options import DEFAULT_TIMEOUT
from assay.types import IMAGE_TOKENS, RUNAWAY, Bound, Call, Delta, Mode, Reply, Usage, images_of
from assay.wire.errors import of_answer, rejected
from assay.wire.events import looks_streamed
from assay.wire.headers import rate_limits
from assay.wire.openai_chat import ChatCompletions
from assay.wire.port import Wire
from assay.wire.request import request as request_to

BYTES_PER_TOKEN = 4
"""Bytes per token of English and JSON: estimates a prompt's tokens for a limiter; the server's own count corrects it afterwards."""

NO_USAGE = "the server reported no usage for the stream: its tokens are not counted"
RECKONED = "the tokens of the interrupted answer are estimated: a server reports them only at the end of an answer"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is and how to talk to it."""

    base_url: str = field(repr=False)
    """With its version path: `https://api.groq.com/openai/v1`."""
    model: str
    api_key: str | None = field(default=None, repr=False)
    key_hint: str = field(default="", repr=False)
    """The message when the server refuses the key: which one was sent, or why none was."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    wire: Wire = field(default_factory=ChatCompletions)
    timeout: float = DEFAULT_TIMEOUT
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limiter: Limiter | None = field(default=None, repr=False)
    watched: tuple[Mode, ...] = ()
    """Modes in which whole answers are read as streams, so that one that runs away is broken off."""
    gate: Gate = field(default_factory=Gate, repr=False, compare=False)
    """What holds calls back after a refusal where there is no limiter."""

    def request(self, path: str, body: bytes, accept: str = "application/json") -> Request:
        url = _joined(self.base_url, path)
        own = self.wire.headers(self.api_key)
        return request_to("POST", url, own, dict(self.headers), body=body, accept=accept, timeout=self.timeout)

    def asking(self, call: Call, *, stream: bool = False) -> Request:
        """The request for a call."""
        body = self.wire.encode(call, self.model, stream=stream)
        path = self.wire.path(self.model, stream=stream)
        return self.request(path, body, "text/event-stream" if stream else "application/json")


@lru_cache(maxsize=128)
def _joined(base: str, path: str) -> str:
    """A base URL may have the version that a path begins with."""
    base = base.rstrip("/")
    version = path[: path.find("/", 1)]
    return base.removesuffix(version) + path if version[:2] == "/v" and version[2:3].isdigit() else base + path


def complete(endpoint: Endpoint, call: Call) -> Flow[Reply]:
    """The reply to a call. Raises an `APIError`; a generation that the server rejected is a reply with `rejected`."""
    if call.bound is not None and call.mode in endpoint.watched:
        return relay_emitted(stream(endpoint, call), lambda _: ())

    def once(trying: Try) -> Flow[Done[Reply]]:
        response = yield from send_once(trying.request)
        if looks_streamed(response.body):
            collected = endpoint.wire.collector(response.headers)
            for _ in collected.feed(response.body):
                pass
            return _done(collected.reply(trying.number, trying.seconds()), trying)
        return _done(_decoded(endpoint.wire, response, trying), trying)

    return _reply(once, endpoint, call, endpoint.asking(call))


def stream(endpoint: Endpoint, call: Call) -> Flow[Reply]:
    """`complete`, emitting a `Delta` for each piece as it comes. A stream that breaks is started again, marked by `Delta.restart`.

    One that runs beyond the call's bound, or in circles, is broken off: a reply whose `finish_reason` is `RUNAWAY`.
    """
    begun = False

    def once(trying: Try) -> Flow[Done[Reply]]:
        nonlocal begun
        incoming = yield from open_once(trying.request)
        if begun:
            yield Emit(Delta(restart=True))
        begun = True
        return _done((yield from _collect(endpoint.wire, incoming, trying, call.bound)), trying)

    return _reply(once, endpoint, call, endpoint.asking(call, stream=True))


def _collect(wire: Wire, incoming: Incoming, trying: Try, bound: Bound | None) -> Flow[Reply]:
    """Read an opened answer to its end, emitting what it adds; an answer that is not a stream is emitted as one piece."""
    collected, leash = wire.collector(incoming.headers), Leash(bound) if bound is not None else None
    pieces: list[str] = []
    chunk: bytes = yield Read(incoming)
    if chunk.lstrip().startswith((b"{", b"[", b"<")):
        body = chunk + (yield from read_all(incoming))
        reply = _decoded(wire, Response(incoming.status, incoming.headers, body), trying)
        yield Emit(Delta(reply.text, reply.reasoning or ""))
        return reply
    while chunk:
        for delta in collected.feed(chunk):
            yield Emit(delta)
            if leash is not None:
                pieces.append(delta.text)
                if leash.feed(delta.text):
                    return _broken_off(pieces, incoming, trying)
        if collected.done:
            break
        chunk = yield Read(incoming)
    reply = collected.reply(trying.number, trying.seconds())
    return reply if reply.usage.total_tokens else replace(reply, notes=(*reply.notes, NO_USAGE))


def _broken_off(pieces: list[str], incoming: Incoming, trying: Try) -> Reply:
    """The reply of a stream that runs away. Its usage is estimated as one token per piece: the server reports it only at the end."""
    prompt, answer = len(trying.request.body) // BYTES_PER_TOKEN, len(pieces)
    return Reply(
        text="".join(pieces),
        finish_reason=RUNAWAY,
        usage=Usage(prompt, answer, total_tokens=prompt + answer),
        limits=rate_limits(incoming.headers),
        requests=trying.number,
        latency=trying.seconds(),
        notes=(RECKONED,),
    )


def _decoded(wire: Wire, response: Response, trying: Try) -> Reply:
    try:
        return wire.decode(response.body, response.headers, trying.number, trying.seconds())
    except APIError as error:
        raise of_answer(error, response.status, response.headers, response.body)  # noqa: B904  # the same error


def _done(reply: Reply, trying: Try) -> Done[Reply]:
    if trying.failed:
        times = "twice" if trying.number == 2 else f"{trying.number} times"
        reply = replace(reply, notes=(*reply.notes, f"sent {times}: {'; '.join(dict.fromkeys(trying.failed))}"))
    return Done(reply, reply.usage.total_tokens or None, reply.limits)


def _reply(once: Once[Reply], endpoint: Endpoint, call: Call, request: Request) -> Flow[Reply]:
    images, pixels = images_of(call.messages)
    tokens = (len(request.body) - pixels) // BYTES_PER_TOKEN + images * IMAGE_TOKENS + (call.params.max_tokens or 0)
    started = time.monotonic()
    retry = endpoint.retry
    if call.bound is not None and call.bound.known and call.params.temperature == 0:
        retry = retry.but_not_after_timeouts()  # the same question would be answered the same, and take as long
    try:
        return (yield from persist(once, request, retry, endpoint.limiter or endpoint.gate, tokens))
    except APIStatusError as error:
        if error.status_code in {401, 403}:
            error.add(endpoint.key_hint)
        if error.reason is not Reason.GENERATION_REJECTED:
            raise
        return rejected(error, time.monotonic() - started)
