"""The message of a failed extraction: in one screen, what was asked, what came back and what was wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from assay.engine.prompt import clip, compact
from assay.errors import ExtractionError
from assay.outcome import Outcome
from assay.types import Problem

T = TypeVar("T")

REPLY_SHOWN = 300
PROBLEMS_SHOWN = 8


def failure(outcome: Outcome[T], target: str) -> Outcome[T]:
    """The outcome with its `ExtractionError`."""
    return replace(outcome, error=ExtractionError(_message(outcome, target), outcome))


def _message(outcome: Outcome[T], target: str) -> str:
    attempts = outcome.attempts
    last = attempts[-1]
    sent = f" ({outcome.requests} requests)" if outcome.requests > len(attempts) else ""
    lines = [
        f"no valid {target} after {len(attempts)} attempt{'s' * (len(attempts) != 1)}{sent} with {outcome.model}",
        f"asked of  {len(outcome.source)} characters: {clip(' '.join(outcome.source.split()))}",
        f"came back {clip(' '.join(last.reply.split()), REPLY_SHOWN) or '(nothing)'}",
        "wrong     " + "\n          ".join(_line(problem) for problem in last.problems[:PROBLEMS_SHOWN]),
    ]
    if len(last.problems) > PROBLEMS_SHOWN:
        lines.append(f"          ... and {len(last.problems) - PROBLEMS_SHOWN} more")
    lines += [f"note      {note}" for note in outcome.notes[-3:]]
    usage = outcome.usage
    lines.append(f"usage     {usage.prompt_tokens} prompt + {usage.completion_tokens} answer tokens, all attempts")
    return "\n".join(lines)


def _line(problem: Problem) -> str:
    said = "" if problem.kind in ("missing", "truncated", "empty") else f", got {clip(compact(problem.said), 80)}"
    return f"{problem.path or '(the answer)'}: {problem.kind}: want {problem.want}{said}"
