"""How many requests the embedded model should generate at the same time, and whether answers depend on it.

    python tests/benchmarks/bench_local.py [--documents 16] [--slots 1 2 4]

Sixteen requests with one long common prefix, sent one by one and all at once, for each number of slots; what is written
is the seconds that they took, how many answers were the same both ways, and how many prompt tokens a request did not have
to evaluate. The model is `smollm2-135m`, on one thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from assay.backends.local import chat, weights
from assay.backends.local.engine import Engine, Settings

TOWNS = ("Lisbon", "Graz", "Oslo", "Turin", "Calais", "Dover", "Bergen", "Milan")
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer"},
        "city": {"type": "string", "maxLength": 40},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}
RULES = "Read the document and answer with one JSON object. Copy the values from the text. " * 6


def messages(number: int) -> list[dict[str, str]]:
    text = f"{TOWNS[number % len(TOWNS)]} resident number {number}, aged {20 + number}, was interviewed."
    return [{"role": "system", "content": RULES}, {"role": "user", "content": text}]


def answer(engine: Engine, number: int) -> dict[str, Any]:
    events: list[Any] = []
    body = {"messages": messages(number), "temperature": 0, "max_tokens": 60, "grammar": chat.grammar(SCHEMA)}
    engine.submit(body, events.append).future.result()
    said: dict[str, Any] = json.loads(chat.whole(events))
    return said


def measure(slots: int, documents: int) -> str:
    engine = Engine(Settings(weights.pull("smollm2-135m"), "m", 2048, slots))
    engine.load()
    began = time.perf_counter()
    alone = [answer(engine, number) for number in range(documents)]
    one_by_one = time.perf_counter() - began
    with ThreadPoolExecutor(documents) as pool:
        began = time.perf_counter()
        together = list(pool.map(lambda number: answer(engine, number), range(documents)))
        at_once = time.perf_counter() - began
    engine.close()
    same = sum(a["choices"] == b["choices"] for a, b in zip(alone, together, strict=True))
    cached = sum(said["usage"]["prompt_tokens_details"]["cached_tokens"] for said in together) // documents
    prompt = together[0]["usage"]["prompt_tokens"]
    return (
        f"{slots} slots: one by one {one_by_one:.1f} s, at once {at_once:.1f} s, same answers {same}/{documents}, "
        f"{cached} of {prompt} prompt tokens from the cache\n"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--documents", type=int, default=16)
    options.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    given = options.parse_args()
    for slots in given.slots:
        sys.stdout.write(measure(slots, given.documents))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
