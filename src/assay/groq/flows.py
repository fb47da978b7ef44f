"""How an action is performed: flows over the exchange that all of assay shares. Sync and async run the same ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeVar

from assay.backends.exchange import Done, Once, Try, open_once, persist, send_once
from assay.backends.gate import Gate
from assay.backends.retry import RetryPolicy
from assay.errors import APIError
from assay.flow.effects import Emit, Flow, Incoming, Read, Request
from assay.flow.urls import shown
from assay.groq.action import Action
from assay.groq.as_httpx import dressed
from assay.types import frozen
from assay.wire.errors import of_answer, request_id

T = TypeVar("T")

log = logging.getLogger("assay.groq")


@frozen
class Answered:
    """The head of an answer, and how it was got."""

    request: Request
    status: int
    headers: Mapping[str, str]
    retries: int
    seconds: float


def whole(request: Request, retry: RetryPolicy, gate: Gate) -> Flow[tuple[Answered, bytes]]:
    """The response, its body read but not judged."""

    def once(trying: Try) -> Flow[Done[tuple[Answered, bytes]]]:
        response = yield from send_once(trying.request)
        return Done((_answered(trying, response.status, response.headers), response.body))

    return (yield from _persist(once, request, retry, gate))


def answer(action: Action[T], request: Request, retry: RetryPolicy, gate: Gate) -> Flow[T]:
    """The answer. A body that was damaged on its way is a failed try like any other."""

    def once(trying: Try) -> Flow[Done[T]]:
        response = yield from send_once(trying.request)
        value = _parsed(action, response.status, response.headers, response.body)
        _answered(trying, response.status, response.headers)
        return Done(value)

    return (yield from _persist(once, request, retry, gate))


def opened(request: Request, retry: RetryPolicy, gate: Gate) -> Flow[None]:
    """Emits the head of the response, then its body's pieces as they come."""

    def once(trying: Try) -> Flow[Done[tuple[Answered, Incoming]]]:
        incoming = yield from open_once(trying.request)
        return Done((_answered(trying, incoming.status, incoming.headers), incoming))

    answered, incoming = yield from _persist(once, request, retry, gate)
    yield Emit(answered)
    try:
        while piece := (yield Read(incoming)):
            yield Emit(piece)
    except APIError as error:
        raise dressed(error, request)  # noqa: B904  # the same error


def parsed(action: Action[T], answered: Answered, body: bytes) -> T:
    """The answer in a body. An `APIError` about it has the response."""
    try:
        return _parsed(action, answered.status, answered.headers, body)
    except APIError as error:
        raise dressed(error, answered.request)  # noqa: B904  # the same error


def _persist(once: Once[T], request: Request, retry: RetryPolicy, gate: Gate) -> Flow[T]:
    _log_request(request)
    try:
        return (yield from persist(once, request, retry, gate))
    except APIError as error:
        raise dressed(error, request)  # noqa: B904  # the same error


def _parsed(action: Action[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    try:
        return action.parse(body, headers)
    except APIError as error:
        raise of_answer(error, status, headers, body)  # noqa: B904  # the same error


def _log_request(request: Request) -> None:
    if log.isEnabledFor(logging.DEBUG):
        log.debug(
            "%s %s, %d bytes: %.2000s",
            request.method,
            shown(request.url),
            len(request.body),
            request.body.decode(errors="replace"),
        )


def _answered(trying: Try, status: int, headers: Mapping[str, str]) -> Answered:
    request = trying.request
    log.info(
        "%s %s: %d, request id %s, %d request(s)",
        request.method,
        shown(request.url),
        status,
        request_id(headers),
        trying.number,
    )
    return Answered(request, status, headers, trying.number - 1, trying.seconds())
