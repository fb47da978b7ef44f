"""The servers that assay knows: one row each, data only.

Sources: the vendors' documentation as of November 2026 and threads in which their servers' behaviour was reported.
A row is a starting point, not a promise: what a server refuses or ignores is found out at run time (`assay.engine`)
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
from assay.wire.anthropic import AnthropicMessages
from assay.wire.gemini import GeminiContent
from assay.wire.openai_chat import ChatCompletions
from assay.wire.openai_responses import OpenAIResponses
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
    other_key_variable: str | None = None
    """Where the key is looked for when `key_variable` is not set."""
    wire: Wire = field(default_factory=ChatCompletions)
    wires: tuple[tuple[str, Wire], ...] = ()
    """Pairs of a regular expression over the model's name and the protocol that such models are asked in; else it is `wire`."""
    profile: Profile = Profile()
    """What holds for models that no row of `models` names."""
    models: tuple[tuple[str, Profile], ...] = ()
    """Pairs of a regular expression over the model's name and what is known of such models; the first match counts."""
    default_model: str | None = None
    base_url_variable: str | None = None
    servers: str | None = None
    """A regular expression over URLs, without `https://`: what matches in full is this provider's, too."""
    own_prefix: bool = True
    """Whether `NAME/` before a model always means this provider; False when it is also an organisation in model names."""
    concurrency: int = field(default=16)
    """Requests at once that suit it when the user does not say."""
    watched: bool = False
    """Whether whole answers are read as streams, so that one that runs away can be broken off: free where the model is slow."""
    images: int = 0
    """Images of one request to a vision model; 0: it is not known to take any."""
    image_bytes: int = 20_000_000
    """Bytes of all images of a request together, as they are encoded in it."""

    def profile_of(self, model: str) -> Profile:
        found = next((profile for pattern, profile in self.models if re.search(pattern, model)), self.profile)
        sees = self.images and _SEEING.search(model)
        return replace(found, images=self.images, image_bytes=self.image_bytes) if sees else found

    def wire_of(self, model: str) -> Wire:
        return next((wire for pattern, wire in self.wires if re.search(pattern, model)), self.wire)

    def key(self) -> str | None:
        """The key that the environment has for it."""
        names = filter(None, (self.key_variable, self.other_key_variable))
        return next((key for name in names if (key := os.environ.get(name))), None)

    def has_server(self, url: str) -> bool:
        """Whether a URL is one of its further servers'."""
        return self.servers is not None and re.fullmatch(rf"https://(?:{self.servers})", url, re.ASCII) is not None


_SEEING = re.compile(
    r"gpt-4o|gpt-4\.1|gpt-5|\bo[134]\b(?!-mini)|claude|gemini|grok-4|pixtral|llava|gemma-?3|llama-?4|vision|[-_.]vl\b|\d-?vl\b|minicpm-v|"
    r"internvl|smolvlm|moondream|molmo|qwen3\.[68]-27b|mistral-(?:small|medium)-3",
    re.IGNORECASE,
)
"""Names of models that take images, as of November 2026, wherever they are served."""


_STRICT = Profile(modes=_ALL, strict=True, dialect="strict", stream_modes=_ALL)
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
_THINKING = replace(_STRICT, reasoning=True, temperature=False)
_OPENAI_THINKS = r"(?:^|[-_/])(?:o\d|gpt-(?:[5-9]|\d\d))"
_ANTHROPIC = Profile(
    modes=(Mode.JSON_SCHEMA, Mode.TOOLS, Mode.TEXT),
    strict=True,
    exact=True,
    reasoning=True,
    temperature=False,
    dialect="anthropic",
    stream_modes=(Mode.JSON_SCHEMA, Mode.TOOLS, Mode.TEXT),
)
# These refuse a tool that is forced on them, as pydantic-ai measured.
_UNFORCED = ((r"(?:fable|mythos)-5-[12]|(?:opus|sonnet)-5-5", replace(_ANTHROPIC, modes=(Mode.JSON_SCHEMA, Mode.TEXT))),)
_GEMINI = Profile(modes=_ALL, reasoning=True, dialect="gemini", stream_modes=_ALL)
_GEMINI_3 = r"gemini-(?:[3-9]|\d\d)"  # from there on a temperature below 1.0 may make it loop, says its documentation

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        wire=ChatCompletions(max_tokens="max_completion_tokens"),  # max_tokens is deprecated there
        # Groq neither streams nor takes tools together with a schema; JSON mode does not stream either.
        profile=Profile(modes=_JSON_FIRST, stream_modes=(Mode.TEXT,), context_tokens=131_072),
        models=(
            (
                r"gpt-oss-(20|120)b$",
                Profile(_SCHEMA_FIRST, strict=True, dialect="strict", reasoning=True, context_tokens=131_072),
            ),
            (r"gpt-oss-safeguard|kimi-k2|llama-4", Profile(modes=_SCHEMA_FIRST)),
            (r"^groq/compound", Profile(modes=(Mode.TEXT,))),  # empty content in JSON mode
        ),
        default_model="openai/gpt-oss-20b",
        base_url_variable="GROQ_BASE_URL",
        images=5,
        image_bytes=4_000_000,  # in a request; more is a 413
    ),
    Provider(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        wire=ChatCompletions(max_tokens="max_completion_tokens"),  # reasoning models refuse max_tokens
        wires=((r"-pro\b|codex|deep-research", OpenAIResponses()),),
        profile=_STRICT,
        models=((_OPENAI_THINKS, _THINKING),),
        base_url_variable="OPENAI_BASE_URL",
        own_prefix=False,
        images=50,
    ),
    Provider(
        "openai-responses",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        wire=OpenAIResponses(),
        profile=replace(_STRICT, stream_modes=_ALL),
        models=((_OPENAI_THINKS, replace(_THINKING, stream_modes=_ALL)),),
        base_url_variable="OPENAI_BASE_URL",
        images=20,
    ),
    Provider(
        "azure",  # a model is a deployment's name there
        "https://{resource}.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY",
        wire=ChatCompletions(max_tokens="max_completion_tokens"),
        profile=_STRICT,
        models=((_OPENAI_THINKS, _THINKING),),
        base_url_variable="AZURE_OPENAI_ENDPOINT",
        images=20,
        servers=r"[\w-]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com(?:/openai/v1)?/?",
    ),
    Provider(
        "anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        wire=AnthropicMessages(),
        profile=_ANTHROPIC,
        models=_UNFORCED,
        base_url_variable="ANTHROPIC_BASE_URL",
        images=20,
    ),
    Provider(
        "azure-anthropic",
        "https://{resource}.services.ai.azure.com/anthropic",
        "ANTHROPIC_FOUNDRY_API_KEY",
        wire=AnthropicMessages(),
        profile=_ANTHROPIC,
        models=_UNFORCED,
        base_url_variable="ANTHROPIC_FOUNDRY_BASE_URL",
        images=20,
        servers=r"[\w-]+\.services\.ai\.azure\.com/anthropic(?:/v1)?/?",
    ),
    Provider(
        "bedrock-anthropic",  # models are named anthropic.NAME there
        "https://bedrock-mantle.{AWS_REGION}.api.aws/anthropic",
        "AWS_BEARER_TOKEN_BEDROCK",
        wire=AnthropicMessages(key="bearer"),
        profile=_ANTHROPIC,
        models=_UNFORCED,
        servers=r"bedrock-mantle\.[\w-]+\.api\.aws/anthropic(?:/v1)?/?",
    ),
    Provider(
        "google",
        "https://generativelanguage.googleapis.com/v1beta",
        "GOOGLE_API_KEY",
        other_key_variable="GEMINI_API_KEY",
        wire=GeminiContent(),
        profile=_GEMINI,
        models=((_GEMINI_3, replace(_GEMINI, temperature=False)),),
        base_url_variable="GOOGLE_GEMINI_BASE_URL",
        images=20,
    ),
    Provider("ollama", "http://localhost:11434/v1", profile=_AT_HOME, concurrency=2, watched=True, images=20),
    Provider("vllm", "http://localhost:8000/v1", profile=_CONSTRAINED, images=20),
    Provider("llamacpp", "http://localhost:8080/v1", profile=_AT_HOME, concurrency=2, watched=True, images=20),
    Provider(
        "lmstudio",
        "http://localhost:1234/v1",
        profile=replace(_AT_HOME, modes=(Mode.JSON_SCHEMA, Mode.TEXT)),
        concurrency=2,
        watched=True,
        images=20,
    ),
    Provider("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", profile=_CONSTRAINED, images=20),
    Provider("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", profile=_CONSTRAINED, images=20),
    Provider("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", profile=_CONSTRAINED, images=8),
    # DeepSeek replaces what is not JSON by spaces: an empty answer, asked again.
    Provider("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", profile=_JSON_ONLY),
    Provider("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", profile=Profile(modes=_SCHEMA_FIRST)),
    Provider(
        "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", profile=Profile(modes=_SCHEMA_FIRST), images=20
    ),
    Provider(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        profile=Profile(modes=_SCHEMA_FIRST),
        models=((_GEMINI_3, Profile(modes=_SCHEMA_FIRST, temperature=False)),),
        images=50,
    ),
    Provider(
        "xai",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        profile=Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect="nullable"),
        images=10,
        image_bytes=10_000_000,
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
    """The provider at a URL, with or without its path; `ANY_SERVER` when it is not known."""
    url = base_url.rstrip("/")
    return next((provider for provider in PROVIDERS if url in _urls(provider) or provider.has_server(url)), ANY_SERVER)


def owner(url: str, named: Provider) -> Provider | None:
    """The provider whose servers are at a URL: by its own origin, or that of its own base-URL variable; `named` is looked at first."""
    rows = (named, *PROVIDERS)
    return next((row for row in rows if origin(url) in _origins(row) or row.has_server(url)), None)


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
