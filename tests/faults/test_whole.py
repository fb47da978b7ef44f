"""Faults of a whole answer, each done to a real socket, met on every transport, sync and async."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from assay.backends.chat import complete
from assay.backends.limits import RateLimiter
from assay.backends.retry import RetryPolicy
from assay.errors import APIError
from faults.cases import BODY, FINAL, GOOD, GZIPPED, HARMLESS, RETRIED, TEXT, Case, Harmless
from faults.travel import CALL, KEY, Way, endpoint
from servers import Received, Server, answer, completion, completion_body, error


def named(case: Case | Harmless) -> str:
    return case.name.replace(" ", "-")


def check_error(error: APIError, case: Case, requests: int) -> None:
    assert type(error) is case.error, repr(error)
    assert case.says in str(error)
    assert error.requests == requests
    for name, value in case.fields:
        assert getattr(error, name) == value
    assert KEY not in repr(error) + str(vars(error))
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None or isinstance(error.__context__, APIError)


@pytest.mark.parametrize("case", RETRIED, ids=named)
def test_a_passing_fault_is_retried_with_the_same_bytes(case: Case, way: Way) -> None:
    with Server(case.steps, [GOOD]) as server:
        reply = way.complete(endpoint(server.base_url, timeout=case.timeout))
    assert reply.text == TEXT
    assert reply.requests == 2
    first, second = server.received
    assert first.body == second.body
    assert first.headers == second.headers


@pytest.mark.parametrize("case", [case for case in RETRIED if not case.stalls], ids=named)
def test_a_lasting_fault_ends_in_a_typed_error(case: Case, way: Way) -> None:
    fails_for_good(case, way)


@pytest.mark.parametrize("case", [case for case in RETRIED if case.stalls], ids=named)
def test_a_lasting_stall_ends_in_a_timeout(case: Case, default_way: Way) -> None:
    started = time.monotonic()
    fails_for_good(case, default_way)
    assert time.monotonic() - started < 4.0


def fails_for_good(case: Case, way: Way) -> None:
    with Server(case.steps) as server:
        with pytest.raises(APIError) as caught:
            way.complete(endpoint(server.base_url, timeout=case.timeout))
        check_error(caught.value, case, 2)
        assert "after 2 requests" in str(caught.value)
        assert server.until_closed(3.0, connections=1), "a connection was left open besides the one kept for reuse"


@pytest.mark.parametrize("case", FINAL, ids=named)
def test_what_would_fail_again_is_not_retried(case: Case, way: Way) -> None:
    with Server(case.steps) as server:
        with pytest.raises(APIError) as caught:
            way.complete(endpoint(server.base_url))
        check_error(caught.value, case, 1)


@pytest.mark.parametrize("case", HARMLESS, ids=named)
def test_what_is_odd_but_right_is_read(case: Harmless, way: Way) -> None:
    with Server(case.steps) as server:
        started = time.monotonic()
        reply = way.complete(endpoint(server.base_url))
        assert reply.text == TEXT
        assert reply.requests == 1
        assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("code", ["json_validate_failed", "tool_use_failed"])
@pytest.mark.parametrize("written", ['{"name": "Ada",', "I cannot do that.", ""])
def test_a_rejected_generation_is_a_reply_with_what_was_written(code: str, written: str, way: Way) -> None:
    rejected = answer(400, error("Failed to generate JSON", code=code, failed_generation=written))
    with Server([rejected]) as server:
        reply = way.complete(endpoint(server.base_url))
    assert reply.rejected is not None
    assert (reply.rejected.code, reply.rejected.status, reply.text, reply.requests) == (code, 400, written, 1)
    assert "Failed to generate JSON" in reply.rejected.message


@pytest.mark.parametrize("reason", ["length", "stop", "content_filter"])
@pytest.mark.parametrize("content", [None, ""])
def test_an_empty_text_keeps_why_it_ended(reason: str, content: str | None, default_way: Way) -> None:
    with Server([completion(content, finish_reason=reason)]) as server:
        reply = default_way.complete(endpoint(server.base_url))
    assert (reply.text, reply.finish_reason) == ("", reason)


def test_a_storm_of_refusals_slows_all_who_share_a_limiter(default_way: Way) -> None:
    """Twenty at once, and a server that refuses everybody for a while: they wait together and do not hammer."""
    until: list[float] = []

    def stormy(request: Received) -> list[bytes]:
        until[:] = until or [request.at + 0.4]
        left = until[0] - request.at
        return [GOOD] if left <= 0 else [answer(429, error("slow down"), {"retry-after-ms": str(int(left * 1000) + 1)})]

    limiter = RateLimiter()
    patient = RetryPolicy(max_retries=5, budget=20.0, backoff=0.05)
    with Server(stormy) as server:
        to = endpoint(server.base_url, limiter=limiter, retry=patient)
        with ThreadPoolExecutor(20) as pool:
            if default_way.is_async:
                replies = default_way.run_all([complete(to, CALL) for _ in range(20)])
            else:
                replies = list(pool.map(lambda _: default_way.complete(to), range(20)))
    assert [reply.text for reply in replies] == [TEXT] * 20
    assert len(server.received) <= 60, "twenty refused, twenty answered, and few tries in between"


# -- answers that httpx has read already -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["httpx-sync", "httpx-async"])
@pytest.mark.parametrize("packing", [{}, {"content-encoding": "gzip"}], ids=["plain", "gzip"])
def test_a_hook_may_read_the_body(name: str, packing: dict[str, str]) -> None:
    def read(response: httpx.Response) -> None:
        response.read()

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    body = GZIPPED if packing else BODY
    with (
        Server([answer(200, body, packing)]) as server,
        Way(name, {"event_hooks": {"response": [aread if name.endswith("async") else read]}}) as way,
    ):
        assert way.complete(endpoint(server.base_url)).text == TEXT
        assert way.stream(endpoint(server.base_url))[1].text == TEXT


@pytest.mark.parametrize("name", ["httpx-sync", "httpx-async"])
def test_a_transport_for_tests_may_give_the_body_at_once(name: str) -> None:
    scripted = httpx.MockTransport(lambda _: httpx.Response(200, json=completion_body(TEXT)))
    with Way(name, {"transport": scripted}) as way:
        assert way.complete(endpoint("http://model.invalid/v1")).text == TEXT


@pytest.mark.parametrize("value", [b"a\x9bb", b"\xe9t\xe9", "\u00e9".encode(), b"\xff" * 3, b"", b"a, b", b"\x80"])
def test_a_header_in_no_encoding_spoils_no_answer(value: bytes, way: Way) -> None:
    whole = answer(200, completion_body(TEXT)).replace(
        b"\r\n\r\n", b"\r\nx-note: " + value + b"\r\nx-request-id: r-1\r\n\r\n", 1
    )
    with Server([whole]) as server:
        reply = way.complete(endpoint(server.base_url))
    assert (reply.text, reply.request_id) == (TEXT, "r-1")
