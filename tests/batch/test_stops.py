"""What ends a run and what does not: errors that every row would meet, errors of one row, a server that does not answer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from batch_runs import Notes, batch, error, extractor, jsonl, texts
from batch_server import Reply, default_answer, serving

EVERY_ROW = [
    error(402, "Payment required"),
    error(402, "Insufficient Balance", type="unknown_error", code="invalid_request_error"),
    error(429, "You exceeded your current quota, please check your plan", code="insufficient_quota", type="insufficient_quota"),
    error(400, "Billing hard limit has been reached", code="billing_hard_limit_reached"),
    error(400, "Your credit balance is too low to access the API", type="invalid_request_error"),
    error(401, "Invalid API Key", code="invalid_api_key"),
    error(403, "You are not allowed to use this model", type="permission_error"),
    error(404, "The model `m` does not exist", code="model_not_found"),
]
ONE_ROW = [
    error(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens", type="BadRequestError"),
    error(400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that", type="BadRequestError"),
    error(400, "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"),
    error(400, "This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens", code=400),
    error(422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens"),
    error(400, "The prompt is too long: 200000, model maximum context length: 131071", code="BAD_REQUEST"),
    error(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", status="INVALID_ARGUMENT"),
    error(400, "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length"),
    error(400, "the request exceeds the available context size. try increasing the context size", type="exceed_context_size_error"),
    error(413, "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000"),
    error(400, "The response was filtered due to the prompt triggering content management policy", code="content_filter"),
    error(403, "Your input was flagged by moderation", metadata={"reasons": ["violence"]}),
]  # fmt: skip


def for_numbers(reply: Reply, numbers: Any) -> Any:
    def answer(text: str) -> Any:
        return reply if any(f"document {number} " in text for number in numbers) else default_answer(text)

    return answer


@pytest.mark.parametrize("reply", EVERY_ROW, ids=lambda reply: reply[1]["error"]["message"][:30])
def test_what_fails_every_row_stops_the_run(tmp_path, reply):
    with serving(answer=lambda _: reply) as server:
        summary = batch(server, texts(300), tmp_path / "out.jsonl", options={"max_retries": 2})
        assert summary.stop is not None
        assert summary.stop.reason == "fatal"
        assert summary.failed == 0
        assert sum(server.asked.values()) <= 40
        server.answer = None
        assert batch(server, texts(300), tmp_path / "out.jsonl").done == 300


@pytest.mark.parametrize("reply", EVERY_ROW[:6], ids=lambda reply: reply[1]["error"]["message"][:30])
@pytest.mark.parametrize("way", ["map", "amap"])
def test_map_asks_no_more_after_what_fails_every_source(reply, way):
    sources = [row["text"] for row in texts(12)]
    with serving(answer=lambda _: reply) as server, extractor(server) as asking:
        outcomes = list(asking.map(sources)) if way == "map" else asyncio.run(gathered(asking, sources))
        assert len(outcomes) == 12
        assert all(reply[1]["error"]["message"] in str(outcome.error) for outcome in outcomes)
        assert sum(server.asked.values()) <= 3


async def gathered(asking: Any, sources: list[str]) -> list[Any]:
    return [outcome async for outcome in asking.amap(sources)]


@pytest.mark.parametrize("reply", ONE_ROW, ids=lambda reply: reply[1]["error"]["message"][:30])
def test_what_fails_one_row_does_not_stop_the_run_at_the_head_of_a_file(tmp_path, reply):
    with serving(answer=for_numbers(reply, range(8))) as server:
        summary = batch(server, texts(20), tmp_path / "out.jsonl", concurrency=1)
        assert (summary.stop, summary.done, summary.failed) == (None, 12, 8)


@pytest.mark.parametrize("left_by", ["break", "close", "error"])
def test_leaving_map_cancels_what_is_under_way(left_by):
    with serving(latency=20.0) as server:
        server.respond = quick_first(server)  # type: ignore[method-assign]  # a server whose first answer comes at once
        with extractor(server) as asking:
            begun = time.monotonic()
            outcomes = asking.map([row["text"] for row in texts(8)], concurrency=4)
            assert next(outcomes).ok
            if left_by == "error":
                with pytest.raises(KeyboardInterrupt):
                    outcomes.throw(KeyboardInterrupt)
            outcomes.close()
            assert time.monotonic() - begun < 10


def quick_first(server: Any) -> Any:
    async def respond(size: int, body: dict[str, Any]) -> Reply:
        if "document 0 " not in body["messages"][-1]["content"]:
            await asyncio.sleep(20)
        return server.reply(body)

    return respond


@pytest.mark.parametrize("retry_after", ["1764081600", "1764081600000", "99999999", "nan", "-5", "1e400"])
def test_no_server_holds_a_run_for_years(tmp_path, retry_after):
    refused: Reply = (429, {"error": {"message": "busy"}}, {"retry-after": retry_after})
    notes = Notes()

    def control(runner: Any) -> None:
        runner._loop.call_later(3, runner.stop, stop())

    with serving(answer=for_numbers(refused, [0])) as server:
        batch(server, texts(6), tmp_path / "out.jsonl", reporter=notes, control=control, concurrency=1)
    waits = [tick.held[1] for tick in notes.ticks if tick.held is not None]
    assert max(waits, default=0) <= 3600
    if retry_after == "99999999":
        assert any("held by asked to wait" in said for said in notes.said)


def stop() -> Any:
    from assay.batch import Stop

    return Stop("interrupted", "enough")


@pytest.mark.parametrize("status", [500, 503])
def test_a_run_waits_for_a_server_that_is_away_and_no_row_fails(tmp_path, status):
    notes = Notes()
    with serving() as server:
        away = {"from": 10, "until": 0.0}

        def answer(text: str) -> Any:
            if sum(server.asked.values()) > away["from"] and not away["until"]:
                away["until"] = time.monotonic() + 2.5
            return error(status, "away") if time.monotonic() < away["until"] else default_answer(text)

        server.answer = answer
        summary = batch(server, texts(60), tmp_path / "out.jsonl", reporter=notes, concurrency=8)
        assert (summary.stop, summary.done, summary.failed) == (None, 60, 0)
        assert sum(server.asked.values()) < 60 + 30  # a few probes, not every row
    assert "answers only with errors" in notes.said[0]
    assert "answers again" in notes.said[-1]
    assert any(tick.held and tick.held[0] == "a server that does not answer" for tick in notes.ticks)


def test_a_server_that_goes_and_comes_back_on_its_port_is_waited_for(tmp_path):
    with serving() as first:
        port = first.port
        source = slow_rows(first)
        summary = batch(first, source, tmp_path / "out.jsonl", concurrency=2)
    assert port
    assert summary.done == 40


def slow_rows(server: Any) -> Any:
    """Rows during which the server shuts all connections without an answer for two seconds."""
    real = server.respond
    state: dict[str, float] = {}

    async def respond(size: int, body: dict[str, Any]) -> Reply:
        if server.served >= 10:
            state.setdefault("until", time.monotonic() + 2)
            if time.monotonic() < state["until"]:
                raise ConnectionResetError
        return await real(size, body)

    server.respond = respond
    return texts(40)


def test_a_server_that_fails_whatever_it_is_asked_ends_the_run_before_long(tmp_path):
    with serving(answer=lambda _: error(500, "broken")) as server:
        summary = batch(server, texts(200), tmp_path / "out.jsonl", concurrency=4)
        assert summary.stop is not None
        assert (summary.stop.reason, summary.failed) == ("away", 0)
        assert sum(server.asked.values()) < 30


def test_a_row_that_the_server_cannot_do_fails_while_others_are_done(tmp_path: Path):
    with serving(answer=for_numbers(error(500, "this one breaks me"), [3, 4, 30])) as server:
        summary = batch(server, texts(40), tmp_path / "out.jsonl", concurrency=2)
        assert (summary.done, summary.failures) == (37, {"server": 3})
    assert [row["id"] for row in jsonl(tmp_path / "out.jsonl.errors.jsonl")] == ["r3", "r4", "r30"]
