"""Where a model is and how bytes get there: the options `model`, `base_url`, `api_key`, `client` become a connection."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from assay.backends import foreign, http
from assay.backends.chat import Endpoint
from assay.backends.limiter import Limiter
from assay.backends.manners import manner_of
from assay.backends.retry import RetryPolicy
from assay.connect import findings, providers
from assay.connect.address import Address, default_model, key_for, locate
from assay.connect.providers import ANY_SERVER, Provider
from assay.engine import Learnt
from assay.errors import ConfigurationError
from assay.flow.effects import AsyncTransport, Transport
from assay.options import Options
from assay.prices import Price, price_of
from assay.types import Profile

LOCAL_DEFAULT = "local/smollm2-135m"

LOCAL_CONTEXT = 4096
"""Tokens of context for a GGUF file that does not say what its model can hold."""
LOCAL_MOST = 8192
"""Tokens of context that a GGUF file gets without `context_tokens`: its memory is taken when the model is loaded."""


PATIENCE = 5.0
"""Seconds that a request waits at most before it is repeated, when another model can be asked instead."""


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

    def hasten(self) -> None:
        """Do not wait long when a server asks for it: another model can answer."""
        self.endpoint = replace(self.endpoint, retry=replace(self.endpoint.retry, patience=PATIENCE))

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
"""What is learned about a model on a server is kept as long as it is used."""


def _learnt_of(endpoint: Endpoint) -> Learnt:
    return _learnt.setdefault((endpoint.base_url, endpoint.model), Learnt())


# -- which model -----------------------------------------------------------------------------------------------------


def connect(options: Options, limiter: Limiter | None = None) -> Connection:
    """The connection that options describe. Raises `ConfigurationError` that says what to do."""
    client, model = options.client, options.model
    if isinstance(model, tuple):
        raise ConfigurationError(f"only one model can be used here; got {len(model)}")
    if model is not None and not isinstance(model, str):
        client, model = model, None
    if isinstance(client, OwnModel) and isinstance(client.profile, Profile):  # a mock has whatever it is asked for
        return _own(client, options, limiter)
    if client is not None and not http.is_httpx(client):
        return _through_client(client, model, options, limiter)
    options = options if options.base_url else replace(options, base_url=os.environ.get("ASSAY_BASE_URL") or None)
    if not model:
        model = default_model(options.base_url)
    if model == "local" or model.startswith(("local/", "local:")):
        return _local(model, options, limiter)
    place = locate(model, options.base_url)
    key, hint = key_for(place, options)
    endpoint = replace(_endpoint(place, options, limiter, key), key_hint=hint)
    return _connection(place, endpoint, options, lambda: http.transport(client), lambda: http.async_transport(client))


def _endpoint(place: Address, options: Options, limiter: Limiter | None, key: str | None) -> Endpoint:
    return Endpoint(
        base_url=place.base_url,
        model=place.model,
        api_key=key,
        headers=options.headers,
        wire=place.provider.wire_of(place.model),
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
    profile = _as_found(place.provider.profile_of(place.model), place)
    if place.provider.watched:
        endpoint = replace(endpoint, watched=profile.stream_modes)
    return Connection(endpoint, place.provider, profile, open_sync, open_async, price)


def _as_found(profile: Profile, place: Address) -> Profile:
    """What is known of a model, corrected by what its server was found to do."""
    found = findings.known(place.base_url, place.model)
    if found is None:
        return profile
    return replace(profile, modes=found.modes, stream_modes=tuple(m for m in found.modes if m in profile.stream_modes))


def _through_client(client: Any, model: str | None, options: Options, limiter: Limiter | None) -> Connection:
    """Through a client object that has `chat.completions.create` or the like: the vendors', ours, or a look-alike."""
    manner = manner_of(client)
    url = foreign.base_url_of(client) or "client://"
    provider = providers.BY_NAME[manner.provider] if manner.provider else providers.by_url(url)
    if not model:
        if provider.default_model is None:
            raise ConfigurationError("no model is given for this client: give model='name' with client=")
        model = provider.default_model
    named, _, rest = model.partition("/")
    place = Address(provider, rest if named == provider.name and rest else model, url)
    endpoint = replace(_endpoint(place, options, limiter, None), retry=RetryPolicy(max_retries=0))
    return _connection(
        place, endpoint, options, lambda: foreign.ForeignTransport(client), lambda: foreign.AsyncForeignTransport(client)
    )


@runtime_checkable
class OwnModel(Protocol):
    """A model that brings its own transports: an object whose transports take chat-completions bodies."""

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
    from assay.backends.local import gguf, table, transport, weights  # noqa: PLC0415  # an optional extra, imported when used

    name = model.removeprefix("local")[1:] or table.DEFAULT
    path = weights.resolve(name)
    known = table.MODELS[name].context if name in table.MODELS else min(LOCAL_MOST, gguf.context_length(path) or LOCAL_CONTEXT)
    context = options.context_tokens or known
    provider = replace(providers.LOCAL, profile=replace(providers.LOCAL.profile, context_tokens=context))
    place = Address(provider, name if name in table.MODELS else path.stem, "local://engine")
    endpoint = replace(_endpoint(place, options, limiter, None), retry=RetryPolicy(max_retries=0))
    return _connection(
        place,
        endpoint,
        options,
        lambda: transport.LocalTransport(path, context=context),
        lambda: transport.AsyncLocalTransport(path, context=context),
    )
