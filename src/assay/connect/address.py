"""Where a model is: its name, a base URL and the environment give the provider's row, the address and the key."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from assay.connect import providers
from assay.connect.providers import ANY_SERVER, Provider
from assay.errors import ConfigurationError, nearest
from assay.flow.urls import origin, shown
from assay.options import Options
from assay.types import Secret
from assay.wire.openai_chat import ChatCompletions

NOTHING_TO_USE = """\
no language model is configured: set GROQ_API_KEY, or ASSAY_MODEL=provider/name and that provider's key, or give model= (--model) or base_url=;
to try assay without a key, use the small embedded model: model="local/smollm2-135m"\
"""


@dataclass(frozen=True, slots=True)
class Address:
    """A provider row, the model's name there, and the URL."""

    provider: Provider
    model: str
    base_url: str


def surroundings() -> int:
    """A digest of what the environment says of models, keys and places: options mean the same while it is the same."""
    return hash(tuple(map(os.environ.get, _VARIABLES)))


_VARIABLES = tuple(
    dict.fromkeys(
        variable
        for provider in (ANY_SERVER, *providers.PROVIDERS)
        for variable in (
            provider.key_variable,
            provider.other_key_variable,
            provider.base_url_variable,
            *re.findall(r"\{([A-Z_]+)\}", provider.base_url),
            "ASSAY_MODEL",
            "ASSAY_BASE_URL",
            "ASSAY_BASE_URL",
        )
        if variable is not None
    )
)


def default_model(base_url: str | None) -> str:
    """`ASSAY_MODEL`; else Groq's default when there is a key. Else a `ConfigurationError` that says what to set.

    The embedded model is never used unless it is named: it answers everything, and a typo in the name of a key would turn a tool into a toy.
    """
    if named := os.environ.get("ASSAY_MODEL"):
        return named
    if base_url is not None:
        raise ConfigurationError(f"no model is given for {base_url}: give model='name' (or set ASSAY_MODEL)")
    groq = providers.BY_NAME["groq"]
    if groq.key_variable and os.environ.get(groq.key_variable):
        return f"groq/{groq.default_model}"
    raise ConfigurationError("\n".join([NOTHING_TO_USE, *_near_misses()]))


def _near_misses() -> list[str]:
    """Environment variables that may have been meant: another provider's key, a misspelt name. No value is shown."""
    keys = {row.key_variable: row.name for row in providers.PROVIDERS if row.key_variable}
    given = [name for name in os.environ if os.environ[name] and _KEY_LIKE.search(name)]
    hints = [f"{name} is set: give model='{keys[name]}/NAME'" for name in given if name in keys]
    near = {name: nearest(name.upper(), keys) for name in given if name not in keys}
    return hints + [f"{name} is set: did you mean {meant}?" for name, meant in near.items() if meant]


_KEY_LIKE = re.compile(r"KEY|TOKEN|API|GROQ", re.IGNORECASE)


def locate(model: str, base_url: str | None) -> Address:
    """Which provider a model's name and a URL mean."""
    prefix, slash, rest = model.partition("/")
    named = providers.BY_NAME.get(prefix) if slash else None
    if base_url is not None:
        provider = providers.by_url(base_url)
        if named is None or not rest:
            return Address(provider, model, _url(provider, base_url))
        if named is provider or (named.own_prefix and not provider.base_url.startswith("https://")):
            return Address(named, rest, _url(named, base_url))
        # Another known server's models may be called so, OpenRouter's `anthropic/...`; what speaks Anthropic's protocol has none such.
        same = type(named.wire) is type(provider.wire) is not ChatCompletions
        return Address(provider, rest if same else model, _url(provider, base_url))
    if named is None or not rest:
        known = ", ".join(sorted(providers.BY_NAME))
        raise ConfigurationError(
            f"model {model!r} does not name a known provider: {_meant(prefix if slash else '', rest, model)}write 'provider/name' with one "
            f"of {known}, local; or give the base_url= of any OpenAI-compatible server"
        )
    variable = named.base_url_variable
    return Address(named, rest, _url(named, (variable and os.environ.get(variable)) or _filled(named)))


_MAKERS = (
    (r"(gpt|o)-?\d|chatgpt", "openai"),
    (r"claude", "anthropic"),
    (r"gemini", "gemini"),
    (r"(mi|mag|mini|dev|code)stral|mixtral", "mistral"),
    (r"deepseek", "deepseek"),
    (r"grok", "xai"),
    (r"llama|qwen|kimi|gemma|compound", "groq"),
)
"""Beginnings of models' names, and a provider that has such."""


def _meant(prefix: str, rest: str, model: str) -> str:
    """What was probably meant by a name without its provider, or with a mistyped one."""
    if near := prefix and nearest(prefix, [*providers.BY_NAME, "local"]):
        return f"did you mean '{near}/{rest}'? Otherwise "
    maker = next((name for start, name in _MAKERS if re.match(start, model, re.IGNORECASE)), None)
    return f"did you mean '{maker}/{model}'? Otherwise " if maker is not None and not prefix else ""


def _filled(provider: Provider) -> str:
    """Its base URL, the variables in it filled in from the environment."""
    missing = [name for name in re.findall(r"\{(\w+)\}", provider.base_url) if not os.environ.get(name)]
    if missing:
        name = provider.base_url_variable or missing[0]
        raise ConfigurationError(
            f"the address of {provider.name} is not known: set {name}, or give base_url= ({provider.base_url})"
        )
    return provider.base_url.format_map(os.environ)


def _url(provider: Provider, url: str) -> str:
    """A base URL without its trailing slash; a bare host of a provider whose API has a path gets that path."""
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"base_url must start with http:// or https://; got {shown(url)!r}")
    try:
        origin(url)
    except ValueError as error:
        raise ConfigurationError(f"base_url {shown(url)!r} is not a valid URL: {error}") from None
    path = provider.base_url.split("//", 1)[-1].partition("/")[2]
    has_path = "/" in url.split("//", 1)[1]
    return url if has_path or not path else f"{url}/{path}"


def key_for(place: Address, options: Options) -> tuple[str | None, str]:
    """The key for a place, and what to say when it is refused.

    A provider's key goes to that provider's own servers, and where its own base-URL variable points: nowhere else, whatever the
    model is called.
    """
    if options.api_key:
        return options.api_key, ""
    named, owner = place.provider, providers.owner(place.base_url, place.provider)
    if owner is not None and owner.key_variable:
        key = Secret.of(owner.key())
        if not key and options.base_url is None:
            raise ConfigurationError(f"no key for {owner.name}: set {owner.key_variable}, or give api_key=")
        return key or None, "" if key else f"no key was sent: set {owner.key_variable}, or give api_key="
    if options.base_url is None and named.key_variable is None:
        return None, ""  # a server on this machine
    key = Secret.of(os.environ.get(ANY_SERVER.key_variable or ""))
    sent = f"the key in {ANY_SERVER.key_variable} was sent" if key else "no key was sent"
    why = f"; {named.key_variable} goes only to {named.name}" if named.key_variable and named is not ANY_SERVER else ""
    return key or None, f"{sent}{why}: set {ANY_SERVER.key_variable}, or give api_key=, for this server"
