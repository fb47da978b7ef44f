"""Chat completions on the wire: what a `Call` becomes, and what each answer is read as."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import (
    APIError,
    APIResponseError,
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    JSONValidateFailed,
    NotFoundError,
)
from assay.types import Call, Message, Mode, Params, Reply, Usage
from assay.wire.body import to_body
from assay.wire.errors import status_error
from assay.wire.events import looks_streamed
from assay.wire.openai_chat import ChatCompletions, decode
from assay.wire.openai_stream import ChatCollector
from assay.wire.reasons import GENERATION_CODES
from servers import completion_body, delta, error, events

MESSAGES = (Message("system", "Answer in JSON."), Message("user", "Ada", {"name": "u"}))
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def call(mode: Mode, **changes: Any) -> Call:
    return Call(MESSAGES, mode, "Person", SCHEMA, **changes)


def decode_stream(data: bytes, headers: dict[str, str], size: int = 0) -> Reply:
    """The reply in a whole stream, fed in pieces of `size` bytes."""
    collected = ChatCollector(headers)
    for at in range(0, len(data), size or len(data) or 1):
        list(collected.feed(data[at : at + (size or len(data))]))
    return collected.reply()


def body(made: Call, dialect: ChatCompletions | None = None, *, stream: bool = False) -> Any:
    return json.loads((dialect or ChatCompletions()).encode(made, "m", stream=stream))


# -- out -------------------------------------------------------------------------------------------------------------


def test_text_mode_sends_the_messages_and_no_constraint() -> None:
    assert body(call(Mode.TEXT)) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": "Ada", "name": "u"}],
        "temperature": 0.0,
    }


def test_json_mode_asks_for_an_object() -> None:
    assert body(call(Mode.JSON))["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("strict", [True, False])
def test_json_schema_mode_sends_the_schema(strict: bool) -> None:
    named = {"name": "Person", "schema": SCHEMA, "strict": strict}
    assert body(call(Mode.JSON_SCHEMA, strict=strict))["response_format"] == {"type": "json_schema", "json_schema": named}


def test_a_server_without_strict_is_not_sent_it() -> None:
    sent = body(call(Mode.JSON_SCHEMA, strict=True), ChatCompletions(strict=False))
    assert "strict" not in sent["response_format"]["json_schema"]


def test_tools_mode_forces_the_one_tool() -> None:
    sent = body(call(Mode.TOOLS))
    assert sent["tools"] == [{"type": "function", "function": {"name": "Person", "parameters": SCHEMA}}]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "Person"}}
    assert "response_format" not in sent


@pytest.mark.parametrize("mode", [Mode.JSON_SCHEMA, Mode.TOOLS])
def test_a_mode_that_sends_a_schema_needs_one(mode: Mode) -> None:
    with pytest.raises(ConfigurationError, match="schema"):
        ChatCompletions().encode(Call(MESSAGES, mode, "Person"), "m")


def test_every_setting_has_its_key() -> None:
    params = Params(0.5, 100, ("END",), 7, "low", {"top_p": 0.9, "user": "u"})
    dialect = ChatCompletions(max_tokens="max_completion_tokens")
    sent = body(call(Mode.TEXT, params=params), dialect, stream=True)
    assert {key: sent[key] for key in sent.keys() - {"model", "messages"}} == {
        "temperature": 0.5,
        "max_completion_tokens": 100,
        "stop": ["END"],
        "seed": 7,
        "reasoning_effort": "low",
        "stream": True,
        "stream_options": {"include_usage": True},
        "top_p": 0.9,
        "user": "u",
    }


def test_what_is_not_set_is_not_sent() -> None:
    sent = body(call(Mode.TEXT, params=Params(temperature=None)), stream=False)
    assert sent.keys() == {"model", "messages"}


def test_text_that_is_no_unicode_is_said_so() -> None:
    with pytest.raises(ConfigurationError, match="cannot be written as JSON"):
        ChatCompletions().encode(Call((Message("user", "\ud800"),), Mode.TEXT, "x"), "m")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_goes_out_as_it_is(text: str) -> None:
    made = Call((Message("user", text),), Mode.TEXT, "x")
    assert body(made)["messages"][0]["content"] == text
    assert ChatCompletions().encode(made, "m") == ChatCompletions().encode(made, "m")


# -- in --------------------------------------------------------------------------------------------------------------


def read(data: Any, **headers: str) -> Reply:
    return decode(to_body(data), {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_completion_is_read() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
        "queue_time": 0.1,
    }
    message = {"content": "{}", "reasoning": "hm", "refusal": None}
    reply = read(completion_body(None, message=message, usage=usage), x_request_id="req_1", x_ratelimit_remaining_tokens="5")
    assert (reply.text, reply.reasoning, reply.finish_reason, reply.model, reply.request_id) == (
        "{}",
        "hm",
        "stop",
        "test-model",
        "req_1",
    )
    assert reply.usage == Usage(9, 4, 3, 2, 13)
    assert reply.limits is not None
    assert reply.limits.remaining_tokens == 5


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({}, ""),
        ({"content": ""}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"content": {"name": "Ada"}}, '{"name":"Ada"}'),
        ({"content": None, "tool_calls": [{"function": {"name": "P", "arguments": '{"a": 1}'}}]}, '{"a": 1}'),
        ({"content": "hm", "tool_calls": [{"function": {"name": "P", "arguments": {"a": 1}}}]}, '{"a":1}'),
        ({"tool_calls": [{"function": {"arguments": "1"}}, {"function": {"arguments": "2"}}]}, "1\n2"),
        ({"tool_calls": [{"function": {"arguments": None}}]}, ""),
        ({"tool_calls": [{}]}, ""),
        ({"content": "x", "tool_calls": []}, "x"),
        ({"content": "x", "tool_calls": None}, "x"),
    ],
)
def test_the_text_of_a_message(message: Any, text: str) -> None:
    assert read(completion_body(None, message=message)).text == text


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls", None])
def test_why_it_ended_is_kept(reason: Any) -> None:
    assert read(completion_body("", finish_reason=reason)).finish_reason == reason


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": None}, {"prompt_tokens": "3"}, "x", {"prompt_tokens_details": 1}]
)
def test_a_usage_that_is_none_counts_nothing(usage: Any) -> None:
    assert read(completion_body("x", usage=usage)).usage == Usage()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "message", "content", "usage", "error", "tool_calls", "function", "arguments", "delta", "x_groq"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_no_answer_crashes_the_reader(value: Any) -> None:
    with contextlib.suppress(APIError):
        assert isinstance(read(value).text, str)


@given(json_values)
def test_no_message_crashes_the_reader(value: Any) -> None:
    try:
        reply = read(completion_body(None, message=value))
        assert isinstance(reply.text, str)
        assert reply.reasoning is None or isinstance(reply.reasoning, str)
    except APIResponseError:
        pass


@given(st.lists(json_values, max_size=4))
def test_no_stream_crashes_the_reader(chunks: list[Any]) -> None:
    with contextlib.suppress(APIError):
        assert isinstance(decode_stream(events(*chunks), {}).text, str)


@given(st.binary(max_size=40))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        decode(data, {})
    except APIError as raised:
        assert raised.code in {"empty_body", "invalid_utf8", "invalid_json", "not_json", "no_choices"}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(1, 5))
def test_a_stream_gives_the_text_that_a_whole_answer_gives(text: str, size: int) -> None:
    pieces = [delta(text[at : at + size]) for at in range(0, len(text), size)]
    streamed = decode_stream(events(*pieces, delta(finish_reason="stop")), {})
    assert streamed.text == read(completion_body(text)).text == text


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("ping", [b"event: ping\ndata:\n\n", b"data: \n\n", b": ping\n\n", b"event: ping\ndata: {}\n\n"])
def test_a_ping_ends_no_stream(ping: bytes, size: int) -> None:
    data = ping + events(delta("1"), done=False) + ping + events(delta("2"), delta(finish_reason="stop"))
    assert decode_stream(data, {}, size).text == "12"


@pytest.mark.parametrize(
    ("failed", "kind", "says"),
    [
        (
            {"finish_reason": "error", "error": {"code": 502, "message": "Provider returned error"}},
            InternalServerError,
            "Provider",
        ),
        ({"finish_reason": None, "error": {"message": "upstream: no credit", "code": 402}}, APIStatusError, "no credit"),
        ({"finish_reason": "error"}, APIResponseError, "finish_reason error"),
    ],
)
def test_an_error_inside_a_choice_is_an_error(failed: dict[str, Any], kind: type[APIError], says: str) -> None:
    whole = completion_body("")
    whole["choices"][0] |= failed
    with pytest.raises(kind, match=says):
        read(whole)
    piece = delta("{")
    piece["choices"][0] |= failed
    with pytest.raises(kind, match=says):
        decode_stream(events(delta("{"), piece), {})


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_an_answer_that_came_as_reasoning_is_the_answer(key: str) -> None:
    answers = [read(completion_body(None, message={"content": None, key: '{"a": 1}'}))]
    answers.append(decode_stream(events(delta(delta={key: '{"a"'}), delta(delta={key: ": 1}"}, finish_reason="stop")), {}))
    for reply in answers:
        assert reply.text == '{"a": 1}'
        assert "reasoning" in reply.notes[0]
    thought = read(completion_body("", message={"content": "", key: "Let me think of {}"}))
    assert (thought.text, thought.notes) == ("", ())


@pytest.mark.parametrize(
    ("word", "meaning"), [("max_tokens", "length"), ("MAX_TOKENS", "length"), ("end_turn", "stop"), ("eos", "stop")]
)
def test_other_servers_words_for_the_end(word: str, meaning: str) -> None:
    assert read(completion_body("", finish_reason=word)).finish_reason == meaning
    assert decode_stream(events(delta("", finish_reason=word)), {}).finish_reason == meaning


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(GENERATION_CODES))
def test_a_rejected_generation_keeps_what_was_written(code: str) -> None:
    raised = status_error(400, {}, to_body(error("Failed", code=code, failed_generation='{"a": ')))
    assert type(raised) is JSONValidateFailed
    assert (raised.code, raised.failed_generation, raised.status_code) == (code, '{"a": ', 400)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"error": {"message": "no", "code": 7}}', "418: no"),
        (b'[{"error": {"message": "no"}}]', "418: no"),
        (b'{"error": "no"}', "418: no"),
        (b'{"message": "no"}', "418: no"),
        (b'{"detail": "no"}', "418: no"),
        (b'{"object": "error"}', '418: {"object": "error"}'),
        (b"no", "418: the answer is not JSON (no content type): no"),
        (b"", "418: the answer has no body (no content type)"),
        (b"\xff\xfe", "418: the answer is not JSON"),
        (b"<script>x()</script><p>a\n b</p>", "418: the answer is not JSON (no content type): a b"),
    ],
)
def test_the_message_of_an_error_body(data: bytes, message: str) -> None:
    raised = status_error(418, {}, data)
    assert type(raised) is APIStatusError
    assert str(raised).startswith(message)


def test_an_error_keeps_the_answer() -> None:
    raised = status_error(404, {"x-request-id": "req_1"}, to_body(error("no", code="model_not_found", param="model")))
    assert isinstance(raised, NotFoundError)
    assert (raised.code, raised.param, raised.type, raised.request_id) == (
        "model_not_found",
        "model",
        "invalid_request_error",
        "req_1",
    )
    assert raised.body == raised.response.json()


# -- recorded traffic ------------------------------------------------------------------------------------------------

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "groq" / "recorded.jsonl"
RECORDS = [json.loads(line) for line in RECORDED.read_text().splitlines()] if RECORDED.exists() else []


@pytest.mark.skipif(not RECORDS, reason="the recordings are not here")
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_recorded_streams_replay(size: int) -> None:
    streams = [record for record in RECORDS if record["response"]["kind"] == "sse"]
    assert streams
    for record in streams:
        data = record["response"]["body"].encode()
        assert looks_streamed(data)
        collected = ChatCollector(record["response"]["headers"])
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        failure, text = None, ""
        try:
            for piece in pieces:
                for taken in collected.feed(piece):
                    text += taken.text
        except APIStatusError as raised:
            failure = raised
        if "event: error" in record["response"]["body"]:
            assert isinstance(failure, JSONValidateFailed)
            assert failure.failed_generation is not None
            continue
        reply = collected.reply()
        expected = said_in_stream(record["response"]["body"])
        assert reply.text == (expected["tools"] or expected["content"])
        assert reply.usage.total_tokens == expected["tokens"]
        assert reply.finish_reason is not None


def said_in_stream(body: str) -> dict[str, Any]:
    """What a recorded stream says, read in the plainest way."""
    chunks = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: {")]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk.get("choices")]
    tools: dict[int, str] = {}
    for piece in deltas:
        for made in piece.get("tool_calls") or []:
            tools[made["index"]] = tools.get(made["index"], "") + (made["function"].get("arguments") or "")
    usages = [chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") for chunk in chunks]
    return {
        "content": "".join(piece.get("content") or "" for piece in deltas),
        "tools": "\n".join(tools.values()),
        "tokens": next((usage["total_tokens"] for usage in reversed(usages) if usage), 0),
    }


@pytest.mark.skipif(not RECORDS, reason="the recordings are not here")
def test_recorded_answers_replay() -> None:
    answers = [record["response"] for record in RECORDS if record["response"]["kind"] == "json"]
    assert len(answers) > 100
    for answer in answers:
        whole = json.loads(answer["body"])
        message = whole["choices"][0]["message"]
        reply = decode(answer["body"].encode(), answer["headers"])
        tools = [made["function"]["arguments"] for made in message.get("tool_calls") or []]
        assert reply.text == ("\n".join(tools) if tools else message.get("content") or "")
        assert reply.finish_reason == whole["choices"][0]["finish_reason"]
        assert reply.reasoning == message.get("reasoning")
        assert reply.usage.total_tokens == whole["usage"]["total_tokens"]
        assert reply.model == whole["model"]


@pytest.mark.skipif(not RECORDS, reason="the recordings are not here")
def test_recorded_errors_replay() -> None:
    errors = [record["response"] for record in RECORDS if record["response"]["kind"] == "error-json"]
    assert len(errors) == 4
    for answer in errors:
        inner = json.loads(answer["body"])["error"]
        raised = status_error(answer["status"], answer["headers"], answer["body"].encode())
        assert (
            type(raised)
            is {400: JSONValidateFailed if inner.get("code") in GENERATION_CODES else BadRequestError, 404: NotFoundError}[
                answer["status"]
            ]
        )
        assert inner["message"] in str(raised)
        assert raised.code == inner.get("code")
        assert raised.failed_generation == inner.get("failed_generation")
