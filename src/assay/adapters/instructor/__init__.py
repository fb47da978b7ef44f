"""Instructor's way of calling, run by assay's engine. One changed import, and a program written for Instructor works:

    from assay.adapters import instructor          # was: import instructor

    client = instructor.from_groq(Groq())          # assay's Groq, the vendors' clients, or any look-alike
    user = client.chat.completions.create(response_model=User, max_retries=2, messages=[...])

`patch`, `from_groq`, `from_openai`, `from_anthropic`, `from_genai`, `from_litellm`, `from_provider`, `Instructor` and `AsyncInstructor` are assay's own; every other
name (`Partial`, `Maybe`, `Mode`, `llm_validator`, `Image` ...) is the installed instructor package's.

What differs, for the better: `json_validate_failed` and cut-off answers are asked again; tokens are counted on every server;
`int | str`, `dict`, `tuple` and dataclasses are targets; what comes back is exactly your class; errors of the server and of the way to
it keep their type and are not wrapped; your `messages` stay as they are; nothing is compiled twice.
"""

from __future__ import annotations

from typing import Any

import instructor as _installed

from assay.adapters.instructor.client import (
    AsyncInstructor,
    Instructor,
    from_anthropic,
    from_genai,
    from_groq,
    from_litellm,
    from_openai,
    from_provider,
    patch,
)
from assay.adapters.instructor.errors import IncompleteOutputError, RetriesExhaustedError, TokenBudgetReachedError

__all__ = [
    "AsyncInstructor",
    "IncompleteOutputError",
    "Instructor",
    "RetriesExhaustedError",
    "TokenBudgetReachedError",
    "from_anthropic",
    "from_genai",
    "from_groq",
    "from_litellm",
    "from_openai",
    "from_provider",
    "patch",
]


def __getattr__(name: str) -> Any:
    return getattr(_installed, name)
