"""How an action is performed: flows over the exchange that all of assay shares. Sync and async run the same ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeVar

from assay.backends.exchange import Done, Try, open_once, persist, send_once
from assay.backends.retry import RetryPolicy
from assay.errors import APIError, ErrorResponse
from assay.flow.effects import Emit, Flow, Incoming, Read, Request, Response
from assay.flow.urls import shown
from assay.groq.action import Action
from assay.wire.errors import request_id

T = TypeVar("T")

log = logging.getLogger("assay.groq")


def whole(request: Request, retry: RetryPolicy) -> Flow[Response]:
    """The response, its body read but not judged."""

    def once(trying: Try) -> Flow[Done[Response]]:
        response = yield from send_once(trying.request)
        _log_answer(trying, response.status, response.headers)
        return Done(response)

    _log_request(request)
    return (yield from persist(once, request, retry))


def answer(action: Action[T], request: Request, retry: RetryPolicy) -> Flow[T]:
    """The answer. A body that was spoilt on its way is a failed try like any other."""

    def once(trying: Try) -> Flow[Done[T]]:
        response = yield from send_once(trying.request)
        value = parsed(action, response.status, response.headers, response.body)
        _log_answer(trying, response.status, response.headers)
        return Done(value)

    _log_request(request)
    return (yield from persist(once, request, retry))


def opened(request: Request, retry: RetryPolicy) -> Flow[None]:
    """Emits the opened response, then its body's pieces as they come."""

    def once(trying: Try) -> Flow[Done[Incoming]]:
        incoming = yield from open_once(trying.request)
        _log_answer(trying, incoming.status, incoming.headers)
        return Done(incoming)

    _log_request(request)
    incoming = yield from persist(once, request, retry)
    yield Emit(incoming)
    while piece := (yield Read(incoming)):
        yield Emit(piece)


def parsed(action: Action[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    """The answer in a body. An `APIError` about it says which response it was."""
    try:
        return action.parse(body, headers)
    except APIError as error:
        error.request_id = error.request_id or request_id(headers)
        error.response = error.response or ErrorResponse(status, headers, body.decode(errors="replace"))
        raise


def _log_request(request: Request) -> None:
    if log.isEnabledFor(logging.DEBUG):
        log.debug(
            "%s %s, %d bytes: %.2000s",
            request.method,
            shown(request.url),
            len(request.body),
            request.body.decode(errors="replace"),
        )


def _log_answer(trying: Try, status: int, headers: Mapping[str, str]) -> None:
    request = trying.request
    log.info(
        "%s %s: %d, request id %s, %d request(s)",
        request.method,
        shown(request.url),
        status,
        request_id(headers),
        trying.number,
    )
