"""What programs written for the groq package use besides its calls: names, raw responses, errors, timeouts, settings."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import subprocess
import sys
import time
from typing import Any

import httpx
import pydantic
import pytest

import assay
import groq as theirs
from api_server import Answer, api_server, as_json, as_stream, chunk, completion, events
from assay import AsyncGroq, Groq, groq
from servers import Server

KEY = "gsk_0123456789abcdef"
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
INVALID = {"error": {"message": "Invalid API Key", "type": "invalid_request_error", "code": "no"}}


def client(url: str, **options: Any) -> Groq:
    return Groq(api_key=KEY, base_url=url, **{"max_retries": 0, **options})


# -- names ---------------------------------------------------------------------------------------------------------------


def test_every_name_of_the_package_is_here() -> None:
    names = {name for name in theirs.__all__ if not name.startswith("_")} - {"types"}
    assert not [name for name in sorted(names) if not hasattr(groq, name)]
    assert isinstance(groq.DEFAULT_TIMEOUT, httpx.Timeout)
    assert groq.Timeout is assay.Timeout is httpx.Timeout
    for name in ("GroqError", "NOT_GIVEN", "Omit", "Stream", "AsyncStream", "APIResponseValidationError", "DefaultHttpxClient"):
        assert getattr(assay, name) is getattr(groq, name)
    assert issubclass(groq.APIConnectionError, groq.GroqError)


def test_httpx_is_not_loaded_for_the_names() -> None:
    script = "import sys, assay; from assay import Groq, GroqError, NOT_GIVEN, Omit, Stream; assert 'httpx' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_what_stands_for_nothing_is_not_sent() -> None:
    with api_server(lambda _: as_json(completion())) as server, client(server.url) as one:
        one.chat.completions.create(**ASK, temperature=groq.NOT_GIVEN, stop=groq.omit, seed=groq.Omit(), timeout=groq.not_given)
        one.with_options(default_headers={"X-A": "1"}).models.list(extra_headers={"X-A": groq.Omit()})
    assert server.asked[0].json() == ASK
    assert server.asked[1].headers["x-a"] is None


# -- raw responses ---------------------------------------------------------------------------------------------------------


def test_a_raw_response_says_how_it_was_got() -> None:
    answers = [Answer(b"", 500), Answer(b"", 503), as_json(completion())]
    with api_server(lambda _: answers.pop(0)) as server, client(server.url, max_retries=4) as one:
        raw = one.chat.completions.with_raw_response.create(**ASK)
    assert (raw.retries_taken, raw.status_code, raw.method, raw.http_version) == (2, 200, "POST", "HTTP/1.1")
    assert raw.url == httpx.URL(f"{server.url}/openai/v1/chat/completions")
    assert isinstance(raw.http_request, httpx.Request)
    assert json.loads(raw.http_request.content) == ASK
    assert KEY not in repr(raw.http_request.headers.raw)
    assert isinstance(raw.http_response, httpx.Response)
    assert raw.http_response.json() == raw.json()
    assert raw.http_response.request.url == raw.url
    assert raw.elapsed.total_seconds() > 0
    assert raw.parse().choices[0].message.content
    assert raw.parse(to=dict)["model"]


def test_a_streamed_response_says_it_too() -> None:
    with (
        api_server(lambda _: as_json(completion())) as server,
        client(server.url) as one,
        one.chat.completions.with_streaming_response.create(**ASK) as raw,
    ):
        assert (raw.retries_taken, raw.url.path) == (0, "/openai/v1/chat/completions")
        assert raw.parse().id


# -- errors --------------------------------------------------------------------------------------------------------------


def failure(answer: Answer, **options: Any) -> Any:
    with api_server(lambda _: answer) as server, client(server.url, **options) as one, pytest.raises(groq.GroqError) as caught:
        one.chat.completions.create(**ASK)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (404, "NotFoundError"),
        (429, "RateLimitError"),
        (503, "InternalServerError"),
    ],
)
def test_an_error_has_httpxs_request_and_response(status: int, kind: str) -> None:
    error = failure(as_json(INVALID, status, **{"x-request-id": "r-1"}))
    assert type(error) is getattr(groq, kind)
    assert str(error).startswith(f"Error code: {status} - ")
    assert "Invalid API Key" in error.message
    for one in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert isinstance(one.response, httpx.Response)
        assert (one.response.status_code, one.status_code, one.response.json()) == (status, status, INVALID)
        assert one.response.headers["X-Request-Id"] == "r-1"
        assert isinstance(one.request, httpx.Request)
        assert one.request.url.path == "/openai/v1/chat/completions"
        assert one.body == INVALID
        with pytest.raises(httpx.HTTPStatusError):
            one.response.raise_for_status()
        assert KEY not in repr(vars(one)) + repr(one.request.headers.raw) + repr(one.response.headers.raw)
    with pytest.raises(AttributeError, match="nothing"):
        error.nothing  # noqa: B018


def test_a_connection_error_has_its_request_and_cause() -> None:
    for http_client in (None, httpx.Client()):
        with pytest.raises(groq.APIConnectionError) as caught:
            client("http://127.0.0.1:1", http_client=http_client).models.list()
        assert caught.value.request.url.path == "/openai/v1/models"
        cause = caught.value.__cause__
        assert cause is not None
        while cause is not None:  # whose variables hold the key
            assert cause.__traceback__ is None
            cause = cause.__cause__ or cause.__context__


def test_a_transports_runtime_error_is_a_connection_error() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("oops")

    with (
        httpx.Client(transport=httpx.MockTransport(broken)) as http,
        pytest.raises(groq.APIConnectionError, match="oops") as caught,
    ):
        client("http://model.invalid", http_client=http).models.list()
    assert isinstance(caught.value.__cause__, RuntimeError)


ECHOES = {
    "status": as_json({"error": {"message": f"no such key {KEY}"}}, 401, **{"x-request-id": KEY}),
    "error in a 200": as_json({"error": {"message": f"key {KEY}"}}),
    "page": Answer(f"<p>{KEY}</p>".encode(), headers={"content-type": "text/html"}),
    "cut": Answer(b'{"id": "' + KEY.encode()),
}
STREAMED = {
    "event": as_stream((b"event: error\ndata: " + json.dumps({"error": {"message": KEY}}).encode() + b"\n\n",)),
    "data": as_stream(events({"error": {"message": KEY}})),
    "x_groq": as_stream(events({**chunk({}), "x_groq": {"error": KEY}})),
    "no JSON": as_stream((f"data: {{{KEY}\n\n".encode(),)),
    "page": Answer(f"<p>{KEY}</p>".encode(), headers={"content-type": "text/html"}),
}


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("raw", [False, True])
def test_no_error_shows_a_key_that_is_echoed(answer: Answer, raw: bool) -> None:
    with api_server(lambda _: answer) as server, client(server.url) as one, pytest.raises(groq.GroqError) as caught:
        if raw:
            one.chat.completions.with_raw_response.create(**ASK).parse()
        one.chat.completions.create(**ASK)
    assert KEY not in str(caught.value) + repr(vars(caught.value)) + repr(pickle.loads(pickle.dumps(caught.value)).__dict__)


@pytest.mark.parametrize("answer", STREAMED.values(), ids=STREAMED)
def test_nor_does_one_in_a_stream(answer: Answer) -> None:
    with api_server(lambda _: answer) as server, client(server.url) as one, pytest.raises(groq.GroqError) as caught:
        list(one.chat.completions.create(**ASK, stream=True))
    assert KEY not in str(caught.value) + repr(vars(caught.value)) + repr(pickle.loads(pickle.dumps(caught.value)).__dict__)
    assert caught.value.request.method == "POST"


def test_a_page_in_place_of_json_names_its_status_and_type() -> None:
    page = Answer(b"<html>Sign in", headers={"content-type": "text/html"})
    assert "200 (text/html): the answer is not JSON: Sign in" in str(failure(page))


def test_bad_json_in_a_stream_is_shown() -> None:
    broken = as_stream((b"data: {oops\n\n",))
    shown = pytest.raises(groq.APIResponseValidationError, match=r"event 1 of the stream.*\{oops")
    with api_server(lambda _: broken) as server, client(server.url) as one, shown:
        list(one.chat.completions.create(**ASK, stream=True))


# -- settings --------------------------------------------------------------------------------------------------------------


def test_settings_that_can_be_looked_at_and_set() -> None:
    with api_server(lambda _: as_json({"object": "list", "data": []})) as server:
        one = client("http://127.0.0.1:1", default_headers={"X-A": "1"}, default_query={"q": "1"})
        assert (one.default_headers["x-a"], one.default_query["q"], one.is_closed()) == ("1", "1", False)
        one.base_url = httpx.URL(server.url)
        one.models.list()
        assert one.with_options(max_retries=3).base_url == one.base_url
        with one as same:
            assert not same.is_closed()
        assert one.is_closed()
    with pytest.raises(ValueError, match="default_headers"):
        one.copy(default_headers={"a": "b"}, set_default_headers={})


async def _closes(one: AsyncGroq) -> bool:
    async with one:
        before = one.is_closed()
    return not before and one.is_closed()


def test_an_awaited_client_closes_too() -> None:
    import asyncio

    assert asyncio.run(_closes(AsyncGroq(api_key=KEY)))


def test_an_httpx_timeout_counts_in_all_its_parts() -> None:
    timeout = httpx.Timeout(9, connect=2, read=0.3)
    with Server([5.0]) as server:
        for http_client in (None, httpx.Client()):
            one = client(server.url, timeout=timeout, http_client=http_client)
            assert one.timeout == timeout
            started = time.monotonic()
            with pytest.raises(groq.APITimeoutError, match="read timeout"):
                one.chat.completions.create(**ASK)
            assert time.monotonic() - started < 1.9


def test_the_timeout_of_an_httpx_client_counts_where_none_is_given() -> None:
    assert Groq(api_key=KEY, http_client=httpx.Client(timeout=7)).timeout == httpx.Timeout(7)
    assert Groq(api_key=KEY, http_client=httpx.Client()).timeout == 60.0
    assert Groq(api_key=KEY, http_client=httpx.Client(timeout=7), timeout=3).timeout == 3.0


# -- other calls -----------------------------------------------------------------------------------------------------------


class Thing(pydantic.BaseModel):
    name: str


class Other(pydantic.BaseModel):
    size: int


def test_calls_by_path() -> None:
    bodies: list[Any] = [{"name": "a"}, {"name": "a"}, {"size": 1}, {"name": 5}, {"a": 1}, {"a": 1}]
    with api_server(lambda _: as_json(bodies.pop(0))) as server, client(server.url) as one:
        assert one.get("/foo", cast_to=httpx.Response).json() == {"name": "a"}
        assert one.get("/foo?beta=true", cast_to=Thing, options={"params": {"limit": 10}, "headers": {"X-B": "2"}}).name == "a"
        assert one.get("/openai/v1/foo", cast_to=Thing | Other) == Other(size=1)
        with pytest.raises(groq.APIResponseValidationError) as caught:
            one.get("/foo", cast_to=Thing)
        assert isinstance(caught.value.__cause__, pydantic.ValidationError)
        one.post("/upload", content=b"raw", options={"headers": {"content-type": "application/octet-stream"}}, cast_to=object)
        one.get(f"{server.url}/whole", cast_to=object)
        with pytest.raises(assay.ConfigurationError, match="is not on this client's server"):
            one.get("https://elsewhere.invalid/foo", cast_to=object)
    assert [asked.path for asked in server.asked] == [
        "/foo",
        "/foo?beta=true&limit=10",
        "/openai/v1/foo",
        "/foo",
        "/upload",
        "/whole",
    ]
    assert server.asked[1].headers["x-b"] == "2"
    assert (server.asked[4].body, server.asked[4].headers["content-type"]) == (b"raw", "application/octet-stream")


def test_audio_and_embeddings() -> None:
    answers = [
        as_json({"text": "hello", "x_groq": {"id": "r"}}),
        Answer(b"hello", headers={"content-type": "text/plain"}),
        Answer(b"RIFF....", headers={"content-type": "audio/wav"}),
        as_json(
            {
                "object": "list",
                "model": "e",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}],
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
        ),
        as_json({"text": "bonjour"}),
    ]
    with api_server(lambda _: answers.pop(0)) as server, client(server.url) as one:
        said = one.audio.transcriptions.create(
            model="w", file=("a.wav", b"sound"), timestamp_granularities=["word", "segment"], temperature=0
        )
        assert said.text == "hello"
        assert one.audio.translations.create(model="w", file=b"sound", response_format="text").text == "hello"
        assert one.audio.speech.create(model="t", input="hi", voice="v").read() == b"RIFF...."
        assert one.embeddings.create(model="e", input=["hi"]).data[0].embedding == [0.5, 1]
        assert one.audio.transcriptions.with_raw_response.create(model="w", url="http://x/a.wav").parse().text == "bonjour"
        with pytest.raises(TypeError, match="file or a url"):
            one.audio.transcriptions.create(model="w")
        with pytest.raises(TypeError, match="'voice'"):
            one.audio.speech.create(model="t", input="hi")
    assert [asked.path.removeprefix("/openai/v1") for asked in server.asked] == [
        *("/audio/transcriptions", "/audio/translations", "/audio/speech", "/embeddings", "/audio/transcriptions")
    ]
    body = server.asked[0].body
    assert body.count(b'name="timestamp_granularities[]"') == 2
    assert b'filename="a.wav"' in body
    assert server.asked[3].json() == {"model": "e", "input": ["hi"]}
    assert base64.b64encode(server.asked[4].body)
    assert b"filename" not in server.asked[4].body


# -- one gate for all calls of a client ------------------------------------------------------------------------------------


def test_a_call_after_a_refusal_waits_for_what_the_server_asked() -> None:
    answers = [as_json(INVALID, 429, **{"retry-after": "1"})]
    with (
        api_server(lambda _: answers.pop() if answers else as_json(completion())) as server,
        client(server.url, max_retries=2) as one,
    ):
        first = time.monotonic()
        with pytest.raises(groq.RateLimitError):
            one.with_options(max_retries=0).chat.completions.create(**ASK)
        one.chat.completions.create(**{**ASK, "model": "other"})
        assert time.monotonic() - first < 0.9
        one.with_options(timeout=20).chat.completions.create(**ASK)
        assert time.monotonic() - first >= 1.0
    assert len(server.asked) == 3
