"""An HTTP request as all of assay sends them."""

from __future__ import annotations

from collections.abc import Mapping

from assay.flow.effects import Request
from assay.types import Secret
from assay.wire.port import Pairs

USER_AGENT = "assay"
SECRET_HEADERS = frozenset(
    {"authorization", "api-key", "x-api-key", "x-goog-api-key", "x-amz-security-token", "proxy-authorization", "cookie"}
)
"""Headers whose values are keys."""


def request(
    method: str,
    url: str,
    own: Pairs = (),
    *given: Mapping[str, str],
    body: bytes = b"",
    accept: str = "application/json",
    content_type: str | None = "application/json",
    timeout: float | None,
) -> Request:
    """`own` are the protocol's headers; of those that users give, a later layer goes over an earlier one, whatever a name's case."""
    headers: Pairs = (
        ("accept", accept),
        ("accept-encoding", "identity"),  # nothing to unpack: no bomb, no cut frame that passes for whole
        ("user-agent", USER_AGENT),
        *((("content-type", content_type),) if content_type else ()),
        *own,
    )
    if any(given):
        merged = dict(headers)
        for layer in given:
            merged.update(sealed(layer))
        headers = tuple(merged.items())
    return Request(method, url, headers, body, timeout)


def sealed(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers under names in lower case; those that hold keys do not show them."""
    return {name.lower(): Secret.of(value) if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def bearer(key: str | None) -> Pairs:
    """The key as most servers take it."""
    return (("authorization", Secret(f"Bearer {key}")),) if key else ()
