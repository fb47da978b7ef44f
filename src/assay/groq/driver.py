"""The drivers of actions: settings and a transport, blocking or awaited. The only two classes that differ in that."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, TypeVar

from assay.backends.gate import Gates
from assay.backends.retry import RetryPolicy
from assay.flow import drive
from assay.flow.effects import AsyncTransport, Transport
from assay.groq import flows
from assay.groq.action import Action, request
from assay.groq.flows import Answered
from assay.groq.responses import APIResponse, AsyncAPIResponse
from assay.groq.settings import ClientSettings

T = TypeVar("T")


class Driver:
    def __init__(self, settings: ClientSettings, transport: Transport, gates: Gates | None = None) -> None:
        self.settings = settings
        self.transport = transport
        self.gates = gates or Gates()
        self.closed = False
        self._retry = RetryPolicy(settings.max_retries)

    def perform(self, action: Action[T]) -> T:
        if action.decoder is not None:
            return self.open(action).parse()
        return drive.run(
            flows.answer(action, request(action, self.settings), self._retry, self.gates.of(action.model)), self.transport
        )

    def send(self, action: Action[T]) -> APIResponse[T]:
        """The response with its body read; of a streaming call, as it begins."""
        if action.decoder is not None:
            return self.open(action)
        answered, body = drive.run(
            flows.whole(request(action, self.settings), self._retry, self.gates.of(action.model)), self.transport
        )
        return APIResponse(action, answered, body=body)

    def open(self, action: Action[T]) -> APIResponse[T]:
        """The response with its body still to come."""
        pieces: Generator[Any, None, None] = drive.stream(
            flows.opened(request(action, self.settings), self._retry, self.gates.of(action.model)), self.transport
        )
        answered: Answered = next(pieces)
        return APIResponse(action, answered, pieces=pieces)


class AsyncDriver:
    def __init__(self, settings: ClientSettings, transport: AsyncTransport, gates: Gates | None = None) -> None:
        self.settings = settings
        self.transport = transport
        self.gates = gates or Gates()
        self.closed = False
        self._retry = RetryPolicy(settings.max_retries)

    async def perform(self, action: Action[T]) -> T:
        if action.decoder is not None:
            return await (await self.open(action)).parse()
        return await drive.arun(
            flows.answer(action, request(action, self.settings), self._retry, self.gates.of(action.model)), self.transport
        )

    async def send(self, action: Action[T]) -> AsyncAPIResponse[T]:
        """The response with its body read; of a streaming call, as it begins."""
        if action.decoder is not None:
            return await self.open(action)
        whole = flows.whole(request(action, self.settings), self._retry, self.gates.of(action.model))
        answered, body = await drive.arun(whole, self.transport)
        return AsyncAPIResponse(action, answered, body=body)

    async def open(self, action: Action[T]) -> AsyncAPIResponse[T]:
        """The response with its body still to come."""
        pieces: AsyncGenerator[Any, None] = drive.astream(
            flows.opened(request(action, self.settings), self._retry, self.gates.of(action.model)), self.transport
        )
        answered: Answered = await anext(pieces)
        return AsyncAPIResponse(action, answered, pieces=pieces)
