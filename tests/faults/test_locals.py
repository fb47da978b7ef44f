"""Tracebacks that show variables, as those of rich, pytest and error trackers do: no frame of ours shows a key."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import httpx
import pytest
from rich.console import Console
from rich.traceback import Traceback

import assay
from servers import FIN, Server, answer, error

KEY = "sk-0123456789-secret"
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
PEOPLE = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}}


def shown(failure: BaseException) -> Iterator[str]:
    """All variables of all our frames, as they are shown. One that cannot be shown at all is a fault too."""
    trace: TracebackType | None = failure.__traceback__
    while trace is not None:
        if "/assay/" in trace.tb_frame.f_code.co_filename:
            for name, value in trace.tb_frame.f_locals.items():
                yield f"{trace.tb_frame.f_code.co_qualname}: {name} = {value!r}"
        trace = trace.tb_next
    inner = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    if inner is not None:
        yield from shown(inner)


CLIENTS: list[httpx.Client] = []


def httpx_client() -> httpx.Client:
    """A client that is closed after the test: an open socket would be a warning in whichever test comes next."""
    CLIENTS.append(httpx.Client())
    return CLIENTS[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def async_of(call: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: asyncio.run(call())


def calls(url: str) -> dict[str, Callable[[], Any]]:
    groq = assay.Groq(api_key=KEY, base_url=url, max_retries=1, default_headers={"X-Api-Key": KEY})
    over = assay.Groq(api_key=KEY, base_url=url, max_retries=0, http_client=httpx_client())
    options: dict[str, Any] = {"model": "m", "base_url": url, "api_key": KEY, "max_retries": 0}
    extractor = assay.Extractor(PEOPLE, **options)
    return {
        "extract": lambda: assay.extract(PEOPLE, "x", **options),
        "unwrap": lambda: extractor.run("x").unwrap(),
        "aextract": async_of(lambda: assay.aextract(PEOPLE, "x", **options)),
        "stream": lambda: list(extractor.stream("x")),
        "map": lambda: [outcome.unwrap() for outcome in extractor.map(["x"])],
        "over httpx": lambda: assay.extract(PEOPLE, "x", client=httpx_client(), **options),
        "of the environment": lambda: assay.extract(PEOPLE, "x", model="groq/m"),
        "groq": lambda: groq.chat.completions.create(**ASK),
        "groq stream": lambda: list(groq.chat.completions.create(**ASK, stream=True)),
        "groq raw": lambda: groq.models.with_raw_response.list().parse(),
        "groq over httpx": lambda: over.chat.completions.create(**ASK),
        "async groq": async_of(assay.AsyncGroq(api_key=KEY, base_url=url).models.list),
        "no JSON": lambda: groq.chat.completions.create(**{**ASK, "messages": [{"content": float("nan")}]}),
        "no parameter": lambda: groq.chat.completions.create(**ASK, tempratur=1),
        "no header": lambda: groq.models.list(extra_headers={"x": "a\nb"}),
        "other server": lambda: groq.get("http://elsewhere.invalid/x"),
        "no model": lambda: assay.extract(PEOPLE, "x", base_url=url, api_key=KEY),
        "no option": lambda: assay.Extractor(PEOPLE, timout=1, **options),
        "no timeout": lambda: assay.Extractor(PEOPLE, timeout=-1, **options),
        "no mode": lambda: assay.extract(PEOPLE, "x", mode="jsn", **options),
        "not a valid URL": lambda: assay.Extractor(PEOPLE, model="m", base_url="nowhere", api_key=KEY),
        "no schema": lambda: assay.extract({"type": "nothing"}, "x", **options),
        "no number of times": lambda: assay.Groq(api_key=KEY, max_retries=-1),
        "no client URL": lambda: assay.Groq(api_key=KEY, base_url="nowhere"),
        "no timeout of a client": lambda: assay.Groq(api_key=KEY, timeout=-1),
        "no change": lambda: groq.with_options(api_key=KEY, max_retries=-1),
        "key with a line break": lambda: assay.extract(PEOPLE, "x", **{**options, "api_key": f"{KEY}\n{KEY}"}),
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server([answer(401, error(f"who is {KEY}?")), FIN]) as running:
        yield running


@pytest.mark.parametrize("name", calls("http://127.0.0.1:1"))
@pytest.mark.parametrize("there", [True, False])
def test_no_variable_shows_a_key(name: str, there: bool, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.base_url if there else "http://127.0.0.1:1/openai/v1"
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    monkeypatch.setenv("GROQ_BASE_URL", url)
    monkeypatch.delenv("ASSAY_MODEL", raising=False)
    with pytest.raises(Exception) as caught:  # noqa: B017
        calls(url)[name]()
    assert not [text for text in shown(caught.value) if KEY in text]


def test_nor_does_a_traceback_of_rich(server: Server) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    try:
        calls(server.base_url)["extract"]()
    except assay.AuthenticationError as failure:
        trace = failure.__traceback__
        while trace is not None and "/assay/" not in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next  # the frames of this test hold it of course
        console.print(Traceback.from_exception(type(failure), failure, trace, show_locals=True))
    said = console.export_text()
    assert "request" in said
    assert KEY not in said
