"""What an extraction costs besides its transport: microseconds of processor time, the least of some rounds.

    python tests/benchmarks/bench_flow.py

Answers are handed over in memory. The flow is all that happens between a source and its value: the question, the request's bytes,
the answer's, the judgement, the outcome; pydantic's validation of the answer is measured alone and taken off. A re-ask is what
one wrong field of an answer adds: the problem, the question about it, its answer merged in. Decisions are the engine's part alone.
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
from pydantic import TypeAdapter

import assay
from assay import api, drive
from assay.effects import Request, Response
from assay.types import Reply, Usage

ROUNDS = 9
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


def least(work: Callable[[], object], times: int) -> float:
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


def costs(fields: int) -> list[float]:
    model, good, times = model_of(fields), answer_of(fields), max(20, 1500 // fields)
    bad = json.dumps({**json.loads(good), "field_1": "n/a"})
    extractor: Any = assay.Extractor(model, model="m", base_url="http://localhost", mode="json")
    adapter, once, twice = TypeAdapter(model), InMemory(good), InMemory(bad, PART)
    validation = least(lambda: adapter.validate_json(good), times)
    call = least(lambda: drive.run(extractor._flow(TEXT, None, None), once), times)  # type: ignore[arg-type]
    asked_again = least(lambda: drive.run(extractor._flow(TEXT, None, None), twice), times)  # type: ignore[arg-type]
    decisions = least(lambda: decided(extractor, [good]), times)
    with_reask = least(lambda: decided(extractor, [bad, PART]), times)
    return [
        validation,
        call - validation,
        asked_again - call - validation,
        decisions - validation,
        with_reask - decisions - validation,
    ]


def second_use() -> tuple[float, float]:
    """Milliseconds for the first extractor of a class with 50 fields, microseconds for one more."""
    model = model_of(50)

    def make() -> object:
        return assay.Extractor(model, model="m", base_url="http://localhost", mode="json")

    started = time.process_time()
    make()
    first = (time.process_time() - started) * 1e3
    return first, least(lambda: api._extractor(model, {"model": "m", "base_url": "http://localhost"}), 200)


def main() -> None:
    first, second = second_use()
    print("us of CPU")
    print(
        f"{'':14}{'validation':>12}{'flow, a call':>14}{'flow, a re-ask':>16}{'decisions, a call':>19}{'decisions, a re-ask':>21}"
    )
    for fields in (5, 50, 500):
        figures = costs(fields)
        widths = (12, 14, 16, 19, 21)
        print(f"{fields:3} fields    " + "".join(f"{figure:{width}.1f}" for figure, width in zip(figures, widths, strict=True)))
    print(
        f"\nextract() of a class with 50 fields: {first:.1f} ms of schema and prompt work the first time, {second:.1f} us to find it again"
    )


if __name__ == "__main__":
    main()
