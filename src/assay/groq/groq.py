"""`Groq` and `AsyncGroq`: clients of Groq's API, and of every server that speaks the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, Unpack

from assay.backends import http
from assay.backends.gate import Gates
from assay.flow.effects import AsyncTransport, Transport
from assay.groq.calls import Awaited, AwaitedRaw, AwaitedStreamed, Direct, Raw, Streamed, variant
from assay.groq.driver import AsyncDriver, Driver
from assay.groq.logs import follow_environment
from assay.groq.params import NOT_GIVEN, NotGiven
from assay.groq.resources import API
from assay.groq.settings import Changes, changed, settings, timeout_of
from assay.options import DEFAULT_MAX_RETRIES, seal
from assay.types import Secret
from assay.wire.request import sealed

if TYPE_CHECKING:
    import httpx


class Groq(API[Direct]):
    """A client that blocks. Threads may share it. Use it in a `with` block, or `close` it, to give its connections back.

    `base_url` (or GROQ_BASE_URL) is written with or without `/openai/v1`; `api_key` defaults to GROQ_API_KEY. Every request
    carries `default_headers`, those in GROQ_CUSTOM_HEADERS (one `name: value` a line), and `default_query`. `timeout` is in
    seconds, from connecting to the last byte of a response; None waits forever. `max_retries` counts the retries of connection
    errors, 408, 409, 429, 498 and 500 and above. With `http_client` its proxies, certificates and transports apply; closing it
    is up to you. It may also be a transport, as `assay.backends.local.transport.LocalTransport`: the embedded model.
    """

    with_raw_response: variant[API[Raw], API[Any]] = variant("raw", API)
    with_streaming_response: variant[API[Streamed], API[Any]] = variant("streamed", API)

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        http_client: httpx.Client | Transport | None = None,
    ) -> None:
        api_key, default_headers = Secret.of(api_key), sealed(default_headers or {})
        follow_environment()
        own = settings(
            api_key=api_key,
            base_url=base_url,
            timeout=timeout_of(http_client) if isinstance(timeout, NotGiven) else timeout,
            max_retries=max_retries,
            headers=default_headers,
            query=default_query or {},
        )
        super().__init__(Direct(Driver(own, http.transport(http_client), Gates())))

    def copy(self, *, http_client: httpx.Client | Transport | None = None, **changes: Unpack[Changes]) -> Self:
        """A client with other settings over the same connections."""
        seal(changes)
        driver = self.way.driver
        transport = driver.transport if http_client is None else http.transport(http_client)
        client = type(self).__new__(type(self))
        API.__init__(client, Direct(Driver(changed(driver.settings, changes), transport, driver.gates)))
        return client

    with_options = copy

    def close(self) -> None:
        self.way.driver.closed = True
        self.way.driver.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncGroq(API[Awaited]):
    """`Groq`, awaited. Event loops may share it."""

    with_raw_response: variant[API[Any], API[AwaitedRaw]] = variant("raw", API)
    with_streaming_response: variant[API[Any], API[AwaitedStreamed]] = variant("streamed", API)

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        http_client: httpx.AsyncClient | AsyncTransport | None = None,
    ) -> None:
        api_key, default_headers = Secret.of(api_key), sealed(default_headers or {})
        follow_environment()
        own = settings(
            api_key=api_key,
            base_url=base_url,
            timeout=timeout_of(http_client) if isinstance(timeout, NotGiven) else timeout,
            max_retries=max_retries,
            headers=default_headers,
            query=default_query or {},
        )
        super().__init__(Awaited(AsyncDriver(own, http.async_transport(http_client), Gates())))

    def copy(self, *, http_client: httpx.AsyncClient | AsyncTransport | None = None, **changes: Unpack[Changes]) -> Self:
        """A client with other settings over the same connections."""
        seal(changes)
        driver = self.way.driver
        transport = driver.transport if http_client is None else http.async_transport(http_client)
        client = type(self).__new__(type(self))
        API.__init__(client, Awaited(AsyncDriver(changed(driver.settings, changes), transport, driver.gates)))
        return client

    with_options = copy

    async def close(self) -> None:
        self.way.driver.closed = True
        await self.way.driver.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
