"""What three failures in a row cost, in bytes sent over the first request: assay beside Instructor, on one local server.

    python tests/benchmarks/bench_reask.py

The server fails each contestant three times and then lets it succeed: with one wrong field of 50 or of 500, or with all of them
wrong. Whole answers are given to whole questions, parts to questions about parts. The last column says how many requests a
contestant makes when Groq's `json_validate_failed` comes with text that is no JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

sys.path.insert(0, str(Path(__file__).parent.parent))

import assay
from servers import Received, Server, answer, completion, error

FAILURES = 3
TEXT = "Field one is 1, field two is 2, and so on."

Contestant = Callable[[type[BaseModel], str], None]


def wide(count: int) -> type[BaseModel]:
    fields: Any = {f"field_{i}": (int, Field(description=f"the value of field {i}")) for i in range(count)}
    return create_model("Wide", **fields)


def serve(count: int, *, all_bad: bool) -> Callable[[Received], list[bytes]]:
    asked = 0

    def steps(request: Received) -> list[bytes]:
        nonlocal asked
        asked += 1
        good = {f"field_{i}": i for i in range(count)}
        bad = dict.fromkeys(good, "n/a") if all_bad else {**good, "field_7": "n/a"}
        whole = "field_8" in json.dumps(request.json["messages"])
        if asked > FAILURES:
            return [completion(json.dumps(good if whole else {"/field_7": 7}))]
        return [completion(json.dumps(bad if whole else {"/field_7": "n/a"}))]

    return steps


def by_assay(model: type[BaseModel], url: str) -> None:
    assay.Extractor(model, model="m", base_url=url, retries=FAILURES).run(TEXT)


def by_instructor(model: type[BaseModel], url: str) -> None:
    import instructor
    import openai

    client = instructor.from_openai(openai.OpenAI(base_url=url, api_key="none", max_retries=0), mode=instructor.Mode.JSON)
    messages: Any = [{"role": "user", "content": TEXT}]
    client.chat.completions.create(model="m", response_model=model, messages=messages, max_retries=FAILURES)


def by_pydantic_ai(model: type[BaseModel], url: str) -> None:
    from pydantic_ai import Agent, PromptedOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    chat = OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="none"))
    Agent(chat, output_type=PromptedOutput(model), retries=FAILURES).run_sync(TEXT)


CONTESTANTS: dict[str, Contestant] = {"assay": by_assay, "instructor": by_instructor, "pydantic-ai": by_pydantic_ai}


def cost(contestant: Contestant, count: int, *, all_bad: bool) -> str:
    with Server(serve(count, all_bad=all_bad)) as server:
        contestant(wide(count), server.base_url)
        sizes = [len(request.body) for request in server.received]
    return f"{sum(sizes) / sizes[0]:6.2f}  ({len(sizes)} requests, {sum(sizes) / 1000:.0f} kB)"


def refused(contestant: Contestant) -> str:
    body = error("Failed to generate JSON.", code="json_validate_failed", failed_generation="I would say 7.")
    good = json.dumps({f"field_{i}": i for i in range(5)})
    with Server([answer(400, body)], [completion(good)]) as server:
        try:
            contestant(wide(5), server.base_url)
        except Exception as failure:  # the peers' ways to fail are many
            return f"{len(server.received)} request, {type(failure).__name__}"
        return f"{len(server.received)} requests, a value"


def main() -> None:
    for name, contestant in CONTESTANTS.items():
        print(name)
        try:
            for count in (50, 500):
                print(f"  one of {count:3} wrong  {cost(contestant, count, all_bad=False)}")
                print(f"  all of {count:3} wrong  {cost(contestant, count, all_bad=True)}")
            print(f"  json_validate_failed  {refused(contestant)}")
        except ImportError as missing:
            print(f"  not measured: {missing}")


if __name__ == "__main__":
    main()
