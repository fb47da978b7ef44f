"""A log event for each row, under the logger `assay.batch`: for who follows a run with `logging`, and for `--log-json`.

An event is a record at INFO whose `assay` attribute is an object of plain figures. No text of a document or an answer is in it.
"""

from __future__ import annotations

import logging
from typing import Any

from pydantic_core import from_json

from assay.batch.journal import Answer, Row
from assay.outcome import Outcome
from assay.types import JSONObject, Usage

log = logging.getLogger("assay.batch")


def concluded(row: Row, answer: Answer, outcome: Outcome[Any], usage: Usage) -> None:
    """Tell of a row that is finished; costs next to nothing when nobody listens."""
    if not log.isEnabledFor(logging.INFO):
        return
    event: JSONObject = {
        "event": "row",
        "line": row.line,
        "id": from_json(row.id),
        "state": answer.state,
        "kind": answer.kind,
        "model": outcome.model,
        "attempts": len(outcome.attempts),
        "requests": outcome.requests,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": usage.cost,
        "seconds": round(sum(attempt.latency for attempt in outcome.attempts), 3),
        "repairs": len(outcome.repairs),
    }
    log.info("row %s: %s", row.line, answer.kind, extra={"assay": event})
