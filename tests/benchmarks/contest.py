"""One contestant in a process of its own: it is told what to measure, line by line, and answers with figures.

    {"fields": 5, "latency": 0, "width": 0, "cpu": 0.3, "wall": 3.0}   ->   {"calls": 310, "cpu": 0.00098, "wall": 0.0011}

`width` 0 is one blocking call after the other, else so many awaited ones at once. A measurement ends when it has used `cpu`
seconds of processor time or `wall` seconds by the clock; each call in it gives the validated value, which is looked at. Figures
are seconds for one call; CPU is that of the whole process, all its threads. `{"rows": 1000}` asks for so many rows through `amap`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from prepared import VALUES

TEXT = "Some document. " * 20
MANY = 2000
"""Connections that a pool may have, where its default is less than the widest measurement."""

Call = Callable[[], Any]
AsyncCall = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Job:
    """What is asked for: the model class, the URL of the API, and the body that the bare contestants post."""

    model: Any
    url: str
    body: dict[str, Any]


@cache
def model_of(fields: int) -> Any:
    from pydantic import Field, create_model

    types = [type(value) for value in VALUES]
    described: Any = {
        f"field_{number}": (types[number % len(types)], Field(description=f"The value of field {number} in the document."))
        for number in range(fields)
    }
    return create_model("Record", **described)


def question(fields: int) -> dict[str, Any]:
    """The body that assay sends: the bare contestants post the same."""
    extractor = _extractor(Job(model_of(fields), "http://localhost", {}))
    call: Any = next(extractor.steps(TEXT))

    body: dict[str, Any] = json.loads(extractor.connection.endpoint.wire.encode(call, "m"))
    return body


def _content(data: Any) -> str:
    return str(data["choices"][0]["message"]["content"])


def _chat(job: Job) -> dict[str, Any]:
    return {
        "model": job.body["model"],
        "messages": job.body["messages"],
        "response_format": job.body["response_format"],
        "temperature": 0,
    }


# -- the floor -----------------------------------------------------------------------------------------------------------


def httpx_sync(job: Job) -> Call:
    import httpx
    from pydantic import TypeAdapter

    client, adapter, url = httpx.Client(), TypeAdapter(job.model), f"{job.url}/chat/completions"
    return lambda: adapter.validate_json(_content(client.post(url, json=job.body).json()))


def pyreqwest_sync(job: Job) -> Call:
    from pydantic import TypeAdapter
    from pyreqwest.client import SyncClientBuilder

    client, adapter, url = SyncClientBuilder().build(), TypeAdapter(job.model), f"{job.url}/chat/completions"
    return lambda: adapter.validate_json(_content(client.post(url).body_json(job.body).build().send().json()))


def aiohttp_async(job: Job) -> AsyncCall:
    import aiohttp
    from pydantic import TypeAdapter

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    adapter, url = TypeAdapter(job.model), f"{job.url}/chat/completions"

    async def call() -> Any:
        async with session.post(url, json=job.body) as response:
            return adapter.validate_json(_content(await response.json()))

    return call


def pyreqwest_async(job: Job) -> AsyncCall:
    from pydantic import TypeAdapter
    from pyreqwest.client import ClientBuilder

    client, adapter, url = ClientBuilder().build(), TypeAdapter(job.model), f"{job.url}/chat/completions"

    async def call() -> Any:
        response = await client.post(url).body_json(job.body).build().send()
        return adapter.validate_json(_content(await response.json()))

    return call


def httpx_async(job: Job) -> AsyncCall:
    import httpx
    from pydantic import TypeAdapter

    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=MANY, max_keepalive_connections=MANY))
    adapter, url = TypeAdapter(job.model), f"{job.url}/chat/completions"

    async def call() -> Any:
        return adapter.validate_json(_content((await client.post(url, json=job.body)).json()))

    return call


# -- this package --------------------------------------------------------------------------------------------------------


def _extractor(job: Job) -> Any:
    from assay import Extractor

    return Extractor(job.model, model="m", base_url=job.url, mode="json")


def assay_sync(job: Job) -> Call:
    extractor = _extractor(job)
    return lambda: extractor.extract(TEXT)


def assay_async(job: Job) -> AsyncCall:
    extractor = _extractor(job)
    return lambda: extractor.aextract(TEXT)  # type: ignore[no-any-return]


def assay_httpx_sync(job: Job) -> Call:
    import httpx

    from assay import Extractor

    extractor: Any = Extractor(job.model, model="m", base_url=job.url, mode="json", client=httpx.Client())
    return lambda: extractor.extract(TEXT)


# -- the SDKs, their answer validated -------------------------------------------------------------------------------------


def groq_sync(job: Job) -> Call:
    from pydantic import TypeAdapter

    from groq import Groq

    client, adapter, chat = Groq(api_key="x", base_url=job.url), TypeAdapter(job.model), _chat(job)
    return lambda: adapter.validate_json(client.chat.completions.create(**chat).choices[0].message.content or "")


def groq_async(job: Job) -> AsyncCall:
    from pydantic import TypeAdapter

    from groq import AsyncGroq

    client, adapter, chat = AsyncGroq(api_key="x", base_url=job.url), TypeAdapter(job.model), _chat(job)

    async def call() -> Any:
        return adapter.validate_json((await client.chat.completions.create(**chat)).choices[0].message.content or "")

    return call


def openai_sync(job: Job) -> Call:
    from openai import OpenAI
    from pydantic import TypeAdapter

    client, adapter, chat = OpenAI(api_key="x", base_url=job.url), TypeAdapter(job.model), _chat(job)
    return lambda: adapter.validate_json(client.chat.completions.create(**chat).choices[0].message.content or "")


# -- the peers --------------------------------------------------------------------------------------------------------------

MESSAGES: Any = [{"role": "user", "content": TEXT}]


def instructor_sync(job: Job) -> Call:
    import instructor
    from openai import OpenAI

    client = instructor.from_openai(OpenAI(api_key="x", base_url=job.url), mode=instructor.Mode.JSON)
    return lambda: client.chat.completions.create(model="m", response_model=job.model, messages=MESSAGES)


def instructor_async(job: Job) -> AsyncCall:
    import instructor
    from openai import AsyncOpenAI

    client = instructor.from_openai(AsyncOpenAI(api_key="x", base_url=job.url), mode=instructor.Mode.JSON)
    return lambda: client.chat.completions.create(model="m", response_model=job.model, messages=MESSAGES)


def instructor_groq_sync(job: Job) -> Call:
    import instructor

    from groq import Groq

    client = instructor.from_groq(Groq(api_key="x", base_url=job.url), mode=instructor.Mode.JSON)
    return lambda: client.chat.completions.create(model="m", response_model=job.model, messages=MESSAGES)


def _agent(job: Job) -> Any:
    from pydantic_ai import Agent, PromptedOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    chat = OpenAIChatModel("m", provider=OpenAIProvider(base_url=job.url, api_key="x"))
    return Agent(chat, output_type=PromptedOutput(job.model))


def pydantic_ai_sync(job: Job) -> Call:
    agent = _agent(job)
    return lambda: agent.run_sync(TEXT).output


def pydantic_ai_async(job: Job) -> AsyncCall:
    agent = _agent(job)

    async def call() -> Any:
        return (await agent.run(TEXT)).output

    return call


# -- measuring ----------------------------------------------------------------------------------------------------------------


class Clock:
    """How long and how much processor time a measurement may take, and how much it took."""

    def __init__(self, cpu: float, wall: float) -> None:
        self.calls = 0
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._ends = self._cpu + cpu, self._wall + wall

    def running(self) -> bool:
        return time.process_time() < self._ends[0] and time.perf_counter() < self._ends[1]

    def figures(self) -> dict[str, float]:
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return {"calls": self.calls, "cpu": cpu / self.calls, "wall": wall / self.calls}


def in_turn(call: Call, told: dict[str, Any]) -> dict[str, float]:
    clock = Clock(told["cpu"], told["wall"])
    while clock.running() or clock.calls < 3:
        _looked_at(call(), told)
        clock.calls += 1
    return clock.figures()


async def at_once(call: AsyncCall, told: dict[str, Any]) -> dict[str, float]:
    clock = Clock(told["cpu"], told["wall"])

    async def worker() -> None:
        while True:
            _looked_at(await call(), told)
            clock.calls += 1
            if not clock.running():
                return

    await asyncio.gather(*(worker() for _ in range(told["width"])))
    return clock.figures()


async def through(rows: int, url: str) -> dict[str, float]:
    """Rows through `Extractor.amap`, 64 at once, their outcomes let go."""
    extractor, done = _extractor(Job(model_of(5), url, {})), 0
    cpu, wall = time.process_time(), time.perf_counter()
    async for outcome in extractor.amap((f"{TEXT}{number}" for number in range(rows)), concurrency=64):
        done += outcome.ok
    assert done == rows
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"calls": rows, "cpu": cpu / rows, "wall": wall / rows, "mb": peak()}


def _looked_at(value: Any, told: dict[str, Any]) -> None:
    last = told["fields"] - 1
    assert getattr(value, f"field_{last}") == VALUES[last % len(VALUES)], value


def peak() -> float:
    """MB that the process had at most. `getrusage` would count what its parent had when it forked."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main() -> None:
    name, url = sys.argv[1:]
    calls: dict[tuple[int, int, bool], Any] = {}
    bodies: dict[int, Any] = {}
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            told = json.loads(line)
            if "rows" in told:
                print(json.dumps(runner.run(through(told["rows"], f"{url}/5/0/v1"))), flush=True)
                continue
            fields, width = told["fields"], told["width"]
            bodies.setdefault(fields, told.get("body") or question(fields))
            key = fields, told["latency"], bool(width)
            if key not in calls:
                make = globals()[f"{name}_{'async' if width else 'sync'}"]
                job = Job(model_of(fields), f"{url}/{fields}/{told['latency']}/v1", bodies[fields])
                calls[key] = make(job) if not width else runner.run(_made(make, job))
            figures = runner.run(at_once(calls[key], told)) if width else in_turn(calls[key], told)
            print(json.dumps(figures), flush=True)


async def _made(make: Callable[[Job], AsyncCall], job: Job) -> AsyncCall:
    """Made where its event loop runs: aiohttp wants that."""
    return make(job)


if __name__ == "__main__":
    main()
