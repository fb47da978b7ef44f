"""A batch beside the bare transport, and beside Instructor with `asyncio.gather`, on one local server.

    python tests/benchmarks/bench_batch.py                  speed at 0 and 200 ms, CPU and memory against rows, limits
    python tests/benchmarks/bench_batch.py --quick          smaller numbers
    python tests/benchmarks/bench_batch.py --rows 100000    the longest run of the CPU and memory table

Bare is the transport's library, pyreqwest, as a program uses it by hand: ready-made bodies out, bytes in, in asyncio's event loop,
which a program gets, and in uvloop's, which a batch makes for itself; once whole and once piece by piece, with bounded memory, as a
batch must read. "transport" is ours over it, with the limits and checks of its own; aiohttp stands beside them. The server runs in a process of its own and answers with a prepared reply; every measured run is a fresh process, runs are
interleaved, and medians are shown with their spread. On a busy machine only the ratios mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "src"), str(HERE.parent)]

DOCUMENT = "document {} " + "lorem ipsum dolor sit amet " * 20
LOOK = False
"""Whether rows say where their values stand, as they do by default: the others here look for nothing."""
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


# -- the server ------------------------------------------------------------------------------------------------------


class Prepared(asyncio.Protocol):
    """Answers every request with the same completion, as fast as Python can, after `latency` seconds."""

    latency = 0.0
    text = json.dumps({"number": 1, "length": 2})
    body = json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220},
        }
    ).encode()
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self.buffer, 0, end)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self.buffer) < size:
                return
            self.buffer = self.buffer[size:]
            if self.latency:
                self.loop.call_later(self.latency, self.transport.write, self.reply)
            else:
                self.transport.write(self.reply)


async def serve(latency: float) -> None:
    Prepared.latency = latency
    server = await asyncio.get_running_loop().create_server(Prepared, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server(*command: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


# -- what is measured, each in a process of its own --------------------------------------------------------------------


async def workers(ask: Callable[[int], Awaitable[object]], rows: int, width: int) -> None:
    numbers = iter(range(rows))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    await asyncio.gather(*(work() for _ in range(width)))


HEADERS = (("content-type", "application/json"), ("accept-encoding", "identity"))
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": DOCUMENT.format(1) + "x" * 900}]}).encode()


async def bare(url: str, rows: int, width: int) -> None:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().timeout(timedelta(seconds=60)).build() as client:

        async def ask(_: int) -> None:
            response = await client.post(f"{url}/chat/completions").headers(HEADERS).body_bytes(BODY).build().send()
            assert response.status == 200
            assert await response.bytes()

        await workers(ask, rows, width)


async def streamed(url: str, rows: int, width: int) -> None:
    """The library by hand where no answer may be larger than memory: piece by piece, which `send` does not do."""
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().timeout(timedelta(seconds=60)).build() as client:

        async def ask(_: int) -> None:
            request = client.post(f"{url}/chat/completions").headers(HEADERS).body_bytes(BODY).build_streamed()
            async with request as response:
                assert response.status == 200
                while await response.body_reader.read_chunk() is not None:
                    pass

        await workers(ask, rows, width)


async def transport(url: str, rows: int, width: int) -> None:
    from assay.backends import http
    from assay.flow.effects import Request

    carrier = http.async_transport(None)

    async def ask(_: int) -> None:
        response = await carrier.send(Request("POST", f"{url}/chat/completions", HEADERS, BODY))
        assert response.status == 200

    await workers(ask, rows, width)
    await carrier.aclose()


async def aiohttp(url: str, rows: int, width: int) -> None:
    import aiohttp as peer

    async with peer.ClientSession(connector=peer.TCPConnector(limit=0), headers=dict(HEADERS)) as session:

        async def ask(_: int) -> None:
            async with session.post(f"{url}/chat/completions", data=BODY) as response:
                assert response.status == 200
                assert await response.read()

        await workers(ask, rows, width)


async def batch(url: str, rows: int, width: int) -> None:
    from pydantic import BaseModel

    import assay
    from assay.batch import Settings, arun

    class Doc(BaseModel):
        number: int
        length: int

    def documents() -> Iterator[dict[str, object]]:
        for number in range(rows):
            yield {"id": number, "text": DOCUMENT.format(number), "page": number % 10}

    with tempfile.TemporaryDirectory() as folder:
        async with assay.Extractor(Doc, model="m", base_url=url, mode="json") as extractor:
            summary = await arun(
                extractor, documents(), Path(folder) / "out.jsonl", settings=Settings(concurrency=width, evidence=LOOK)
            )
        assert (summary.done, summary.stop) == (rows, None), summary


async def instructor(url: str, rows: int, width: int) -> None:
    import instructor as peer
    from openai import AsyncOpenAI
    from pydantic import BaseModel

    class Doc(BaseModel):
        number: int
        length: int

    inner = AsyncOpenAI(base_url=url, api_key="none")
    client = peer.from_openai(inner, mode=peer.Mode.JSON)
    gate = asyncio.Semaphore(width)

    async def ask(number: int) -> None:
        async with gate:
            message = {"role": "user", "content": DOCUMENT.format(number)}
            await client.chat.completions.create(model="m", response_model=Doc, messages=[message])  # type: ignore[list-item]

    await asyncio.gather(*(ask(number) for number in range(rows)))
    await inner.close()


MEASURED = {
    "bare": bare,
    "bare, uvloop": bare,
    "bare, streamed": streamed,
    "aiohttp": aiohttp,
    "transport": transport,
    "batch": batch,
    "instructor": instructor,
}
OURS = ("bare, uvloop", "batch")
"""Run in a loop as a batch makes it, which is uvloop's; the others in asyncio's."""


def measure(what: str, url: str, rows: int, width: int) -> None:
    from assay.flow import event_loop

    run = event_loop.run if what in OURS else asyncio.run
    run(MEASURED[what](url, min(200, rows), width))  # imports and connections are warm
    cpu, begun = time.process_time(), time.perf_counter()
    run(MEASURED[what](url, rows, width))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": rows / seconds, "cpu": cpu / rows * 1e6, "peak": peak}), flush=True)
    os._exit(0)  # at a proper end the bare library may abort: see `assay.backends.transports.leaving`


def measured(what: str, url: str, rows: int, width: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", what, url, str(rows), str(width)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


# -- tables ------------------------------------------------------------------------------------------------------------


def speed(latency: float, width: int, rows: int, rounds: int, *, peer_rows: int) -> None:
    print(f"\n{latency * 1000:.0f} ms, {width} at once, {rows} rows a run, {rounds} rounds (ideal: {_ideal(latency, width)})")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
    with server(__file__, "--serve", str(latency)) as url:
        for _ in range(rounds):
            for name in MEASURED:
                found[name].append(measured(name, url, peer_rows if name == "instructor" else rows, width))
    floor = statistics.median(run["rate"] for run in found["bare"])
    print(f"{'':14}{'rows/s':>8}{'spread':>14}{'of bare':>9}{'CPU us/row':>12}")
    for name, runs in found.items():
        rates = [run["rate"] for run in runs]
        rate, cpu = statistics.median(rates), statistics.median(run["cpu"] for run in runs)
        print(f"{name:14}{rate:8.0f}{f'{min(rates):.0f}-{max(rates):.0f}':>14}{rate / floor:9.2f}{cpu:12.0f}")
    ratios = [batch["rate"] / bare["rate"] for batch, bare in zip(found["batch"], found["bare"], strict=True)]
    print(f"batch / bare, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


def _ideal(latency: float, width: int) -> str:
    return f"{width / latency:.0f} rows/s" if latency else "none"


def growth(most: int) -> None:
    print("\nCPU and memory against rows (64 at once, 0 ms)")
    print(f"{'rows':>8}{'rows/s':>9}{'CPU us/row':>12}{'peak MB':>9}")
    with server(__file__, "--serve", "0") as url:
        rows = 1000
        while rows <= most:
            run = measured("batch", url, rows, 64)
            print(f"{rows:8}{run['rate']:9.0f}{run['cpu']:12.0f}{run['peak']:9.0f}", flush=True)
            rows *= 10


def limits(seconds: float) -> None:
    """A server that enforces requests and tokens per minute, a minute's allowance there at the start as Groq has it."""
    from pydantic import BaseModel

    import assay
    from assay.backends.limits import RateLimiter
    from assay.batch import Settings, run

    class Doc(BaseModel):
        number: int
        length: int

    print("\nagainst enforced limits, in real time")
    for name, enforced, given in (
        ("600 requests/minute, given", {"rpm": 600.0}, {"rpm": 600.0}),
        ("120,000 tokens/minute, given", {"tpm": 120_000.0}, {"tpm": 120_000.0}),
        ("120,000 tokens/minute, learnt", {"tpm": 120_000.0}, {}),
        ("600 requests/minute, learnt", {"rpm": 600.0}, {}),
    ):
        from batch_server import serving

        with serving(latency=0.1, **enforced) as local, tempfile.TemporaryDirectory() as folder:
            rate = 10.0 if "rpm" in enforced else 120_000 / 60 / 205
            rows = [f"document {number} " + "x" * 500 for number in range(int(rate * (seconds + 60)))]
            limiter = RateLimiter(**given)
            extractor = assay.Extractor(Doc, model="m", base_url=local.url, mode="json", max_tokens=60, limiter=limiter)
            begun = time.perf_counter()
            run(extractor, rows, Path(folder) / "out.jsonl", settings=Settings(concurrency=32))
            took = time.perf_counter() - begun
            used = sum(len(text) // 4 + 50 + 9 for text in local.asked)
            amount, limit = (local.served, 600.0) if "rpm" in enforced else (used, 120_000.0)
            share = amount / (limit * (1 + took / 60))
            refused = local.refused / (local.served + local.refused)
            print(f"{name:32} {took:6.1f} s, {share:6.1%} of the allowed, {refused:.2%} refused", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", type=float)
    parser.add_argument("--measure", nargs=4)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", choices=["speed", "growth", "limits"])
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
    elif given.measure is not None:
        what, url, rows, width = given.measure
        measure(what, url, int(rows), int(width))
    else:
        if given.only in (None, "speed"):
            rounds = 3 if given.quick else 5
            speed(0.0, 64, 3000 if given.quick else 10_000, rounds, peer_rows=200)
            speed(0.2, 256, 5000 if given.quick else 15_000, rounds, peer_rows=500)
        if given.only in (None, "growth"):
            growth(min(given.rows, 10_000) if given.quick else given.rows)
        if given.only in (None, "limits"):
            limits(15 if given.quick else 60)


if __name__ == "__main__":
    main()
