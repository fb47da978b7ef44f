"""The way of rows through a provider's batch API: submitted, waited for, collected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from assay.batch.formats import Record
from assay.batch.journal import Journal
from assay.batch.progress import Reporter
from assay.batch.provider.collecting import Collector
from assay.batch.provider.parcels import Parcels
from assay.batch.provider.sending import Sender
from assay.batch.recorder import ReadRow
from assay.batch.runner import Ask
from assay.errors import APIError, ConfigurationError
from assay.extractor import Extractor
from assay.groq.calls import Awaited
from assay.groq.driver import AsyncDriver
from assay.groq.resources import API
from assay.groq.settings import ClientSettings
from assay.outcome import Outcome
from assay.types import Reply
from assay.wire.openai_chat import ChatCompletions

SENT_AGAIN = 1
"""How many times rows are sent again when their batch vanished; after that they are asked online."""


class ProviderBatch:
    """Sends what the journal does not know through the batch API, and hands the replies on."""

    def __init__(self, extractor: Extractor[Any], journal: Journal, reporter: Reporter) -> None:
        endpoint = extractor.connection.endpoint
        if not endpoint.base_url.startswith("http"):
            raise ConfigurationError("--provider-batch needs a provider with a batch API: Groq, OpenAI, or a compatible one")
        client = _client(extractor)
        self._extractor, self._endpoint, self._parcels = extractor, endpoint, Parcels(journal)
        self._sender = Sender(extractor, client, journal, self._parcels, reporter)
        self._collector = Collector(client, self._parcels, reporter)

    async def submit(self, records: Iterator[Record]) -> int:
        """Send all rows that have no answer; how many are with the provider now."""
        await self._recover()
        await self._sender.send(records)
        return self._parcels.rows_under_way()

    async def collect(self) -> None:
        """Wait for what was sent, and keep the replies."""
        await self._recover()
        for parcel in self._parcels.under_way():
            await self._collector.bring(parcel)

    async def gather(self, records: Callable[[], Iterator[Record]]) -> None:
        """Send all rows that have no answer, and wait for the replies. Rounds go on while they bring replies."""
        await self._recover()
        again = SENT_AGAIN
        while True:
            await self._sender.send(records())
            brought = [await self._collector.bring(parcel) for parcel in self._parcels.under_way()]
            if not any(brought):
                if None not in brought or not again:
                    return
                again -= 1

    async def _recover(self) -> None:
        for parcel in self._parcels.under_way():
            await self._sender.recover(parcel)

    async def ask(self, read: ReadRow, room: int | None) -> Outcome[Any]:
        """Answer a row from its reply; what that leaves open is asked online."""
        body = self._parcels.reply(read.key)
        replies = [] if body is None else [self._reply(body)]
        return await self._extractor.arun(read.source, max_tokens=room, replies=[reply for reply in replies if reply])

    def _reply(self, body: bytes) -> Reply | None:
        """A reply from the journal; None when it is not usable, so that the row is asked online."""
        try:
            return self._endpoint.wire.decode(body, {})
        except APIError:
            return None


def _client(extractor: Extractor[Any]) -> API[Awaited]:
    """The files and batches of the extractor's own server: over its transport, with its key, headers, timeout and retries."""
    endpoint = extractor.connection.endpoint
    if not isinstance(endpoint.wire, ChatCompletions):
        raise ConfigurationError(
            f"--provider-batch needs a server that speaks chat completions; {extractor.model} uses another protocol"
        )
    settings = ClientSettings(
        api_key=endpoint.api_key or "",
        base_url=endpoint.base_url,
        timeout=endpoint.timeout,
        max_retries=extractor.options.max_retries,
        headers=dict(endpoint.headers),
        query={},
    )
    return API(Awaited(AsyncDriver(settings, extractor.connection.async_transport())))


def online(extractor: Extractor[Any]) -> Ask:
    """Rows are asked for one by one, at once."""

    def ask(read: ReadRow, room: int | None) -> Awaitable[Outcome[Any]]:
        return extractor.arun(read.source, max_tokens=room)

    return ask
