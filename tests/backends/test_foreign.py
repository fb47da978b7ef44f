"""Any object with `chat.completions.create` serves as a transport: the vendors' clients, look-alikes, blocking and awaited."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from pydantic import BaseModel

import assay
import assay.groq
import groq
from api_server import ERROR, Answer, Asked, api_server, as_json, as_stream, chat, chunk, completion, events
from assay.backends.chat import Endpoint, complete, stream
from assay.backends.foreign import AsyncForeignTransport, ForeignTransport, base_url_of
from assay.backends.manners import manner_of
from assay.backends.retry import RetryPolicy
from assay.connect.providers import ANY_SERVER, by_url
from assay.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    RateLimitError,
)
from assay.flow import drive
from assay.types import Call, Message, Mode, Params, Reply

CALL = Call((Message("user", "hi"),), Mode.JSON, "thing", params=Params(max_tokens=5, extra={"reasoning_format": "hidden"}))
ENDPOINT = Endpoint("client://", "m", retry=RetryPolicy(max_retries=0))

SYNC_CLIENTS = {
    "groq": lambda url: groq.Groq(api_key="gsk_x", base_url=url, max_retries=0),
    "openai": lambda url: openai.OpenAI(api_key="sk-x", base_url=url + "/openai/v1", max_retries=0),
    "assay": lambda url: assay.groq.Groq(api_key="gsk_x", base_url=url, max_retries=0),
}
ASYNC_CLIENTS = {
    "groq": lambda url: groq.AsyncGroq(api_key="gsk_x", base_url=url, max_retries=0),
    "openai": lambda url: openai.AsyncOpenAI(api_key="sk-x", base_url=url + "/openai/v1", max_retries=0),
    "assay": lambda url: assay.groq.AsyncGroq(api_key="gsk_x", base_url=url, max_retries=0),
}
ALL_CLIENTS = {f"sync {n}": c for n, c in SYNC_CLIENTS.items()} | {f"async {n}": c for n, c in ASYNC_CLIENTS.items()}


def ask(client: Any) -> Reply:
    return drive.run(complete(ENDPOINT, CALL), ForeignTransport(client))


async def aask(client: Any) -> Reply:
    try:
        return await drive.arun(complete(ENDPOINT, CALL), AsyncForeignTransport(client))
    finally:
        await let_go(client)


async def let_go(client: Any) -> None:
    close = getattr(client, "close", None)
    closed = close() if close else None
    if closed is not None:
        await closed


def texts(client: Any) -> str:
    return "".join(delta.text for delta in drive.stream(stream(ENDPOINT, CALL), ForeignTransport(client)))


async def atexts(client: Any) -> str:
    try:
        return "".join([delta.text async for delta in drive.astream(stream(ENDPOINT, CALL), AsyncForeignTransport(client))])
    finally:
        await let_go(client)


def client_of(create: Any, **more: Any) -> Any:
    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)), **more)


def answer(content: str = "Hello!") -> Any:
    return json.loads(json.dumps(completion(content)), object_hook=lambda data: SimpleNamespace(**data))


@pytest.mark.parametrize("make", SYNC_CLIENTS.values(), ids=SYNC_CLIENTS)
def test_a_blocking_client_is_a_transport(make: Any) -> None:
    with api_server(chat) as server, make(server.url) as client:
        reply = ask(client)
        assert (reply.text, reply.usage.total_tokens, reply.usage.cached_tokens) == ("Hello!", 23, 4)
        assert server.asked[0].json()["reasoning_format"] == "hidden", "a key that the client has no parameter for is sent too"
        assert texts(client) == "Hello, wörld"
        assert server.asked[1].json()["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("make", ALL_CLIENTS.values(), ids=ALL_CLIENTS)
def test_any_client_is_an_awaited_transport(make: Any) -> None:
    with api_server(chat) as server:
        assert asyncio.run(aask(make(server.url))).text == "Hello!"
        assert asyncio.run(atexts(make(server.url))) == "Hello, wörld"


@pytest.mark.parametrize("make", ASYNC_CLIENTS.values(), ids=ASYNC_CLIENTS)
def test_an_awaited_client_cannot_block(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="aextract"):
        ForeignTransport(make("http://127.0.0.1:9"))


def test_a_coroutine_that_nobody_foresaw_is_refused_without_a_warning() -> None:
    async def create(**_: Any) -> Any:
        return answer()

    def undeclared(**named: Any) -> Any:
        return create(**named)

    with pytest.raises(ConfigurationError, match="aextract"):
        ask(client_of(undeclared))
    assert asyncio.run(aask(client_of(undeclared))).text == "Hello!"


@pytest.mark.parametrize(
    "result",
    [
        completion(),
        answer(),
        assay.groq.answer.read(assay.groq.chat_types.ChatCompletion, json.dumps(completion()).encode(), {}),
    ],
    ids=["dict", "namespace", "pydantic"],
)
def test_answers_of_any_kind_are_read(result: Any) -> None:
    asked: list[dict[str, Any]] = []

    def create(**named: Any) -> Any:
        asked.append(named)
        return result

    assert ask(client_of(create)).text == "Hello!"
    assert asked[0]["model"] == "m"
    assert asked[0]["messages"] == [{"role": "user", "content": "hi"}]


def test_a_stream_may_be_any_iterator_and_is_closed_when_it_is_left() -> None:
    left: list[str] = []

    def create(**_: Any) -> Any:
        try:
            for word in ("one ", "two ", "three"):
                yield chunk({"content": word}, "stop" if word == "three" else None)
        finally:
            left.append("closed")

    assert texts(client_of(create)) == "one two three"
    assert asyncio.run(atexts(client_of(create))) == "one two three"
    pieces = drive.stream(stream(ENDPOINT, CALL), ForeignTransport(client_of(create)))
    assert next(pieces).text == "one "
    pieces.close()
    assert left == ["closed"] * 3


def test_a_client_that_does_not_stream_answers_at_once() -> None:
    assert texts(client_of(lambda **_: answer("all at once"))) == "all at once"


def test_a_key_without_a_place_is_named() -> None:
    def create(model: str, messages: Any, response_format: Any) -> Any:
        return answer()

    with pytest.raises(ConfigurationError, match="does not accept max_tokens, reasoning_format"):
        ask(client_of(create))


REFUSED = {"error": {"message": "Failed to generate JSON", "code": "json_validate_failed", "failed_generation": '{"a": 1'}}
LIMITED = {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded"}}


@pytest.mark.parametrize("make", ALL_CLIENTS.values(), ids=ALL_CLIENTS)
def test_statuses_keep_their_meaning(make: Any) -> None:
    replies: list[Answer] = [as_json(LIMITED, 429, retry_after="7"), as_json(REFUSED, 400), as_json(ERROR, 400)]

    async def run(url: str) -> None:
        with pytest.raises(RateLimitError) as caught:
            await aask(make(url))
        assert (caught.value.code, caught.value.type, caught.value.retry_after) == ("rate_limit_exceeded", "tokens", 7)
        refused = (await aask(make(url))).rejected
        assert refused is not None and refused.code == "json_validate_failed"
        with pytest.raises(BadRequestError, match="boom"):
            await aask(make(url))

    with api_server(lambda _: replies.pop(0)) as server:
        asyncio.run(run(server.url))


@pytest.mark.parametrize("make", ALL_CLIENTS.values(), ids=ALL_CLIENTS)
def test_an_error_inside_a_stream_arrives(make: Any) -> None:
    failed = {
        "error": {
            "message": "Failed to call a function",
            "code": "tool_use_failed",
            "failed_generation": "<f>",
            "status_code": 400,
        }
    }
    pieces = (*events(chunk({"content": "a"}), done=False), b"event: error\ndata: " + json.dumps(failed).encode() + b"\n\n")

    async def run(url: str) -> Any:
        client = make(url)
        seen = []
        flow = drive.astream(stream(ENDPOINT, CALL), AsyncForeignTransport(client))
        try:
            async for delta in flow:
                seen.append(delta)  # noqa: PERF401  # what came before the error counts
        except APIError as error:
            return seen, error
        finally:
            await let_go(client)
        return seen, None

    with api_server(lambda _: as_stream(pieces)) as server:
        seen, error = asyncio.run(run(server.url))
    assert [delta.text for delta in seen] == ["a"]
    assert error is None or error.failed_generation == "<f>"  # a rejected generation is a reply, any other error an exception


@pytest.mark.parametrize("make", SYNC_CLIENTS.values(), ids=SYNC_CLIENTS)
def test_connection_errors_are_ours(make: Any) -> None:
    with make("http://127.0.0.1:9") as client, pytest.raises(APIConnectionError) as caught:
        ask(client)
    assert not isinstance(caught.value, APITimeoutError)


def test_timeouts_are_known_by_their_name() -> None:
    class ReadTimeout(Exception):
        pass

    for error in (ReadTimeout("late"), TimeoutError("late")):

        def create(error: Exception = error, **_: Any) -> Any:
            raise error

        with pytest.raises(APITimeoutError, match="late"):
            ask(client_of(create))


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(APIError):
        ask(client_of(lambda **_: None))
    with pytest.raises(ConfigurationError, match="object"):
        ask(client_of(lambda **_: object()))


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"chat\.completions\.create"):
        manner_of(object())


def test_clients_say_where_they_send() -> None:
    with groq.Groq(api_key="x") as client:
        assert base_url_of(client) == "https://api.groq.com"
    with assay.groq.Groq(api_key="x") as ours:
        assert base_url_of(ours) == "https://api.groq.com/openai/v1"
    assert base_url_of(client_of(print)) is None


class Person(BaseModel):
    name: str


def person(asked: Asked) -> Answer:
    if "tools" in (body := asked.json()):
        call = {
            "id": "c",
            "type": "function",
            "function": {"name": body["tools"][0]["function"]["name"], "arguments": '{"name": "Ada"}'},
        }
        return as_json(completion(None, tool_calls=[call]))
    return as_json(completion('{"name": "Ada"}'))


@pytest.mark.parametrize("make", SYNC_CLIENTS.values(), ids=SYNC_CLIENTS)
@pytest.mark.parametrize("mode", ["auto", "json", "json_schema", "tools", "text"])
def test_extraction_through_a_client(make: Any, mode: str) -> None:
    with api_server(person) as server, make(server.url) as client:
        assert assay.extract(Person, "It was Ada.", client=client, model="m", mode=mode) == Person(name="Ada")


@pytest.mark.parametrize("make", ALL_CLIENTS.values(), ids=ALL_CLIENTS)
def test_awaited_extraction_through_any_client(make: Any) -> None:
    async def run(url: str) -> Person:
        client = make(url)
        try:
            return await assay.aextract(Person, "It was Ada.", client=client, model="m")
        finally:
            await let_go(client)

    with api_server(person) as server:
        assert asyncio.run(run(server.url)) == Person(name="Ada")


def test_the_vendors_client_is_known_for_its_provider() -> None:
    with groq.Groq(api_key="x") as theirs, assay.Groq(api_key="x") as ours, openai.OpenAI(api_key="x") as other:
        found = [by_url(base_url_of(client) or "").name for client in (theirs, ours, other)]
    assert found == ["groq", "groq", "openai"]
    assert by_url("http://localhost:1") is ANY_SERVER
