"""A closed door: while it is closed, nothing reaches a network or loads a model unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from assay.errors import AssayError
from assay.flow import stage
from assay.flow.effects import Request, Response
from assay.testing.acts import Acting

EMBEDDED = frozenset({"LocalTransport", "AsyncLocalTransport"})
FAKE = frozenset({"FakeTransport", "AwaitedFakeTransport"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NetworkBlockedError(AssayError):
    """A request was about to leave a test that has no cassette for it; it was not sent."""


class _Door:
    def __init__(self, *, embedded: bool, loopback: bool) -> None:
        self._embedded, self._loopback = embedded, loopback

    def pause(self, request: Request) -> float:
        return 0.0

    def before(self, request: Request, way: str) -> Response | None:
        if way in FAKE or (way in EMBEDDED and self._embedded):
            return None
        if way in EMBEDDED:
            raise NetworkBlockedError(
                "this test would run the embedded model: mark it with @pytest.mark.assay_model, or use the fixture `cassette` "
                "or assay.testing.FakeModel"
            )
        host = urlsplit(request.url).hostname
        if self._loopback and host in LOOPBACK:
            return None
        raise NetworkBlockedError(
            f"this test would ask {host or way}: record an answer with the fixture `cassette` and --assay-record=once, use "
            "assay.testing.FakeModel, or mark it with @pytest.mark.assay_network"
        )

    def after(self, request: Request, response: Response) -> Response:
        return response


@contextmanager
def no_network(*, embedded: bool = False, loopback: bool = False) -> Iterator[None]:
    """While it lasts, a request of assay is a `NetworkBlockedError` and is not sent.

    Fake models always answer. `embedded` lets the embedded model run; `loopback` lets requests to this machine's own servers out.
    """
    with stage.put(Acting(_Door(embedded=embedded, loopback=loopback))):
        yield
