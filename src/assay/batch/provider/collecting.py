"""Back from a provider: waiting for a batch, and reading what came, of which every good line counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from assay.batch.progress import Reporter
from assay.batch.provider.parcels import Parcel, Parcels
from assay.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    ConfigurationError,
    InternalServerError,
    RateLimitError,
    Reason,
)
from assay.groq.calls import Awaited
from assay.groq.resources import API
from assay.groq.store_types import Batch
from assay.types import JSON

FIRST_POLL, LAST_POLL = 1.0, 60.0
"""Seconds between two looks at a batch: at first, and after a while."""
GONE = 3
"""How many times in a row the server must say that something does not exist before it is believed: a new one may not be known everywhere yet."""
_FINAL = ("completed", "failed", "expired", "cancelled")
"""A provider's last words on a batch. Whatever else it says, the batch is waited for."""

T = TypeVar("T")


class Collector:
    """Waits for parcels and keeps their replies. Nothing but the user or the provider's final word ends a wait."""

    def __init__(self, client: API[Awaited], parcels: Parcels, reporter: Reporter) -> None:
        self._client, self._parcels, self._reporter = client, parcels, reporter

    async def bring(self, parcel: Parcel) -> int | None:
        """Wait for a parcel and keep its replies; how many came. None: the provider no longer has it, and it is dropped.

        Raises `ConfigurationError` for one that the provider refused as a whole.
        """
        batch = await self._ended(parcel)
        if batch is None:
            self._reporter.say(f"the provider no longer has the batch {parcel.batch}: its rows are asked for again")
            self._parcels.drop(parcel)
            return None
        files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
        contents = [await self._content(file) for file in files]
        spoilt = _Spoilt()
        count = self._parcels.fetched(
            parcel, [reply for content in contents if content is not None for reply in replies(content, spoilt)]
        )
        if batch.status == "failed" and not count:
            raise ConfigurationError(f"the provider refused the batch {batch.id}: {_why(batch)}")
        rest = f"; {spoilt.lines:,} lines could not be read, their rows are asked for again" if spoilt.lines else ""
        self._reporter.say(f"batch {batch.id} {batch.status}: {count:,} replies{rest}")
        return count

    async def _ended(self, parcel: Parcel) -> Batch | None:
        """The batch when it has ended; None when it no longer exists."""
        batch_id = parcel.batch
        assert batch_id is not None
        wait, told = FIRST_POLL, ""
        while True:
            batch = await self._persistently(lambda: self._client.batches.retrieve(batch_id))
            if batch is None or batch.status in _FINAL:
                return batch
            state = f"waiting for the provider: batch {batch.id} {batch.status}{_done(batch)}"
            if state != told:
                self._reporter.say(told := state)
            await asyncio.sleep(wait)
            wait = min(LAST_POLL, wait * 1.5)

    async def _content(self, file: str) -> bytes | None:
        """What is in a file; None when it no longer exists."""

        async def read() -> bytes:
            return bytes(await (await self._client.files.content(file)).read())

        content = await self._persistently(read)
        if content is None:
            self._reporter.say(f"the provider no longer has the file {file}: the rows in it are asked for again")
        return content

    async def _persistently(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The server's final answer, however often it fails; None when the thing does not exist."""
        wait, gone = FIRST_POLL, 0
        while True:
            try:
                return await ask()
            except APIStatusError as error:
                gone = gone + 1 if error.status_code in (404, 410) else 0
                if gone == GONE:
                    return None
                if not gone and not _passes(error):
                    raise
                why: Exception = error
            except (APIConnectionError, APIResponseError) as error:
                why = error
            if wait >= LAST_POLL:
                self._reporter.say(f"the provider cannot be reached now, but the batch goes on there: {why}")
            await asyncio.sleep(wait)
            wait = min(LAST_POLL, wait * 1.5)


def _passes(error: APIStatusError) -> bool:
    if isinstance(error, RateLimitError):
        return error.reason is not Reason.NO_CREDIT
    return isinstance(error, InternalServerError) or error.status_code in (408, 409, 425)


class _Spoilt:
    """Counts lines that are not usable replies."""

    lines = 0


def replies(content: bytes, spoilt: _Spoilt | None = None) -> Iterator[tuple[bytes, bytes]]:
    """The good replies of an output or error file, in whatever order: key and body. Anything else is counted."""
    spoilt = spoilt or _Spoilt()
    for line in content.splitlines():
        if not line.strip():
            continue
        try:
            item: JSON = from_json(line)
            response = item.get("response") or {}
            status, body = response.get("status_code"), response.get("body")
            if status == 200 and isinstance(body, dict):
                yield bytes.fromhex(item["custom_id"]), to_json(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            spoilt.lines += 1


def _done(batch: Batch) -> str:
    counts: Any = batch.request_counts
    try:
        return f", {counts.completed + counts.failed:,} of {counts.total:,} rows"
    except (AttributeError, TypeError, ValueError):
        return ""


def _why(batch: Batch) -> str:
    problems = (batch.errors.data if batch.errors is not None else None) or []
    said = [f"line {problem.line}: {problem.message}" if problem.line else str(problem.message) for problem in problems[:3]]
    return "; ".join(said) or "no reason given"
