"""The four ways a request can travel, behind one blocking face, so that each fault is met on all of them.

A fault test says what the server does; here is how a call is made: sync and async, on the default transport and on an injected
`httpx` client.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import httpx

from assay.backends.chat import Endpoint, complete, stream
from assay.backends.http import async_transport, transport
from assay.backends.retry import RetryPolicy
from assay.flow import drive
from assay.flow.effects import AsyncTransport, Emit, Flow, Transport
from assay.types import Call, Delta, Message, Mode, Params, Reply

KEY = "gsk_0123456789abcdef"
CALL = Call(
    (Message("system", "Answer in JSON."), Message("user", "Ada, 36")), Mode.JSON, "Person", params=Params(max_tokens=50)
)
WAYS = ("sync", "async", "httpx-sync", "httpx-async")


def endpoint(base_url: str, **changes: Any) -> Endpoint:
    """An endpoint with short limits: one retry, soon."""
    policy = RetryPolicy(max_retries=1, budget=15.0, backoff=0.01)
    return replace(Endpoint(base_url, "test-model", KEY, timeout=5.0, retry=policy), **changes)


@dataclass
class Way:
    """One way to travel. `with` it, and its connections are closed in the end."""

    name: str
    client_options: dict[str, Any] = field(default_factory=dict)
    """For the `httpx` client."""
    _close: list[Callable[[], Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        client: Any = None
        if self.name == "httpx-sync":
            client = httpx.Client(**self.client_options)
            self._close.append(client.close)
        elif self.name == "httpx-async":
            client = httpx.AsyncClient(**self.client_options)
            self._close.append(lambda: self._runner.run(client.aclose()))
        self.transport: Transport | AsyncTransport
        if self.is_async:
            self.transport = inner = async_transport(client)
            self._close.append(lambda: self._runner.run(inner.aclose()))
        else:
            self.transport = blocking = transport(client)
            self._close.append(blocking.close)
        return self

    def __exit__(self, *_: object) -> None:
        while self._close:
            self._close.pop()()
        self._runner.close()

    @property
    def is_async(self) -> bool:
        return self.name.endswith("async")

    def complete(self, to: Endpoint) -> Reply:
        return self.run(complete(to, CALL))

    def stream(self, to: Endpoint) -> tuple[list[Delta], Reply]:
        *deltas, reply = self.emitted(_with_result(stream(to, CALL)))
        return deltas, reply

    def run(self, flow: Flow[Any]) -> Any:
        if self.is_async:
            return self._runner.run(drive.arun(flow, self.transport))
        return drive.run(flow, self.transport)

    def run_all(self, flows: list[Flow[Any]]) -> list[Any]:
        """The results of several flows, awaited at once."""

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*(drive.arun(flow, self.transport) for flow in flows))  # type: ignore[arg-type]

        return self._runner.run(all_of_them())

    def emitted(self, flow: Flow[Any], most: int | None = None) -> list[Any]:
        """What a flow emits, or its first `most` values, after which the iteration is left."""
        if self.is_async:
            return self._runner.run(_alist(drive.astream(flow, self.transport), most))
        values = drive.stream(flow, self.transport)
        try:
            return [value for value, _ in zip(values, range(most if most is not None else 10**9), strict=False)]
        finally:
            values.close()


def _with_result(flow: Flow[Reply]) -> Flow[None]:
    yield Emit((yield from flow))


async def _alist(values: Any, most: int | None) -> list[Any]:
    taken = []
    try:
        async for value in values:
            taken.append(value)
            if len(taken) == most:
                break
    finally:
        await values.aclose()
    return taken


def program(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that has run to its end."""
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=60, check=False
    )
