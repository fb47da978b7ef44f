"""Where a model is and how bytes get there: the options `model`, `base_url`, `api_key`, `client` become a connection."""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from assay.backends import foreign, http
from assay.backends.chat import Endpoint
from assay.backends.limiter import Limiter
from assay.backends.retry import RetryPolicy
from assay.connect import providers
from assay.connect.providers import ANY_SERVER, Provider
from assay.engine import Modes
from assay.errors import ConfigurationError
from assay.flow.effects import AsyncTransport, Transport
from assay.options import Options
from assay.prices import Price, price_of
from assay.types import Profile

_log = logging.getLogger(__name__)

LOCAL_DEFAULT = "local/smollm2-135m"

TOY = """\
no key and no model is set: using the embedded SmolLM2-135M, a toy beside a real model; check what it says.
better: set GROQ_API_KEY, or run "assay models pull qwen2.5-1.5b" and use model="local/qwen2.5-1.5b\""""

LOCAL_CONTEXT = 4096
"""Tokens of context for a GGUF file that no table names."""

NOTHING_TO_USE = """\
no language model to use: set GROQ_API_KEY (or ASSAY_MODEL and that provider's key), give base_url= of a server,
or install the embedded model, which needs no key: pip install "assay[local]"."""


class Connection:
    """One model on one server, and the transports to it, opened when first used."""

    def __init__(
        self,
        endpoint: Endpoint,
        provider: Provider,
        profile: Profile,
        open_sync: Callable[[], Transport],
        open_async: Callable[[], AsyncTransport],
        price: Price | None,
    ) -> None:
        self.endpoint = endpoint
        self.profile = profile
        self.price = price
        self.modes = _modes_of(endpoint, profile)
        self.concurrency = provider.concurrency
        self.provider = provider.name
        self._open_sync, self._open_async = open_sync, open_async
        self._sync: Transport | None = None
        self._async: AsyncTransport | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        return self.endpoint.model

    def transport(self) -> Transport:
        if (transport := self._sync) is None:
            with self._lock:
                transport = self._sync = self._sync or self._open_sync()
        return transport

    def async_transport(self) -> AsyncTransport:
        if (transport := self._async) is None:
            with self._lock:
                transport = self._async = self._async or self._open_async()
        return transport

    def close(self) -> None:
        """Close the blocking transport; an awaited one is closed by `aclose`, or when it is dropped."""
        transport, self._sync = self._sync, None
        if transport is not None:
            transport.close()

    async def aclose(self) -> None:
        self.close()
        transport, self._async = self._async, None
        if transport is not None:
            await transport.aclose()


_modes: weakref.WeakValueDictionary[tuple[str, str], Modes] = weakref.WeakValueDictionary()
"""What is learnt of a server's modes lives as long as somebody uses it."""


def _modes_of(endpoint: Endpoint, profile: Profile) -> Modes:
    return _modes.setdefault((endpoint.base_url, endpoint.model), Modes(profile.modes))


def surroundings() -> tuple[str | None, ...]:
    """What the environment says of models, keys and places: options mean the same while this does."""
    return tuple(map(os.environ.get, _VARIABLES))


_VARIABLES = tuple(
    dict.fromkeys(
        variable
        for provider in (ANY_SERVER, *providers.PROVIDERS)
        for variable in (provider.key_variable, provider.base_url_variable, "ASSAY_MODEL")
        if variable is not None
    )
)


# -- which model -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """A provider row, the model's name there, and the URL."""

    provider: Provider
    model: str
    base_url: str


def connect(options: Options, limiter: Limiter | None = None) -> Connection:
    """The connection that options describe. Raises `ConfigurationError` that says what to do."""
    client, model = options.client, options.model
    if model is not None and not isinstance(model, str):
        client, model = model, None
    if client is not None and not http.is_httpx(client):
        return _through_client(client, model, options, limiter)
    if not model:
        model = default_model(options.base_url)
    if model == "local" or model.startswith(("local/", "local:")):
        return _local(model, options, limiter)
    place = locate(model, options.base_url)
    endpoint = _endpoint(place, options, limiter, _key(place.provider, options))
    return _connection(place, endpoint, options, lambda: http.transport(client), lambda: http.async_transport(client))


def default_model(base_url: str | None) -> str:
    """`ASSAY_MODEL`; else Groq's default when there is a key; else the embedded one, when it is installed."""
    if named := os.environ.get("ASSAY_MODEL"):
        return named
    if base_url is not None:
        raise ConfigurationError(f"which model of {base_url}? Give model='name' (or set ASSAY_MODEL)")
    groq = providers.BY_NAME["groq"]
    if groq.key_variable and os.environ.get(groq.key_variable):
        return f"groq/{groq.default_model}"
    if importlib.util.find_spec("xllamacpp") is not None:
        _say_toy()
        return LOCAL_DEFAULT
    raise ConfigurationError(NOTHING_TO_USE)


@functools.cache
def _say_toy() -> None:
    """Once a process: what nobody asked for by name is not what one should judge assay by."""
    _log.warning(TOY)


def locate(model: str, base_url: str | None) -> Address:
    """Which provider a model's name and a URL mean."""
    prefix, slash, rest = model.partition("/")
    named = providers.BY_NAME.get(prefix) if slash else None
    if base_url is not None:
        provider = providers.by_url(base_url)
        if named is not None and rest and (named is provider or named.own_prefix):
            return Address(named, rest, _url(named, base_url))
        return Address(provider, model, _url(provider, base_url))
    if named is None or not rest:
        known = ", ".join(sorted(providers.BY_NAME))
        raise ConfigurationError(
            f"model {model!r} names no known provider: write 'provider/name' with one of {known}, local; "
            "or give base_url= of any OpenAI-compatible server"
        )
    variable = named.base_url_variable
    return Address(named, rest, _url(named, (variable and os.environ.get(variable)) or named.base_url))


def _url(provider: Provider, url: str) -> str:
    """A base URL without its trailing slash; a bare host of a provider whose API has a path gets that path."""
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"base_url {url!r} is no URL: it starts with http:// or https://")
    path = provider.base_url.split("//", 1)[-1].partition("/")[2]
    has_path = "/" in url.split("//", 1)[1]
    return url if has_path or not path else f"{url}/{path}"


def _key(provider: Provider, options: Options) -> str | None:
    if options.api_key:
        return options.api_key
    key = os.environ.get(provider.key_variable) if provider.key_variable else None
    if not key and provider.key_variable and provider is not ANY_SERVER and options.base_url is None:
        raise ConfigurationError(f"no key for {provider.name}: set {provider.key_variable}, or give api_key=")
    return key or None


def _endpoint(place: Address, options: Options, limiter: Limiter | None, key: str | None) -> Endpoint:
    return Endpoint(
        base_url=place.base_url,
        model=place.model,
        api_key=key,
        dialect=place.provider.dialect,
        timeout=options.timeout,
        retry=RetryPolicy(max_retries=options.max_retries),
        limiter=limiter,
    )


def _connection(
    place: Address,
    endpoint: Endpoint,
    options: Options,
    open_sync: Callable[[], Transport],
    open_async: Callable[[], AsyncTransport],
) -> Connection:
    price = options.price or price_of(place.provider.name, place.model)
    return Connection(endpoint, place.provider, place.provider.profile_of(place.model), open_sync, open_async, price)


def _through_client(client: Any, model: str | None, options: Options, limiter: Limiter | None) -> Connection:
    """Through a client object that has `chat.completions.create`: the vendors', ours, or a look-alike."""
    foreign.check(client)
    url = foreign.base_url_of(client) or "client://"
    provider = providers.by_url(url)
    if not model:
        if provider.default_model is None:
            raise ConfigurationError("which model of this client? Give model='name' beside client=")
        model = provider.default_model
    named, _, rest = model.partition("/")
    place = Address(provider, rest if named == provider.name and rest else model, url)
    endpoint = replace(_endpoint(place, options, limiter, None), retry=RetryPolicy(max_retries=0))
    return _connection(
        place, endpoint, options, lambda: foreign.ForeignTransport(client), lambda: foreign.AsyncForeignTransport(client)
    )


def _local(model: str, options: Options, limiter: Limiter | None) -> Connection:
    """The embedded model: `local/NAME` of the table, or `local:/path/model.gguf`."""
    from assay.backends.local import table, transport, weights  # noqa: PLC0415  # an optional extra, imported when used

    name = model.removeprefix("local")[1:] or table.DEFAULT
    path = weights.resolve(name)
    context = table.MODELS[name].context if name in table.MODELS else LOCAL_CONTEXT
    place = Address(providers.LOCAL, name if name in table.MODELS else path.stem, "local://engine")
    endpoint = replace(_endpoint(place, options, limiter, None), retry=RetryPolicy(max_retries=0))
    return _connection(
        place,
        endpoint,
        options,
        lambda: transport.LocalTransport(path, context=context),
        lambda: transport.AsyncLocalTransport(path, context=context),
    )
