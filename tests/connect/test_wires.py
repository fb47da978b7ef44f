"""Extractions over each protocol, against servers that speak it: the request, the answer, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

import assay
from assay import Extractor
from assay.errors import (
    APIError,
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    ExtractionError,
    InternalServerError,
    RateLimitError,
    Reason,
)
from servers import EVENT_STREAM, LAST_CHUNK, Received, Server, Step, answer, chunked

TEXT = "Ada is 36."
ADA = {"name": "Ada", "age": 36}
IMAGE = "data:image/png;base64,iVBORw0KGgo="


class Person(BaseModel):
    name: str
    age: int | None = None


class Free(BaseModel):
    """What Anthropic's structured outputs cannot say."""

    notes: dict[str, str]


def sse(*events: Any) -> bytes:
    return b"".join(f"event: {event.get('type', 'message')}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


# -- servers that speak the protocols ------------------------------------------------------------------------------------


def anthropic(text: str = "", *, tool: Any = None, stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    block = {"type": "text", "text": text} if tool is None else {"type": "tool_use", "id": "t", "name": "Person", "input": tool}
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5}
    message = {"type": "message", "role": "assistant", "model": "claude-x", "content": [block], "stop_reason": stop}
    return {**message, "usage": usage, **more}


def anthropic_events(text: str, *, tool: bool = False) -> list[Any]:
    start = {"type": "tool_use", "id": "t", "name": "Person", "input": {}} if tool else {"type": "text", "text": ""}
    kind, key = ("input_json_delta", "partial_json") if tool else ("text_delta", "text")
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    return [
        {"type": "message_start", "message": {**anthropic(), "content": [], "stop_reason": None}},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "of_tomorrow", "content_block": {"type": "unknown"}},
        *[{"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: piece}} for piece in pieces],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use" if tool else "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def gemini(text: str = "", *, tool: Any = None, finish: str | None = "STOP") -> dict[str, Any]:
    part = {"text": text} if tool is None else {"functionCall": {"name": "Person", "args": tool}}
    usage = {"promptTokenCount": 17, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 22}
    candidate = {"content": {"role": "model", "parts": [part]}, **({"finishReason": finish} if finish else {})}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-x", "responseId": "r1"}


def gemini_events(text: str, *, tool: bool = False) -> list[Any]:
    if tool:
        return [gemini(tool=json.loads(text))]
    return [gemini(text[:7], finish=None), gemini(text[7:])]


def responses(text: str = "", *, tool: str | None = None, status: str = "completed", **more: Any) -> dict[str, Any]:
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    call = {"type": "function_call", "name": "Person", "call_id": "c", "arguments": tool}
    usage = {
        "input_tokens": 17,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 22,
    }
    output = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, message if tool is None else call]
    return {"id": "resp_1", "model": "gpt-x", "status": status, "error": None, "output": output, "usage": usage, **more}


def responses_events(text: str, *, tool: bool = False) -> list[Any]:
    kind = "response.function_call_arguments.delta" if tool else "response.output_text.delta"
    whole = responses(tool=text) if tool else responses(text)
    return [
        {"type": "response.created", "response": {"status": "in_progress"}},
        {"type": "response.of_tomorrow"},
        *[{"type": kind, "output_index": 1, "delta": text[at : at + 4]} for at in range(0, len(text), 4)],
        {"type": "response.completed", "response": whole},
    ]


@dataclass(frozen=True)
class Speaks:
    """A protocol: how a model is named, how a server answers."""

    model: str
    says: Callable[..., Any]
    streams: Callable[..., list[Any]]
    asked_to_stream: Callable[[Received], bool]
    forced: Callable[[Any], bool]

    def server(self, text: str) -> Server:
        def steps(request: Received) -> list[Step]:
            tool = self.forced(request.json)
            if self.asked_to_stream(request):
                return [EVENT_STREAM, chunked(sse(*self.streams(text, tool=tool))), LAST_CHUNK]
            said = {"tool": text if self.says is responses else json.loads(text)} if tool else {"text": text}
            return [answer(200, self.says(**said), {"request-id": "req_1", "x-request-id": "req_1"})]

        return Server(steps)


ANTHROPIC = Speaks(
    "anthropic/claude-sonnet-4-6",
    anthropic,
    anthropic_events,
    lambda r: bool(r.json.get("stream")),
    lambda body: "tools" in body,
)
GEMINI = Speaks(
    "google/gemini-2.5-flash", gemini, gemini_events, lambda r: "streamGenerateContent" in r.path, lambda body: "tools" in body
)
RESPONSES = Speaks(
    "openai-responses/gpt-4.1", responses, responses_events, lambda r: bool(r.json.get("stream")), lambda body: "tools" in body
)
ALL = pytest.mark.parametrize("speaks", [ANTHROPIC, GEMINI, RESPONSES], ids=["anthropic", "gemini", "responses"])
MODES = pytest.mark.parametrize("mode", ["auto", "json_schema", "tools", "text"])


@ALL
@MODES
def test_an_extraction_whole_awaited_and_streamed(speaks: Speaks, mode: str) -> None:
    with speaks.server(json.dumps(ADA)) as server:
        extractor = Extractor(Person, model=speaks.model, base_url=server.url, api_key="key-of-a-test", mode=mode)
        outcome = extractor.run(TEXT)
        awaited = asyncio.run(extractor.arun(TEXT))
        *partial, last = extractor.stream(TEXT)
        extractor.close()
    assert outcome.unwrap() == awaited.unwrap() == last.value == Person(name="Ada", age=36)
    assert last.outcome is not None
    assert outcome.usage == awaited.usage == last.outcome.usage
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens, outcome.usage.total_tokens) == (17, 5, 22)
    assert outcome.attempts[0].request_id
    assert len(outcome.attempts) == 1
    assert partial or speaks is GEMINI
    assert "36" not in server.received[0].path


@ALL
def test_a_re_ask_stands_alone(speaks: Speaks) -> None:
    """No tool call, and no answer of the model's, is sent back."""
    with speaks.server('{"name": "Ada", "age": "old"}') as server, pytest.raises(ExtractionError) as caught:
        assay.extract(Person, TEXT, model=speaks.model, base_url=server.url, api_key="k", retries=1)
    assert len(caught.value.attempts) == 2
    first, second = (request.body for request in server.received)
    assert first != second
    assert b'"assistant"' not in second
    assert b'"role":"model"' not in second


def test_what_anthropic_is_sent() -> None:
    with ANTHROPIC.server(json.dumps(ADA)) as server:
        source = [
            {"role": "user", "content": [{"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": IMAGE}}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
            {"role": "assistant", "content": "Noted."},
        ]
        Extractor(Person, model=ANTHROPIC.model, base_url=server.url, api_key="key-1", prompt_cache=True).run(source)
    (request,) = server.received
    assert request.path == "/v1/messages"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("key-1", "2026-10-21")
    assert "authorization" not in request.headers
    body = request.json
    assert "temperature" not in body
    assert body["max_tokens"] == 16_000
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][0]["content"]] == ["text", "image", "image"]
    assert body["messages"][0]["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    schema = body["output_config"]["format"]["schema"]
    assert schema["required"] == ["name"]
    assert schema["properties"]["age"] == {"type": "integer"}
    assert schema["additionalProperties"] is False


def test_what_gemini_is_sent() -> None:
    with GEMINI.server(json.dumps(ADA)) as server:
        assay.extract(Person, TEXT, model=GEMINI.model, base_url=server.url, api_key="key-1")
        assay.extract(Person, TEXT, model="google/gemini-3-pro", base_url=server.url, api_key="key-1", mode="json")
    first, second = server.received
    assert first.path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert first.headers["x-goog-api-key"] == "key-1"
    assert "key-1" not in first.path
    config = first.json["generationConfig"]
    assert (config["responseMimeType"], config["temperature"]) == ("application/json", 0)
    assert config["responseJsonSchema"]["properties"].keys() == {"name", "age"}
    assert second.json["generationConfig"] == {"responseMimeType": "application/json"}  # no temperature from Gemini 3 on


def test_what_responses_is_sent() -> None:
    with RESPONSES.server(json.dumps(ADA)) as server:
        assay.extract(Person, TEXT, model=RESPONSES.model, base_url=server.url, api_key="key-1", max_tokens=99)
    (request,) = server.received
    assert request.path == "/v1/responses"
    assert request.headers["authorization"] == "Bearer key-1"
    assert request.json["store"] is False
    assert request.json["max_output_tokens"] == 99
    assert request.json["text"]["format"]["strict"] is True
    assert request.json["input"][0]["content"][0]["type"] == "input_text"


def test_what_anthropic_cannot_enforce_goes_out_as_a_tool() -> None:
    with ANTHROPIC.server('{"notes": {"a": "b"}}') as server:
        value = assay.extract(Free, TEXT, model=ANTHROPIC.model, base_url=server.url, api_key="k")
    assert value.notes == {"a": "b"}
    assert server.received[0].json["tool_choice"] == {"type": "tool", "name": "Free", "disable_parallel_tool_use": True}


def test_other_parts_are_refused_before_anything_is_sent() -> None:
    source = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}]}]
    with ANTHROPIC.server("{}") as server, pytest.raises(ConfigurationError, match="input_audio"):
        assay.extract(Person, source, model=ANTHROPIC.model, base_url=server.url, api_key="k")
    assert not server.received


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def run(speaks: Speaks, *steps: Any, **options: Any) -> tuple[Any, Server]:
    with Server(*steps) as server:
        extractor = Extractor(
            Person, model=speaks.model, base_url=server.url, api_key="key-of-a-test", max_retries=0, **options
        )
        outcome = extractor.run(TEXT)
        extractor.close()
    return outcome, server


def refusal(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_9"}


@pytest.mark.parametrize(
    ("status", "kind", "error", "reason"),
    [
        (429, "rate_limit_error", RateLimitError, Reason.RATE_LIMIT),
        (529, "overloaded_error", InternalServerError, Reason.OVERLOADED),
        (402, "billing_error", APIStatusError, Reason.NO_CREDIT),
        (401, "authentication_error", AuthenticationError, Reason.BAD_KEY),
        (504, "timeout_error", InternalServerError, Reason.SERVER_ERROR),
    ],
)
def test_anthropics_refusals(status: int, kind: str, error: type[APIStatusError], reason: Reason) -> None:
    outcome, _ = run(ANTHROPIC, [answer(status, refusal(kind, "no: key-of-a-test"))])
    assert isinstance(outcome.error, error)
    assert (outcome.error.reason, outcome.error.status_code) == (reason, status)
    assert "key-of-a-test" not in str(outcome.error)
    inside = [EVENT_STREAM, chunked(sse(anthropic_events("{}")[0], refusal(kind, "no"))), LAST_CHUNK]
    with Server(inside) as server, pytest.raises(APIStatusError) as caught:
        list(Extractor(Person, model=ANTHROPIC.model, base_url=server.url, api_key="k", max_retries=0).stream(TEXT))
    assert (caught.value.status_code, caught.value.reason) == (status, reason)


def test_a_schema_that_is_too_large_to_compile_is_taken_as_a_tool() -> None:
    no = answer(400, refusal("invalid_request_error", "The compiled grammar is too large"))
    outcome, server = run(ANTHROPIC, [no], [answer(200, anthropic(tool=ADA, stop="tool_use"))])
    assert outcome.unwrap() == Person(name="Ada", age=36)
    assert "tools" in server.received[1].json
    assert "strict" not in server.received[1].json["tools"][0]


def test_a_token_limit_and_a_prompt_too_long_are_understood() -> None:
    no = answer(400, refusal("invalid_request_error", "max_tokens: 90000 > 64000, which is the maximum allowed number"))
    outcome, server = run(ANTHROPIC, [no], [answer(200, anthropic(json.dumps(ADA)))], max_tokens=90_000)
    assert outcome.ok
    assert server.received[1].json["max_tokens"] == 64_000
    long = answer(400, refusal("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"))
    outcome, _ = run(ANTHROPIC, [long])
    assert "too long" in str(outcome.error)
    assert isinstance(outcome.error, ConfigurationError)


REFUSED: list[tuple[Speaks, Any, str]] = [
    (ANTHROPIC, anthropic("half", stop="refusal", stop_details={"explanation": "Against the policy."}), "Against the policy."),
    (ANTHROPIC, {**anthropic(stop="refusal"), "content": []}, "refused"),
    (
        GEMINI,
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}},
        "PROHIBITED_CONTENT",
    ),
    (GEMINI, gemini("half", finish="SAFETY"), "SAFETY"),
    (
        RESPONSES,
        responses(output=[{"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}]),
        "I will not.",
    ),
]


@pytest.mark.parametrize(("speaks", "said", "why"), REFUSED)
def test_a_refusal_is_said_and_never_a_value(speaks: Speaks, said: Any, why: str) -> None:
    outcome, _ = run(speaks, [answer(200, said)], retries=0)
    assert isinstance(outcome.error, ExtractionError)
    assert outcome.problems[0].kind == "refusal"
    assert why in str(outcome.error)


def test_what_a_filter_stopped_is_not_asked_again() -> None:
    outcome, server = run(ANTHROPIC, [answer(200, {**anthropic(stop="refusal"), "content": []})], retries=2)
    assert isinstance(outcome.error, ExtractionError)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [("server_error", InternalServerError), ("rate_limit_exceeded", RateLimitError), ("odd", APIResponseError)],
)
def test_responses_may_fail_inside_a_200(code: str, kind: type[APIError]) -> None:
    failed = responses(status="failed", output=[], error={"code": code, "message": "it broke"})
    outcome, _ = run(RESPONSES, [answer(200, failed)])
    assert type(outcome.error) is kind
    events = [*responses_events("{}")[:2], {"type": "response.failed", "response": failed}]
    with Server([EVENT_STREAM, chunked(sse(*events)), LAST_CHUNK]) as server, pytest.raises(kind, match="it broke"):
        list(Extractor(Person, model=RESPONSES.model, base_url=server.url, api_key="k", max_retries=0).stream(TEXT))


@pytest.mark.parametrize(
    ("details", "kind"), [({"reason": "max_output_tokens"}, "truncated"), ({"reason": "content_filter"}, "empty")]
)
def test_responses_that_are_incomplete(details: Any, kind: str) -> None:
    outcome, _ = run(RESPONSES, [answer(200, responses("", status="incomplete", incomplete_details=details))], retries=0)
    assert outcome.problems[0].kind == kind


@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_spoilt_end_of_gemini_is_asked_again(finish: str) -> None:
    outcome, server = run(GEMINI, [answer(200, gemini(tool={}, finish=finish))], [answer(200, gemini(json.dumps(ADA)))])
    assert outcome.unwrap() == Person(name="Ada", age=36)
    assert len(server.received) == 2


@ALL
def test_a_stream_that_is_cut_anywhere_is_never_a_value(speaks: Speaks) -> None:
    """Up to the event that says why the answer ended."""
    whole = sse(*speaks.streams(json.dumps(ADA)))
    ends = {ANTHROPIC.model: b"event: message_delta", GEMINI.model: b'"STOP"', RESPONSES.model: b"event: response.completed"}
    last = whole.rindex(ends[speaks.model])
    for at in range(0, last, 37):
        with Server([EVENT_STREAM, chunked(whole[:at]), LAST_CHUNK] if at else [EVENT_STREAM, LAST_CHUNK]) as server:
            extractor = Extractor(Person, model=speaks.model, base_url=server.url, api_key="k", max_retries=0)
            with pytest.raises(APIResponseError) as caught:
                list(extractor.stream(TEXT))
            extractor.close()
        assert caught.value.code == "stream_cut"


# -- where a model is ----------------------------------------------------------------------------------------------------


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AWS_REGION", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def where(model: str, **options: Any) -> tuple[str, str, str | None]:
    connection = Extractor(Person, model=model, **options).connection
    request = connection.endpoint.request(connection.endpoint.wire.path(connection.model, stream=False), b"")
    return connection.provider, request.url, connection.endpoint.api_key


@pytest.mark.usefixtures("_bare")
def test_azure_by_its_variable_and_by_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        where("azure/my-deployment", api_key="k")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "key-of-azure")
    url = "https://res.openai.azure.com/openai/v1/chat/completions"
    assert where("my-deployment", base_url="https://res.openai.azure.com") == ("azure", url, "key-of-azure")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://res.openai.azure.com/")
    assert where("azure/my-gpt-5-mini") == ("azure", url, "key-of-azure")
    for elsewhere in ("https://res.openai.azure.com.evil.example/openai/v1", "https://evil.example/x.openai.azure.com"):
        assert where("d", base_url=elsewhere)[0::2] == ("openai-compatible", None)


@pytest.mark.usefixtures("_bare")
def test_the_other_hosts_of_anthropics_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    foundry = where("claude-x", base_url="https://res.services.ai.azure.com/anthropic", api_key="k")
    assert foundry[:2] == ("azure-anthropic", "https://res.services.ai.azure.com/anthropic/v1/messages")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    bedrock = where("bedrock-anthropic/anthropic.claude-x", api_key="k")
    assert bedrock[1] == "https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages"
    assert where("anthropic/claude-x", base_url="http://127.0.0.1:9/v1", api_key="k")[1] == "http://127.0.0.1:9/v1/messages"
    assert where("anthropic/claude-x", base_url="https://openrouter.ai/api/v1", api_key="k")[0] == "openrouter"


@pytest.mark.usefixtures("_bare")
def test_googles_two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "key-two")
    assert where("google/gemini-2.5-flash")[2] == "key-two"
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")
    assert where("google/gemini-2.5-flash")[2] == "key-one"


def test_models_that_are_asked_in_another_protocol() -> None:
    assert where("openai/gpt-5-pro", api_key="k")[1] == "https://api.openai.com/v1/responses"
    assert where("openai/gpt-5", api_key="k")[1] == "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize("model", ["gpt-5-mini", "gpt-6", "gpt-6.5-turbo", "gpt-10", "o4-mini"])
def test_reasoning_models_get_no_temperature(model: str) -> None:
    profile = Extractor(Person, model=f"openai/{model}", api_key="k").connection.profile
    assert (profile.reasoning, profile.temperature) == (True, False)
    assert Extractor(Person, model="openai/gpt-4.1", api_key="k").connection.profile.temperature
    assert not Extractor(Person, model="gemini/gemini-3-pro", api_key="k").connection.profile.temperature
