"""An estimate of a run: rows, tokens, money, time. Nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import to_json

from assay.backends.chat import BYTES_PER_TOKEN
from assay.batch.formats import Record, Source
from assay.batch.journal import Journal, key_of
from assay.engine.prompt import text_of
from assay.errors import ConfigurationError
from assay.extractor import Extractor
from assay.types import Call, Usage

LOOKED_UP = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits that a run is given. None: not given."""

    rpm: float | None = None
    tpm: float | None = None
    rpd: float | None = None
    tpd: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate for the rows that are left."""

    rows: int
    finished: int
    faulty: int
    """Rows that cannot be asked."""
    twins: int
    """Rows whose source is another row's, too: they are asked once."""
    to_ask: int
    requests: int
    """Of those rows: long documents are asked about in pieces."""
    usage: Usage
    """`cost` is None when no price is known."""
    seconds: float | None
    """None when neither limits nor earlier rows tell."""
    measured: int
    """Answered rows that the estimate is based on; 0: it is based on lengths, and for the answers on the schema's example."""
    models: tuple[str, ...] = ()
    """In the order in which they are asked; the tokens are estimated for the first."""


def estimate(extractor: Extractor[Any], source: Source, journal: Journal | None, pace: Pace) -> Estimate:
    """Read the whole input and make the estimate. `journal` is the output's, when there is one."""
    seen: set[bytes] = set()
    rows = finished = faulty = prompt_bytes = to_ask = requests = 0
    for chunk in _chunks(source.records()):
        fresh = []
        for record in chunk:
            key = key_of(extractor.fingerprint, record.text)
            faulty += bool(record.fault)
            if not record.fault and key not in seen:
                fresh.append((key, record))
            seen.add(key)
        rows += len(chunk)
        answered = _answered(journal, [key for key, _ in fresh])
        finished += len(answered)
        asked = [record for key, record in fresh if key not in answered]
        to_ask += len(asked)
        requests += sum(extractor.pieces(record.source) for record in asked)
        prompt_bytes += sum(len(record.text.encode("utf-8", "replace")) for record in asked)
    if not rows:
        raise ConfigurationError("the input has no rows")
    usage, measured = _usage(extractor, journal, to_ask, requests, prompt_bytes)
    speed = float(journal.fact("rows_per_second", "0")) if journal is not None else 0.0
    return Estimate(
        rows=rows,
        finished=finished,
        faulty=faulty,
        twins=rows - len(seen),
        to_ask=to_ask,
        requests=requests,
        usage=usage,
        seconds=_seconds(requests, usage, pace, speed),
        measured=measured,
        models=extractor.models,
    )


def _chunks(records: Iterator[Record]) -> Iterator[Sequence[Record]]:
    while chunk := list(islice(records, LOOKED_UP)):
        yield chunk


def _answered(journal: Journal | None, keys: Sequence[bytes]) -> set[bytes]:
    return set() if journal is None else journal.answered(keys)


def _usage(extractor: Extractor[Any], journal: Journal | None, asks: int, requests: int, text_bytes: int) -> tuple[Usage, int]:
    """Tokens and cost of this many questions: by the mean of earlier ones, else by their lengths."""
    measured, mean_prompt, mean_completion = journal.means() if journal is not None else (0, 0.0, 0.0)
    if measured:
        prompt, completion = round(mean_prompt * asks), round(mean_completion * asks)
    else:
        prompt = (requests * _static_bytes(extractor) + text_bytes) // BYTES_PER_TOKEN
        completion = requests * len(to_json(extractor.target.example())) // BYTES_PER_TOKEN
    usage = Usage(prompt, completion, total_tokens=prompt + completion)
    price = extractor.connection.price
    cost = None if price is None else price.cost(usage)
    return Usage(prompt, completion, total_tokens=prompt + completion, cost=cost), measured


def _static_bytes(extractor: Extractor[Any]) -> int:
    """Bytes of a request besides its document."""
    call = next(extractor.steps("-"))
    assert isinstance(call, Call)
    schema = len(to_json(call.schema)) if call.schema is not None else 0
    return len(text_of(call.messages).encode()) + schema


def _seconds(asks: int, usage: Usage, pace: Pace, speed: float) -> float | None:
    """The longest of the times given by the limits and by the speed of the last run. A minute's allowance is there at the start."""
    waits = [asks / speed] if speed > 0 else []
    for amount, limit, period in (
        (asks, pace.rpm, 60.0),
        (usage.total_tokens, pace.tpm, 60.0),
        (asks, pace.rpd, 86400.0),
        (usage.total_tokens, pace.tpd, 86400.0),
    ):
        if limit is not None:
            waits.append(max(0.0, amount - limit) / limit * period)
    return max(waits, default=None)
