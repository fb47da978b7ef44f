"""The servers that assay knows: one row each, data only.

Sources: the vendors' documentation as of November 2026 and threads in which their servers' behaviour was reported.
A row is a starting point, never a promise: what a server refuses or ignores is found out at run time (`assay.engine`)
and `assay doctor` asks a server itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from assay.flow.urls import Origin, origin
from assay.types import Mode, Profile, PromptStyle
from assay.wire.openai_chat import ChatCompletions
from assay.wire.port import Wire

_SCHEMA_FIRST = (Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT)
_ALL = (Mode.JSON_SCHEMA, Mode.TOOLS, Mode.JSON, Mode.TEXT)
_JSON_FIRST = (Mode.JSON, Mode.TEXT)


@dataclass(frozen=True, slots=True)
class Provider:
    """One server, or one kind of server."""

    name: str
    base_url: str
    key_variable: str | None = None
    """The environment variable that holds the key; None: a server that needs none."""
    wire: Wire = field(default_factory=ChatCompletions)
    profile: Profile = Profile()
    """What holds for models that no row of `models` names."""
    models: tuple[tuple[str, Profile], ...] = ()
    """Pairs of a regular expression over the model's name and what is known of such models; the first match counts."""
    default_model: str | None = None
    base_url_variable: str | None = None
    own_prefix: bool = True
    """Whether `NAME/` before a model always means this provider; False when it is also an organisation in model names."""
    concurrency: int = field(default=16)
    """Requests at once that suit it when the user does not say."""
    watched: bool = False
    """Whether whole answers are read as streams, so that one that runs away can be broken off: free where the model is slow."""

    def profile_of(self, model: str) -> Profile:
        return next((profile for pattern, profile in self.models if re.search(pattern, model)), self.profile)


_STRICT = Profile(modes=_ALL, strict=True, dialect="strict", stream_modes=(Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT))
# A server that constrains decoding lets small models leave out whatever may be left out. Measured on llama.cpp's server with a 0.5B
# model: `ordered_on`, an optional date that stands in 20 of 20 texts, came back in none, and no row was right; in JSON mode 8 rows
# were; with every property required, 20 dates and 8 rows. So optional properties go out as required and nullable.
_CONSTRAINED = Profile(
    modes=_SCHEMA_FIRST, strict=True, dialect="nullable", stream_modes=(Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT)
)
# Servers on one's own machine mostly run small models: over three sets of short texts the field list gave a 0.5B model more right
# fields than the JSON Schema for half the tokens (`tests/benchmarks/bench_quality.py --style fields`).
_AT_HOME = replace(_CONSTRAINED, prompt_style=PromptStyle.FIELDS)
_JSON_ONLY = Profile(modes=_JSON_FIRST, stream_modes=(Mode.JSON, Mode.TEXT))

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        ChatCompletions(max_tokens="max_completion_tokens"),  # max_tokens is deprecated there
        # Groq neither streams nor takes tools together with a schema; JSON mode does not stream either.
        profile=Profile(modes=_JSON_FIRST, stream_modes=(Mode.TEXT,)),
        models=(
            (r"gpt-oss-(20|120)b$", Profile(_SCHEMA_FIRST, strict=True, dialect="strict", reasoning=True)),
            (r"gpt-oss-safeguard|kimi-k2|llama-4", Profile(modes=_SCHEMA_FIRST)),
            (r"^groq/compound", Profile(modes=(Mode.TEXT,))),  # empty content in JSON mode
        ),
        default_model="openai/gpt-oss-20b",
        base_url_variable="GROQ_BASE_URL",
    ),
    Provider(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        ChatCompletions(max_tokens="max_completion_tokens"),  # reasoning models refuse max_tokens
        _STRICT,
        models=((r"^(o\d|gpt-5)", replace(_STRICT, reasoning=True, temperature=False)),),
        base_url_variable="OPENAI_BASE_URL",
        own_prefix=False,
    ),
    Provider("ollama", "http://localhost:11434/v1", profile=_AT_HOME, concurrency=2, watched=True),
    Provider("vllm", "http://localhost:8000/v1", profile=_CONSTRAINED),
    Provider("llamacpp", "http://localhost:8080/v1", profile=_AT_HOME, concurrency=2, watched=True),
    Provider(
        "lmstudio",
        "http://localhost:1234/v1",
        profile=replace(_AT_HOME, modes=(Mode.JSON_SCHEMA, Mode.TEXT)),
        concurrency=2,
        watched=True,
    ),
    Provider("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", profile=_CONSTRAINED),
    Provider("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", profile=_CONSTRAINED),
    Provider("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", profile=_CONSTRAINED),
    # DeepSeek replaces what is not JSON by spaces: an empty answer, asked again.
    Provider("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", profile=_JSON_ONLY),
    Provider("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", profile=Profile(modes=_SCHEMA_FIRST)),
    Provider("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", profile=Profile(modes=_SCHEMA_FIRST)),
    Provider(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        profile=Profile(modes=_SCHEMA_FIRST),
    ),
    Provider(
        "xai",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        profile=Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect="nullable"),
    ),
)

LOCAL = Provider(
    "local",
    "local://engine",
    # Measured on the embedded models: a grammar and a worked example are what makes the smallest of them answer at all.
    profile=Profile(
        modes=(Mode.JSON_SCHEMA, Mode.TEXT),
        prompt_style=PromptStyle.TEMPLATE,
        worked_example=True,
        strict=True,
        dialect="llama.cpp",
        max_tokens=512,
        stream_modes=(Mode.JSON_SCHEMA, Mode.TEXT),
    ),
    concurrency=1,
    watched=True,
)

ANY_SERVER = Provider(
    "openai-compatible", "", "ASSAY_API_KEY", profile=Profile(modes=_JSON_FIRST, stream_modes=(Mode.JSON, Mode.TEXT))
)
"""What is assumed of a server that is only known by its URL: JSON mode, which nearly all have."""

BY_NAME = {provider.name: provider for provider in PROVIDERS}


def by_url(base_url: str) -> Provider:
    """The provider that lives at a URL, its path given or not; `ANY_SERVER` when none is known to."""
    url = base_url.rstrip("/")
    return next((provider for provider in PROVIDERS if url in _urls(provider)), ANY_SERVER)


def owner(url: str, named: Provider) -> Provider | None:
    """The provider whose servers are at a URL: by its own origin, or that of its own base-URL variable; `named` is looked at first."""
    return next((provider for provider in (named, *PROVIDERS) if origin(url) in _origins(provider)), None)


def _origins(provider: Provider) -> Iterator[Origin]:
    pointed = os.environ.get(provider.base_url_variable) if provider.base_url_variable else None
    for url in (provider.base_url, pointed):
        with suppress(ValueError):
            yield origin(url or "")


def _urls(provider: Provider) -> tuple[str, ...]:
    """With its path, and for a host of its own without: the groq package's clients say `https://api.groq.com`."""
    parts = urlsplit(provider.base_url)
    bare = (f"https://{parts.netloc}",) if parts.scheme == "https" else ()
    return (provider.base_url.rstrip("/"), *bare)
