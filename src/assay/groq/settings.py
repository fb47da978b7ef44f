"""The settings of a client: one frozen value, from arguments and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from assay.errors import ConfigurationError
from assay.flow.effects import Limits
from assay.flow.urls import origin, shown
from assay.groq.params import NOT_GIVEN, NotGiven, check
from assay.options import DEFAULT_TIMEOUT
from assay.types import Secret
from assay.wire.request import sealed

if TYPE_CHECKING:
    import httpx

GROQ_URL = "https://api.groq.com"
HTTPX_DEFAULT = 5.0
"""Seconds that httpx gives each phase when nobody says otherwise."""
API_PATH = "/openai/v1"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    api_key: str = field(repr=False)
    base_url: str = field(repr=False)
    """Complete: a path like `/chat/completions` is appended to it."""
    timeout: float | httpx.Timeout | None
    max_retries: int
    headers: Mapping[str, str] = field(repr=False)
    """Sent with every request, over the client's own; names as they were given."""
    query: Mapping[str, object]


class Changes(TypedDict, total=False):
    """What `with_options` changes."""

    api_key: str
    base_url: object
    timeout: float | httpx.Timeout | NotGiven | None
    max_retries: int
    default_headers: Mapping[str, str]
    """Added to those that the client has."""
    set_default_headers: Mapping[str, str]
    """In the place of those that the client has."""
    default_query: Mapping[str, object]
    set_default_query: Mapping[str, object]


def changed(old: ClientSettings, changes: Changes) -> ClientSettings:
    """`old` with changes. Raises `TypeError` for an unknown one."""
    check(changes, frozenset(Changes.__annotations__) | {"http_client"}, (), "with_options")
    for name in ("default_headers", "default_query"):
        if name in changes and f"set_{name}" in changes:
            raise ConfigurationError(f"{name} adds to the client's values and set_{name} replaces them: give only one of them")
    return settings(
        api_key=changes.get("api_key", old.api_key),
        base_url=changes.get("base_url", old.base_url),
        timeout=changes.get("timeout", old.timeout),
        max_retries=changes.get("max_retries", old.max_retries),
        headers=changes.get("set_default_headers", {**old.headers, **changes.get("default_headers", {})}),
        query=changes.get("set_default_query", {**old.query, **changes.get("default_query", {})}),
    )


def settings(
    *,
    api_key: str | None,
    base_url: object,
    timeout: object,
    max_retries: Any,
    headers: Mapping[str, str],
    query: Mapping[str, object],
) -> ClientSettings:
    """The settings given, completed from GROQ_API_KEY, GROQ_BASE_URL and GROQ_CUSTOM_HEADERS.

    Raises `ConfigurationError` for one that is wrong or missing.
    """
    key = Secret.of(os.environ.get("GROQ_API_KEY") if api_key is None else api_key)
    if not key:
        raise ConfigurationError("no API key: give api_key=... or set GROQ_API_KEY")
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise ConfigurationError(f"max_retries must be a whole number, 0 or more; got {max_retries!r}")
    return ClientSettings(
        api_key=Secret(key.strip()),
        base_url=complete(str(base_url) if base_url is not None else os.environ.get("GROQ_BASE_URL") or GROQ_URL),
        timeout=DEFAULT_TIMEOUT if isinstance(timeout, NotGiven) else checked(timeout),
        max_retries=max_retries,
        headers={**sealed(_environment_headers()), **sealed(headers)},
        query=query,
    )


def complete(base_url: str) -> str:
    """`base_url` in its one form: Groq's is written with and without `/openai/v1`, others end in some `/v1`."""
    url = base_url.strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"base_url must start with http:// or https://; got {shown(base_url)!r}")
    try:
        origin(url)
    except ValueError as error:
        raise ConfigurationError(f"base_url {shown(url)!r} is not a valid URL: {error}") from None
    return url if url.endswith("/v1") else url + API_PATH


def checked(timeout: Any) -> Any:
    """A timeout that can be one: seconds, an `httpx.Timeout`, or None."""
    if timeout is None or _has_phases(timeout):
        return timeout
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise ConfigurationError(f"timeout must be a number of seconds above 0, or None; got {timeout!r}")
    return float(timeout)


def timeout_of(http_client: Any) -> Any:
    """The timeout of an `httpx` client that its user has set; `NOT_GIVEN` where it is httpx's own default."""
    timeout: Any = getattr(http_client, "timeout", None)
    return timeout if _has_phases(timeout) and set(timeout.as_dict().values()) != {HTTPX_DEFAULT} else NOT_GIVEN


def limits(timeout: Any) -> tuple[float | None, Limits | None]:
    """A timeout as the limit of a whole request, or as those of its phases."""
    if not _has_phases(timeout):
        return timeout, None
    return None, Limits(timeout.connect, timeout.read, timeout.write, timeout.pool)


def _has_phases(timeout: Any) -> bool:
    return hasattr(timeout, "connect") and hasattr(timeout, "read")


def _environment_headers() -> dict[str, str]:
    """GROQ_CUSTOM_HEADERS: one `name: value` a line."""
    lines = os.environ.get("GROQ_CUSTOM_HEADERS", "").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}
