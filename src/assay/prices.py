"""What tokens cost: a table of data with its date and sources. `Options.price` overrides it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.types import Usage

AS_OF = "2026-11-22"
"""When the table was last looked at. Prices change: give `price=` where a figure matters."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float
    cached: float | None = None
    """Price of prompt tokens that the server had cached; None: the same as others."""
    cache_write: float | None = None
    """Price of prompt tokens that the server puts into its cache; None: the same as others. Anthropic takes 1.25 times that."""

    def cost(self, usage: Usage) -> float:
        """US dollars for a usage."""
        cached = self.prompt if self.cached is None else self.cached
        written = self.prompt if self.cache_write is None else self.cache_write
        fresh = usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens
        prompt = fresh * self.prompt + usage.cached_tokens * cached + usage.cache_write_tokens * written
        return (prompt + usage.completion_tokens * self.completion) / 1e6


FREE = Price(0.0, 0.0)

TABLE: tuple[tuple[str, str, Price], ...] = (
    ("local", r"", FREE),
    ("ollama", r"", FREE),
    ("llamacpp", r"", FREE),
    ("lmstudio", r"", FREE),
    ("vllm", r"", FREE),
    # requesty.ai/models/groq/openai-gpt-oss-20b (upstream price); cached prompts at half: Groq's prompt-caching page.
    ("groq", r"gpt-oss-20b$", Price(0.10, 0.50, 0.05)),
    # inference-docs.cerebras.ai/models/openai-oss
    ("cerebras", r"gpt-oss-120b$", Price(0.35, 0.75)),
)
"""Rows of provider, a regular expression over the model's name, and the price. The price of any other model is not known."""


def price_of(provider: str, model: str) -> Price | None:
    """The price of a model; None when it is not known."""
    return next((price for name, pattern, price in TABLE if name == provider and re.search(pattern, model)), None)
