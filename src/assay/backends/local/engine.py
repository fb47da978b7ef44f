"""One loaded model, shared by all in this process that use it: llama.cpp through `xllamacpp`.

The engine takes chat-completions bodies and answers in chat-completions chunks. Its surprising behaviour
was measured, and decides the shape of this file:

* A call blocks its thread and can be stopped only by its chunk callback, so every generation streams, on a thread of the
  engine's own, even when the answer is wanted whole.
* It swallows what a callback raises, and reports errors in three ways: raised, returned, and as a chunk. Here they all
  become `Refused`.
* It opens an HTTP listener by itself. It is given a secret that nobody knows, so nobody can use it.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from assay.errors import APIConnectionError, APITimeoutError, ConfigurationError
from assay.types import JSONObject

SLOTS = 1
"""Requests that are generated at the same time; the others wait for their turn.

The best width by measurement (`python tests/benchmarks/bench_local.py`): on one thread more slots are slower, not faster,
and with more than one the arithmetic of a batch depends on who else is in it, so answers change under load.
"""

PROMPT_BATCH = 128
"""Prompt tokens evaluated in one go: the engine looks up only between two of them, so this bounds how long a cut takes."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Two users share one loaded model if all of this is equal."""

    path: Path
    name: str
    """The model's name in answers."""
    context: int = 4096
    """The context: tokens of one prompt and its answer together."""
    slots: int = SLOTS
    threads: int = 1
    """Threads that compute. More of them than idle cores makes the engine far slower: its threads busy-wait."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine's error object for a request that it refuses."""

    error: JSONObject


Deliver: TypeAlias = Callable[[JSONObject | Refused], object]


class Generation:
    """A request that waits for the engine or is being answered. `future` ends when it does; `cancel` stops it at the next token."""

    def __init__(self, body: JSONObject, deliver: Deliver, timeout: float | None) -> None:
        self.future: Future[None]
        self._body = body
        self._deliver = deliver
        self._timeout = timeout
        self._deadline = float("inf")
        self._cancelled = False
        self._failure: Exception | None = None

    def cancel(self) -> None:
        self._cancelled = True
        self.future.cancel()

    def fail(self, failure: Exception) -> None:
        """Stop it, with an error for its caller."""
        self._failure = failure

    def run(self, server: Any) -> None:
        """Generate, on a thread of the engine. The timeout counts from here: waiting in the queue does not count."""
        if self._timeout is not None:
            self._deadline = time.monotonic() + self._timeout
        body = {**self._body, "stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        try:
            server.handle_chat_completions(body, self._take)
        except (ValueError, RuntimeError) as error:  # how the engine says that it cannot use the body
            self._deliver(Refused({"message": str(error), "type": "invalid_request_error"}))
        if self._failure is not None:
            raise self._failure

    def _take(self, chunk: JSONObject) -> bool:
        """The engine's callback: True stops the generation. What it raised would be lost, so it raises nothing."""
        try:
            if time.monotonic() > self._deadline:
                self._failure = APITimeoutError(
                    f"the embedded model gave no complete answer within {self._timeout:g} s", code="timeout"
                )
            if self._cancelled or self._failure is not None:
                return True
            if "prompt_progress" not in chunk:
                self._deliver(Refused(chunk["error"]) if "error" in chunk else chunk)
        except Exception as error:  # noqa: BLE001  # the border to C++: kept, and raised when the engine has returned
            self._failure = error
        return self._failure is not None


SETTLED = 1.0
"""Seconds that a loaded model lives at least before it is freed."""
GOODBYE = 5.0
"""Seconds that closing waits for the engine to end; it takes hundredths of one."""


class Engine:
    """A model in memory and the threads that ask it. It loads at its first request, or by `load`."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self._server: Any = None
        self._closed = False
        self._since = 0.0
        self.left = False
        """Whether this is a fork of the process that loaded it, without its threads."""
        self._lock = threading.RLock()
        self._running: set[Generation] = set()
        self._threads = ThreadPoolExecutor(settings.slots, thread_name_prefix=f"assay {settings.name}")

    def submit(self, body: JSONObject, deliver: Deliver, timeout: float | None = None) -> Generation:
        """Queue a chat-completions body; `deliver` is called with each chunk, on a thread of the engine."""
        generation = Generation(body, deliver, timeout)
        try:
            generation.future = self._threads.submit(self._run, generation)
        except RuntimeError:  # the pool is shut down
            raise _was_closed() from None
        return generation

    def load(self) -> Any:
        """The server, loaded now if it was not yet; a `ConfigurationError` when that fails."""
        with self._lock:
            if self._closed:
                raise _was_closed()
            if self._server is None:
                self._server = _serve(self.settings)
                self._since = time.monotonic()
            return self._server

    def close(self) -> None:
        """Stop what is being generated, refuse what waits, free the memory (when a generation still runs, at its next token)."""
        with self._lock:
            self._closed = True
            for generation in self._running:
                generation.fail(_was_closed())
            held, self._server = [self._server], None
            young = SETTLED - (time.monotonic() - self._since)
        if held[0] is not None and young > 0:
            time.sleep(young)  # freed right after it began, it has been seen to wait for ever, and all of Python with it
        if _forked:
            _keep(held.pop())
        _let_go(held)
        # Not waited for: the garbage collector may close an engine on any thread, one of its own included.
        self._threads.shutdown(wait=False)

    def leave(self) -> None:
        """Never use or free what was loaded: freeing it would wait for threads that stayed in the parent of this process."""
        self.left = True
        _keep(self._server)

    def _run(self, generation: Generation) -> None:
        server = self.load()
        with self._lock:
            self._running.add(generation)
        try:
            generation.run(server)
        finally:
            with self._lock:
                self._running.discard(generation)


_forked = False
"""Whether this process was forked from one that had loaded a model. There the engine has been seen to wait for ever when it is freed."""


def _keep(server: Any) -> None:
    """Never free it; the end of the process does."""
    if server is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))


def _let_go(held: list[Any]) -> None:
    """Free what is held. The engine has been seen not to end when it is let go right after it began, so the wait is bounded."""
    thread = threading.Thread(target=held.clear, name="assay engine's end", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending
        held.clear()
    else:
        thread.join(GOODBYE)


def _was_closed() -> APIConnectionError:
    return APIConnectionError("the embedded model was closed")


def _serve(settings: EngineSettings) -> Any:
    xllamacpp = xllamacpp_module()
    params = xllamacpp.CommonParams()
    params.model.path = str(settings.path)
    params.model_alias = {settings.name}
    params.api_keys = [secrets.token_urlsafe(32)]
    params.n_ctx = settings.context * settings.slots
    params.n_parallel = settings.slots
    params.n_batch = params.n_ubatch = PROMPT_BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
    params.cache_ram_mib = 0
    params.verbosity = 0
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ConfigurationError(
            f"{settings.path} cannot be loaded: it is damaged, or of a kind that the installed xllamacpp does not support"
        ) from error


def xllamacpp_module() -> Any:
    """The engine's module; a `ConfigurationError` that says what to install when it is not there."""
    try:
        import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415  # an optional extra, 100 MB of native code
    except ImportError:
        raise ConfigurationError(
            'the embedded model needs an extra: pip install "assay[local]"\n'
            "or set GROQ_API_KEY (or another provider's key) to use a hosted model"
        ) from None
    return xllamacpp


_shared: dict[EngineSettings, tuple[Engine, int]] = {}
_sharing = threading.RLock()  # a collected user releases its engine wherever the collector happens to run


def _leave() -> None:
    """In a forked child: what the parent loaded is not used here, since a fork takes no threads along."""
    global _sharing, _forked  # noqa: PLW0603  # another thread of the parent may have held the lock
    _sharing = threading.RLock()
    _forked = _forked or bool(_shared)
    for engine, _ in _shared.values():
        engine.leave()
    _shared.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave)


def acquire(settings: EngineSettings) -> Engine:
    """The engine for these settings, one per process; every `acquire` needs one `release`."""
    xllamacpp_module()
    with _sharing:
        engine, users = _shared.get(settings) or (Engine(settings), 0)
        _shared[settings] = engine, users + 1
        return engine


def release(engine: Engine) -> None:
    """Give an engine back; the last one to do so closes it."""
    if engine.left:
        return
    with _sharing:
        _, users = _shared[engine.settings]
        if users > 1:
            _shared[engine.settings] = engine, users - 1
            return
        del _shared[engine.settings]
    engine.close()
