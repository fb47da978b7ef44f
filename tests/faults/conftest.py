from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.travel import WAYS, Way


@pytest.fixture(params=WAYS, scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    with Way(request.param) as opened:
        yield opened


@pytest.fixture(params=["sync", "async"], scope="module")
def default_way(request: pytest.FixtureRequest) -> Iterator[Way]:
    with Way(request.param) as opened:
        yield opened
