"""Where the values of an answer stand in its source."""

from __future__ import annotations

import re

from assay.data.paths import leaves
from assay.types import JSON, Span

_SPACE = re.compile(r"\s+")


def locate(data: JSON, source: str) -> tuple[Span, ...]:
    """A span for every text and number of `data` that stands in `source`, in document order of `data`.

    Repeated values take successive occurrences. A value that stands nowhere (inferred, normalised, invented) has no span.
    """
    spans: list[Span] = []
    taken: dict[str, int] = {}
    for path, value in leaves(data):
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            continue
        text = value if isinstance(value, str) else repr(value)
        if (span := _find(text, source, path, taken.get(text, 0))) is not None:
            taken[text] = span.end
            spans.append(span)
    return tuple(spans)


def _find(text: str, source: str, path: str, after: int) -> Span | None:
    for start in (source.find(text, after), source.find(text)):
        if start >= 0:
            return Span(path, start, start + len(text), "exact")
    words = [re.escape(word) for word in _SPACE.split(text.strip()) if word]
    if not words:
        return None
    found = re.compile(r"\s+".join(words), re.IGNORECASE)
    match = found.search(source, after) or found.search(source)
    return None if match is None else Span(path, match.start(), match.end(), "folded")
