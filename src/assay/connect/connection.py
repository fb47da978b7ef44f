"""Where a model is and how bytes get there: the options `model`, `base_url`, `api_key`, `client` become a connection."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from assay.backends import foreign, http
from assay.backends.chat import Endpoint
from assay.backends.limiter import Limiter
from assay.backends.retry import RetryPolicy
from assay.connect import providers
from assay.connect.providers import ANY_SERVER, Provider
from assay.engine import Learnt
from assay.errors import ConfigurationError, nearest
from assay.flow.effects import AsyncTransport, Transport
from assay.flow.urls import origin, shown
from assay.options import Options
from assay.prices import Price, price_of
from assay.types import Profile

LOCAL_DEFAULT = "local/smollm2-135m"

LOCAL_CONTEXT = 4096
"""Tokens of context for a GGUF file that no table names."""

NOTHING_TO_USE = """\
no language model to use: set GROQ_API_KEY, or ASSAY_MODEL=provider/name and that provider's key, or give model= (--model) or base_url=;
to try assay without a key, name the embedded toy yourself: model="local/smollm2-135m"\
"""


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
        self.learnt = _learnt_of(endpoint)
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


_learnt: weakref.WeakValueDictionary[tuple[str, str], Learnt] = weakref.WeakValueDictionary()
"""What is learnt of a model on a server lives as long as somebody uses it."""


def _learnt_of(endpoint: Endpoint) -> Learnt:
    return _learnt.setdefault((endpoint.base_url, endpoint.model), Learnt())


def surroundings() -> tuple[str | None, ...]:
    """What the environment says of models, keys and places: options mean the same while this does."""
    return tuple(map(os.environ.get, _VARIABLES))


_VARIABLES = tuple(
    dict.fromkeys(
        variable
        for provider in (ANY_SERVER, *providers.PROVIDERS)
        for variable in (provider.key_variable, provider.base_url_variable, "ASSAY_MODEL", "ASSAY_BASE_URL")
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
    if isinstance(client, OwnModel):
        return _own(client, options, limiter)
    if client is not None and not http.is_httpx(client):
        return _through_client(client, model, options, limiter)
    options = options if options.base_url else replace(options, base_url=os.environ.get("ASSAY_BASE_URL") or None)
    if not model:
        model = default_model(options.base_url)
    if model == "local" or model.startswith(("local/", "local:")):
        return _local(model, options, limiter)
    place = locate(model, options.base_url)
    key, hint = _key(place, options)
    endpoint = replace(_endpoint(place, options, limiter, key), key_hint=hint)
    return _connection(place, endpoint, options, lambda: http.transport(client), lambda: http.async_transport(client))


def default_model(base_url: str | None) -> str:
    """`ASSAY_MODEL`; else Groq's default when there is a key. Else a `ConfigurationError` that says what to set.

    The embedded model is never taken unasked: it answers everything, and a typo in the name of a key would turn a tool into a toy.
    """
    if named := os.environ.get("ASSAY_MODEL"):
        return named
    if base_url is not None:
        raise ConfigurationError(f"which model of {base_url}? Give model='name' (or set ASSAY_MODEL)")
    groq = providers.BY_NAME["groq"]
    if groq.key_variable and os.environ.get(groq.key_variable):
        return f"groq/{groq.default_model}"
    raise ConfigurationError("\n".join([NOTHING_TO_USE, *_near_misses()]))


def _near_misses() -> list[str]:
    """What is set that may have been meant: another provider's key, a key under a misspelt name. No value is shown."""
    keys = {row.key_variable: row.name for row in providers.PROVIDERS if row.key_variable}
    given = [name for name in os.environ if os.environ[name] and _KEY_LIKE.search(name)]
    hints = [f"{name} is set: give model='{keys[name]}/NAME'" for name in given if name in keys]
    near = {name: nearest(name.upper(), keys) for name in given if name not in keys}
    return hints + [f"{name} is set: is {meant} meant?" for name, meant in near.items() if meant]


_KEY_LIKE = re.compile(r"KEY|TOKEN|API|GROQ", re.IGNORECASE)


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
        raise ConfigurationError(f"base_url must start with http:// or https://; got {shown(url)!r}")
    try:
        origin(url)
    except ValueError as error:
        raise ConfigurationError(f"base_url {shown(url)!r} is no URL: {error}") from None
    path = provider.base_url.split("//", 1)[-1].partition("/")[2]
    has_path = "/" in url.split("//", 1)[1]
    return url if has_path or not path else f"{url}/{path}"


def _key(place: Address, options: Options) -> tuple[str | None, str]:
    """The key for a place, and what to say when it is refused.

    A provider's key goes to that provider's own servers, and where its own base-URL variable points: nowhere else, whatever the
    model is called.
    """
    if options.api_key:
        return options.api_key, ""
    named, owner = place.provider, providers.owner(place.base_url, place.provider)
    if owner is not None and owner.key_variable:
        key = os.environ.get(owner.key_variable)
        if not key and options.base_url is None:
            raise ConfigurationError(f"no key for {owner.name}: set {owner.key_variable}, or give api_key=")
        return key or None, "" if key else f"no key was sent: set {owner.key_variable}, or give api_key="
    if options.base_url is None and named.key_variable is None:
        return None, ""  # a server on this machine
    key = os.environ.get(ANY_SERVER.key_variable or "")
    sent = f"the key in {ANY_SERVER.key_variable} was sent" if key else "no key was sent"
    why = f"; {named.key_variable} goes to {named.name} alone" if named.key_variable and named is not ANY_SERVER else ""
    return key or None, f"{sent}{why}: set {ANY_SERVER.key_variable}, or give api_key=, for this server"


def _endpoint(place: Address, options: Options, limiter: Limiter | None, key: str | None) -> Endpoint:
    return Endpoint(
        base_url=place.base_url,
        model=place.model,
        api_key=key,
        wire=place.provider.wire,
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
    profile = place.provider.profile_of(place.model)
    if place.provider.watched:
        endpoint = replace(endpoint, watched=profile.stream_modes)
    return Connection(endpoint, place.provider, profile, open_sync, open_async, price)


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


@runtime_checkable
class OwnModel(Protocol):
    """A model that is its own way there: an object that gives transports which take the bodies of chat completions."""

    name: str
    profile: Profile

    def transport(self) -> Transport: ...
    def async_transport(self) -> AsyncTransport: ...


def _own(model: OwnModel, options: Options, limiter: Limiter | None) -> Connection:
    provider = replace(ANY_SERVER, name=model.name, profile=model.profile)
    endpoint = _endpoint(Address(provider, model.name, "own://model"), options, limiter, None)
    return Connection(endpoint, provider, model.profile, model.transport, model.async_transport, options.price)


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
