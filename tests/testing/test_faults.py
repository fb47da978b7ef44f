"""Faults by name: each does what its name says, in whole answers and in streams, and the seed decides which requests meet it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

import assay
from assay.testing import FakeModel, Fault, faults
from servers import Server, said


class Person(BaseModel):
    name: str
    age: int


ADA = {"name": "Ada", "age": 36}
TEXT = "Ada is 36."


def run(*given: str, seed: int = 0, **options: Any) -> assay.Outcome[Person]:
    model = FakeModel(lambda _: ADA)
    with assay.Extractor(Person, model=model, **options) as extractor, faults(*given, seed=seed):
        return extractor.run(TEXT)


@pytest.mark.parametrize(("fault", "repair"), [("fence", "fence"), ("prose", "prose"), ("think", "think")])
def test_wrapped_answers_are_read_and_repaired(fault: str, repair: str) -> None:
    got = run(fault)
    assert got.value == Person(**ADA)
    assert repair in {each.kind for each in got.repairs}


def test_an_answer_cut_is_never_a_value() -> None:
    got = run("truncate(0.6)", retries=1)
    assert not got.ok
    assert {problem.kind for problem in got.problems} == {"truncated"}


def test_a_cut_answer_is_asked_again() -> None:
    assert run("truncate(times=1)").value == Person(**ADA)


def test_a_wrong_value_is_of_the_right_type_and_wrong() -> None:
    got = run("wrong_value(/age)")
    assert got.value is not None
    assert got.value.age != 36


def test_ignoring_the_schema_fails() -> None:
    assert not run("ignore_schema", retries=0).ok


@pytest.mark.parametrize("fault", ["rate_limit(0.01, times=1)", "overloaded(times=1)", "reset(times=1)"])
def test_what_passes_is_retried(fault: str) -> None:
    assert run(fault).value == Person(**ADA)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limit(0.01)", assay.RateLimitError),
        ("too_large", assay.RequestTooLargeError),
        ("reset", assay.APIConnectionError),
    ],
)
def test_what_stays_is_the_error_of_its_kind(fault: str, error: type[Exception]) -> None:
    assert isinstance(run(fault, max_retries=0).error, error)


def test_after_and_times_count_requests() -> None:
    model = FakeModel(lambda _: ADA)
    with assay.Extractor(Person, model=model, max_retries=0) as extractor, faults("overloaded(after=2, times=1)"):
        assert [extractor.run(TEXT).ok for _ in range(5)] == [True, True, False, True, True]


def test_a_seed_gives_the_same_bad_day() -> None:
    def day(seed: int) -> list[bool]:
        with (
            assay.Extractor(Person, model=FakeModel(lambda _: ADA), max_retries=0) as extractor,
            faults("reset(share=0.5)", seed=seed),
        ):
            return [extractor.run(TEXT).ok for _ in range(40)]

    assert day(1) == day(1) != day(2)
    assert 5 < sum(day(1)) < 35


def test_streams_and_awaited_calls_meet_them_too() -> None:
    with assay.Extractor(Person, model=FakeModel(lambda _: ADA)) as extractor, faults("fence", "prose"):
        *_, last = extractor.stream(TEXT)
        assert last.value == Person(**ADA)
        got = asyncio.run(extractor.arun(TEXT))
    assert got.value == Person(**ADA)
    assert got.repairs


def test_real_servers_meet_them_too() -> None:
    with Server(said('{"name": "Ada", "age": 36}')) as server, faults("wrong_value(/name)"):
        got = assay.extract(Person, TEXT, model="m", base_url=server.base_url)
    assert got.name == "adAx"


def test_nothing_stays_after_the_block() -> None:
    model = FakeModel(lambda _: ADA)
    with pytest.raises(ZeroDivisionError), faults("reset"):
        raise ZeroDivisionError
    assert assay.extract(Person, TEXT, model=model) == Person(**ADA)


@pytest.mark.parametrize("text", ["rate_limt", "fence(", "fence(near=2)", "fence(share=2)", "", "slow(1, 2)"])
def test_a_fault_that_there_is_not_says_so(text: str) -> None:
    with pytest.raises(assay.ConfigurationError):
        Fault.parse(text)
