"""What an extraction costs besides its transport: microseconds of processor time, the least of some rounds.

    python tests/benchmarks/bench_flow.py

Answers are handed over in memory. The flow is all that happens between a source and its value: the question, the request's bytes,
the answer's, the judgement, the outcome. A re-ask is what one wrong field of an answer adds to that: the problem, the question
about it with its own request, its answer merged in. Decisions are the engine's part alone.

Validation is pydantic's, measured alone and taken off. Of a call it is one check, of the answer's text. A re-ask has two more:
the wrong answer is checked exactly, as every answer is (this one fails instead of passing), then leniently, to learn what no
conversion mends; the mended answer leniently. What pydantic tells of its errors, and the problems made of that, count as flow, and
so do reading JSON into data and writing the mended data as text. Of a large answer the figures after taking off are small
differences of large ones: on a busy machine, look at several runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src")]

from contest import TEXT, model_of
from prepared import answer_of, response_to
from pydantic import TypeAdapter, ValidationError

import assay
from assay import api
from assay.flow import drive
from assay.flow.effects import Request, Response
from assay.types import Reply, Usage

ROUNDS = 20
PART = '{"/field_1": 7}'


class InMemory:
    """A transport that hands out the same answers again and again."""

    def __init__(self, *texts: str) -> None:
        self._responses = [Response(200, {"content-type": "application/json"}, _completion(text)) for text in texts]
        self._at = 0

    def send(self, request: Request) -> Response:
        self._at = (self._at + 1) % len(self._responses)
        return self._responses[self._at - 1]


def _completion(text: str) -> bytes:
    completion = json.loads(response_to(5).partition(b"\r\n\r\n")[2])
    completion["choices"][0]["message"]["content"] = text
    return json.dumps(completion).encode()


def least(times: int, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - started) / times)
    return min(taken) * 1e6


def decided(extractor: Any, texts: list[str]) -> Any:
    """The engine alone, its calls answered."""
    steps = extractor.steps(TEXT)
    next(steps)
    try:
        for text in texts:
            steps.send(Reply(text, "stop", Usage(318, 156, total_tokens=474)))
    except StopIteration as stop:
        assert stop.value.ok
        return stop.value
    raise AssertionError("it asks for more")


def refused(adapter: TypeAdapter[Any], text: str, *, strict: bool | None) -> None:
    try:
        adapter.validate_json(text, strict=strict)
    except ValidationError:
        return
    raise AssertionError("it is valid")


def costs(fields: int) -> list[float]:
    model, good, times = model_of(fields), answer_of(fields), max(20, 1500 // fields)
    bad = json.dumps({**json.loads(good), "field_1": "n/a"})
    extractor: Any = assay.Extractor(model, model="m", base_url="http://localhost", mode="json")
    asker = extractor._asker
    adapter, once, twice = TypeAdapter(model), InMemory(good), InMemory(bad, PART)
    passed = least(times, lambda: adapter.validate_json(good, strict=True))
    failed = least(times, lambda: refused(adapter, bad, strict=True))
    failed_again = least(times, lambda: refused(adapter, bad, strict=None))
    mended = least(times, lambda: adapter.validate_json(good))
    call = least(times, lambda: drive.run(asker._flow(asker.task, TEXT), once))  # type: ignore[arg-type]
    asked_again = least(times, lambda: drive.run(asker._flow(asker.task, TEXT), twice))  # type: ignore[arg-type]
    decisions = least(times, lambda: decided(extractor, [good]))
    with_reask = least(times, lambda: decided(extractor, [bad, PART]))
    more = failed + failed_again + mended - passed
    return [
        passed,
        call - passed,
        decisions - passed,
        more,
        asked_again - call - more,
        with_reask - decisions - more,
    ]


def second_use() -> tuple[float, float]:
    """Milliseconds for the first extractor of a class with 50 fields, microseconds for one more."""
    model = model_of(50)

    def make() -> object:
        return assay.Extractor(model, model="m", base_url="http://localhost", mode="json")

    started = time.process_time()
    make()
    first = (time.process_time() - started) * 1e3
    return first, least(200, lambda: api._extractor(model, {"model": "m", "base_url": "http://localhost"}))


def main() -> None:
    first, second = second_use()
    print("us of CPU       a call                             what a re-ask adds")
    heads = ("validation", "flow", "decisions")
    print(" " * 10 + "".join(f"{head:>12}" for head in heads + heads))
    for fields in (5, 50, 500):
        print(f"{fields:3} fields" + "".join(f"{figure:12.1f}" for figure in costs(fields)))
    print(
        f"\nextract() of a class with 50 fields: {first:.1f} ms of schema and prompt work the first time, {second:.1f} us to find it again"
    )


if __name__ == "__main__":
    main()
