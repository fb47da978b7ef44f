"""What a call costs with this client, beside the groq and openai packages, raw httpx and raw aiohttp.

    python tests/benchmarks/bench_client.py [--rounds 3]

A bare server in a process of its own answers every request at once with the same 1.3 kB completion. Each contestant runs in a
fresh process, in rounds of shuffled order; medians are shown. CPU is user and system time of the contestant's process over its
calls, after a warm-up. The raw ones post the same body and decode the JSON; the clients give their typed object. Ready:
from starting Python to a client with its `chat.completions.create`, beside `import httpx, pydantic, tenacity`, less bare Python.
"""

# ruff: noqa: T201  # a script: it prints its tables

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

QUESTION: dict[str, Any] = {
    "model": "openai/gpt-oss-20b",
    "messages": [
        {"role": "system", "content": "You output JSON. " + "Keep to the schema. " * 30},
        {"role": "user", "content": "A document. " * 20},
    ],
    "temperature": 0,
    "response_format": {"type": "json_object"},
}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-f51b2cd2-bef7-417e-964e-a08f0b513c22",
    "object": "chat.completion",
    "created": 1730241104,
    "model": "openai/gpt-oss-20b",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": json.dumps({"name": "Ada", "text": "a value " * 70})},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "queue_time": 0.037493756,
        "prompt_tokens": 318,
        "prompt_time": 0.000680594,
        "completion_tokens": 156,
        "completion_time": 0.463333333,
        "total_tokens": 474,
        "total_time": 0.464013927,
        "prompt_tokens_details": {"cached_tokens": 128},
    },
    "usage_breakdown": None,
    "system_fingerprint": "fp_179b0f92c9",
    "x_groq": {"id": "req_01jbd6g2qdfw2adyrt2az8hz4w", "seed": 1321871292},
    "service_tier": "on_demand",
}


# -- the server ----------------------------------------------------------------------------------------------------------


class Answering(asyncio.Protocol):
    """Enough of HTTP/1.1 for well-behaved clients: counts the body off and answers."""

    body = json.dumps(COMPLETION).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            self.transport.write(self.answer)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# -- the contestants: each gives a function that makes one call and returns the answer's text ----------------------------


def text(completion: Any) -> str:
    return str(completion.choices[0].message.content)


def raw_text(data: Any) -> str:
    return str(data["choices"][0]["message"]["content"])


def sync_assay(url: str) -> Callable[[], str]:
    from assay import Groq

    client = Groq(api_key="x", base_url=url)
    return lambda: text(client.chat.completions.create(**QUESTION))


def sync_assay_over_httpx(url: str) -> Callable[[], str]:
    import httpx

    from assay import Groq

    client = Groq(api_key="x", base_url=url, http_client=httpx.Client())
    return lambda: text(client.chat.completions.create(**QUESTION))


def sync_groq(url: str) -> Callable[[], str]:
    from groq import Groq

    client = Groq(api_key="x", base_url=url)
    return lambda: text(client.chat.completions.create(**QUESTION))


def sync_openai(url: str) -> Callable[[], str]:
    from openai import OpenAI

    client = OpenAI(api_key="x", base_url=url + "/openai/v1")
    return lambda: text(client.chat.completions.create(**QUESTION))


def sync_httpx(url: str) -> Callable[[], str]:
    import httpx

    client = httpx.Client()
    return lambda: raw_text(client.post(url + "/openai/v1/chat/completions", json=QUESTION).json())


def async_assay(url: str) -> Callable[[], Awaitable[str]]:
    from assay import AsyncGroq

    client = AsyncGroq(api_key="x", base_url=url)

    async def call() -> str:
        return text(await client.chat.completions.create(**QUESTION))

    return call


def async_groq(url: str) -> Callable[[], Awaitable[str]]:
    import httpx

    from groq import AsyncGroq

    http = httpx.AsyncClient(limits=httpx.Limits(max_connections=2000, max_keepalive_connections=2000))
    client = AsyncGroq(api_key="x", base_url=url, http_client=http)

    async def call() -> str:
        return text(await client.chat.completions.create(**QUESTION))

    return call


def async_openai(url: str) -> Callable[[], Awaitable[str]]:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="x", base_url=url + "/openai/v1")

    async def call() -> str:
        return text(await client.chat.completions.create(**QUESTION))

    return call


def async_httpx(url: str) -> Callable[[], Awaitable[str]]:
    import httpx

    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=2000, max_keepalive_connections=2000))

    async def call() -> str:
        return raw_text((await client.post(url + "/openai/v1/chat/completions", json=QUESTION)).json())

    return call


def async_aiohttp(url: str) -> Callable[[], Awaitable[str]]:
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def call() -> str:
        async with session.post(url + "/openai/v1/chat/completions", json=QUESTION) as response:
            return raw_text(await response.json())

    return call


SLOW = {"groq", "openai", "httpx"}


def contest(name: str, url: str, width: int, calls: int) -> dict[str, float]:
    """Seconds per call: by the clock and of CPU. `width` 0 is sync."""
    make = globals()[f"{'async' if width else 'sync'}_{name.replace(' ', '_')}"]
    if not width:
        call = make(url)
        return _timed(lambda count: [call() for _ in range(count)], calls, min(calls, 50))

    async def run() -> dict[str, float]:
        acall = make(url)

        async def worker(count: int) -> None:
            for _ in range(count):
                assert await acall()

        async def many(count: int) -> None:
            await asyncio.gather(*(worker(max(1, count // width)) for _ in range(width)))

        await many(2 * width)
        done = width * max(1, calls // width)
        wall, cpu = time.perf_counter(), time.process_time()
        await many(done)
        return {"wall": (time.perf_counter() - wall) / done, "cpu": (time.process_time() - cpu) / done}

    return asyncio.run(run())


def _timed(run: Callable[[int], object], calls: int, warm_up: int) -> dict[str, float]:
    run(warm_up)
    wall, cpu = time.perf_counter(), time.process_time()
    run(calls)
    return {"wall": (time.perf_counter() - wall) / calls, "cpu": (time.process_time() - cpu) / calls}


# -- reading ---------------------------------------------------------------------------------------------------------------


def reading() -> dict[str, float]:
    """Seconds to make the object of a 1.3 kB body."""
    import groq._models
    import groq.types.chat
    import openai._models
    import openai.types.chat

    from assay.groq.operations import read_completion

    body = json.dumps(COMPLETION).encode()
    readers: dict[str, Callable[[], Any]] = {
        "assay": lambda: read_completion(body, {}),
        "groq": lambda: groq._models.construct_type(value=json.loads(body), type_=groq.types.chat.ChatCompletion),
        "openai": lambda: openai._models.construct_type(value=json.loads(body), type_=openai.types.chat.ChatCompletion),
        "json.loads": lambda: json.loads(body),
    }
    sys.modules.pop("openai.types.completion_usage", None)  # as in a program that does not load that package
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(7):
        for name, read in readers.items():
            started = time.process_time()
            for _ in range(2000):
                read()
            best[name] = min(best[name], (time.process_time() - started) / 2000)
    return best


# -- ready -----------------------------------------------------------------------------------------------------------------

READY = {
    "bare python": "pass",
    "httpx, pydantic, tenacity": "import httpx, pydantic, tenacity; pydantic.BaseModel; tenacity.Retrying",
    "assay": "from assay import Groq; Groq(api_key='x').chat.completions.create",
    "groq": "from groq import Groq; Groq(api_key='x').chat.completions.create",
    "openai": "from openai import OpenAI; OpenAI(api_key='x').chat.completions.create",
}
PEAK = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
"""Kilobytes at most resident. `getrusage` would count what the parent had when it forked."""


def ready(code: str) -> dict[str, float]:
    started = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([sys.executable, "-c", code + PEAK], env=ENV, capture_output=True, text=True, check=True).stdout
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "mb": int(out) / 1024}


# -- the tables --------------------------------------------------------------------------------------------------------------

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
SYNC = ["assay", "assay over httpx", "groq", "openai", "httpx"]
ASYNC = ["assay", "groq", "openai", "httpx", "aiohttp"]


def in_own_process(name: str, url: str, width: int, calls: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--contest", name, "--url", url, "--width", str(width), "--calls", str(calls)]
    out = subprocess.run(command, env=ENV, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(out))


def rounds(count: int, names: list[str], measure: Callable[[str], dict[str, float]]) -> dict[str, dict[str, float]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(count):
        for name in random.sample(names, len(names)):
            found[name].append(measure(name))
    return {name: {key: statistics.median(one[key] for one in all_) for key in all_[0]} for name, all_ in found.items()}


def calls_table(title: str, results: dict[str, dict[str, float]], base: str) -> None:
    print(f"\n{title}\n\n| client | us by the clock | us of CPU | time, {base} = 1 | CPU, {base} = 1 |\n|---|---|---|---|---|")
    for name, one in sorted(results.items(), key=lambda item: item[1]["cpu"]):
        ratios = (one[key] / results[base][key] for key in ("wall", "cpu"))
        print(f"| {name} | {one['wall'] * 1e6:.0f} | {one['cpu'] * 1e6:.0f} |" + "".join(f" {ratio:.2f} |" for ratio in ratios))


def tables(count: int) -> None:
    print("Reading a completion of 1.3 kB\n\n| | us of CPU | assay = 1 |\n|---|---|---|")
    read = json.loads(
        subprocess.run([sys.executable, __file__, "--reading"], env=ENV, capture_output=True, text=True, check=True).stdout
    )
    for name, seconds in read.items():
        print(f"| {name} | {seconds * 1e6:.1f} | {seconds / read['assay']:.1f} |")

    results = rounds(count + 2, list(READY), lambda name: ready(READY[name]))
    print("\nReady, less bare Python\n\n| | ms | ms of CPU | MB | time | CPU | memory |\n|---|---|---|---|---|---|---|")
    bare = results.pop("bare python")
    net = {name: {key: one[key] - bare[key] for key in bare} for name, one in results.items()}
    base = net["httpx, pydantic, tenacity"]
    for name, one in net.items():
        ratios = "".join(f" {one[key] / base[key]:.2f} |" for key in ("wall", "cpu", "mb"))
        print(f"| {name} | {one['wall'] * 1e3:.0f} | {one['cpu'] * 1e3:.0f} | {one['mb']:.1f} |{ratios}")

    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        one = rounds(count, SYNC, lambda name: in_own_process(name, url, 0, 400))
        calls_table("Sync, one call at a time", one, "httpx")
        for width in (64, 256):
            many = rounds(count, ASYNC, lambda name: in_own_process(name, url, width, 512 if name in SLOW else 4096))  # noqa: B023
            calls_table(f"Async, {width} calls at once", many, "aiohttp")
        print("\nassay, async, by calls at once\n\n| at once | us by the clock | us of CPU |\n|---|---|---|")
        for width in (1, 8, 64, 256, 512):
            found = rounds(count, ["assay"], lambda name: in_own_process(name, url, width, 2048))["assay"]  # noqa: B023
            print(f"| {width} | {found['wall'] * 1e6:.0f} | {found['cpu'] * 1e6:.0f} |")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--reading", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contest", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--width", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    elif options.reading:
        print(json.dumps(reading()))
    elif options.contest:
        print(json.dumps(contest(options.contest, options.url, options.width, options.calls)), flush=True)
        os._exit(0)  # connections are left open on purpose: closing them is not measured
    else:
        tables(options.rounds)


if __name__ == "__main__":
    main()
