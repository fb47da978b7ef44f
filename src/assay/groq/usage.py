"""Usage that other packages can count.

Instructor adds up the tokens of its attempts only when an answer's usage is an instance of the openai package's class.
Where a program has that package loaded, as Instructor does, our usage is an instance of both classes; where it has not,
nothing is loaded for it.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, TypeVar

from assay.groq.answer import build
from assay.groq.chat_types import ChatCompletion, ChatCompletionChunk, CompletionUsage

A = TypeVar("A", ChatCompletion, ChatCompletionChunk)


def counted(answer: A) -> A:
    """`answer`, its usage made countable for the openai package when that is loaded."""
    openai = sys.modules.get("openai.types.completion_usage")
    usage = answer.usage
    if openai is not None and isinstance(usage, CompletionUsage):
        fields = {name: getattr(usage, name) for name in usage.model_fields_set}
        answer.usage = _kin(openai.CompletionUsage).model_construct(_fields_set=usage.model_fields_set, **fields)
    return answer


@cache
def _kin(theirs: Any) -> type[CompletionUsage]:
    """A class that is both ours and theirs; the fields are ours. It is pickled as ours: the reader need not have theirs."""
    names = {"__module__": __name__, "__doc__": CompletionUsage.__doc__, "__reduce__": _as_ours}
    return type("CompletionUsage", (CompletionUsage, theirs), names)


def _as_ours(usage: CompletionUsage) -> tuple[Any, ...]:
    return build, (CompletionUsage, usage.to_dict())
