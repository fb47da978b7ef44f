"""Flows within flows: what one holds is given back whatever ends it, and no failure is kept alive by where it went through."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from assay import Extractor
from assay.backends.exchange import Done, Try, persist
from assay.backends.retry import RetryPolicy
from assay.errors import APIConnectionError, APIStatusError
from assay.flow import drive
from assay.flow.effects import Emit, Flow, Open, Request, Send
from assay.flow.relay import relay, relay_emitted
from assay.types import RateLimits
from servers import Server, answer, error, streamed

REQUEST = Request("POST", "http://127.0.0.1/", ())


class Ledger:
    """A limiter that counts what is booked."""

    def __init__(self) -> None:
        self.booked = 0

    def reserve(self, tokens: int) -> float:
        self.booked += tokens
        return 0.0

    def settle(self, booked: int, used: int | None, limits: RateLimits | None) -> None:
        self.booked -= booked

    def refuse(self, booked: int, error: APIStatusError, limits: RateLimits | None) -> None:
        self.booked -= booked


class Failing:
    """A transport of which nothing comes but an exception."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def send(self, request: Request) -> Any:
        raise self.failure

    open = send

    def close(self) -> None:
        pass


def emitting(ledger: Ledger) -> Flow[str]:
    """Emits something, then sends a request, all booked."""

    def once(trying: Try) -> Flow[Done[str]]:
        yield Emit("first")
        yield Send(trying.request)
        return Done("whole")

    return persist(once, REQUEST, RetryPolicy(max_retries=0), ledger, tokens=100)


class LeftError(Exception):
    """Of a user's own code."""


def failing(value: Any) -> list[Any]:
    raise LeftError(value)


@pytest.mark.parametrize("failure", [APIConnectionError("gone"), RuntimeError("gone"), KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_no_booking_outlives_an_exception(failure: BaseException, layers: int) -> None:
    ledger = Ledger()
    flow = emitting(ledger)
    for _ in range(layers):
        flow = relay_emitted(flow, lambda value: [value])
    values = drive.stream(flow, Failing(failure))
    assert next(values) == "first"
    assert ledger.booked == 100
    with pytest.raises(type(failure)):
        next(values)
    assert ledger.booked == 0


def test_no_booking_outlives_the_one_who_looks_on() -> None:
    ledger = Ledger()
    with pytest.raises(LeftError):
        list(drive.stream(relay_emitted(emitting(ledger), failing), Failing(KeyboardInterrupt())))
    values = drive.stream(relay_emitted(emitting(ledger), lambda value: [value]), Failing(KeyboardInterrupt()))
    next(values)
    values.close()
    assert ledger.booked == 0


def test_effects_of_other_kinds_go_through_and_their_results_come_back() -> None:
    def inner() -> Flow[list[Any]]:
        got = [(yield Send(REQUEST))]
        try:
            yield Open(REQUEST)
        except APIConnectionError as error:
            got.append(str(error))
        got.append((yield Emit("asked")))
        return got

    def answering(emitted: Emit) -> Flow[str]:
        return (yield Send(Request("GET", emitted.value, ())))

    outer = relay(inner(), Emit, answering)
    assert outer.send(None) == Send(REQUEST)
    assert outer.send("one") == Open(REQUEST)
    assert outer.throw(APIConnectionError("gone")) == Send(Request("GET", "asked", ()))
    with pytest.raises(StopIteration) as end:
        outer.send("two")
    assert end.value.value == ["one", "gone", "two"]


class Person(BaseModel):
    name: str


@pytest.fixture
def _without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def run(extractor: Extractor[Person]) -> BaseException | None:
    return extractor.run("Ada").error


def arun(extractor: Extractor[Person]) -> BaseException | None:
    async def main() -> BaseException | None:
        async with extractor:
            return (await extractor.arun("Ada")).error

    return asyncio.run(main())


def extract(extractor: Extractor[Person]) -> BaseException | None:
    try:
        extractor.extract("Ada")
    except APIStatusError as error:
        return error
    return None


def stream(extractor: Extractor[Person]) -> BaseException | None:
    try:
        list(extractor.stream("Ada"))
    except APIStatusError as error:
        return error
    return None


@pytest.mark.usefixtures("_without_collector")
@pytest.mark.parametrize("ask", [run, arun, extract, stream])
def test_a_failure_is_gone_when_nobody_holds_it(ask: Callable[[Extractor[Person]], BaseException | None]) -> None:
    with Server([answer(503, error("down"), {"retry-after": "0.01"})]) as server:
        extractor = Extractor(Person, model="m", base_url=server.base_url, max_retries=1)
        failure = ask(extractor)
        assert isinstance(failure, APIStatusError)
        assert len(server.received) == 2
        gone = weakref.ref(failure)
        del failure
        assert gone() is None
        extractor.close()


def test_a_stream_goes_through_all_layers() -> None:
    with Server(streamed('{"name": "Ada"}')) as server, Extractor(Person, model="m", base_url=server.base_url) as extractor:
        assert [partial.value for partial in extractor.stream("Ada")][-1] == Person(name="Ada")
