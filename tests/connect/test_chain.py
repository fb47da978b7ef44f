"""A chain of models: which failures go on to the next, what one outcome then tells, over servers of two protocols."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Self

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

import assay
from assay import Budget, Extractor, Price
from assay.cli.app import app
from assay.errors import (
    AuthenticationError,
    BudgetExceeded,
    ConfigurationError,
    ExtractionError,
)
from servers import EVENT_STREAM, LAST_CHUNK, RST, Server, Steps, answer, chunked, completion, delta, error, events, streamed

TEXT = "Ada is 36."
ADA = '{"name": "Ada", "age": 36}'
CHAIN = ["groq/some-model", "anthropic/claude-x"]


class Person(BaseModel):
    name: str
    age: int


def claude(text: str) -> bytes:
    usage = {"input_tokens": 20, "output_tokens": 7}
    content = [{"type": "text", "text": text}]
    return answer(200, {"type": "message", "model": "claude-x", "content": content, "stop_reason": "end_turn", "usage": usage})


def claude_stream(text: str) -> Steps:
    parts = [
        {"type": "message_start", "message": {"model": "claude-x", "usage": {"input_tokens": 20, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[{"type": "content_block_delta", "delta": {"type": "text_delta", "text": letter}} for letter in text],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    return [EVENT_STREAM, chunked(events(*parts, done=False)), LAST_CHUNK]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GROQ_API_KEY", "key-of-groq")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-anthropic")
    yield


class Both:
    """The first model's server and the second's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: Steps, *second: Steps) -> None:
        self.first, self.second = Server(first), Server(*(second or ([claude(ADA)],)))
        self._monkeypatch = monkeypatch

    def __enter__(self) -> Self:
        self.first.__enter__()
        self.second.__enter__()
        self._monkeypatch.setenv("GROQ_BASE_URL", self.first.url)
        self._monkeypatch.setenv("ANTHROPIC_BASE_URL", self.second.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.first.__exit__(None, None, None)
        self.second.__exit__(None, None, None)

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.received), len(self.second.received)


GOES_ON: dict[str, Steps] = {
    "rate-limit": [answer(429, error("slow down"), {"retry-after": "0.01"})],
    "a-long-wait": [answer(429, error("Please try again in 9m38.016s"), {"retry-after": "578"})],
    "a-days-quota": [answer(429, error("on tokens per day (TPD): Limit 100"))],
    "overloaded": [answer(503, error("over capacity"), {"retry-after": "0.01"})],
    "gone": [RST],
    "bad-key": [answer(401, error("Invalid API Key", code="invalid_api_key"))],
    "no-credit": [answer(402, error("Insufficient credits"))],
    "no-model": [answer(404, error("The model `x` does not exist", code="model_not_found"))],
    "refusal": [completion(None, message={"content": None, "refusal": "I will not."})],
    "content-filter": [answer(400, error("filtered", code="content_filter"))],
    "empty": [completion("")],
    "invalid": [completion('{"name": "Ada", "age": "old"}')],
}


@pytest.mark.parametrize("name", GOES_ON)
def test_what_goes_on_to_the_next(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, GOES_ON[name]) as both, Extractor(Person, model=CHAIN, retries=0, max_retries=1) as extractor:
        outcome = extractor.run(TEXT)
        awaited = asyncio.run(extractor.arun(TEXT))
    assert outcome.unwrap() == awaited.unwrap() == Person(name="Ada", age=36)
    assert outcome.model == "anthropic/claude-x"
    assert any("groq/some-model" in note and "anthropic/claude-x was asked" in note for note in outcome.notes)
    assert both.asked[1] == 2
    assert both.second.received[0].headers["x-api-key"] == "key-of-anthropic"
    assert "key-of-groq" not in str(both.second.received[0].headers)


def test_a_long_wait_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [answer(429, error("slow down"), {"retry-after": "30"})]) as both:
        assert assay.extract(Person, TEXT, model=CHAIN) == Person(name="Ada", age=36)
    assert both.asked == (1, 1)


def test_each_link_is_asked_in_its_own_way_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [completion('{"name": "Ada", "age": "old"}')]) as both:
        outcome = Extractor(Person, model=CHAIN, retries=1).run(TEXT)
    first, second = both.first.received[0].json, both.second.received[0].json
    assert first["response_format"] == {"type": "json_object"}
    assert second["output_config"]["format"]["schema"]["required"] == ["name", "age"]
    assert (first["temperature"], "temperature" in second) == (0, False)
    assert [attempt.mode for attempt in outcome.attempts] == ["json", "json", "json_schema"]
    assert outcome.usage.total_tokens == 15 * 2 + 27
    assert outcome.requests == 3


def test_the_first_that_answers_is_the_only_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [completion(ADA)]) as both:
        outcome = Extractor(Person, model=CHAIN).run(TEXT)
    assert (outcome.model, outcome.notes, both.asked) == ("groq/some-model", (), (1, 0))


def test_all_failed_is_one_error_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Both(monkeypatch, [answer(401, error("Invalid API Key"))], [claude("no json")]),
        pytest.raises(ExtractionError) as caught,
    ):
        assay.extract(Person, TEXT, model=CHAIN, retries=0)
    assert "none of 2 models" in str(caught.value)
    assert "groq/some-model: 401: Invalid API Key" in str(caught.value)
    assert "anthropic/claude-x: no valid Person" in str(caught.value)
    assert len(caught.value.attempts) == 1


def test_a_bad_setting_and_a_spent_budget_do_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [completion("{}")]) as both:
        spent = Extractor(Person, model=CHAIN, budget=Budget(tokens=10)).run(TEXT)
        empty = Extractor(Person, model=CHAIN).run("  ")
        with pytest.raises(ConfigurationError, match="model"):
            Extractor(Person, model=[])
        with pytest.raises(ConfigurationError, match="several servers"):
            Extractor(Person, model=CHAIN, api_key="key-of-one")
    assert isinstance(spent.error, BudgetExceeded)
    assert isinstance(empty.error, ConfigurationError)
    assert both.asked == (0, 0)


def test_the_budget_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    used = {"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980}
    with Both(monkeypatch, [completion('{"name": "Ada", "age": "old"}', usage=used)]) as both:
        outcome = Extractor(Person, model=CHAIN, retries=0, budget=Budget(tokens=2000), price=Price(1, 1)).run(TEXT)
    assert isinstance(outcome.error, BudgetExceeded)
    assert both.asked == (1, 0)
    assert outcome.usage.total_tokens == 980


def test_too_long_goes_on_to_a_larger_window_only(monkeypatch: pytest.MonkeyPatch) -> None:
    long = [answer(400, error("too long", code="context_length_exceeded"))]
    with Both(monkeypatch, long) as both:
        outcome = Extractor(Person, model=CHAIN, split="never").run(TEXT)
        same = Extractor(Person, model=CHAIN, split="never", context_tokens=8000).run(TEXT)
    assert outcome.ok
    assert isinstance(same.error, ConfigurationError)
    assert both.asked == (2, 1)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_stream_begins_anew_with_the_next(awaited: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [answer(401, error("Invalid API Key"))], claude_stream(ADA)):
        extractor = Extractor(Person, model=CHAIN)
        parts = asyncio.run(collected(extractor)) if awaited else list(extractor.stream(TEXT))
        extractor.close()
    assert parts[-1].value == Person(name="Ada", age=36)
    assert parts[-1].outcome.model == "anthropic/claude-x"
    assert "was asked" in parts[-1].outcome.notes[0]


async def collected(extractor: Extractor[Person]) -> list[Any]:
    return [part async for part in extractor.astream(TEXT)]


def test_after_a_part_was_shown_a_failure_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = [EVENT_STREAM, chunked(events(delta('{"name": "Ada", '), done=False)), LAST_CHUNK]
    shown = []
    with Both(monkeypatch, cut) as both, pytest.raises(assay.APIError):
        shown += Extractor(Person, model=CHAIN, mode="text", max_retries=0).stream(TEXT)
    assert both.asked == (1, 0)


def test_one_server_with_two_models() -> None:
    def steps(request: Any) -> Steps:
        if request.json["model"] == "small":
            return [completion("no")]
        return streamed(ADA) if request.json.get("stream") else [completion(ADA)]

    with Server(steps) as server:
        extractor = Extractor(Person, model=("small", "large"), base_url=server.base_url, retries=0)
        assert [outcome.model for outcome in extractor.map([TEXT, TEXT])] == ["large", "large"]
        assert extractor.fingerprint != Extractor(Person, model="small", base_url=server.base_url).fingerprint
        alone = Extractor(Person, model=["large"], base_url=server.base_url)
        assert alone.fingerprint == Extractor(Person, model="large", base_url=server.base_url).fingerprint
        extractor.close()


def test_a_batch_goes_down_the_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "Ada is 36."}\n{"id": 2, "text": "Bob is 36."}\n')
    (tmp_path / "s.json").write_text(json.dumps(Person.model_json_schema()))
    run = ["batch", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"), "--schema", str(tmp_path / "s.json")]
    run += ["--model", CHAIN[0], "--model", CHAIN[1], "--retries", "0"]
    with Both(monkeypatch, [completion('{"name": "Ada"}')]):
        planned = CliRunner().invoke(app, [*run, "--dry-run"])
        done = CliRunner().invoke(app, run)
    assert planned.exit_code == 0, planned.output
    assert "groq/some-model, then anthropic/claude-x" in planned.output
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["model"] for row in rows] == ["anthropic/claude-x"] * 2


def test_errors_of_a_chain_of_one_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with Both(monkeypatch, [answer(401, error("Invalid API Key"))]), pytest.raises(AuthenticationError):
        assay.extract(Person, TEXT, model=[CHAIN[0]])
