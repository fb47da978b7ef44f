"""Faults of a streamed answer, each done to a real socket, met on every transport, sync and async."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from assay.backends.chat import stream
from assay.errors import APIConnectionError, APIError, APIResponseError, APITimeoutError, InternalServerError, RateLimitError
from assay.types import Usage
from faults.travel import CALL, Way, endpoint
from servers import EVENT_STREAM, FIN, LAST_CHUNK, RST, Server, Step, answer, chunked, completion, delta, events, streamed

TEXT = '{"name": "Ada"}'
WHOLE = streamed(TEXT)
TWO = chunked(events(delta(TEXT[:5]), delta(TEXT[5:9]), done=False))
REST = delta(TEXT[9:])
END = delta(finish_reason="stop")


def sent(*data: Any, done: bool = True) -> list[Step]:
    return [EVENT_STREAM, chunked(events(*data, done=done)), LAST_CHUNK]


BROKEN: dict[str, tuple[list[Step], type[APIError], str]] = {
    "closed-midway": ([EVENT_STREAM, TWO, FIN], APIConnectionError, ""),
    "reset-midway": ([EVENT_STREAM, TWO, 0.05, RST], APIConnectionError, ""),
    "ends-without-end": ([EVENT_STREAM, TWO, LAST_CHUNK], APIResponseError, "ended before the answer did"),
    "ends-inside-an-event": ([EVENT_STREAM, TWO, chunked(b'data: {"choices": [{"del'), LAST_CHUNK], APIResponseError, "ended before"),
    "last-event-lacks-its-blank-line": (
        [EVENT_STREAM, TWO, chunked(b"data: " + json.dumps(END).encode() + b"\n"), LAST_CHUNK],
        APIResponseError,
        "ended before",
    ),
    "bad-json-in-an-event": ([EVENT_STREAM, TWO, chunked(b"data: {oops\n\n"), LAST_CHUNK], APIResponseError, "event 3 of the stream"),
    "silence-midway": ([EVENT_STREAM, TWO, 3.0], APITimeoutError, "within 0.5 s"),
    "only-pings": ([EVENT_STREAM, TWO, *[chunked(b": ping\n\n"), 0.06] * 40], APITimeoutError, "within 0.5 s"),
    "gzip-cut": (
        [answer(200, gzip.compress(events(delta(TEXT), END))[:-60], {"content-type": "text/event-stream", "content-encoding": "gzip"})],
        APIResponseError,
        "gzip",
    ),
    "error-503-inside": (sent(delta("{"), {"error": {"message": "over capacity", "status_code": 503}}), InternalServerError, "over capacity"),
    "error-429-inside": (sent(delta("{"), {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), RateLimitError, "slow down"),
    "empty": ([EVENT_STREAM, LAST_CHUNK], APIResponseError, "ended before"),
    "silence-before-the-head": ([3.0], APITimeoutError, "within 0.5 s"),
}  # fmt: skip


def limit(name: str) -> float:
    return 0.5 if name.startswith(("silence", "only-pings")) else 5.0


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_begins_anew_and_says_so(name: str, way: Way) -> None:
    steps, _, _ = BROKEN[name]
    with Server(steps, WHOLE) as server:
        deltas, reply = way.stream(endpoint(server.base_url, timeout=limit(name)))
    assert reply.text == TEXT
    assert reply.requests == 2
    restarts = [at for at, piece in enumerate(deltas) if piece.restart]
    assert "".join(piece.text for piece in deltas[(restarts or [-1])[-1] + 1 :]) == TEXT
    assert len(restarts) == (0 if name == "silence-before-the-head" else 1)
    assert server.received[0].body == server.received[1].body


@pytest.mark.parametrize("name", [name for name in BROKEN if limit(name) == 5.0])
def test_a_stream_that_always_breaks_is_a_typed_error(name: str, way: Way) -> None:
    breaks_for_good(name, way)


@pytest.mark.parametrize("name", [name for name in BROKEN if limit(name) < 5.0])
def test_a_stream_that_always_stalls_is_a_timeout(name: str, default_way: Way) -> None:
    breaks_for_good(name, default_way)


def breaks_for_good(name: str, way: Way) -> None:
    steps, kind, says = BROKEN[name]
    with Server(steps) as server:
        with pytest.raises(APIError) as caught:
            way.stream(endpoint(server.base_url, timeout=limit(name)))
        assert type(caught.value) is kind, repr(caught.value)
        assert says in str(caught.value)
        assert caught.value.requests == 2
        assert server.until_closed(3.0, connections=1)


FATAL: dict[str, tuple[list[Step], type[APIError], str]] = {
    "event-of-20-MB": ([EVENT_STREAM, chunked(b"data: " + b"x" * 20_000_000 + b"\n\n")], APIResponseError, "more than"),
    "line-without-end": ([EVENT_STREAM, *[chunked(b"x" * 1_000_000)] * 20], APIResponseError, "more than"),
    "not-utf8": ([EVENT_STREAM, chunked(b'data: {"a": "\xff"}\n\n'), LAST_CHUNK], APIResponseError, "not UTF-8"),
    "stopped-by-the-server": (sent(delta("{"), {"choices": [], "x_groq": {"error": "over_capacity"}}), APIResponseError, "over_capacity"),
    "error-inside": (sent(delta("{"), {"error": {"message": "no good", "code": "bad", "param": "p"}}), APIResponseError, "no good"),
    "error-event-that-is-text": ([EVENT_STREAM, chunked(b"event: error\ndata: out of order\n\n"), LAST_CHUNK], APIResponseError, "out of order"),
    "html": ([answer(200, b"<html>Log in</html>", {"content-type": "text/html"})], APIResponseError, "Log in"),
    "done-and-nothing-else": (sent(), APIResponseError, "no choices"),
}  # fmt: skip


@pytest.mark.parametrize("name", FATAL)
def test_what_would_fail_again_is_not_retried(name: str, way: Way) -> None:
    steps, kind, says = FATAL[name]
    with Server(steps) as server:
        with pytest.raises(APIError) as caught:
            way.stream(endpoint(server.base_url))
        assert type(caught.value) is kind, repr(caught.value)
        assert says in str(caught.value)
        assert caught.value.requests == 1


USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
RIGHT: dict[str, list[Step]] = {
    "whole": WHOLE,
    "a-byte-a-chunk": [EVENT_STREAM, *[chunked(bytes([byte])) for byte in events(delta(TEXT), END)], LAST_CHUNK],
    "no-done-after-finish": [EVENT_STREAM, chunked(events(delta(TEXT), END, done=False)), LAST_CHUNK],
    "no-done-and-closed": [EVENT_STREAM.replace(b"transfer-encoding: chunked", b"connection: close"), events(delta(TEXT), END, done=False), FIN],
    "bytes-after-done": [EVENT_STREAM, chunked(events(delta(TEXT), END) + b"data: {garbage\n\n"), LAST_CHUNK],
    "silence-after-done": [EVENT_STREAM, chunked(events(delta(TEXT), END)), 3.0],
    "crlf": [EVENT_STREAM, chunked(events(delta(TEXT), END).replace(b"\n", b"\r\n")), LAST_CHUNK],
    "pings-between": [EVENT_STREAM, chunked(b": ping\n\n"), 0.01, chunked(b": ping\n\n" + events(delta(TEXT), END)), LAST_CHUNK],
    "role-reasoning-empty-usage": sent(
        delta(delta={"role": "assistant"}),
        delta(delta={"reasoning": "hm"}),
        {"choices": []},
        delta(TEXT),
        delta(finish_reason="stop", x_groq={"id": "req_1", "usage": USAGE}),
    ),
    "json-instead-of-a-stream": [completion(TEXT, usage=USAGE)],
    "gzip": [answer(200, gzip.compress(events(delta(TEXT), END)), {"content-type": "text/event-stream", "content-encoding": "gzip"})],
    "tool-call-in-pieces": sent(
        delta(delta={"tool_calls": [{"index": 0, "id": "c", "function": {"name": "Person", "arguments": TEXT[:4]}}]}),
        delta(delta={"tool_calls": [{"index": 0, "function": {"arguments": TEXT[4:]}}]}),
        delta(finish_reason="tool_calls"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_odd_but_right_is_read(name: str, way: Way) -> None:
    with Server(RIGHT[name]) as server:
        started = time.monotonic()
        deltas, reply = way.stream(endpoint(server.base_url))
        assert time.monotonic() - started < 2.5
    assert reply.text == "".join(piece.text for piece in deltas) == TEXT
    assert reply.requests == 1


def test_usage_is_reported_wherever_the_stream_has_it(way: Way) -> None:
    with Server(RIGHT["role-reasoning-empty-usage"]) as server:
        deltas, reply = way.stream(endpoint(server.base_url))
    assert reply.usage == Usage(prompt_tokens=9, completion_tokens=4, total_tokens=13)
    assert reply.reasoning == "hm"
    assert reply.request_id == "req_1"
    assert [piece.reasoning for piece in deltas if piece.reasoning] == ["hm"]


def test_tool_calls_that_interleave_are_kept_apart(way: Way) -> None:
    def piece(index: int, text: str) -> Any:
        return delta(delta={"tool_calls": [{"index": index, "function": {"arguments": text}}]})

    with Server(
        sent(piece(0, '{"a"'), piece(1, '{"b"'), piece(0, ": 1}"), piece(1, ": 2}"), delta(finish_reason="tool_calls"))
    ) as server:
        deltas, reply = way.stream(endpoint(server.base_url))
    assert reply.text == '{"a": 1}\n{"b": 2}'
    assert "".join(piece.text for piece in deltas) == '{"a": 1}'


@pytest.mark.parametrize("named", [True, False], ids=["error-event", "plain-data"])
def test_a_generation_rejected_midway_is_a_reply_with_what_was_written(named: bool, way: Way) -> None:
    inner = {
        "message": "Failed to call a function.",
        "code": "tool_use_failed",
        "failed_generation": "<function=x>",
        "status_code": 400,
    }
    last = (b"event: error\n" if named else b"") + events({"error": inner}, done=False)
    with Server([EVENT_STREAM, chunked(events(delta("{"), done=False) + last), LAST_CHUNK]) as server:
        _, reply = way.stream(endpoint(server.base_url))
    assert reply.rejected is not None
    assert (reply.rejected.code, reply.rejected.status) == ("tool_use_failed", 400)
    assert reply.text == "<function=x>"


def test_events_are_handed_over_as_they_come(way: Way) -> None:
    """The server sends the rest only after it has been told that the first piece arrived."""
    arrived: list[str] = []

    def respond(_: Any) -> Any:
        yield EVENT_STREAM
        yield chunked(events(delta(TEXT[:5]), done=False))
        for _ in range(200):
            if arrived:
                break
            yield 0.01
        yield chunked(events(delta(TEXT[5:] if arrived else "too late"), END))
        yield LAST_CHUNK

    def flow(url: str) -> Any:
        effects = stream(endpoint(url), CALL)
        result = None
        while True:
            try:
                effect = effects.send(result)
            except StopIteration:
                return
            if hasattr(effect, "value"):
                arrived.append(effect.value.text)
            result = yield effect

    with Server(respond) as server:
        way.emitted(flow(server.base_url))
    assert "".join(arrived) == TEXT


def test_leaving_a_stream_closes_its_connection(way: Way) -> None:
    with Server([EVENT_STREAM, TWO, 20.0]) as server:
        assert [piece.text for piece in way.emitted(stream(endpoint(server.base_url, timeout=30.0), CALL), most=1)] == [
            TEXT[:5]
        ]
        assert server.until_closed(2.0)


def test_a_stream_that_was_read_to_its_end_leaves_its_connection_for_the_next(way: Way) -> None:
    with Server(WHOLE) as server:
        for _ in range(3):
            way.stream(endpoint(server.base_url))
        assert [request.connection for request in server.received] == [0, 0, 0]


def test_an_end_that_comes_a_moment_after_the_last_event_is_waited_for(way: Way) -> None:
    *events_, end = WHOLE
    with Server([*events_, 0.002, end]) as server:
        for _ in range(3):
            way.stream(endpoint(server.base_url))
        assert [request.connection for request in server.received] == [0, 0, 0]


def test_an_end_that_does_not_come_after_the_last_event_closes_the_connection(way: Way) -> None:
    *events_, end = WHOLE
    with Server([*events_, 10.0, end]) as server:
        started = time.monotonic()
        way.stream(endpoint(server.base_url, timeout=30.0))
        assert time.monotonic() - started < 5
        assert server.until_closed(3.0)
