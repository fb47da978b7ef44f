"""Recorded traffic of Anthropic and Gemini, played by a real server: read whole and streamed, blocking and awaited, in single bytes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.backends.chat import Endpoint, complete, stream
from assay.backends.http import async_transport, transport
from assay.backends.retry import RetryPolicy
from assay.errors import APIStatusError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError, Reason
from assay.flow import drive
from assay.flow.effects import Emit
from assay.types import Call, Delta, Message, Mode, Reply
from assay.wire.anthropic import AnthropicMessages
from assay.wire.gemini import GeminiContent
from assay.wire.port import Wire
from servers import LAST_CHUNK, Server, Step, answer, chunked

DATA = Path(__file__).parents[3] / "shared" / "data"
CALL = Call((Message("user", "hi"),), Mode.TEXT, "thing")


@dataclass(frozen=True)
class Row:
    wire: Wire
    record: dict[str, Any]

    @property
    def body(self) -> bytes:
        return str(self.record["response"]["body"]).encode()

    @property
    def streams(self) -> bool:
        return bool(self.record["response"]["kind"] == "sse")

    def steps(self, size: int) -> list[Step]:
        """The response as a server sends it, in pieces of `size` bytes; 0: whole."""
        headers = {
            name: value
            for name, value in self.record["response"]["headers"].items()
            if name.startswith(("anthropic-", "request-id", "retry-after", "content-type")) and value.isascii()
        }
        headers.setdefault("content-type", "text/event-stream" if self.streams else "application/json")
        status = self.record["response"]["status"]
        if not size:
            return [answer(status, self.body, headers)]
        head = answer(status, b"", {**headers, "transfer-encoding": "chunked"}, length=False)
        return [head, b"".join(chunked(self.body[at : at + size]) for at in range(0, len(self.body), size)), LAST_CHUNK]


def rows(name: str, wire: Wire) -> list[Any]:
    path = DATA / name / "recorded.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [pytest.param(Row(wire, record), id=f"{name}-{n}-{record['category']}") for n, record in enumerate(records)]


ROWS = rows("anthropic", AnthropicMessages()) + rows("gemini", GeminiContent())
NOT_HERE = pytest.param(Row(AnthropicMessages(), {}), marks=pytest.mark.skip(reason="the recordings are not here"))
ENDS = {
    **dict.fromkeys(("end_turn", "stop_sequence", "STOP"), "stop"),
    **dict.fromkeys(("max_tokens", "MAX_TOKENS"), "length"),
    **dict.fromkeys(("refusal", "SAFETY", "MODEL_ARMOR"), "content_filter"),
    "tool_use": "tool_calls",
}
KINDS = {400: BadRequestError, 401: AuthenticationError, 404: NotFoundError, 429: RateLimitError}


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("row", ROWS or [NOT_HERE])
def test_a_recorded_answer_is_read(row: Row, size: int) -> None:
    with Server(row.steps(size)) as server:
        to = Endpoint(server.url, "m", "key", wire=row.wire, retry=RetryPolicy(max_retries=0))
        replies = []
        for ask in (blocking, awaited, blocking_stream, awaited_stream):
            try:
                replies.append(ask(to))
            except APIStatusError as error:
                check_error(row, error)
                replies.append(None)
    assert len(replies) == 4
    for reply in replies:
        if row.record["response"]["status"] < 400:
            assert reply is not None
            check(row.record["summary"], reply)


def blocking(to: Endpoint) -> Reply:
    with_one = transport()
    try:
        return drive.run(complete(to, CALL), with_one)
    finally:
        with_one.close()


def awaited(to: Endpoint) -> Reply:
    async def main() -> Reply:
        with_one = async_transport()
        try:
            return await drive.arun(complete(to, CALL), with_one)
        finally:
            await with_one.aclose()

    return asyncio.run(main())


def blocking_stream(to: Endpoint) -> Reply:
    with_one = transport()
    seen: list[Delta] = []
    try:
        flow = kept(to)
        seen += drive.stream(flow, with_one)
    finally:
        with_one.close()
    return same(seen)


def awaited_stream(to: Endpoint) -> Reply:
    async def main() -> list[Any]:
        with_one = async_transport()
        try:
            return [piece async for piece in drive.astream(kept(to), with_one)]
        finally:
            await with_one.aclose()

    return same(asyncio.run(main()))


def kept(to: Endpoint) -> Any:
    """The flow of a streamed reply, which emits the reply at the end."""
    reply = yield from stream(to, CALL)
    yield Emit(reply)


def same(seen: list[Any]) -> Reply:
    """The reply; what came piece by piece is its text, unless that was taken back."""
    *deltas, reply = seen
    assert isinstance(reply, Reply)
    begun = max((at for at, delta in enumerate(deltas) if delta.restart), default=-1)
    if reply.text:
        assert "".join(delta.text for delta in deltas[begun + 1 :]) in (reply.text, reply.text.partition("\n{")[0])
    return reply


def check(summary: dict[str, Any], reply: Reply) -> None:
    assert reply.finish_reason == ENDS.get(summary["finish"], summary["finish"])
    refused, spoilt = reply.finish_reason == "content_filter", str(summary["finish"]).startswith("UNEXPECTED")
    assert (reply.refusal is not None) is refused
    if tools := summary["tool_arguments"]:
        said = [] if spoilt else [json.loads(line) for line in reply.text.split("\n")]
        assert said == ([] if spoilt else [json.loads(tool or "{}") for tool in tools])
    else:
        assert len(reply.text) == (0 if refused else summary["text_chars"])
    assert bool(reply.reasoning) is summary["reasoning"]
    assert reply.model == summary["model"]
    usage = summary.get("usage", {})
    if "input_tokens" in usage:
        read, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
        assert (reply.usage.cached_tokens, reply.usage.cache_write_tokens) == (read, written)
        assert reply.usage.prompt_tokens == usage["input_tokens"] + read + written
        assert reply.usage.completion_tokens == usage["output_tokens"]
        assert reply.usage.reasoning_tokens == usage.get("thinking_tokens", 0)
    elif usage:
        thought = usage.get("thoughtsTokenCount", 0)
        assert (reply.usage.prompt_tokens, reply.usage.reasoning_tokens) == (usage["promptTokenCount"], thought)
        assert reply.usage.completion_tokens == usage.get("candidatesTokenCount", 0) + thought
        assert reply.usage.cached_tokens == usage.get("cachedContentTokenCount", 0)
        assert reply.usage.total_tokens == usage["totalTokenCount"]


def check_error(row: Row, error: APIStatusError) -> None:
    summary, status = row.record["summary"], row.record["response"]["status"]
    key = "API key not valid" in summary["message"]
    assert type(error) is (AuthenticationError if key else KINDS[status])
    assert summary["message"] in error.message
    assert error.status_code == status
    if key or status == 401:
        assert error.reason is Reason.BAD_KEY
    if status == 404:
        assert error.reason is Reason.MODEL_NOT_FOUND
    if "retryDelay" in row.record["response"]["body"]:
        assert error.retry_after == 34.4
    if summary.get("request_id_in_body"):
        assert error.request_id
