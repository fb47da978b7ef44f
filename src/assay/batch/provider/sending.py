"""Out to a provider: rows in parcels, each a file and a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from assay.batch.formats import Record
from assay.batch.journal import Journal, key_of
from assay.batch.progress import Reporter
from assay.batch.provider.parcels import Parcel, Parcels
from assay.documents import Document
from assay.errors import APIStatusError, AssayError
from assay.extractor import Extractor
from assay.groq.calls import Awaited
from assay.groq.resources import API
from assay.types import Call

MAX_LINES, MAX_BYTES = 50_000, 50_000_000
"""Of one parcel. Groq takes files up to 100 MB; this is held in memory twice."""
WINDOW = "24h"
LOOKED_UP = 500


class Sender:
    """Sends rows that were neither answered nor sent, and takes the steps that a kill interrupted."""

    def __init__(
        self, extractor: Extractor[Any], client: API[Awaited], journal: Journal, parcels: Parcels, reporter: Reporter
    ) -> None:
        self._extractor, self._client, self._journal = extractor, client, journal
        self._parcels, self._reporter = parcels, reporter

    async def send(self, records: Iterator[Record]) -> None:
        for parcel, content in self._packed(records):
            lines = content.count(b"\n")
            self._reporter.say(f"uploading {lines:,} rows to the batch API ({len(content):,} bytes)")
            file = await self._client.files.create(file=(parcel.filename, content), purpose="batch")
            await self._create(self._parcels.update(replace(parcel, state="uploaded", file=file.id)))

    async def recover(self, parcel: Parcel) -> None:
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
            if batch is not None:
                self._parcels.update(replace(parcel, state="created", batch=batch.id))
            elif not await self._created(parcel):
                return
        self._reporter.say(f"continuing a batch of an earlier run ({parcel.filename})")

    async def _created(self, parcel: Parcel) -> bool:
        """Make the batch of a file that was uploaded in another run; whether that file is still there."""
        try:
            await self._create(parcel)
        except APIStatusError as error:
            if error.status_code not in (400, 404, 410):
                raise
            self._reporter.say(f"the provider refuses a batch of the file {parcel.file} ({error}): its rows are sent again")
            self._parcels.drop(parcel)
            return False
        return True

    async def _create(self, parcel: Parcel) -> None:
        assert parcel.file is not None
        batch = await self._client.batches.create(
            input_file_id=parcel.file,
            endpoint="/v1/chat/completions",
            completion_window=WINDOW,
            metadata={"assay": parcel.token},
        )
        self._parcels.update(replace(parcel, state="created", batch=batch.id))

    def _packed(self, records: Iterator[Record]) -> Iterator[tuple[Parcel, bytes]]:
        lines: dict[bytes, bytes] = {}
        size = 0
        for key, text in self._open_rows(records):
            if key in lines or (line := self._line(key, text)) is None:
                continue
            lines[key] = line
            size += len(line)
            if len(lines) >= MAX_LINES or size >= MAX_BYTES:
                yield self._parcels.plan(lines), b"".join(lines.values())
                lines, size = {}, 0
        if lines:
            yield self._parcels.plan(lines), b"".join(lines.values())

    def _open_rows(self, records: Iterator[Record]) -> Iterator[tuple[bytes, str | Document]]:
        while chunk := list(islice(records, LOOKED_UP)):
            texts = {key_of(self._extractor.fingerprint, r.text): r.source for r in chunk if not r.fault}
            answered = self._journal.answered(list(texts))
            for key in self._parcels.without_reply([key for key in texts if key not in answered]):
                yield key, texts[key]

    def _line(self, key: bytes, source: str | Document) -> bytes | None:
        """A row as a line of the file; None for one that no request can be made of: it fails when it is asked."""
        endpoint = self._extractor.connection.endpoint
        try:
            call = next(self._extractor.steps(source))
            assert isinstance(call, Call)
            body = endpoint.wire.encode(call, endpoint.model)
        except (AssayError, ValueError):
            return None
        return b'{"custom_id":"%s","method":"POST","url":"/v1/chat/completions","body":%s}\n' % (key.hex().encode(), body)
