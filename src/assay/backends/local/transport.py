"""The embedded model as a transport: the chat-completions API without a server.

It takes the JSON body that any OpenAI-compatible server takes and answers with the JSON, the statuses and the event
stream that one would send, so all above it is the same for every backend. What a body may hold besides the plain
parameters: `response_format` of type `json_schema`, enforced token by token, or a `grammar` in the engine's own language.
"""

from __future__ import annotations

import asyncio
import queue
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeAlias

from assay.backends.local import chat
from assay.backends.local.engine import Engine, EngineSettings, Generation, Refused, acquire, release
from assay.errors import APIConnectionError
from assay.flow.effects import Request, Response
from assay.types import JSONObject

_Event: TypeAlias = chat.Event | Future[None]
"""What comes from the engine's thread: chunks, a refusal, and at last the future, which knows how it ended."""


class _User:
    """A user of the shared engine, until it is closed or forgotten."""

    def __init__(self, path: Path, *, name: str | None = None, context: int = 4096, threads: int = 1) -> None:
        self._engine = acquire(EngineSettings(path.resolve(), name or path.stem, context, threads=threads))
        self._release = weakref.finalize(self, release, self._engine)

    @property
    def engine(self) -> Engine:
        if not self._release.alive:
            raise APIConnectionError("the embedded model was closed")
        if self._engine.left:  # this process was forked: it loads the model for itself
            self._engine = acquire(self._engine.settings)
            self._release = weakref.finalize(self, release, self._engine)
        return self._engine


class LocalTransport(_User):
    """A blocking transport over the engine for a GGUF file. All of this process share one loaded model."""

    def send(self, request: Request) -> Response:
        body = chat.body_of(request)
        if isinstance(body, Refused):
            return _refusal(body)
        events: list[chat.Event] = []
        generation = self.engine.submit(body, events.append, request.timeout)
        try:
            generation.future.result()
        finally:
            generation.cancel()
        return _response(events)

    def open(self, request: Request) -> LocalIncoming:
        return LocalIncoming(self.engine, request)

    def count_tokens(self, messages: list[JSONObject]) -> int:
        """How many tokens a chat is as a prompt.

        The engine does not count, but it says how long a prompt is when it refuses it for being too long: so padding is put
        behind until it does, once and twice, and the difference taken off.
        """
        padding = {"role": "user", "content": " a" * self.engine.settings.context}
        once, twice = (self._too_long([*messages, *[padding] * times]) for times in (1, 2))
        return 2 * once - twice

    def _too_long(self, messages: list[JSONObject]) -> int:
        events: list[Any] = []
        self.engine.submit({"messages": messages}, events.append).future.result()
        count: int = events[0].error["n_prompt_tokens"]
        return count

    def load(self) -> None:
        """Load the model now instead of at the first request; a `ConfigurationError` when it does not load."""
        self.engine.load()

    def close(self) -> None:
        self._release()


class AsyncLocalTransport(_User):
    """The same engine, awaited."""

    async def send(self, request: Request) -> Response:
        body = chat.body_of(request)
        if isinstance(body, Refused):
            return _refusal(body)
        events: list[chat.Event] = []
        generation = self.engine.submit(body, events.append, request.timeout)
        try:
            await asyncio.wrap_future(generation.future)
        finally:
            generation.cancel()
        return _response(events)

    async def open(self, request: Request) -> AsyncLocalIncoming:
        incoming = AsyncLocalIncoming()
        await incoming.start(self.engine, request)
        return incoming

    async def aclose(self) -> None:
        self._release()


def _refusal(refused: Refused) -> Response:
    return Response(chat.status_of(refused), chat.JSON_HEADERS, chat.error_body(refused))


def _response(events: list[chat.Event]) -> Response:
    chunks = [event for event in events if not isinstance(event, Refused)]
    for event in events:
        if isinstance(event, Refused):
            return _refusal(event)
    return Response(200, chat.JSON_HEADERS, chat.whole(chunks))


class _Incoming:
    """An answer that comes in chunks. The first event decides the status, so it is awaited before this is handed out."""

    status: int
    headers: Mapping[str, str]
    _generation: Generation | None = None
    _first: _Event | None
    _ended = False

    def _submit(self, engine: Engine, request: Request, put: Callable[[_Event], object]) -> Refused | None:
        """Queue the request; its events go to `put`. A refusal comes back at once."""
        body = chat.body_of(request)
        if isinstance(body, Refused):
            return body
        self._generation = engine.submit(body, put, request.timeout)
        self._generation.future.add_done_callback(put)
        return None

    def _begin(self, first: _Event) -> None:
        if isinstance(first, Future):
            first.result()  # it ended before it began: raises why
        self._first = first
        refused = isinstance(first, Refused)
        self.status = chat.status_of(first) if isinstance(first, Refused) else 200
        self.headers = chat.JSON_HEADERS if refused else chat.EVENT_HEADERS

    def _bytes(self, event: _Event) -> bytes:
        if isinstance(event, Future):
            event.result()
            self._ended = True
            return chat.DONE
        if isinstance(event, Refused) and self.status != 200:
            self._ended = True
            return chat.error_body(event)
        return chat.frame(event)

    def _cut(self) -> None:
        self._ended = True
        if self._generation is not None:
            self._generation.cancel()


class LocalIncoming(_Incoming):
    def __init__(self, engine: Engine, request: Request) -> None:
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        try:
            self._begin(self._submit(engine, request, self._events.put) or self._events.get())
        except BaseException:
            self._cut()
            raise

    def read(self) -> bytes:
        if self._ended:
            return b""
        event, self._first = self._first, None
        return self._bytes(event or self._events.get())

    def close(self) -> None:
        self._cut()


class AsyncLocalIncoming(_Incoming):
    def __init__(self) -> None:
        self._events: asyncio.Queue[_Event] = asyncio.Queue()

    async def start(self, engine: Engine, request: Request) -> None:
        loop = asyncio.get_running_loop()

        def put(event: _Event) -> None:
            # On a loop that was closed meanwhile there is nobody to read: this raises, and so stops the generation.
            loop.call_soon_threadsafe(self._events.put_nowait, event)

        try:
            self._begin(self._submit(engine, request, put) or await self._events.get())
        except BaseException:
            self._cut()
            raise

    async def read(self) -> bytes:
        if self._ended:
            return b""
        event, self._first = self._first, None
        return self._bytes(event or await self._events.get())

    async def aclose(self) -> None:
        self._cut()
