"""Where the values of a merged answer stand: where each piece's values were found in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.ground import Evidence
from assay.target.build import Target
from assay.types import Span


class PieceEvidence:
    """The spans that came out of the pieces; what was asked again, or has none, is looked up in the whole source."""

    __slots__ = ("_spans", "_whole")

    def __init__(self, spans: Sequence[Span], text: str, source: str, target: Target[Any]) -> None:
        self._spans = tuple(spans)
        self._whole = Evidence(text, source, target.json_schema, wrapper=target.wrapper)

    @property
    def spans(self) -> tuple[Span, ...]:
        known = {span.path for span in self._spans}
        return (*self._spans, *(span for span in self._whole.spans if span.path not in known))

    @property
    def not_stated(self) -> dict[str, str]:
        return self._whole.not_stated

    @property
    def ungrounded(self) -> tuple[str, ...]:
        known = {span.path for span in self._spans}
        return tuple(path for path in self._whole.ungrounded if path not in known)
