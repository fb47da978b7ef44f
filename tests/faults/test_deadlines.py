"""The total deadline over an injected `httpx.Client`: what it cuts, in whose thread a request is made, and that nothing is left."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from assay.backends.transports.httpx_deadline import HttpxDeadline
from assay.backends.transports.httpx_transport import HttpxTransport
from assay.errors import APITimeoutError
from assay.flow.effects import Request, Response
from faults.travel import program
from servers import EVENT_STREAM, FIN, Received, Server, answer, chunked

GOOD = answer(200, {"good": True})
HEAD = b"HTTP/1.1 200 OK\r\nx: "
DRIP = 0.25
"""Seconds between two bytes of a trickle: below every limit here, so that no limit between two bytes ends it."""
LIMIT = 0.5
LONG = 5.0
"""Seconds: much longer than any limit here, much shorter than any trickle."""


def trickle(*start: bytes, byte: bytes = b"a") -> list[Any]:
    return [*start, *[byte, DRIP] * 100]


TRICKLES = {
    "head": trickle(HEAD),
    "body with a length": trickle(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
    "body in chunks": trickle(EVENT_STREAM, byte=chunked(b": x\n")),
    "size of a chunk": trickle(EVENT_STREAM, byte=b"0"),
    "body that ends with the connection": trickle(b"HTTP/1.1 200 OK\r\n\r\n"),
}


def ask(url: str, timeout: float | None = LIMIT) -> Request:
    return Request("POST", url, (), b"{}", timeout)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as opened:
        yield opened


def assert_cut(transport: HttpxTransport, url: str) -> None:
    started = time.monotonic()
    with pytest.raises(APITimeoutError, match=r"within 0\.5 s"):
        transport.send(ask(url))
    assert time.monotonic() - started < LONG


@pytest.mark.parametrize("steps", TRICKLES.values(), ids=TRICKLES)
def test_a_trickle_is_cut_on_a_new_connection(steps: list[Any], client: httpx.Client) -> None:
    with Server(steps) as server:
        assert_cut(HttpxTransport(client), server.url)
        assert server.until_closed()


@pytest.mark.parametrize("steps", TRICKLES.values(), ids=TRICKLES)
def test_a_trickle_is_cut_on_a_kept_connection(steps: list[Any], client: httpx.Client) -> None:
    with Server([GOOD], steps) as server:
        transport = HttpxTransport(client)
        transport.send(ask(server.url))
        assert_cut(transport, server.url)
        assert [request.connection for request in server.received] == [0, 0]
        assert server.until_closed()


@pytest.mark.parametrize("steps", TRICKLES.values(), ids=TRICKLES)
def test_a_trickle_is_cut_within_tls(steps: list[Any], tmp_path: Path) -> None:
    authority, served = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with Server([GOOD], steps, tls=served) as server, httpx.Client(verify=trusted) as client:
        transport = HttpxTransport(client)
        transport.send(ask(server.url))
        assert_cut(transport, server.url)


def test_a_trickling_stream_is_cut_between_and_while_reading(client: httpx.Client) -> None:
    with Server(TRICKLES["body in chunks"]) as server:
        incoming = HttpxTransport(client).open(ask(server.url))
        started = time.monotonic()
        with pytest.raises(APITimeoutError), contextlib.closing(incoming):
            while incoming.read():
                pass
        assert time.monotonic() - started < LONG


def test_only_the_request_that_is_late_is_cut(client: httpx.Client) -> None:
    """On four kept connections one request has little time, the others much: all trickle, three come to their end."""
    barrier = threading.Barrier(4)

    def steps(request: Received) -> list[Any]:
        if request.path == "/first":
            return [0.2, GOOD]
        return [HEAD, *[b"a", 0.2] * 6, b"\r\n" + GOOD.partition(b"\r\n")[2]]

    with Server(steps) as server, ThreadPoolExecutor(4) as threads:
        transport = HttpxTransport(client)

        def call(timeout: float) -> Response | APITimeoutError:
            transport.send(ask(server.url + "/first", 10.0))
            barrier.wait(10)
            try:
                return transport.send(ask(server.url, timeout))
            except APITimeoutError as error:
                return error

        late, *others = threads.map(call, [0.4, 10.0, 10.0, 10.0])
    assert isinstance(late, APITimeoutError)
    assert [getattr(other, "status", other) for other in others] == [200] * 3


def test_answers_that_come_with_the_deadline_are_whole_or_late_and_nothing_comes_after(client: httpx.Client) -> None:
    """Trickles that end about when they are cut. Then calls with time enough find every connection in order."""
    ends = iter(range(10**6))

    def steps(request: Received) -> list[Any]:
        if request.path == "/good":
            return [GOOD]
        end = 0.1 + 0.1 + next(ends) % 16 * 0.001 - 0.008  # limit, grace
        return [GOOD[:-6], end / 3, GOOD[-6:-4], end / 3, GOOD[-4:-2], end / 3, GOOD[-2:]]

    with Server(steps) as server, ThreadPoolExecutor(4) as threads:
        transport = HttpxTransport(client)

        def calls(_: int) -> list[str]:
            outcomes = []
            for _ in range(16):
                try:
                    outcomes.append(transport.send(ask(server.url, 0.1)).body.decode())
                except APITimeoutError:
                    outcomes.append("late")
                outcomes.append(transport.send(ask(server.url + "/good", 30.0)).body.decode())
            time.sleep(0.3)  # longer than any deadline of these
            return outcomes

        good = GOOD.rpartition(b"\n")[2].decode()
        for outcomes in threads.map(calls, range(4)):
            assert set(outcomes[::2]) <= {good, "late"}
            assert set(outcomes[1::2]) == {good}


def test_hooks_run_in_the_thread_that_calls_and_may_call_themselves() -> None:
    seen: list[tuple[str, threading.Thread]] = []

    def hook(request: httpx.Request) -> None:
        seen.append((request.url.path, threading.current_thread()))
        if request.url.path == "/outer":
            assert transport.send(ask(server.url + "/inner")).status == 200

    with Server([GOOD]) as server, httpx.Client(event_hooks={"request": [hook]}) as client:
        transport = HttpxTransport(client)
        assert transport.send(ask(server.url + "/outer")).status == 200
    assert seen == [("/outer", threading.current_thread()), ("/inner", threading.current_thread())]


def test_a_hook_s_own_exception_comes_through() -> None:
    class Own(Exception):
        pass

    def hook(_: httpx.Request) -> None:
        raise Own

    with httpx.Client(event_hooks={"request": [hook]}) as client, pytest.raises(Own):
        HttpxTransport(client).send(ask("http://127.0.0.1:1"))


def test_quick_calls_leave_nothing_behind_and_share_one_watching_thread(client: httpx.Client) -> None:
    def deadlines() -> int:
        return sum(isinstance(thing, HttpxDeadline) for thing in gc.get_objects())

    def watching() -> int:
        return sum(thread.name == "assay-deadlines" for thread in threading.enumerate())

    gc.collect()
    before = deadlines(), watching()
    with Server([GOOD]) as server:
        transport = HttpxTransport(client)
        for _ in range(200):
            transport.send(ask(server.url, 60.0))
        gc.collect()
        assert (deadlines(), watching()) == (before[0], before[1] + 1)
        del transport
        until(lambda: watching() <= before[1])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_transport_dropped_or_closed_under_a_stream_still_cuts_it(client: httpx.Client) -> None:
    with Server(TRICKLES["body in chunks"], [GOOD]) as server:
        transport = HttpxTransport(client)
        incoming = transport.open(ask(server.url))
        transport.close()
        assert transport.send(ask(server.url)).status == 200
        transport.close()
        del transport
        started = time.monotonic()
        with pytest.raises(APITimeoutError), contextlib.closing(incoming):
            while incoming.read():
                pass
        assert time.monotonic() - started < LONG


def test_a_socket_that_is_not_known_is_bounded_by_what_is_left_for_each_phase() -> None:
    class Anonymous(httpx.HTTPTransport):
        """Tells neither what it does nor over which socket."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions.pop("trace", None)
            request.extensions = {
                "timeout": dict.fromkeys(("pool", "connect", "write", "read"), request.extensions["timeout"]["read"])
            }
            answered = super().handle_request(request)
            return httpx.Response(answered.status_code, headers=answered.headers, stream=answered.stream)

    with Server([GOOD], [3.0]) as server, httpx.Client(transport=Anonymous()) as client:
        transport = HttpxTransport(client)
        assert transport.send(ask(server.url)).status == 200
        assert_cut(transport, server.url)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_deadlines_are_kept_in_a_forked_process() -> None:
    script = """
import os, sys, time, httpx
from assay.backends.transports.httpx_transport import HttpxTransport
from assay.flow.effects import Request
from assay.errors import APITimeoutError
def call(path):
    started = time.monotonic()
    try:
        return transport.send(Request("POST", sys.argv[1] + path, (), b"{}", 0.5)).status
    except APITimeoutError:
        return "late" if time.monotonic() - started < 5 else "too late"
transport = HttpxTransport(httpx.Client())
def report():
    os.write(1, f"{call('/good')} {call('/slow')}\\n".encode())  # at once: two processes write
report()
child = os.fork()
report()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    with Server(lambda request: [GOOD] if request.path == "/good" else TRICKLES["head"]) as server:
        done = program(script, server.url)
    assert done.stdout.splitlines() == ["200 late"] * 3, done.stderr


def test_a_request_without_a_limit_is_not_cut(client: httpx.Client) -> None:
    with Server([HEAD, *[b"a", 0.1] * 6, b"\r\ncontent-length: 2\r\n\r\n{}"]) as server:
        assert HttpxTransport(client).send(ask(server.url, None)).body == b"{}"


def test_a_connection_closed_as_it_is_cut_is_late_all_the_same(client: httpx.Client) -> None:
    def hang_up(sock: socket.socket) -> None:
        sock.shutdown(socket.SHUT_WR)

    with Server([HEAD, *[b"a", 0.1] * 8, hang_up, FIN]) as server:
        assert_cut(HttpxTransport(client), server.url)
