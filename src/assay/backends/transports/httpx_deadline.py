"""The deadline of a whole request that an `httpx.Client` makes: httpx's own timeouts only limit the time between two bytes.

Each phase (waiting for a place in the pool, connecting, writing, reading) begins with what is left of the total as its timeout.
That is exact when nothing arrives. A slow trickle outlasts it: so past the deadline the request's socket is shut down, which wakes a blocked read.

httpx reports the socket when it opens a connection (its `trace` extension) and when an answer's head has come
(`network_stream`), not while a head is awaited on a connection from the pool. But it sets a request's timeout on the socket that
it uses. So no two requests are given the same timeout, and among the sockets that were seen the one that has it is the request's.

What is not cut, and ends by a phase's timeout: looking up a name, connecting to several addresses in turn, and a trickle over
a transport of the user's own that shows no sockets. A connection of HTTP/2 is shared between requests, and not cut either.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import httpx

from assay.backends.transports.watchdog import Deadline

GRACE = 0.1
"""Seconds past the limit before a request is cut: when nothing arrives httpx's own timeout comes first, and cleans up best."""
STEP = 1e-8
"""Seconds between the timeouts of two requests: a socket counts them in steps of 1e-9."""
PER_MILLISECOND = 100_000
"""Such steps: a timeout is whole milliseconds and the number of its request."""
OPENED = (".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")

_numbers = itertools.cycle(range(1, PER_MILLISECOND))


class HttpxDeadline(Deadline):
    """Of one request. `sockets`: where the client's are kept that were seen."""

    def __init__(self, seconds: float, sockets: WeakSet[socket.socket]) -> None:
        super().__init__(seconds + GRACE)
        self._seconds: float | None = seconds
        self._sockets = sockets
        self._number = next(_numbers)
        self._given: set[int] = set()
        """The timeouts that phases of the request got, in steps."""
        self._extensions: dict[str, Any] = {}

    def limit(self, request: httpx.Request) -> None:
        """Let the phases of this request have what is left."""
        self._extensions = request.extensions
        self._extensions["timeout"] = _Left(self)

    def left(self, phase: str) -> float:
        """Seconds for a phase that begins now: of no other request. What the request may take counts from its connection on."""
        if phase not in {"", "pool"} and self._seconds is not None:
            self.restart(self._seconds + GRACE)
            self._seconds = None
        if phase == "connect":
            self._extensions["trace"] = self._trace  # only now, since every event of it costs time
        milliseconds = max(int((self.end - GRACE - time.monotonic()) * 1000), 1)
        steps = milliseconds * PER_MILLISECOND + self._number
        self._given.add(steps)
        return steps * STEP

    def reaches(self, stream: Any) -> bool:
        """Whether the request's connection, which has this stream, can be cut. Its socket is known from then on."""
        sock = None if stream is None else stream.get_extra_info("socket")
        if not isinstance(sock, socket.socket):
            return False
        tls = stream.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            return False
        with self.watch.changed:
            self._sockets.add(sock)
        return True

    def cut(self) -> None:
        for sock in self._sockets:
            if round((sock.gettimeout() or 0.0) / STEP) in self._given:
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # the one of TLS would also take away what a reader holds

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(OPENED):
            self.reaches(info["return_value"])


class _Left(dict[str, float]):
    """httpx's timeouts, which it looks up when a phase begins."""

    def __init__(self, deadline: HttpxDeadline) -> None:
        super().__init__(dict.fromkeys(("connect", "read", "write", "pool"), deadline.left("")))
        self._deadline = deadline

    def __getitem__(self, phase: str) -> float:
        return self._deadline.left(phase)

    def get(self, phase: str, _default: Any = None) -> float:
        return self._deadline.left(phase)
