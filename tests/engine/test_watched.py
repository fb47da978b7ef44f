"""Answers that are read as they come where that is free, and what became of requests: against a real local server."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import BaseModel

import assay
from servers import EVENT_STREAM, LAST_CHUNK, Received, Server, answer, chunked, completion, delta, error, events, said

LINE = "1 star anise (optional)"


class Ingredient(BaseModel):
    name: str
    preparation: str | None = None
    optional: bool = False


GOOD = '{"name": "star anise", "optional": true}'


def endless(start: str, loop: str) -> list[Any]:
    """A stream of a thousand pieces that nobody waits for."""
    head = [EVENT_STREAM, chunked(events(delta(start), done=False))]
    return [*head, *[step for _ in range(1000) for step in (chunked(events(delta(loop), done=False)), 0.001)], LAST_CHUNK]


def ask(server: Server, model: str = "llamacpp/x", **options: Any) -> assay.Outcome[Ingredient]:
    with assay.Extractor(Ingredient, model=model, base_url=server.base_url, **options) as extractor:
        return extractor.run(LINE)


@pytest.mark.parametrize("model", ["llamacpp/x", "ollama/x", "lmstudio/x"])
def test_an_answer_that_runs_away_is_broken_off_and_its_server_let_go(model: str) -> None:
    def model_(request: Received) -> list[Any]:
        first = len(server.received) == 1
        return endless('{"name": "star anise", "preparation": "', "very ") if first else said('{"/preparation": null}')(request)

    with Server(model_) as server:
        outcome = ask(server, model)
        assert server.until_closed()
    assert outcome.unwrap().preparation is None
    assert len(outcome.attempts[0].reply) < 1000
    assert outcome.attempts[0].finish_reason == "runaway"
    assert 0 < outcome.attempts[0].usage.completion_tokens < 400
    assert "ran on without end" in " ".join(outcome.notes)
    assert all(request.json["stream"] for request in server.received)


def test_streams_that_pour_on_are_left_by_many_threads_at_once() -> None:
    """A library that has a chunk ready when it is cancelled forgets the cancelling: no thread waits for ever."""

    def model_(request: Received) -> list[Any]:
        mended = b"/preparation" in request.body
        return said('{"/preparation": null}')(request) if mended else endless('{"name": "anise", "preparation": "', "very ")

    with Server(model_) as server, ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda _: ask(server), range(36)))
    assert all(outcome.ok for outcome in outcomes)


def test_where_streams_are_not_free_whole_answers_are_asked_for() -> None:
    with Server(said(GOOD)) as server:
        assert ask(server, "x", mode="json").ok
    assert "stream" not in server.received[0].json


def test_a_users_own_stream_is_broken_off_on_any_server() -> None:
    def model_(request: Received) -> list[Any]:
        first = len(server.received) == 1
        return endless('{"name": "', "very ") if first else said(GOOD)(request)

    with Server(model_) as server, assay.Extractor(Ingredient, model="x", base_url=server.base_url, mode="json") as extractor:
        *_, last = extractor.stream(LINE)
    assert last.value == Ingredient(name="star anise", optional=True)


def test_a_whole_answer_of_a_watched_server_is_the_same_streamed_or_not() -> None:
    with Server(said(GOOD)) as streams, Server([completion(GOOD)]) as wholes:
        assert ask(streams).unwrap() == ask(wholes).unwrap()


# -- what became of requests ------------------------------------------------------------------------------------------------


def test_a_request_that_timed_out_is_not_sent_again_as_it_was() -> None:
    def model_(request: Received) -> list[Any]:
        return [3.0] if len(server.received) == 1 else said(GOOD)(request)

    with Server(model_) as server:
        outcome = ask(server, "x", mode="json", timeout=0.4)
    first, again = (request.json for request in server.received)
    assert outcome.ok
    assert "max_tokens" not in first
    assert again["max_tokens"] > 100
    assert outcome.requests == 2
    assert "within 0.4 s" in outcome.notes[0]


def test_with_a_temperature_it_is_sent_again() -> None:
    def model_(request: Received) -> list[Any]:
        return [3.0] if len(server.received) == 1 else said(GOOD)(request)

    with Server(model_) as server:
        outcome = ask(server, "x", mode="json", timeout=0.4, temperature=0.5)
    first, again = (request.json for request in server.received)
    assert first == again
    assert (outcome.ok, outcome.requests, outcome.attempts[0].requests) == (True, 2, 2)
    assert "sent twice: no complete answer" in outcome.notes[0]


def test_without_re_asks_a_time_out_is_the_end_and_is_counted() -> None:
    with Server([3.0]) as server:
        outcome = ask(server, "x", mode="json", timeout=0.3, retries=0)
    assert isinstance(outcome.error, assay.APITimeoutError)
    assert (len(server.received), outcome.requests) == (1, 1)


def test_refused_repeated_and_stepped_down_requests_are_counted_and_told() -> None:
    def model_(request: Received) -> list[Any]:
        if "json_schema" in json.dumps(request.json):
            return [answer(400, error("response_format json_schema is not supported"))]
        return [answer(429, error("slow down"), {"retry-after": "0"})] if len(server.received) < 4 else said(GOOD)(request)

    with Server(model_) as server:
        outcome = ask(server, "llamacpp/x")
    assert outcome.ok
    assert (len(outcome.attempts), outcome.requests, len(server.received)) == (1, 4, 4)
    assert "stepped down from mode json_schema" in outcome.notes[0]
    assert "sent 3 times: " in outcome.notes[1]
    assert "slow down" in outcome.notes[1]


def test_a_failed_extraction_counts_its_requests_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = assay.Extractor(Ingredient, model="x", base_url=f"http://127.0.0.1:{port}/v1", max_retries=1).run(LINE)
    assert not outcome.ok
    assert (outcome.requests, outcome.attempts) == (2, ())


@pytest.mark.model
def test_the_embedded_engine_stops_at_once() -> None:
    pytest.importorskip("xllamacpp")

    class Story(BaseModel):
        story: str

    extractor = assay.Extractor(Story, model="local/smollm2-135m", mode="text", max_tokens=900, retries=0)
    outcome = extractor.run("Write: " + "la " * 12)
    used = outcome.usage.completion_tokens
    assert used < 600 or outcome.attempts[0].finish_reason != "length"
