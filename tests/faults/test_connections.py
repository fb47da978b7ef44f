"""Faults of the way itself: names, ports, certificates, proxies, kept connections, and calls that are broken off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from assay.backends.chat import complete, stream
from assay.backends.exchange import exchange
from assay.backends.http import async_transport, transport
from assay.backends.retry import RetryPolicy
from assay.errors import APIConnectionError, APIError, APIStatusError, APITimeoutError, AuthenticationError, ConfigurationError
from assay.flow import drive
from assay.flow.effects import Limits, Request
from faults.cases import CHUNKED, GOOD, TEXT
from faults.travel import CALL, KEY, Way, endpoint, program
from servers import EVENT_STREAM, FIN, LAST_CHUNK, Server, answer, chunked, completion, delta, events

ONE = chunked(events(delta('{"na'), done=False))


# -- nobody there ----------------------------------------------------------------------------------------------------


def test_a_closed_port_is_named(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(APIConnectionError, match=rf"127\.0\.0\.1:{port}.*after 2 requests"):
        way.complete(endpoint(f"http://127.0.0.1:{port}"))


def test_a_host_that_does_not_exist_is_named(way: Way) -> None:
    started = time.monotonic()
    with pytest.raises(APIConnectionError, match=r"no-such-host\.invalid"):
        way.complete(endpoint("http://no-such-host.invalid"))
    assert time.monotonic() - started < 10


@pytest.fixture
def full() -> Iterator[int]:
    """The port of a server that accepts nobody: its queue is full, so that connecting takes for ever."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for sock in waiting:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(listener.getsockname())
    yield listener.getsockname()[1]
    for sock in [listener, *waiting]:
        sock.close()


def test_a_connect_timeout_says_so_and_comes_before_the_whole_time_is_over(full: int, way: Way) -> None:
    started = time.monotonic()
    with pytest.raises(APITimeoutError, match="connect timeout") as caught:
        way.complete(endpoint(f"http://127.0.0.1:{full}", timeout=0.6))
    assert caught.value.code == "connect_timeout"
    assert time.monotonic() - started < 8


def test_the_phases_of_a_request_have_limits_of_their_own(full: int, way: Way) -> None:
    def failure(url: str, limits: Limits) -> str | None:
        request = Request("GET", url, (), timeout=None, limits=limits)
        with pytest.raises(APITimeoutError) as caught:
            way.run(exchange(request, RetryPolicy(max_retries=0)))
        return caught.value.code

    assert failure(f"http://127.0.0.1:{full}", Limits(0.3, 30.0, 30.0, 30.0)) == "connect_timeout"
    with Server([60.0]) as silent:
        assert failure(silent.url, Limits(30.0, 0.3, 30.0, 30.0)) == "read_timeout"
    with Server([CHUNKED, *[step for _ in range(8) for step in (b"1\r\nx\r\n", 0.1)], LAST_CHUNK]) as slow:
        request = Request("GET", slow.url, (), timeout=None, limits=Limits(5.0, 0.5, 5.0, 5.0))
        assert way.run(exchange(request, RetryPolicy(max_retries=0))).body == b"xxxxxxxx"


def test_waiting_for_a_free_connection_is_no_network_timeout() -> None:
    """Twenty calls of 0.1 s over one connection take longer than the timeout of each."""
    options = {"limits": httpx.Limits(max_connections=1)}
    with Server(lambda _: [0.1, GOOD]) as server:
        to = endpoint(server.base_url, timeout=1.0, retry=RetryPolicy(max_retries=2))
        with Way("httpx-sync", options) as blocking:
            assert {reply.text for reply in in_threads(20, lambda _: blocking.complete(to))} == {TEXT}
        with Way("httpx-async", options) as awaited:
            assert {reply.text for reply in awaited.run_all([complete(to, CALL) for _ in range(20)])} == {TEXT}


@pytest.mark.parametrize("name", ["httpx-sync", "httpx-async"])
def test_a_pool_that_stays_full_says_so(name: str) -> None:
    with Server([30.0]) as server, Way(name, {"limits": httpx.Limits(max_connections=1)}) as way:
        slow = endpoint(server.base_url, timeout=3.0, retry=RetryPolicy(max_retries=0))
        fast = replace(slow, timeout=0.3)
        with pytest.raises(APITimeoutError) as caught:
            if way.is_async:
                way.run_all([complete(slow, CALL), complete(fast, CALL)])
            else:
                busy = threading.Thread(target=_swallow, args=(way, slow))
                busy.start()
                time.sleep(0.3)
                try:
                    way.complete(fast)
                finally:
                    busy.join()
    assert caught.value.code == "pool_timeout"
    assert "was free" in caught.value.message
    assert len(server.received) == 1


def _swallow(way: Way, to: Any) -> None:
    with contextlib.suppress(APIError):
        way.complete(to)


@pytest.mark.parametrize("name", ["httpx-sync", "httpx-async"])
def test_a_transports_own_failure_is_a_connection_error(name: str) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("oops")

    with (
        Way(name, {"transport": httpx.MockTransport(broken)}) as way,
        pytest.raises(APIConnectionError, match="oops") as caught,
    ):
        way.complete(endpoint("http://model.invalid/v1"))
    assert caught.value.requests == 2


@pytest.mark.parametrize("url", ["http://[::1", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_a_url_that_is_none_is_said_so(url: str, way: Way) -> None:
    with pytest.raises((ConfigurationError, APIConnectionError)):
        way.complete(endpoint(url))


def test_a_key_with_a_line_break_is_not_shown(way: Way) -> None:
    with Server([GOOD]) as server, pytest.raises(ConfigurationError, match="authorization") as caught:
        way.complete(endpoint(server.base_url, api_key=KEY + "\n"))
    assert KEY not in str(caught.value)


def test_a_key_that_the_server_repeats_is_not_shown(way: Way) -> None:
    body = {"error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key", "param": KEY}}
    with Server([answer(401, body, {"x-echo": f"Bearer {KEY}"})]) as server, pytest.raises(AuthenticationError) as caught:
        way.complete(endpoint(server.base_url))
    error = caught.value
    assert "[key]" in str(error)
    assert KEY not in str(error) + repr(error) + repr(vars(error)) + repr(error.response)


# -- TLS -------------------------------------------------------------------------------------------------------------


AUTHORITY = trustme.CA()


def certified(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(params=["sync", "async", "httpx-sync", "httpx-async"])
def trusting(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """A way that trusts our authority, as the user's environment says."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Way(request.param, {"verify": ssl.create_default_context(cafile=tmp_path / "ca.pem")}) as opened:
        yield opened


def test_a_trusted_certificate_is_accepted(trusting: Way) -> None:
    with Server([GOOD], tls=certified("localhost")) as server:
        assert trusting.complete(endpoint(server.base_url)).text == TEXT


def test_a_server_that_prefers_http2_is_spoken_to_in_http11(trusting: Way) -> None:
    """Faults of HTTP/2 (a stream that is reset, a connection that goes away) cannot meet us: it is never agreed on."""
    offered = certified("localhost")
    offered.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []
    with Server([lambda sock: agreed.append(sock.selected_alpn_protocol()), GOOD], tls=offered) as server:  # type: ignore[attr-defined]
        assert trusting.complete(endpoint(server.base_url)).text == TEXT
    assert agreed[0] in (None, "http/1.1")


def test_a_certificate_of_nobody_is_refused_for_good(way: Way) -> None:
    with Server([GOOD], tls=certified("localhost")) as server:
        with pytest.raises(APIConnectionError, match="cannot be trusted") as caught:
            way.complete(endpoint(server.base_url))
        assert (caught.value.code, caught.value.requests) == ("certificate", 1)
        assert not server.received


def test_a_certificate_of_another_host_is_refused_for_good(trusting: Way) -> None:
    with Server([GOOD], tls=certified("example.org")) as server:
        with pytest.raises(APIConnectionError, match="cannot be trusted") as caught:
            trusting.complete(endpoint(server.base_url))
        assert (caught.value.code, caught.value.requests) == ("certificate", 1)
        assert not server.received


def test_tls_that_breaks_after_the_handshake_is_retried(trusting: Way) -> None:
    with Server([GOOD], tls=certified("localhost"), greeting=[FIN]) as server:
        with pytest.raises(APIConnectionError) as caught:
            trusting.complete(endpoint(server.base_url))
        assert caught.value.requests == 2


def test_tls_that_falls_silent_meets_the_limit(trusting: Way) -> None:
    with Server([3.0], tls=certified("localhost")) as server, pytest.raises(APITimeoutError):
        trusting.complete(endpoint(server.base_url, timeout=0.5))


def test_tls_asked_of_a_plain_server_is_an_error(default_way: Way) -> None:
    with Server([GOOD]) as server, pytest.raises(APIConnectionError):
        default_way.complete(endpoint(server.base_url.replace("http:", "https:"), timeout=0.5))


# -- kept connections ------------------------------------------------------------------------------------------------


def test_a_connection_is_kept(way: Way) -> None:
    with Server([GOOD]) as server:
        for _ in range(5):
            way.complete(endpoint(server.base_url))
        assert {request.connection for request in server.received} == {0}


def test_a_kept_connection_that_the_server_closed_costs_at_most_a_retry(way: Way) -> None:
    with Server([GOOD, FIN], [GOOD]) as server:
        way.complete(endpoint(server.base_url))
        assert server.until_closed()
        assert way.complete(endpoint(server.base_url)).text == TEXT
        assert len(server.received) == 2


def test_a_kept_connection_closed_under_a_request_is_replaced(way: Way) -> None:
    with Server([GOOD], [FIN], [GOOD]) as server:
        way.complete(endpoint(server.base_url))
        assert way.complete(endpoint(server.base_url)).text == TEXT
        assert server.received[1].body == server.received[2].body


def test_what_comes_after_a_body_does_not_reach_the_next_answer(default_way: Way) -> None:
    """(httpx takes it for the next answer: it is for those who bring such a client to know.)"""
    way = default_way
    body = completion(TEXT).partition(b"\r\n\r\n")[2]
    long = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body + b"HTTP/1.1 500 no\r\n\r\nrubbish"
    with Server([long], [GOOD]) as server:
        first, second = (way.complete(endpoint(server.base_url)) for _ in range(2))
    assert first.text == second.text == TEXT


@pytest.mark.parametrize("name", ["httpx-sync", "httpx-async"])
def test_calls_queue_for_the_one_connection_of_a_pool(name: str) -> None:
    slow = [0.02, GOOD]
    with Server(slow) as server, Way(name, {"limits": httpx.Limits(max_connections=1)}) as way:
        to = endpoint(server.base_url, timeout=20.0)
        if way.is_async:
            replies = way.run_all([complete(to, CALL) for _ in range(40)])
        else:
            replies = in_threads(40, lambda _: way.complete(to))
        assert [reply.text for reply in replies] == [TEXT] * 40
        assert len(server.received) == 40


def in_threads(count: int, work: Any) -> list[Any]:
    results: list[Any] = [None] * count

    def one(index: int) -> None:
        results[index] = work(index)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_a_hundred_calls_at_once_each_get_their_own_answer(default_way: Way) -> None:
    def echo(request: Any) -> Any:
        yield 0.05 * (int(request.headers["x-number"]) % 3)
        yield completion(request.headers["x-number"])

    with Server(echo) as server:
        tos = [endpoint(server.base_url, headers=(("x-number", str(number)),), timeout=30.0) for number in range(100)]
        if default_way.is_async:
            replies = default_way.run_all([complete(to, CALL) for to in tos])
        else:
            replies = in_threads(100, lambda number: default_way.complete(tos[number]))
    assert [reply.text for reply in replies] == [str(number) for number in range(100)]


# -- redirects and proxies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_origin_keeps_the_body_and_the_key(status: int, way: Way) -> None:
    redirect = f"HTTP/1.1 {status} x\r\nlocation: /v2/chat\r\ncontent-length: 0\r\n\r\n".encode()
    with Server([redirect], [GOOD]) as server:
        assert way.complete(endpoint(server.base_url)).text == TEXT
        first, second = server.received
        assert second.path == "/v2/chat"
        assert (first.body, first.headers["authorization"]) == (second.body, second.headers["authorization"])


def test_neither_key_nor_text_goes_to_another_host(way: Way) -> None:
    with Server([GOOD]) as other:
        redirect = f"HTTP/1.1 308 x\r\nlocation: {other.url}/v1\r\ncontent-length: 0\r\n\r\n".encode()
        with Server([redirect]) as server, pytest.raises(APIError, match="another origin"):
            way.complete(endpoint(server.base_url))
        assert other.received == []


@pytest.fixture
def proxied(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_proxy(port: int) -> None:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)

    return set_proxy


@pytest.mark.parametrize("name", ["sync", "async", "httpx-sync", "httpx-async"])
def test_a_proxy_of_the_environment_is_used(name: str, proxied: Any) -> None:
    with Server([GOOD]) as proxy:
        proxied(proxy.port)
        with Way(name) as way:
            assert way.complete(endpoint("http://model.invalid/v1")).text == TEXT
        assert proxy.received[0].path == "http://model.invalid/v1/chat/completions"


@pytest.mark.parametrize("name", ["sync", "async", "httpx-sync", "httpx-async"])
def test_a_proxy_that_is_not_there_is_named(name: str, proxied: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxied(port)
    with Way(name) as way, pytest.raises(APIConnectionError, match=f"proxy 127.0.0.1:{port}"):
        way.complete(endpoint("http://model.invalid/v1"))


@pytest.mark.parametrize("status", [403, 407, 502])
@pytest.mark.parametrize("name", ["sync", "async", "httpx-sync", "httpx-async"])
def test_a_proxy_that_opens_no_tunnel_is_named(status: int, name: str, proxied: Any) -> None:
    with Server([f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n".encode(), FIN]) as proxy:
        proxied(proxy.port)
        with Way(name) as way, pytest.raises(APIConnectionError, match="proxy"):
            way.complete(endpoint("https://model.invalid/v1"))
        assert proxy.received[0].method == "CONNECT"
        assert KEY not in str(proxy.received)


@pytest.mark.parametrize("name", ["sync", "httpx-sync"])
def test_a_proxy_that_wants_a_password_is_a_status_error(name: str, proxied: Any) -> None:
    with Server([answer(407, b"")]) as proxy:
        proxied(proxy.port)
        with Way(name) as way, pytest.raises(APIStatusError, match=r"407.*proxy"):
            way.complete(endpoint("http://model.invalid/v1"))


# -- broken off ------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_a_waiting_call_at_once(way: Way) -> None:
    with Server([20.0]) as server:
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        started = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            way.complete(endpoint(server.base_url, timeout=1.5))
        assert time.monotonic() - started < 1.2
        assert server.until_closed(4.0), "the connection is closed by the request's own deadline at the latest"


def test_ctrl_c_in_a_stream_closes_its_connection(way: Way) -> None:
    with Server([EVENT_STREAM, ONE, 20.0]) as server:
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            way.emitted(stream(endpoint(server.base_url, timeout=30.0), CALL))
        assert server.until_closed(3.0)


@pytest.mark.parametrize("name", ["async", "httpx-async"])
def test_cancelling_in_a_stream_closes_its_connection(name: str) -> None:
    async def cancelled(way: Any, url: str) -> None:
        inner = way.transport
        task = asyncio.create_task(anext_twice(drive.astream(stream(endpoint(url, timeout=30.0), CALL), inner)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def anext_twice(values: Any) -> None:
        async with contextlib.aclosing(values):
            await anext(values)
            await anext(values)

    with Server([EVENT_STREAM, ONE, 20.0]) as server, Way(name) as way:
        way._runner.run(cancelled(way, server.base_url))
        assert server.until_closed(3.0)


def test_two_loops_and_four_threads_share_one_transport() -> None:
    with Server([GOOD]) as server:
        shared, blocking = async_transport(), transport()
        to = endpoint(server.base_url, timeout=20.0)

        def one_loop(_: int) -> int:
            async def calls() -> int:
                return sum([(await drive.arun(complete(to, CALL), shared)).text == TEXT for _ in range(20)])

            return asyncio.run(calls())

        def one_thread(_: int) -> int:
            return sum(drive.run(complete(to, CALL), blocking).text == TEXT for _ in range(20))

        assert in_threads(2, one_loop) == [20, 20]
        assert in_threads(4, one_thread) == [20] * 4
        asyncio.run(shared.aclose())
        blocking.close()


def test_a_transport_dropped_unclosed_harms_no_other() -> None:
    with Server([GOOD]) as server:
        to = endpoint(server.base_url)
        for _ in range(5):
            assert drive.run(complete(to, CALL), transport()).text == TEXT
            assert asyncio.run(drive.arun(complete(to, CALL), async_transport())).text == TEXT


def test_a_closed_transport_can_be_used_again(default_way: Way) -> None:
    with Server([GOOD]) as server:
        for _ in range(2):
            default_way.complete(endpoint(server.base_url))
            if default_way.is_async:
                default_way._runner.run(default_way.transport.aclose())  # type: ignore[union-attr]
            else:
                default_way.transport.close()  # type: ignore[union-attr]
            assert server.until_closed(10.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_goes_on() -> None:
    script = """
import os, sys
from assay.flow import drive
from assay.backends.chat import complete
from assay.backends.http import transport
from faults.travel import CALL, endpoint
way, to = transport(), endpoint(sys.argv[1])
assert drive.run(complete(to, CALL), way).text
child = os.fork()
if child == 0:
    print("child", drive.run(complete(to, CALL), way).requests, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent", drive.run(complete(to, CALL), way).requests)
"""
    with Server([GOOD]) as server:
        done = program(script, server.base_url)
    assert done.stdout.split() == ["child", "1", "parent", "1"], done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_goes_on_awaiting() -> None:
    script = """
import asyncio, os, sys
from assay.flow import drive
from assay.backends.chat import complete
from assay.backends.http import async_transport
from faults.travel import CALL, endpoint
way, to = async_transport(), endpoint(sys.argv[1])

async def ask():
    replies = await asyncio.gather(*(drive.arun(complete(to, CALL), way) for _ in range(5)))
    return sum(reply.requests for reply in replies)

assert asyncio.run(ask()) == 5
child = os.fork()
if child == 0:
    print("child", asyncio.run(ask()), flush=True)
    asyncio.run(way.aclose())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent", asyncio.run(ask()))
asyncio.run(way.aclose())
"""
    with Server([GOOD]) as server:
        done = program(script, server.base_url)
    assert done.stdout.split() == ["child", "5", "parent", "5"], done.stderr


def test_the_end_of_a_program_waits_for_a_foreign_thread_that_is_inside_python() -> None:
    script = """
import sys, _thread, time
from assay.flow import drive
from assay.backends.chat import complete
from assay.backends.http import transport
from faults.travel import CALL, endpoint
drive.run(complete(endpoint(sys.argv[1]), CALL), transport())
inside = _thread.allocate_lock()
inside.acquire()

def foreign():
    inside.release()
    time.sleep(0.3)
    sys.stdout.write("left")
    sys.stdout.flush()

_thread.start_new_thread(foreign, ())
inside.acquire()
"""
    with Server([GOOD]) as server:
        done = program(script, server.base_url)
    assert (done.stdout, done.returncode) == ("left", 0), done.stderr


def test_a_program_that_asked_many_at_once_ends_well() -> None:
    script = """
import asyncio, sys
from assay.flow import drive
from assay.backends.chat import complete
from assay.backends.http import async_transport
from faults.travel import CALL, endpoint

async def main():
    way = async_transport()
    calls = (drive.arun(complete(endpoint(sys.argv[1]), CALL), way) for _ in range(64))
    print(len(await asyncio.gather(*calls)))

asyncio.run(main())
"""
    with Server([GOOD]) as server, ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda _: program(script, server.base_url), range(8)))
    assert [(end.stdout, end.returncode) for end in ends] == [("64\n", 0)] * 8, ends[0].stderr


def test_a_gzip_bomb_does_not_fill_the_memory() -> None:
    script = """
import resource, sys
from assay.flow import drive
from assay.backends.chat import complete
from assay.backends.http import transport
from assay.errors import APIResponseError
from faults.travel import CALL, endpoint
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    drive.run(complete(endpoint(sys.argv[1], timeout=30.0), CALL), transport())
except APIResponseError as error:
    print(error.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    import zlib

    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    with Server([answer(200, bomb, {"content-encoding": "gzip"})]) as server:
        done = program(script, server.base_url)
    code, megabytes = done.stdout.split()
    assert code == "too_large"
    assert int(megabytes) < 200, "400 MB unpack from it; the limit is 64 MB"


def test_a_post_without_a_body_says_so(way: Way) -> None:
    with Server([GOOD]) as server:
        way.run(exchange(Request("POST", server.url, (), b"", 5.0), RetryPolicy(0)))
        way.run(exchange(Request("GET", server.url, (), b"", 5.0), RetryPolicy(0)))
        assert server.received[0].headers["content-length"] == "0"
        assert "content-length" not in server.received[1].headers


@pytest.mark.parametrize("timeout", [None, float("inf"), 1e15])
def test_a_request_may_wait_for_ever(timeout: float | None, way: Way) -> None:
    with Server([GOOD]) as server:
        assert way.complete(endpoint(server.base_url, timeout=timeout)).text == TEXT
