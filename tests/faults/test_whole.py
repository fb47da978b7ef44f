"""Faults of a whole answer, each done to a real socket, met on every transport, sync and async."""

from __future__ import annotations

import time

import pytest

from assay.errors import APIError
from faults.cases import FINAL, GOOD, HARMLESS, RETRIED, TEXT, Case, Harmless
from faults.travel import KEY, Way, endpoint
from servers import Server


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
