"""Work done in a loop of our own for tasks of other loops, and what each process makes for itself."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.backends.bucket import MINUTE, Recent
from assay.backends.transports.per_process import PerProcess
from assay.backends.transports.portal import Mailbox, Portal, PortalClosed


@pytest.fixture
def portal() -> Iterator[Portal]:
    opened = Portal()
    yield opened
    opened.close()


async def squared(number: int) -> int:
    await asyncio.sleep(0.001 * (number % 3))
    return number * number


async def failing() -> None:
    await asyncio.sleep(0)
    raise KeyError("what")


def test_every_loop_gets_its_own_results(portal: Portal) -> None:
    async def ask(first: int) -> list[int]:
        return await asyncio.gather(*(portal.perform(lambda n=n: squared(n)) for n in range(first, first + 50)))  # type: ignore[misc]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda first: asyncio.run(ask(first)), range(0, 200, 50)))
    assert [number for some in results for number in some] == [n * n for n in range(200)]


def test_an_error_is_raised_where_the_result_is_awaited(portal: Portal) -> None:
    with pytest.raises(KeyError, match="what"):
        asyncio.run(portal.perform(failing))
    with pytest.raises(KeyError, match="what"):
        portal.call(failing)


def test_work_asked_for_in_the_portal_itself_is_done_there(portal: Portal) -> None:
    async def nested() -> int:
        return await portal.perform(lambda: squared(4))

    assert portal.call(nested) == 16


def test_who_stops_waiting_stops_the_work(portal: Portal) -> None:
    stopped = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise

    async def give_up() -> None:
        async with asyncio.timeout(0.05):
            await portal.perform(endless)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert stopped.wait(5)


def test_a_failure_that_nobody_waits_for_is_not_spoken_of(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    async def late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise KeyError("late")

    async def give_up() -> None:
        async with asyncio.timeout(0.05):
            await portal.perform(late)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    portal.call(lambda: asyncio.sleep(0.05))
    gc.collect()
    portal.call(lambda: asyncio.sleep(0))
    assert caplog.records == []


def closed_while(waiting: Callable[[Portal], Any]) -> Any:
    portal = Portal()
    threading.Timer(0.1, portal.close).start()
    return waiting(portal)


@pytest.mark.parametrize(
    "waiting",
    [
        lambda portal: asyncio.run(portal.perform(lambda: asyncio.sleep(60))),
        lambda portal: portal.call(lambda: asyncio.sleep(60)),
    ],
    ids=["awaited", "blocking"],
)
def test_closing_ends_every_wait(waiting: Callable[[Portal], Any]) -> None:
    started = time.monotonic()
    with pytest.raises(PortalClosed):
        closed_while(waiting)
    assert time.monotonic() - started < 30


def test_a_closed_portal_says_so_each_time(portal: Portal) -> None:
    portal.close()
    for _ in range(3):
        with pytest.raises(PortalClosed):
            asyncio.run(portal.perform(lambda: squared(1)))
        with pytest.raises(PortalClosed):
            portal.call(lambda: squared(1))


def test_a_loop_that_ends_while_its_work_goes_on_harms_no_other(portal: Portal) -> None:
    async def leave() -> None:
        task = asyncio.ensure_future(portal.perform(lambda: asyncio.sleep(0.1)))
        await asyncio.sleep(0.01)
        task.cancel()

    for _ in range(5):
        loop = asyncio.new_event_loop()
        waiting = loop.create_task(portal.perform(lambda: asyncio.sleep(0.05)))
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()  # the work ends when this loop is no more
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]  # on purpose
        asyncio.run(leave())
    portal.call(lambda: asyncio.sleep(0.15))
    assert asyncio.run(portal.perform(lambda: squared(5))) == 25


def test_a_dropped_portal_ends_its_thread() -> None:
    portal = Portal()
    portal.call(lambda: squared(2))
    before = threading.active_count()
    gone = weakref.ref(portal)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del portal
    assert gone() is None
    assert threading.active_count() == before - 1


class Wakes:
    """Of a loop just what a mailbox uses of it."""

    def __init__(self) -> None:
        self.due: list[Callable[[], object]] = []

    def call_soon_threadsafe(self, look: Callable[[], object]) -> None:
        self.due.append(look)


@given(st.lists(st.sampled_from(["put", "look"]), max_size=60))
def test_a_loop_is_woken_once_for_all_that_comes_before_it_looks(steps: list[str]) -> None:
    loop, taken, put, looked = Wakes(), list[int](), 0, 0
    mailbox = Mailbox(loop, taken.append)  # type: ignore[arg-type]
    for step in [*steps, "look"]:
        if step == "put":
            mailbox.put(put)
            put += 1
        elif loop.due:
            loop.due.pop()()
            looked += 1
        assert len(loop.due) <= 1
    assert taken == list(range(put))
    assert looked <= sum(a == "put" != b for a, b in zip([*steps, "look"], ["", *steps], strict=True))


# -- what each process makes for itself ------------------------------------------------------------------------------------


def test_threads_make_one_between_them() -> None:
    made = []
    begin = threading.Barrier(8)

    def make() -> object:
        time.sleep(0.02)
        made.append(object())
        return made[-1]

    mine = PerProcess(make)

    def use(_: int) -> object:
        begin.wait()
        return mine()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(use, range(8))))) == 1
    assert mine.take() is made[0]
    assert mine.take() is None
    assert mine() is not made[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_makes_its_own_even_when_one_was_just_being_made() -> None:
    mine = PerProcess(os.getpid)
    assert mine() == os.getpid()
    mine._making.acquire()  # as another thread of this process may have it
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, str(mine() == os.getpid()).encode())
        os._exit(0)
    mine._making.release()
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"True"
    assert mine() == os.getpid()
    os.close(reading)
    os.close(writing)


# -- what was sent of late -------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 20), max_size=200))
def test_what_was_sent_of_late_is_counted_in_bounded_space(gaps: list[float]) -> None:
    recent, now, sent = Recent(), 0.0, []
    for gap in gaps:
        now += gap
        recent.add(now)
        sent.append(now)
        late = sum(time >= now - MINUTE for time in sent)
        assert late <= recent.count <= sum(time >= now - MINUTE - Recent.STEP for time in sent)
        assert 0 <= recent.seconds(now) <= MINUTE
    assert len(recent._steps) <= MINUTE / Recent.STEP + 1
