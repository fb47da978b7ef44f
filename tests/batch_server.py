"""A fast chat-completions server on 127.0.0.1 for batches: answers depend on the document alone, and it counts who asked.

Run as a program it serves from a process of its own: `python batch_server.py [--latency SECONDS] [--rpm N] [--tpm N]` prints its
port. `with serving(...)` runs it in a thread.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

NUMBER = re.compile(r"document (\d+)")

Reply = tuple[int, dict[str, Any], dict[str, str]]


@dataclass
class Bucket:
    """An allowance per minute that refills evenly."""

    limit: float
    level: float = -1.0
    at: float = 0.0

    def left(self) -> float:
        now = time.monotonic()
        if self.level < 0:
            self.level, self.at = self.limit, now
        self.level = min(self.limit, self.level + (now - self.at) * self.limit / 60)
        self.at = now
        return self.level


@dataclass
class BatchServer:
    latency: float = 0.0
    rpm: float | None = None
    tpm: float | None = None
    burst: float = 1.0
    """Of a minute's allowance: what the buckets hold."""
    answer: Callable[[str], str | Reply] | None = None
    """The model's text for a document, or a whole reply; None: its number and its length."""
    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    served: int = 0
    under_way: int = 0
    most_under_way: int = 0
    port: int = 0
    batch_fails: Callable[[str], bool] = lambda document: False
    """Which documents the batch API puts into its error file."""

    def __post_init__(self) -> None:
        self.store = Store(self)
        self.requests = Bucket(self.rpm) if self.rpm else None
        self.tokens = Bucket(self.tpm) if self.tpm else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reply(self, body: dict[str, Any]) -> Reply:
        document = str(body["messages"][-1]["content"])
        self.asked[document] += 1
        found = self.answer(document) if self.answer is not None else default_answer(document)
        if not isinstance(found, str):
            return found
        prompt, completion = len(document) // 4 + 50, len(found) // 4 + 1
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        choice = {"index": 0, "message": {"role": "assistant", "content": found}, "finish_reason": "stop"}
        return 200, {"id": "c", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage}, {}

    def refusal(self, size: int, body: dict[str, Any]) -> Reply | None:
        booked = size // 4 + (body.get("max_tokens") or body.get("max_completion_tokens") or 0)
        for name, bucket, amount in (("requests", self.requests, 1), ("tokens", self.tokens, booked)):
            if bucket is not None and bucket.left() < amount:
                self.refused += 1
                wait = (amount - bucket.level) * 60 / bucket.limit
                short = {"requests": "RPM", "tokens": "TPM"}[name]
                message = (
                    f"Rate limit reached for model `m` on {name} per minute ({short}): Limit {bucket.limit:.0f}, "
                    f"Used {bucket.limit - bucket.level:.0f}, Requested {amount}. Please try again in {wait:.3f}s."
                )
                error = {"message": message, "type": name, "code": "rate_limit_exceeded"}
                return 429, {"error": error}, {"retry-after": f"{wait:.3f}"}
        if self.requests is not None:
            self.requests.level -= 1
        if self.tokens is not None:
            self.tokens.level -= booked
        return None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(found[1]) if found else 0)
                method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                if path.endswith("/chat/completions"):
                    status, data, headers = await self.respond(len(body), json.loads(body))
                else:
                    status, data, headers = self.store.answer(method, path.removeprefix("/v1"), body)
                self.under_way -= 1
                text = data if isinstance(data, bytes) else json.dumps(data).encode()
                extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {len(text)}\r\n\r\n".encode()
                    + text
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def respond(self, size: int, body: dict[str, Any]) -> Reply:
        refused = self.refusal(size, body)
        if refused is not None:
            return refused
        if self.latency:
            await asyncio.sleep(self.latency)
        status, data, headers = self.reply(body)
        self.served += 1
        if self.tokens is not None and status == 200:
            booked = size // 4 + (body.get("max_tokens") or body.get("max_completion_tokens") or 0)
            self.tokens.level += booked - data["usage"]["total_tokens"]
            left = self.tokens.left()
            headers = {
                **headers,
                "x-ratelimit-limit-tokens": f"{self.tpm:.0f}",
                "x-ratelimit-remaining-tokens": f"{left:.0f}",
                "x-ratelimit-reset-tokens": f"{(self.tpm - left) * 60 / self.tpm:.3f}s",  # type: ignore[operator]
            }
        return status, data, headers


class Store:
    """Files and batches as Groq has them. A batch takes a step whenever it is looked at; its output is in another order."""

    def __init__(self, server: BatchServer) -> None:
        self.server = server
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.expires_after: int | None = None
        """Lines of a batch that are answered before it expires."""
        self.on_upload: Callable[[], None] = lambda: None

        self.refuse: Callable[[str, str], Reply | None] = lambda method, path: None
        """Answers a request otherwise, when it gives something."""
        self.spoil: Callable[[bytes], bytes] = lambda content: content
        """What becomes of an output file."""
        self.looks = 0
        """How often batches were looked at."""
        self.finishes = True
        """Whether batches come to an end."""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        refused = self.refuse(method, path)
        if refused is not None:
            return refused
        try:
            return 200, self.handle(method, path, body), {}
        except KeyError:
            return 404, {"error": {"message": f"there is no {path}", "type": "not_found"}}, {}

    def handle(self, method: str, path: str, body: bytes) -> dict[str, Any] | bytes:
        match method, path.strip("/").split("/"):
            case "POST", ["files"]:
                name = re.search(rb'filename="([^"]+)"', body)[1].decode()  # type: ignore[index]
                start = body.index(b"\r\n\r\n", body.index(b"filename=")) + 4
                made = self.file(self.add(name, body[start : body.rindex(b"\r\n--")]))
                self.on_upload()
                return made
            case "GET", ["files"]:
                return {"object": "list", "data": [self.file(number) for number in self.files]}
            case "GET", ["files", number, "content"]:
                return self.files[number][1]
            case "POST", ["batches"]:
                number = f"batch_{len(self.batches)}"
                made = {"id": number, "object": "batch", "status": "validating", "created_at": 1, **json.loads(body)}
                self.batches[number] = made
                return made
            case "GET", ["batches"]:
                return {"object": "list", "data": list(self.batches.values())}
            case "GET", ["batches", number]:
                return self.step(self.batches[number])
        raise AssertionError((method, path))

    def add(self, name: str, content: bytes) -> str:
        self.files[number := f"file_{len(self.files)}"] = (name, content)
        return number

    def file(self, number: str) -> dict[str, Any]:
        name, content = self.files[number]
        return {"id": number, "object": "file", "bytes": len(content), "filename": name, "purpose": "batch", "created_at": 1}

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        self.looks += 1
        if not self.finishes:
            return batch
        match batch["status"]:
            case "validating":
                batch["status"] = "in_progress"
            case "in_progress":
                self.complete(batch)
        return batch

    def complete(self, batch: dict[str, Any]) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]][1].splitlines()]
        answered = lines if self.expires_after is None else lines[: self.expires_after]
        batch["status"] = "completed" if len(answered) == len(lines) else "expired"
        good, bad = [], []
        for line in reversed(answered):
            assert line["method"] == "POST"
            assert line["url"] == "/v1/chat/completions"
            fails = self.server.batch_fails(str(line["body"]["messages"][-1]["content"]))
            status, data, _ = (500, {"error": {"message": "oops"}}, {}) if fails else self.server.reply(line["body"])
            response = {"status_code": status, "request_id": "req", "body": data}
            (bad if fails else good).append({"id": "x", "custom_id": line["custom_id"], "response": response, "error": None})
        for name, found in (("output_file_id", good), ("error_file_id", bad)):
            if found:
                batch[name] = self.add(name, self.spoil("".join(json.dumps(line) + "\n" for line in found).encode()))


def default_answer(document: str) -> str:
    found = NUMBER.search(document)
    return json.dumps({"number": int(found[1]) if found else -1, "length": len(document)})


async def serve(server: BatchServer, ready: Callable[[], None], stop: asyncio.Event) -> None:
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0, backlog=1024) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        ready()
        await stop.wait()
        listening.close()


@contextmanager
def serving(**settings: Any) -> Iterator[BatchServer]:
    server = BatchServer(**settings)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        loop.run_until_complete(serve(server, ready.set, stop))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("latency", "rpm", "tpm"):
        parser.add_argument(f"--{name}", type=float, default=0)
    given = parser.parse_args()
    server = BatchServer(latency=given.latency, rpm=given.rpm or None, tpm=given.tpm or None)
    asyncio.run(serve(server, lambda: print(server.port, flush=True), asyncio.Event()))  # noqa: T201  # its parent reads it


if __name__ == "__main__":
    main()
