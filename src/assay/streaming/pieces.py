"""The items of a document in pieces: piece by piece, in the order of the text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from assay.connect.pieces import LongDocuments
from assay.split import Splitting
from assay.split.merge import starts
from assay.streaming.items import Items


async def in_order(long: LongDocuments[Any], work: Splitting[Any], items: Items) -> AsyncGenerator[Any, None]:
    """Each item as soon as no later piece can add to it; the last ones when the whole is valid. Raises what `extract` raises."""
    last = 0
    async with aclosing(long.steps(work)) as steps:
        async for ask in steps:
            if ask.is_first and ask.number == last + 1:
                last += 1
                for item in _grown(work, items, last) if work.intact and last < len(work.pieces) else ():
                    yield item
    for item in items.rest(work.outcome().unwrap()):
        yield item


def _grown(work: Splitting[Any], items: Items, last: int) -> list[Any]:
    """What the pieces up to the last one read bring, as far as the next one does not show it, too."""
    merged, key = work.merged(), items.key or work.wrapper
    found = merged.data.get(key) or [] if isinstance(merged.data, dict) and key is not None else []
    return items.grown(found, starts(merged.spans, f"/{key}/", len(found)), work.pieces[last].start)
