"""What the clients promise beyond the groq package: early errors, typed failures, limits, logs, no key shown."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from groq.types.chat.completion_create_params import CompletionCreateParams

import groq
from api_server import (
    ERROR,
    EVENT_STREAM,
    Answer,
    Asked,
    api_server,
    as_json,
    as_stream,
    chat,
    chunk,
    completion,
    events,
    hello_stream,
)
from assay.errors import (
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    JSONValidateFailed,
    RateLimitError,
)
from assay.groq import NOT_GIVEN, AsyncGroq, Groq
from assay.groq.chat_types import ChatCompletion
from assay.groq.settings import complete
from assay.types import RateLimits

KEY = "gsk_verysecret"
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}

Does = Callable[..., Any]
"""`client.chat.completions.create`, blocking: of a Groq, or of an AsyncGroq run to its end."""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GROQ_API_KEY", "GROQ_BASE_URL", "GROQ_CUSTOM_HEADERS", "GROQ_LOG"):
        monkeypatch.delenv(name, raising=False)


def sync_ask(url: str, options: dict[str, Any], **params: Any) -> Any:
    with Groq(api_key=KEY, base_url=url, **options) as client:
        answer = client.chat.completions.create(**{**ASK, **params})
        return list(answer) if params.get("stream") else answer


def async_ask(url: str, options: dict[str, Any], **params: Any) -> Any:
    async def run() -> Any:
        async with AsyncGroq(api_key=KEY, base_url=url, **options) as client:
            answer = await client.chat.completions.create(**{**ASK, **params})
            return [item async for item in answer] if params.get("stream") else answer

    return asyncio.run(run())


both = pytest.mark.parametrize("ask", [sync_ask, async_ask], ids=["sync", "async"])


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_every_parameter_of_the_groq_package_is_known() -> None:
    theirs = set(CompletionCreateParams.__annotations__)
    assert len(theirs) == 35
    for client in (Groq(api_key=KEY), AsyncGroq(api_key=KEY)):
        parameters = inspect.signature(client.chat.completions.create).parameters
        assert parameters.keys() == theirs | {"extra_headers", "extra_query", "extra_body", "timeout"}
        assert [name for name, one in parameters.items() if one.default is one.empty] == ["messages", "model"]
    assert inspect.iscoroutinefunction(client.chat.completions.create)


@both
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperatur": 1}, "did you mean 'temperature'"),
        ({"zzzzzz": 1}, "extra_body"),
        ({"model": NOT_GIVEN}, "needs 'model'"),
        ({"messages": "hi"}, "list of messages"),
    ],
)
def test_wrong_parameters_are_named_before_anything_is_sent(ask: Does, params: dict[str, Any], message: str) -> None:
    with api_server(chat) as server:
        with pytest.raises(TypeError, match=message):
            ask(server.url, {}, **params)
        assert not server.asked


@both
def test_what_is_no_json_is_a_clear_error(ask: Does) -> None:
    for params in ({"seed": float("nan")}, {"user": "\ud800"}):
        with pytest.raises(ConfigurationError, match="cannot be written as JSON"):
            ask("http://127.0.0.1:9", {}, **params)
    with pytest.raises(TypeError, match="object is not JSON"):
        ask("http://127.0.0.1:9", {}, metadata={"a": object()})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_key": None}, "GROQ_API_KEY"),
        ({"api_key": ""}, "GROQ_API_KEY"),
        ({"base_url": "localhost:8000"}, "http://"),
        ({"timeout": -1}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": None}, "max_retries"),
        ({"http_client": object()}, "httpx"),
    ],
)
def test_wrong_settings_are_named(options: dict[str, Any], message: str) -> None:
    for kind in (Groq, AsyncGroq):
        with pytest.raises(ConfigurationError, match=message):
            kind(**{"api_key": KEY, **options})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/openai/v1/", "https://api.groq.com/openai/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("https://proxy.example/groq", "https://proxy.example/groq/openai/v1"),
    ],
)
def test_base_urls(given: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete(given) == url
    assert Groq(api_key=KEY, base_url=httpx.URL(given)).base_url == url
    monkeypatch.setenv("GROQ_BASE_URL", given)
    assert AsyncGroq(api_key=KEY).base_url == url


def test_headers_and_query_are_layered() -> None:
    with api_server(chat) as server, Groq(api_key=KEY, base_url=server.url, default_headers={"X-A": "1", "X-B": "1"}) as client:
        other = client.with_options(default_headers={"x-b": "2"}, default_query={"tags": ["a", "b"], "on": True})
        other.chat.completions.create(**ASK, extra_headers={"X-C": "3", "X-A": NOT_GIVEN})  # type: ignore[dict-item]
        asked = server.asked[0]
        assert [asked.headers[name] for name in ("x-a", "x-b", "x-c")] == [None, "2", "3"]
        assert asked.path == "/openai/v1/chat/completions?tags=a%2Cb&on=true"
        fresh = other.copy(set_default_headers={}, set_default_query={}, api_key="other")
        fresh.chat.completions.create(**ASK)
        assert [server.asked[1].headers[name] for name in ("x-a", "x-b", "authorization")] == [None, None, "Bearer other"]
        with pytest.raises(TypeError, match="did you mean 'max_retries'"):
            client.with_options(max_retry=1)  # type: ignore[call-arg]


def test_calls_without_a_name() -> None:
    answers = [as_json({"a": 1}), Answer(b""), as_json(completion()), Answer("ü".encode()), as_json(ERROR, 404)]
    with api_server(lambda _: answers.pop(0)) as server, Groq(api_key=KEY, base_url=server.url) as client:
        assert client.post("/openai/v1/responses", body={"x": 1}, extra_query={"q": 2}) == {"a": 1}
        assert client.delete("things/1") is None
        assert client.get("/things", cast_to=ChatCompletion).id == "chatcmpl-1"
        assert client.put("/things", cast_to=str, body={}) == "ü"
        with pytest.raises(APIStatusError, match="boom"):
            client.get("/nowhere")
        assert [(one.method, one.path) for one in server.asked] == [
            ("POST", "/openai/v1/responses?q=2"),
            ("DELETE", "/things/1"),
            ("GET", "/things"),
            ("PUT", "/things"),
            ("GET", "/nowhere"),
        ]
        with pytest.raises(TypeError, match="did you mean 'extra_query'"):
            client.get("/things", extra_qery={})  # type: ignore[call-arg]


def test_an_answer_may_be_sent_back() -> None:
    with api_server(chat) as server, Groq(api_key=KEY, base_url=server.url) as client:
        message = client.chat.completions.create(**ASK).choices[0].message
        client.chat.completions.create(messages=[message], model="m")
        assert server.asked[1].json()["messages"] == [{"role": "assistant", "content": "Hello!"}]


# -- what comes back -----------------------------------------------------------------------------------------------------

STRANGE = {
    "id": 7,
    "choices": [
        {"index": 0, "finish_reason": "brand_new", "message": {"role": "assistant", "content": ["part"], "new": {"a": 1}}}
    ],
    "usage": None,
    "usage_breakdown": {"models": None},
}


@both
@pytest.mark.parametrize("body", [STRANGE, {**completion(), "created": 1.5}, {**completion(), "x_groq": "text"}])
def test_an_answer_of_unforeseen_shape_is_kept_as_it_came(ask: Does, body: dict[str, Any]) -> None:
    with api_server(lambda _: as_json(body)) as server:
        answer = ask(server.url, {})
    assert isinstance(answer, ChatCompletion)
    assert answer.to_dict() == body
    assert answer.choices[0].message.role == "assistant"
    assert pickle.loads(pickle.dumps(answer)).to_dict() == body


def test_rate_limits_are_a_value() -> None:
    headers = {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "172ms",
    }
    with api_server(lambda _: as_json(completion(), **headers)) as server, Groq(api_key=KEY, base_url=server.url) as client:
        raw = client.chat.completions.with_raw_response.create(**ASK)
    assert raw.rate_limits == RateLimits(14400, 18000, 14370, 17997, pytest.approx(179.56), pytest.approx(0.172))


@both
@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (as_json(ERROR), APIResponseError, "boom"),
        (as_json({**completion(), "choices": []}), APIResponseError, "no choices"),
        (as_json([1]), APIResponseError, "list"),
        (Answer(b"<html><b>Sign in</b>", headers={"content-type": "text/html"}), APIResponseError, "Sign in"),
        (Answer(b""), APIResponseError, "no body"),
        (Answer(b'{"id": "x'), APIResponseError, "cut off or broken"),
        (as_json({"error": {"message": "late", "code": "rate_limit_exceeded"}}), RateLimitError, "late"),
    ],
)
def test_a_200_that_is_no_answer(ask: Does, answer: Answer, kind: type[APIError], message: str) -> None:
    headers = {**answer.headers, "x-request-id": "req_9"}
    with api_server(lambda _: Answer(answer.body, 200, headers)) as server, pytest.raises(kind, match=message) as caught:
        ask(server.url, {"max_retries": 0})
    assert caught.value.request_id == "req_9"
    assert caught.value.response is not None and caught.value.response.status_code in {200, 429}
    assert KEY not in repr(caught.value) + str(vars(caught.value))


@both
def test_a_body_that_was_spoilt_on_its_way_is_asked_for_again(ask: Does) -> None:
    answers = [Answer(b'{"id": "chatc'), as_json(completion())]
    with api_server(lambda _: answers.pop(0)) as server:
        assert ask(server.url, {"max_retries": 1}).id == "chatcmpl-1"
        assert server.asked[0].body == server.asked[1].body


@both
@pytest.mark.parametrize("status", [408, 409, 429, 498, 500, 503])
def test_what_passes_is_retried(ask: Does, status: int) -> None:
    answers = [as_json(ERROR, status, retry_after_ms="5"), chat]
    with api_server(lambda asked: answers.pop(0) if len(answers) > 1 else chat(asked)) as server:
        assert ask(server.url, {}).id == "chatcmpl-1"
        assert len(server.asked) == 2


@both
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_stays_is_not_retried(ask: Does, status: int) -> None:
    with api_server(lambda _: as_json(ERROR, status, x_request_id="req_9")) as server:
        with pytest.raises(APIStatusError) as caught:
            ask(server.url, {})
        assert len(server.asked) == 1
    error = caught.value
    assert (error.status_code, error.type, error.request_id) == (status, "invalid_request_error", "req_9")
    assert error.response.headers["Content-Type"] == "application/json"
    assert KEY not in repr(error) + str(vars(error)) + repr(pickle.loads(pickle.dumps(error)))


@both
def test_a_failed_generation_is_in_the_error(ask: Does) -> None:
    failed = {
        "message": "Failed to generate JSON",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": "{",
    }
    with api_server(lambda _: as_json({"error": failed}, 400)) as server, pytest.raises(JSONValidateFailed) as caught:
        ask(server.url, {})
    assert isinstance(caught.value, BadRequestError)
    assert (caught.value.code, caught.value.failed_generation) == ("json_validate_failed", "{")


@both
def test_a_timeout_of_one_call(ask: Does) -> None:
    import time

    def slow(asked: Asked) -> Answer:
        time.sleep(0.5)
        return chat(asked)

    with api_server(slow) as server, pytest.raises(APITimeoutError, match=r"0\.1 s"):
        ask(server.url, {"max_retries": 0}, timeout=0.1)


# -- streams ---------------------------------------------------------------------------------------------------------------

CUT = events(chunk({"content": "half"}), done=False)
STOPPED = events(chunk({"content": "half"}), chunk({}, x_groq={"id": "req_5", "error": "out of memory"}), done=False)
FAILED = (*CUT, b'data: {"error": {"message": "boom", "type": "server_error", "status_code": 503}}\n\n')
BROKEN = (*CUT, b"data: {oops\n\n", *events(chunk({"content": "more"}, "stop")))


@both
@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (as_stream(CUT), APIResponseError, "cut off"),
        (as_stream(STOPPED), APIResponseError, "out of memory"),
        (as_stream(FAILED), InternalServerError, "boom"),
        (as_stream(BROKEN), APIResponseError, "broken"),
        (as_stream((b": ping\n\n",)), APIResponseError, "cut off"),
        (as_json(completion()), APIResponseError, "application/json"),
        (as_json(ERROR, 400), BadRequestError, "boom"),
        (Answer(b"<html>Sign in", headers={"content-type": "text/html"}), APIResponseError, "Sign in"),
    ],
)
def test_a_stream_that_fails(ask: Does, answer: Answer, kind: type[APIError], message: str) -> None:
    with api_server(lambda _: answer) as server, pytest.raises(kind, match=message):
        ask(server.url, {"max_retries": 0}, stream=True)


@both
def test_a_finished_stream_needs_no_done(ask: Does) -> None:
    pieces = events(chunk({"content": "a"}), chunk({}, "stop"), done=False)
    with api_server(lambda _: as_stream(pieces)) as server:
        assert [one.choices[0].delta.content for one in ask(server.url, {}, stream=True)] == ["a", None]


@both
def test_what_comes_after_done_is_no_matter(ask: Does) -> None:
    with api_server(lambda _: as_stream((*hello_stream(), b"data: {oops\n\n"))) as server:
        assert len(ask(server.url, {}, stream=True)) == 5


@pytest.mark.parametrize("size", [1, 2, 3, 10_000])
def test_a_stream_is_the_same_however_it_is_cut(size: int) -> None:
    body = b"".join(hello_stream())
    pieces = tuple(body[at : at + size] for at in range(0, len(body), size))
    with api_server(lambda _: as_stream(pieces)) as server:
        texts = [one.choices[0].delta.content for one in sync_ask(server.url, {}, stream=True)]
    assert texts == ["", "Hello", ", ", "wörld", None]


def test_chunks_before_an_error_are_not_lost() -> None:
    seen: list[str | None] = []
    body = b"".join(FAILED)
    with api_server(lambda _: Answer(body, headers=EVENT_STREAM)) as server, Groq(api_key=KEY, base_url=server.url) as client:
        stream = client.chat.completions.create(**ASK, stream=True)
        seen.append(next(stream).choices[0].delta.content)
        with pytest.raises(InternalServerError):
            next(stream)
    assert seen == ["half"]


# -- what is shown -----------------------------------------------------------------------------------------------------------


def test_no_key_is_shown(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_LOG", "debug")
    with api_server(chat) as server, Groq(api_key=KEY, base_url=server.url, default_headers={"X-Key": KEY}) as client:
        with caplog.at_level(logging.DEBUG):
            raw = client.chat.completions.with_raw_response.create(**ASK)
            stream = client.chat.completions.create(**ASK, stream=True)
            list(stream)
        shown = "".join(map(repr, (client, client.settings, client.chat.completions, client.way, raw, raw.headers, stream)))
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("assay")]
    logging.getLogger("assay").setLevel(logging.NOTSET)
    assert any("POST" in line and "200" in line for line in logged)
    assert any('"role":"user"' in line for line in logged), "debug shows what is sent"
    assert KEY not in shown + "".join(logged)


def test_answers_cost_less_to_read_than_the_groq_packages() -> None:
    """Not a matter of time: our objects are built in one call of compiled code, which the profiler sees as few calls."""
    import cProfile
    import pstats

    from groq._models import construct_type

    from assay.groq.operations import read_completion

    body = json.dumps(completion()).encode()
    read_completion(body, {})

    def calls(read: Callable[[], Any]) -> int:
        profile = cProfile.Profile()
        profile.runcall(read)
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    theirs = calls(lambda: construct_type(value=json.loads(body), type_=groq.types.chat.ChatCompletion))
    assert calls(lambda: read_completion(body, {})) < theirs / 20
