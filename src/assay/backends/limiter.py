"""The port of a limiter, through which every request of a connection goes. `assay.backends.limits` has the one that batches use."""

from __future__ import annotations

from typing import Protocol

from assay.errors import APIStatusError
from assay.types import RateLimits


class Limiter(Protocol):
    """Asked before every request and told after it. It only decides: the flow that asks does the sleeping.

    One limiter is shared by all users of one key, from any thread.
    """

    def reserve(self, tokens: int) -> float:
        """Seconds to wait before asking again; 0.0 means go: one request and `tokens` are then booked."""
        ...

    def settle(self, booked: int, used: int | None, limits: RateLimits | None) -> None:
        """A request that was booked with `booked` tokens ended and used `used` (None: not known)."""
        ...

    def refuse(self, booked: int, error: APIStatusError, limits: RateLimits | None) -> bool:
        """The server refused it (429, 498, 503): all who share the limiter wait as long as `error` says.

        Returns True when it was only one too many at once: it can be sent as soon as `reserve` allows it.
        """
        ...
