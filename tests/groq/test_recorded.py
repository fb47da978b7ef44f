"""Recorded traffic with Groq, replayed from a local server: each interaction gives the object or the error that it should.

The recordings are outside the project, in `../shared/data/groq`; without them there is nothing to replay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import Answer, APIServer, Asked, api_server
from assay.errors import APIError, APIStatusError, BadRequestError, JSONValidateFailed, NotFoundError
from assay.groq import Groq
from assay.groq.chat_types import ChatCompletion, ChatCompletionChunk
from assay.groq.params import CHAT

RECORDINGS = Path(__file__).parents[3] / "shared/data/groq/recorded.jsonl"
ERRORS = RECORDINGS.with_name("errors.jsonl")

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not here")


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


RECORDED = load(RECORDINGS)
UNSENT = {"content-length", "transfer-encoding", "content-encoding", "connection", "date", "server", "alt-svc"}


def named(rows: list[dict[str, Any]], *kinds: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in rows if row["response"]["kind"] in kinds]


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    def unprepared(_: Asked) -> Answer:
        return Answer(b"", 500)

    with api_server(unprepared) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: APIServer) -> Iterator[Groq]:
    with Groq(api_key="gsk_secret", base_url=server.url, max_retries=0) as client:
        yield client


def play(server: APIServer, row: dict[str, Any], cut: int = 0) -> None:
    """The recorded response, as one body or in pieces of `cut` bytes."""
    response = row["response"]
    body = response["body"].encode()
    pieces = tuple(body[at : at + cut] for at in range(0, len(body), cut)) if cut else ()
    headers = {name: value for name, value in response["headers"].items() if name not in UNSENT}
    server.answer = lambda _: Answer(body, response["status"], headers, pieces)


def params(row: dict[str, Any]) -> dict[str, Any]:
    """The recorded request as arguments; what the API does not document goes through `extra_body`."""
    body = json.loads(row["request"]["body"] or '{"messages": [], "model": "m"}')
    known = {name: body.pop(name) for name in CHAT & body.keys()}
    return {**known, "extra_body": body}


@pytest.mark.parametrize("row", named(RECORDED, "json"))
def test_completions(server: APIServer, client: Groq, row: dict[str, Any]) -> None:
    play(server, row)
    raw = client.chat.completions.with_raw_response.create(**params(row))
    completion = raw.parse()
    assert isinstance(completion, ChatCompletion)
    choice, summary = completion.choices[0], row["summary"]
    assert (choice.finish_reason, len(choice.message.content or "")) == (summary["finish"], summary["content_chars"])
    assert (len(choice.message.tool_calls or []), bool(choice.message.reasoning)) == (
        summary["tool_calls"],
        summary["reasoning"],
    )
    assert completion.usage is not None and completion.usage.total_tokens > 0
    assert completion.to_dict() == json.loads(row["response"]["body"]), "nothing is lost or changed"
    limits = raw.rate_limits
    assert (limits is not None) == any(name.startswith("x-ratelimit") for name in raw.headers)
    assert limits is None or (limits.limit_tokens and limits.remaining_requests is not None and limits.reset_tokens is not None)
    if row["request"]["body"]:
        assert server.asked[-1].json() == json.loads(row["request"]["body"]), "the same request again"


@pytest.mark.parametrize("row", named(RECORDED, "sse"))
@pytest.mark.parametrize("cut", [0, 97])
def test_streams(server: APIServer, client: Groq, row: dict[str, Any], cut: int) -> None:
    play(server, row, cut)
    chunks: list[ChatCompletionChunk] = []
    events = [line[6:] for line in row["response"]["body"].splitlines() if line.startswith("data: {")]
    error: APIError | None = None
    try:
        chunks.extend(client.chat.completions.create(**{**params(row), "stream": True}))
    except APIError as caught:
        error = caught
    if error is not None:
        failed = json.loads(events.pop())["error"]
        assert isinstance(error, JSONValidateFailed)
        assert (error.code, error.failed_generation) == (failed["code"], failed["failed_generation"])
    assert (error is not None) == ("event: error" in row["response"]["body"])
    assert [chunk.to_dict() for chunk in chunks] == [json.loads(event) for event in events]
    assert chunks and all(isinstance(chunk, ChatCompletionChunk) for chunk in chunks)


@pytest.mark.parametrize("row", named(RECORDED, "error-json"))
def test_errors(server: APIServer, client: Groq, row: dict[str, Any]) -> None:
    play(server, row)
    body = json.loads(row["response"]["body"])
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(**params(row))
    error = caught.value
    assert type(error) is {400: BadRequestError, 404: NotFoundError}[row["response"]["status"]] or isinstance(
        error, JSONValidateFailed
    )
    assert (error.status_code, error.body, error.response.json()) == (row["response"]["status"], body, body)
    assert (error.code, error.type) == (body["error"]["code"], body["error"]["type"])
    assert error.failed_generation == body["error"].get("failed_generation")
    assert body["error"]["message"] in str(error)


def test_all_are_replayed() -> None:
    assert len(RECORDED) == len(named(RECORDED, "json", "sse", "error-json")) == 138


@pytest.mark.parametrize("row", [row for row in load(ERRORS) if row["status"]])
def test_errors_quoted_by_users(server: APIServer, client: Groq, row: dict[str, Any]) -> None:
    fields = ("message", "type", "code", "failed_generation")
    body = json.dumps({"error": {name: row[name] for name in fields if name in row}}).encode()
    server.answer = lambda _: Answer(body, row["status"])
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(messages=[], model="m")
    error = caught.value
    assert (error.status_code, error.code, error.failed_generation) == (
        row["status"],
        row.get("code"),
        row.get("failed_generation"),
    )
    assert (row["message"] or "") in error.message
    assert row.get("wait_s") is None or error.retry_after == pytest.approx(row["wait_s"])
