"""What a streamed answer costs: CPU for 4, 32 and 128 kB, peak memory, and when the first value is there.

    python tests/benchmarks/bench_streaming.py            this package, the bare reading of the stream, and what peers are installed
    python tests/benchmarks/bench_streaming.py --peers    installs the peers first, into tests/benchmarks/.env-peers

A server in a process of its own sends one chunk of about 20 characters per write. Each contestant reads the same answer into
the same pydantic model in a fresh process; CPU is its user and system time over the stream, imports and a first small
answer not counted. The first value counts as early when it is out while the server still holds the second half back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".env-peers"
PEERS = ("instructor", "pydantic-ai-slim[openai]", "openai")
SIZES = {4: 205, 32: 1_639, 128: 6_556}
"""Kilobytes of answer, and the pieces that they come in."""
ROUNDS = 3
LIMIT = 300
"""Seconds that one contestant may take for one answer."""


# -- the server --------------------------------------------------------------------------------------------------------


def answer_text(kilobytes: int) -> str:
    items: list[dict[str, Any]] = []
    size = 0
    while size < kilobytes * 1000 - 40:
        number = len(items)
        items.append(
            {"name": f"item {number}", "quantity": number % 97 + 1, "price": number * 137 % 50000 / 100, "tags": ["a", "b"]}
        )
        size += len(json.dumps(items[-1])) + 2
    return json.dumps({"items": items, "total": len(items)})


def chunk(text: str | None) -> bytes:
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": "stop" if text is None else None}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def serve() -> None:
    """`model` is `KILOBYTES` or `KILOBYTES-held`: then the second half comes after half a second."""
    pieces = {}
    for kilobytes, count in SIZES.items():
        text = answer_text(kilobytes)
        size = max(1, round(len(text) / count))
        pieces[kilobytes] = [chunk(text[at : at + size]) for at in range(0, len(text), size)]

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                model = json.loads(await reader.readexactly(length))["model"]
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return
            kilobytes, _, held = model.partition("-")
            data = pieces[int(kilobytes)]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for at, piece in enumerate([*data, chunk(None), b"data: [DONE]\n\n"]):
                if held and at == len(data) // 2:
                    await asyncio.sleep(0.5)
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


# -- the contestants: each yields what its user would see ----------------------------------------------------------------


def bare_reading(url: str, model: str) -> Iterator[Any]:
    """The stream's lines and the JSON in them, with the standard library."""
    import http.client

    host = url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host)
    connection.request(
        "POST", "/v1/chat/completions", json.dumps({"model": model, "stream": True}), {"content-type": "application/json"}
    )
    for line in connection.getresponse():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])["choices"][0]["delta"].get("content")


def bare_httpx(url: str, model: str) -> Iterator[Any]:
    """The stream's lines and the JSON in them, with httpx."""
    import httpx

    with (
        httpx.Client() as client,
        client.stream("POST", f"{url}/chat/completions", json={"model": model, "stream": True}) as got,
    ):
        for line in got.iter_lines():
            if line.startswith("data: {"):
                yield json.loads(line[6:])["choices"][0]["delta"].get("content")


def _models() -> Any:
    from pydantic import BaseModel

    class Item(BaseModel):
        name: str
        quantity: int
        price: float
        tags: list[str]

    class Order(BaseModel):
        items: list[Item]
        total: int

    return Order


def ours(url: str, model: str) -> Iterator[Any]:
    """assay: every partial value taken, none looked at."""
    from assay import Extractor

    with Extractor(_models(), model=model, base_url=url, mode="text") as orders:
        yield from orders.stream("...")


def ours_looked_at(url: str, model: str) -> Iterator[Any]:
    """assay: the typed value of every partial looked at."""
    for partial in ours(url, model):
        yield partial.value


def ours_items(url: str, model: str) -> Iterator[Any]:
    """assay: the items of the list, one by one."""
    from assay import Extractor

    with Extractor(_models(), model=model, base_url=url, mode="text") as orders:
        yield from orders.stream_items("...")


async def ours_awaited(url: str, model: str) -> AsyncIterator[Any]:
    """assay, async."""
    from assay import Extractor

    async with Extractor(_models(), model=model, base_url=url, mode="text") as orders:
        async for partial in orders.astream("..."):
            yield partial


def openai_sdk(url: str, model: str) -> Iterator[Any]:
    """The openai SDK's structured stream."""
    from openai import OpenAI

    client = OpenAI(api_key="x", base_url=url)
    messages: Any = [{"role": "user", "content": "..."}]
    with client.chat.completions.stream(model=model, messages=messages, response_format=_models()) as stream:
        for event in stream:
            if event.type == "content.delta":
                yield event.parsed


def instructor_partial(url: str, model: str) -> Iterator[Any]:
    """Instructor's create_partial."""
    import instructor
    from openai import OpenAI

    client = instructor.from_openai(OpenAI(api_key="x", base_url=url), mode=instructor.Mode.JSON)
    yield from client.chat.completions.create_partial(
        model=model, response_model=_models(), messages=[{"role": "user", "content": "..."}]
    )


async def instructor_awaited(url: str, model: str) -> AsyncIterator[Any]:
    """Instructor's create_partial, async."""
    import instructor
    from openai import AsyncOpenAI

    client = instructor.from_openai(AsyncOpenAI(api_key="x", base_url=url), mode=instructor.Mode.JSON)
    async for value in client.chat.completions.create_partial(
        model=model, response_model=_models(), messages=[{"role": "user", "content": "..."}]
    ):
        yield value


async def pydantic_ai(url: str, model: str) -> AsyncIterator[Any]:
    """pydantic-ai's streamed output."""
    from pydantic_ai import Agent, PromptedOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(
        OpenAIChatModel(model, provider=OpenAIProvider(base_url=url, api_key="x")), output_type=PromptedOutput(_models())
    )
    async with agent.run_stream("...") as result:
        async for value in result.stream_output(debounce_by=None):
            yield value


CONTESTANTS: dict[str, Callable[[str, str], Any]] = {
    "reading alone (http.client)": bare_reading,
    "reading alone (httpx)": bare_httpx,
    "assay": ours,
    "assay, every value looked at": ours_looked_at,
    "assay, items": ours_items,
    "assay, async": ours_awaited,
    "openai SDK": openai_sdk,
    "Instructor": instructor_partial,
    "Instructor, async": instructor_awaited,
    "pydantic-ai, async": pydantic_ai,
}


# -- measuring -----------------------------------------------------------------------------------------------------------


def measure(name: str, url: str, kilobytes: int) -> dict[str, float]:
    """In a fresh process: CPU seconds, values seen, seconds to the first, MB of memory that the stream took."""
    import resource

    _drain(CONTESTANTS[name], url, "4")
    held = _drain(CONTESTANTS[name], url, "4-held")
    before = resource.getrusage(resource.RUSAGE_SELF)
    run = _drain(CONTESTANTS[name], url, str(kilobytes))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "values": run[0], "early": held[1] < 0.45, "memory": (after.ru_maxrss - before.ru_maxrss) / 1024}


def _drain(contestant: Callable[[str, str], Any], url: str, model: str) -> tuple[int, float]:
    """How many values came, and the seconds to the first."""
    started, first, count = time.monotonic(), 0.0, 0
    values = contestant(url, model)
    if hasattr(values, "__aiter__"):

        async def drain() -> None:
            nonlocal first, count
            async for _ in values:
                first = first or time.monotonic() - started
                count += 1

        asyncio.run(drain())
    else:
        for _ in values:
            first = first or time.monotonic() - started
            count += 1
    return count, first


def _child(name: str, url: str, kilobytes: int) -> dict[str, float] | str:
    python = ENVIRONMENT / "bin" / "python"
    uses_peers = name.startswith(("openai", "Instructor", "pydantic-ai")) and python.exists()
    command = [str(python) if uses_peers else sys.executable, __file__, "--one", name, url, str(kilobytes)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent / "src")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"not done within {LIMIT} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return "not installed" if "No module named" in last else last[:80]
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compare(names: list[str], sizes: list[int], rounds: int) -> None:
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    print(f"{'':32}{'kB':>5}{'CPU s':>9}{'us/piece':>10}{'x reading':>11}{'values':>8}{'MB more':>9}  first value")
    try:
        for kilobytes in sizes:
            alone = 0.0
            for name in names:
                runs = [_child(name, url, kilobytes) for _ in range(rounds)]
                failed = next((run for run in runs if isinstance(run, str)), None)
                if failed is not None:
                    print(f"{name:32}{kilobytes:5}  {failed}")
                    continue
                good = [run for run in runs if not isinstance(run, str)]
                cpu = statistics.median(run["cpu"] for run in good)
                alone = alone or (cpu if name.startswith("reading") else 0.0)
                row = good[0]
                print(
                    f"{name:32}{kilobytes:5}{cpu:9.3f}{cpu / SIZES[kilobytes] * 1e6:10.0f}{f'{cpu / alone:.1f}' if alone else '-':>11}{row['values']:8.0f}"
                    f"{statistics.median(run['memory'] for run in good):9.1f}  {'while it comes' if row['early'] else 'at the end'}",
                    flush=True,
                )
    finally:
        server.terminate()
        server.wait()


def install() -> None:
    """The peers, into an environment of their own."""
    if not ENVIRONMENT.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q", *PEERS], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="install the peers first")
    parser.add_argument("--only", help="contestants whose name has this in it")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    elif given.one:
        name, url, kilobytes = given.one
        print(json.dumps(measure(name, url, int(kilobytes))))
    else:
        if given.peers:
            install()
        compare([name for name in CONTESTANTS if not given.only or given.only in name], given.sizes, given.rounds)


if __name__ == "__main__":
    main()
