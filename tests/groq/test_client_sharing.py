"""One client for many threads and event loops; clients that are dropped harm no others; streams give their connection back."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from api_server import Answer, Asked, api_server, as_json, as_stream, chat, chunk, completion, events
from assay.errors import APIConnectionError
from assay.groq import AsyncGroq, DefaultAioHttpClient, DefaultAsyncHttpxClient, DefaultHttpxClient, Groq

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}


def test_threads_share_a_client() -> None:
    with api_server(chat) as server, Groq(api_key="gsk_x", base_url=server.url) as client, ThreadPoolExecutor(8) as pool:
        whole = pool.map(lambda _: client.chat.completions.create(**ASK).id, range(40))
        streamed = pool.map(lambda _: len(list(client.chat.completions.create(**ASK, stream=True))), range(40))
        assert set(whole) == {"chatcmpl-1"}
        assert set(streamed) == {5}


async def ask(client: AsyncGroq, times: int = 3) -> set[str]:
    answers = await asyncio.gather(*(client.chat.completions.create(**ASK) for _ in range(times)))
    async for _ in await client.chat.completions.create(**ASK, stream=True):
        pass
    return {answer.id for answer in answers}


def test_event_loops_share_a_client_one_after_the_other() -> None:
    with api_server(chat) as server:
        client = AsyncGroq(api_key="gsk_x", base_url=server.url, timeout=10)
        for _ in range(4):
            assert asyncio.run(ask(client)) == {"chatcmpl-1"}
        asyncio.run(client.close())


def test_event_loops_in_threads_share_a_client() -> None:
    with api_server(chat) as server, ThreadPoolExecutor(2) as pool:
        client = AsyncGroq(api_key="gsk_x", base_url=server.url, timeout=10)
        both = threading.Barrier(2)

        def run(_: int) -> set[str]:
            both.wait(10)
            return asyncio.run(ask(client, times=10))

        assert list(pool.map(run, range(2))) == [{"chatcmpl-1"}] * 2
        asyncio.run(client.close())


def test_dropped_clients_harm_no_other() -> None:
    """Unclosed, some in the middle of a stream, in event loops that end with them."""
    with api_server(chat) as server:

        async def drop(unfinished: bool) -> None:
            client = AsyncGroq(api_key="gsk_x", base_url=server.url, timeout=10, max_retries=0)
            assert (await client.chat.completions.create(**ASK)).id == "chatcmpl-1"
            if unfinished:
                stream = await client.chat.completions.create(**ASK, stream=True)
                await anext(stream)

        for at in range(20):
            asyncio.run(drop(unfinished=at % 2 == 1))
            if at % 5 == 0:
                gc.collect()
        for at in range(4):
            Groq(api_key="gsk_x", base_url=server.url, timeout=10, max_retries=0).chat.completions.create(
                **ASK, stream=bool(at % 2)
            )
        gc.collect()
        with Groq(api_key="gsk_x", base_url=server.url, timeout=10, max_retries=0) as client:
            assert client.chat.completions.create(**ASK).id == "chatcmpl-1"


@pytest.mark.parametrize("kind", [Groq, AsyncGroq])
def test_a_client_dies_with_its_last_user(kind: Any) -> None:
    client = kind(api_key="gsk_x", base_url="http://127.0.0.1:9")
    _ = client.chat.completions.create, client.chat.completions.with_raw_response.create, client.with_options(timeout=1)
    gone = weakref.ref(client)
    del client
    assert gone() is None, "no cycle keeps it"


def test_left_streams_give_their_connections_back() -> None:
    endless = as_stream(events(*(chunk({"content": "x" * 1000}) for _ in range(2000)), done=False))

    def answer(asked: Asked) -> Answer:
        return endless if asked.json().get("stream") else as_json(completion())

    limits = httpx.Limits(max_connections=1)
    with api_server(answer) as server:
        with (
            httpx.Client(limits=limits, timeout=5) as http,
            Groq(api_key="gsk_x", base_url=server.url, http_client=http, timeout=5, max_retries=0) as client,
        ):
            for _ in range(3):
                with client.chat.completions.create(**ASK, stream=True) as stream:
                    next(stream)
                with client.chat.completions.with_streaming_response.create(**ASK, stream=True) as response:
                    next(response.iter_lines())
                next(client.chat.completions.create(**ASK, stream=True))
            assert client.chat.completions.create(**ASK).id == "chatcmpl-1"

        async def run() -> str:
            async with (
                httpx.AsyncClient(limits=limits, timeout=5) as http,
                AsyncGroq(api_key="gsk_x", base_url=server.url, http_client=http, timeout=5, max_retries=0) as client,
            ):
                for _ in range(3):
                    async with await client.chat.completions.create(**ASK, stream=True) as stream:
                        await anext(stream)
                    async with client.chat.completions.with_streaming_response.create(**ASK, stream=True) as response:
                        await anext(aiter(response.iter_lines()))
                return (await client.chat.completions.create(**ASK)).id

        assert asyncio.run(run()) == "chatcmpl-1"


def test_a_closed_stream_has_nothing_more() -> None:
    with api_server(chat) as server:
        with Groq(api_key="gsk_x", base_url=server.url) as client:
            stream = client.chat.completions.create(**ASK, stream=True)
            next(stream)
            stream.close()
            stream.close()
            assert stream.response.is_closed and list(stream) == []

        async def run() -> list[Any]:
            async with AsyncGroq(api_key="gsk_x", base_url=server.url) as client:
                async with await client.chat.completions.create(**ASK, stream=True) as stream:
                    await anext(stream)
                assert stream.response.is_closed
                return [item async for item in stream]

        assert asyncio.run(run()) == []


def test_an_injected_client_stays_its_owners() -> None:
    with api_server(chat) as server, httpx.Client() as http:
        with Groq(api_key="gsk_x", base_url=server.url, http_client=http) as client:
            client.chat.completions.create(**ASK)
        assert not http.is_closed


def test_the_groq_packages_http_clients_are_here_too() -> None:
    with (
        api_server(chat) as server,
        DefaultHttpxClient(headers={"X-Own": "1"}) as http,
        Groq(api_key="gsk_x", base_url=server.url, http_client=http) as client,
    ):
        client.with_options(max_retries=0).chat.completions.create(**ASK)
        assert server.asked[0].headers["x-own"] == "1"

    async def run(url: str) -> str:
        async with (
            DefaultAsyncHttpxClient() as http,
            AsyncGroq(api_key="gsk_x", base_url=url, http_client=http) as one,
            AsyncGroq(api_key="gsk_x", base_url=url, http_client=DefaultAioHttpClient()) as other,
        ):
            return (await one.chat.completions.create(**ASK)).id + (await other.chat.completions.create(**ASK)).id

    with api_server(chat) as server:
        assert asyncio.run(run(server.url)) == 2 * "chatcmpl-1"


# -- closing while somebody waits --------------------------------------------------------------------------------------


def test_closing_ends_the_calls_that_wait() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        async def run() -> None:
            client = AsyncGroq(api_key="gsk_x", base_url=url, timeout=60, max_retries=0)
            calls = [asyncio.ensure_future(client.chat.completions.create(**ASK)) for _ in range(3)]
            await asyncio.sleep(0.1)
            await client.close()
            for call in calls:
                with pytest.raises(APIConnectionError, match="closed"):
                    await call

        asyncio.run(asyncio.wait_for(run(), 20))


def test_closing_ends_a_stream_that_another_thread_reads() -> None:
    first = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b"".join(
        events(chunk({"content": "a"}), done=False)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        client = Groq(api_key="gsk_x", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60, max_retries=0)
        opening = pool.submit(lambda: client.chat.completions.create(**ASK, stream=True))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(65536)
            connection.sendall(first)
            stream = opening.result(20)
            assert next(stream).choices[0].delta.content == "a"
            reading = pool.submit(lambda: next(stream))
            with pytest.raises(TimeoutError):
                reading.result(0.1)
            client.close()
            with pytest.raises(APIConnectionError, match="closed"):
                reading.result(20)


def test_a_stream_that_is_first_read_after_closing_says_so() -> None:
    with api_server(chat) as server:
        client = Groq(api_key="gsk_x", base_url=server.url, timeout=10, max_retries=0)
        stream = client.chat.completions.create(**ASK, stream=True)
        client.close()
        with pytest.raises(APIConnectionError, match="closed"):
            next(stream)
        stream.close()
