"""What went over the wire during one call, for the hooks and for `create_with_completion`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from instructor.core.hooks import Hooks
from pydantic import BaseModel
from pydantic_core import from_json

from assay.backends import foreign
from assay.flow.effects import AsyncIncoming, AsyncTransport, Request, Response, SyncIncoming, Transport
from assay.groq.answer import build
from assay.groq.chat_types import ChatCompletion
from assay.outcome import Outcome
from assay.types import Usage


class Recorder:
    """Keeps one call's requests and answers, and tells the hooks about them."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.create_kwargs: dict[str, Any] = {}
        """Of the last request."""
        self.completions: list[Any] = []
        self.error: Exception | None = None
        """The last exception of the client, of the client's own kind."""

    def asked(self, kwargs: dict[str, Any]) -> None:
        self.create_kwargs = kwargs
        self._hooks.emit_completion_arguments(**kwargs)

    def answered(self, completion: Any) -> Any:
        if foreign.is_whole(completion):
            self.completions.append(completion)
        self._hooks.emit_completion_response(completion)
        return completion

    def succeeded(self, outcome: Outcome[Any]) -> None:
        self._hooks.emit_completion_usage(outcome.usage, attempt_number=len(outcome.attempts))

    def failed(self, error: Exception) -> None:
        self.error = error
        facts = {"attempt_number": len(self.completions) + 1, "max_attempts": None, "is_last_attempt": True}
        self._hooks.emit_completion_error(error, **facts)


def spy(create: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    """A client's function, recorded."""

    @functools.wraps(create)  # so that its parameters are still seen
    def call(**kwargs: Any) -> Any:
        recorder.asked(kwargs)
        try:
            answer = create(**kwargs)
        except Exception as error:
            recorder.failed(error)
            raise
        return recorder.answered(answer)

    @functools.wraps(create)
    async def acall(**kwargs: Any) -> Any:
        recorder.asked(kwargs)
        try:
            answer = await create(**kwargs)
        except Exception as error:
            recorder.failed(error)
            raise
        return recorder.answered(answer)

    return acall if foreign.is_awaited(create) else call


def with_usage(completion: Any, usage: Usage) -> Any:
    """A completion with the usage of all attempts, as Instructor's does; one of an unknown kind as it is."""
    sums = {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    if isinstance(completion, dict):
        return {**completion, "usage": {**(completion.get("usage") or {}), **sums}}
    said = getattr(completion, "usage", None)
    if isinstance(completion, BaseModel) and isinstance(said, BaseModel):
        return completion.model_copy(update={"usage": said.model_copy(update=sums)})
    return completion


class RecordedTransport:
    """A blocking transport that records: for models that are reached without a client object."""

    def __init__(self, inner: Transport, recorder: Recorder) -> None:
        self._inner, self._recorder = inner, recorder

    def send(self, request: Request) -> Response:
        self._recorder.asked(from_json(request.body))
        return _read(self._inner.send(request), self._recorder)

    def open(self, request: Request) -> SyncIncoming:
        self._recorder.asked(from_json(request.body))
        return self._inner.open(request)

    def close(self) -> None:
        """Does nothing: the inner transport does not belong to this one."""


class AsyncRecordedTransport:
    """`RecordedTransport`, awaited."""

    def __init__(self, inner: AsyncTransport, recorder: Recorder) -> None:
        self._inner, self._recorder = inner, recorder

    async def send(self, request: Request) -> Response:
        self._recorder.asked(from_json(request.body))
        return _read(await self._inner.send(request), self._recorder)

    async def open(self, request: Request) -> AsyncIncoming:
        self._recorder.asked(from_json(request.body))
        return await self._inner.open(request)

    async def aclose(self) -> None:
        """Does nothing: the inner transport does not belong to this one."""


def _read(response: Response, recorder: Recorder) -> Response:
    if response.status < 300:
        try:
            data = from_json(response.body)
        except ValueError:  # the decoder says what is wrong with it
            return response
        if isinstance(data, dict):
            recorder.answered(build(ChatCompletion, data))
    return response
