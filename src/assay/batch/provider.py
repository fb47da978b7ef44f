"""A provider's batch API (files and batches, as Groq and OpenAI have them): cheaper, slower, and it outlives this process.

Rows that need an answer go out in parcels; their replies come back in any order and are judged like any others. What fails
validation, what the provider could not answer and what expired is asked for online, by the same runner, into the same journal.

States of a parcel: planned, uploaded, created, fetched. Each is on the disk before the next step is taken; the step that a kill
interrupted is looked up at the server by the parcel's token, so nothing is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from pydantic_core import from_json, to_json

from assay.batch.formats import Record
from assay.batch.journal import Journal, key_of
from assay.batch.parcels import Parcel, Parcels
from assay.batch.progress import Reporter
from assay.batch.recorder import ReadRow
from assay.batch.runner import Ask
from assay.errors import APIError, ConfigurationError
from assay.extractor import Extractor
from assay.groq.calls import Awaited
from assay.groq.driver import AsyncDriver
from assay.groq.resources import API
from assay.groq.settings import ClientSettings
from assay.groq.store_types import Batch
from assay.outcome import Outcome
from assay.types import JSON, Call, Reply
from assay.wire.openai_chat import ChatCompletions

MAX_LINES, MAX_BYTES = 50_000, 50_000_000
"""Of one parcel. Groq takes files up to 100 MB; this is held in memory twice."""
WINDOW = "24h"
FIRST_POLL, LAST_POLL = 1.0, 60.0
"""Seconds between two looks at a batch: at first, and after a while."""
LOOKED_UP = 500
_RUNNING = ("validating", "in_progress", "finalizing", "cancelling")


class ProviderBatch:
    """Sends what the journal does not know through the batch API, and hands the replies on."""

    def __init__(self, extractor: Extractor[Any], journal: Journal, reporter: Reporter) -> None:
        endpoint = extractor.connection.endpoint
        if not endpoint.base_url.startswith("http"):
            raise ConfigurationError("--provider-batch needs a provider that has a batch API: Groq, OpenAI, or one like them")
        self._extractor, self._journal, self._reporter = extractor, journal, reporter
        self._endpoint = endpoint
        self._parcels = Parcels(journal)
        self._client = _client(extractor)

    async def gather(self, records: Callable[[], Iterator[Record]]) -> None:
        """Send all rows that have no answer, and wait for the replies. Rounds go on while they bring replies."""
        for parcel in self._parcels.under_way():
            await self._recover(parcel)
        while await self._round(records()):
            pass

    async def ask(self, read: ReadRow, room: int | None) -> Outcome[Any]:
        """Answer a row from its reply; what that leaves open is asked online."""
        body = self._parcels.reply(read.key)
        replies = [] if body is None else [self._reply(body)]
        return await self._extractor.arun(read.text, max_tokens=room, replies=[reply for reply in replies if reply])

    def _reply(self, body: bytes) -> Reply | None:
        """A reply out of the journal; None when it is none, so that the row is asked online."""
        try:
            return self._endpoint.wire.decode(body, {})
        except APIError:
            return None

    async def _round(self, records: Iterator[Record]) -> bool:
        """One time through the input; whether it brought replies."""
        for parcel, content in self._packed(records):
            await self._upload(parcel, content)
        under_way = self._parcels.under_way()
        return sum([await self._bring(parcel) for parcel in under_way]) > 0

    # -- out -----------------------------------------------------------------------------------------------------------

    def _packed(self, records: Iterator[Record]) -> Iterator[tuple[Parcel, bytes]]:
        lines: dict[bytes, bytes] = {}
        size = 0
        for key, text in self._open_rows(records):
            if key in lines:
                continue
            lines[key] = self._line(key, text)
            size += len(lines[key])
            if len(lines) >= MAX_LINES or size >= MAX_BYTES:
                yield self._parcels.plan(lines), b"".join(lines.values())
                lines, size = {}, 0
        if lines:
            yield self._parcels.plan(lines), b"".join(lines.values())

    def _open_rows(self, records: Iterator[Record]) -> Iterator[tuple[bytes, str]]:
        """Rows that were neither answered nor sent."""
        while chunk := list(islice(records, LOOKED_UP)):
            texts = {key_of(self._extractor.fingerprint, r.text): r.text for r in chunk if not r.fault}
            answered = self._journal.answered(list(texts))
            for key in self._parcels.without_reply([key for key in texts if key not in answered]):
                yield key, texts[key]

    def _line(self, key: bytes, text: str) -> bytes:
        call = next(self._extractor.steps(text))
        assert isinstance(call, Call)
        body = self._endpoint.wire.encode(call, self._endpoint.model)
        return b'{"custom_id":"%s","method":"POST","url":"/v1/chat/completions","body":%s}\n' % (key.hex().encode(), body)

    async def _upload(self, parcel: Parcel, content: bytes) -> None:
        lines = content.count(b"\n")
        self._reporter.say(f"uploading {lines:,} rows to the batch API ({len(content):,} bytes)")
        file = await self._client.files.create(file=(parcel.filename, content), purpose="batch")
        await self._create(self._parcels.update(replace(parcel, state="uploaded", file=file.id)))

    async def _create(self, parcel: Parcel) -> None:
        assert parcel.file is not None
        batch = await self._client.batches.create(
            input_file_id=parcel.file,
            endpoint="/v1/chat/completions",
            completion_window=WINDOW,
            metadata={"assay": parcel.token},
        )
        self._parcels.update(replace(parcel, state="created", batch=batch.id))

    async def _recover(self, parcel: Parcel) -> None:
        """Find out how far a parcel came before the last run was killed, and take the steps that are missing."""
        if parcel.state == "planned":
            files = await self._client.files.list()
            file = next((file for file in files.data if file.filename == parcel.filename), None)
            if file is None:
                self._parcels.drop(parcel)
                return
            parcel = self._parcels.update(replace(parcel, state="uploaded", file=file.id))
        if parcel.state == "uploaded":
            batches = await self._client.batches.list()
            batch = next((batch for batch in batches.data if batch.input_file_id == parcel.file), None)
            if batch is None:
                await self._create(parcel)
            else:
                self._parcels.update(replace(parcel, state="created", batch=batch.id))
        self._reporter.say(f"going on with a batch of an earlier run ({parcel.filename})")

    # -- back ----------------------------------------------------------------------------------------------------------

    async def _bring(self, parcel: Parcel) -> int:
        """Wait for a parcel and keep its replies; how many came."""
        batch = await self._ended(parcel)
        files = [file for file in (batch.output_file_id, batch.error_file_id) if file is not None]
        contents = [await (await self._client.files.content(file)).read() for file in files]
        replies = [reply for content in contents for reply in _replies(content)]
        count = self._parcels.fetched(parcel, replies)
        if batch.status == "failed" and not count:
            raise ConfigurationError(f"the provider refused the batch {batch.id}: {_why(batch)}")
        self._reporter.say(f"batch {batch.id} {batch.status}: {count:,} replies")
        return count

    async def _ended(self, parcel: Parcel) -> Batch:
        assert parcel.batch is not None
        wait = FIRST_POLL
        while True:
            batch: Batch = await self._client.batches.retrieve(parcel.batch)
            if batch.status not in _RUNNING:
                return batch
            counts = batch.request_counts
            done = f", {counts.completed + counts.failed:,} of {counts.total:,} rows" if counts is not None else ""
            if wait >= LAST_POLL:
                self._reporter.say(f"batch {batch.id} {batch.status}{done}")
            await asyncio.sleep(wait)
            wait = min(LAST_POLL, wait * 1.5)


def _replies(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The good replies of an output or error file, in whatever order: key and body."""
    for line in content.splitlines():
        if not line.strip():
            continue
        item: JSON = from_json(line)
        response = item.get("response") or {}
        if response.get("status_code") == 200 and isinstance(response.get("body"), dict):
            yield bytes.fromhex(item["custom_id"]), to_json(response["body"])


def _client(extractor: Extractor[Any]) -> API[Awaited]:
    """The files and batches of the extractor's own server: over its transport, with its key, headers, timeout and retries."""
    endpoint = extractor.connection.endpoint
    if not isinstance(endpoint.wire, ChatCompletions):
        raise ConfigurationError(
            f"--provider-batch needs a server of chat completions; {extractor.model} is asked in another protocol"
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


def _why(batch: Batch) -> str:
    problems = (batch.errors.data if batch.errors is not None else None) or []
    said = [f"line {problem.line}: {problem.message}" if problem.line else str(problem.message) for problem in problems[:3]]
    return "; ".join(said) or "no reason given"


def online(extractor: Extractor[Any]) -> Ask:
    """Rows are asked for one by one, at once."""

    def ask(read: ReadRow, room: int | None) -> Awaitable[Outcome[Any]]:
        return extractor.arun(read.text, max_tokens=room)

    return ask
