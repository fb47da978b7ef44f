"""The pytest plugin: no test reaches a network or a model unnoticed, and cassettes are a fixture.

Loaded by pytest in every run where assay is installed, so it imports nothing but what it needs to close the door.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from assay.testing.playing import Cassette, Record

RECORD = ("none", "once", "new", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("assay")
    group.addoption(
        "--assay-record",
        choices=RECORD,
        default="none",
        help="what the fixture `cassette` does: none only plays (the default), once records if there is no cassette, "
        "new records what is missing, all records everything again",
    )
    parser.addini(
        "assay_network",
        "what tests without a cassette may reach through assay: none (the default), loopback, or any",
        default="none",
    )


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "cassette(path, record): play the answers in this file, relative to the test file; record as with --assay-record",
        "assay_network: this test may reach the network through assay",
        "assay_model: this test may run the embedded model",
    ):
        config.addinivalue_line("markers", mark)
    allowed = ("none", "loopback", "any")
    if config.getini("assay_network") not in allowed:
        raise pytest.UsageError(f"assay_network must be one of {', '.join(allowed)}; got {config.getini('assay_network')!r}")


@pytest.fixture(autouse=True)
def _assay_stage(request: pytest.FixtureRequest) -> Iterator[None]:
    """The door, or the cassette of a marked test."""
    node = request.node
    with ExitStack() as stack:
        if node.get_closest_marker("cassette") is not None and "cassette" not in request.fixturenames:
            request.getfixturevalue("cassette")
        elif "cassette" not in request.fixturenames:
            _close(stack, request)
        yield


def _close(stack: ExitStack, request: pytest.FixtureRequest) -> None:
    network = "any" if request.node.get_closest_marker("assay_network") else request.config.getini("assay_network")
    if network == "any":
        return
    from assay.testing.door import no_network  # noqa: PLC0415  # a run that closes no door loads nothing

    embedded = request.node.get_closest_marker("assay_model") is not None
    stack.enter_context(no_network(embedded=embedded, loopback=network == "loopback"))


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """Plays the answers recorded in `cassettes/MODULE/TEST.yaml` beside the test, or records them: see --assay-record."""
    from assay.testing.playing import cassette as play  # noqa: PLC0415  # a run without cassettes loads nothing

    marker = request.node.get_closest_marker("cassette")
    path, record = _named(*marker.args, **marker.kwargs) if marker is not None else (None, None)
    here = Path(request.node.path).parent
    chosen = here / path if path else here / "cassettes" / Path(request.node.path).stem / f"{_safe(request.node.name)}.yaml"
    with play(chosen, cast("Record", record or request.config.getoption("--assay-record"))) as played:
        yield played


def _named(path: str | None = None, record: str | None = None) -> tuple[str | None, str | None]:
    return path, record


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_.[]" else "_" for character in name)
