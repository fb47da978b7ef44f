"""How long a piece may be: what is left of a model's context beside the question and the answer."""

from __future__ import annotations

import re
from typing import Any

from assay.engine import prompt
from assay.engine.task import Task
from assay.errors import APIError, ConfigurationError, Reason
from assay.outcome import Outcome
from assay.types import JSON, frozen

TIGHT, LOOSE = 3, 4
"""Bytes of a prompt that a token has: with the first a piece surely fits, with the second a whole text hardly does not."""
ANSWER_SHARE, ANSWER_LEAST = 4, 256
"""Of the context kept for the answer, when its length is not limited: a quarter, and so many tokens at least."""
SPARE = 64
"""Tokens of marks around messages."""
LEAST = 200
"""Characters of a piece, at least."""

_SAID = re.compile(r"(?:n_ctx|context(?: length| size| window| of)?|maximum context)\D{0,40}?(\d[\d,]{2,8})", re.IGNORECASE)


@frozen
class Room:
    """What a task leaves for a document in a context of so many tokens; None: not known yet."""

    context: int | None
    question: int
    """Bytes of a question besides its document."""
    answer: int | None
    """Tokens of the longest answer, when it is known."""

    @classmethod
    def of(cls, task: Task[Any], context: int | None) -> Room:
        texts = [
            prompt.text_of(task.prompt.prefix),
            *(str(wire.schema) for wire in task.wire.values() if wire.schema is not None),
        ]
        return cls(context, sum(len(text.encode()) for text in texts[:2]), task.params.max_tokens)

    def too_long(self, text: str) -> bool:
        """Whether a text can hardly fit."""
        if self.context is None:
            return False
        return (len(text.encode("utf-8", "replace")) + self.question) // LOOSE + self._answer(self.context) > self.context

    def size(self, text: str, context: int | None = None) -> int:
        """Characters of a piece that surely fits. Raises `ConfigurationError` when no size fits."""
        context = context or self.context
        assert context is not None
        tokens = context - self.question // TIGHT - self._answer(context) - SPARE
        size = int(tokens * TIGHT * len(text) / max(1, len(text.encode("utf-8", "replace"))))
        if size < LEAST:
            raise ConfigurationError(
                f"a context of {context} tokens has no room for a document: the question needs about {self.question // TIGHT} tokens, "
                f"the answer up to {self._answer(context)}; use a larger context, a smaller max_tokens or a smaller schema"
            )
        return size

    def _answer(self, context: int) -> int:
        return self.answer or max(ANSWER_LEAST, context // ANSWER_SHARE)


def is_too_long(outcome: Outcome[Any]) -> APIError | None:
    """The server's error, when an extraction failed because its source does not fit the context."""
    cause = outcome.error if isinstance(outcome.error, APIError) else getattr(outcome.error, "__cause__", None)
    return cause if isinstance(cause, APIError) and cause.reason is Reason.CONTEXT_TOO_LONG else None


def context_in(error: APIError) -> int | None:
    """The context that a server's error names."""
    found = _n_ctx(error.body)
    if found is None and (said := _SAID.search(error.message)) is not None:
        found = int(said[1].replace(",", ""))
    return found if found is not None and found >= LEAST else None


def _n_ctx(body: JSON) -> int | None:
    if isinstance(body, dict):
        if isinstance(size := body.get("n_ctx"), int):
            return size
        return _n_ctx(body.get("error"))
    return None
