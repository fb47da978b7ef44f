"""The provider's batch API, against a local server with its files and batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

import assay
from assay.batch import Settings, run
from assay.errors import ConfigurationError
from batch_server import BatchServer, default_answer, serving


class Doc(BaseModel):
    number: int
    length: int = Field(ge=0)


ROWS = 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    rows = [{"id": number, "text": f"document {number} end"} for number in range(ROWS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def extract(server: BatchServer, source: Path, *, provider: bool = True):
    extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json")
    return run(extractor, source, source.with_name("out.jsonl"), settings=Settings(provider_batch=provider))


def rows(source: Path) -> list[dict]:
    return [json.loads(line) for line in source.with_name("out.jsonl").read_text().splitlines()]


def test_replies_in_any_order_find_their_rows(source):
    with serving() as server:
        summary = extract(server, source)
        assert (summary.done, summary.requests, summary.reasks) == (ROWS, ROWS, 0)
        assert server.served == 0  # nothing was asked online
    assert [(row["id"], row["value"]["number"]) for row in rows(source)] == [(n, n) for n in range(ROWS)]


def test_rows_that_fail_validation_are_asked_again_online(source):
    asked: list[str] = []

    def answer(document: str) -> str:
        asked.append(document)
        return '{"number": 3, "length": -1}' if document == first and asked.count(first) == 1 else default_answer(document)

    with serving() as server:
        first = ""
        call = next(assay.Extractor(Doc, model="m", base_url=server.url, mode="json").steps("document 3 end"))
        first = str(call.messages[-1].content)
        server.answer = answer
        summary = extract(server, source)
        assert (summary.done, summary.reasks, server.served) == (ROWS, 1, 1)
    assert rows(source)[3]["attempts"] == 2


def test_what_the_provider_could_not_answer_is_asked_online(source):
    with serving(batch_fails=lambda document: "document 7 " in document or "document 8 " in document) as server:
        summary = extract(server, source)
        assert (summary.done, server.served) == (ROWS, 2)


def test_what_expired_goes_into_the_next_round(source):
    with serving() as server:
        server.store.expires_after = 25
        summary = extract(server, source)
        assert (summary.done, server.served) == (ROWS, 0)
        assert [len(content.splitlines()) for name, content in server.store.files.values() if name.startswith("assay")] == [
            40,
            15,
        ]


def test_a_run_that_began_online_ends_in_the_batch_api(source):
    few = source.with_name("few.jsonl")
    few.write_text("\n".join(source.read_text().splitlines()[:10]))
    whole = source.read_text()
    with serving() as server:
        source.write_text(few.read_text())
        extract(server, source, provider=False)
        source.write_text(whole)
        summary = extract(server, source)
        assert (summary.done, summary.kept) == (ROWS, 10)
        assert set(server.asked.values()) == {1}


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.mark.parametrize("after", ["upload", "create"])
def test_a_run_that_ended_between_upload_and_create_or_while_waiting_goes_on(source, after):
    with serving() as server:
        breaking = iter([True])

        def stop_once(method: str, path: str, body: bytes, real=server.store.handle):
            made = real(method, path, body)
            wanted = {"upload": ("POST", "/files"), "create": ("POST", "/batches")}[after]
            if (method, path) == wanted and next(breaking, False):
                raise ConnectionError("the connection dies after the server did its part")
            return made

        server.store.handle = stop_once  # type: ignore[method-assign]  # the server's own fault, not ours
        extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", max_retries=0)
        output = source.with_name("out.jsonl")
        with pytest.raises(assay.APIConnectionError):
            run_without_retries(extractor, source, output)
        summary = extract(server, source)
        assert (summary.done, server.served) == (ROWS, 0)
        assert sum(name.startswith("assay") for name, _ in server.store.files.values()) == 1
        assert len(server.store.batches) == 1
        assert set(server.asked.values()) == {1}


def run_without_retries(extractor, source, output):
    return run(extractor, source, output, settings=Settings(provider_batch=True))


def test_rows_in_a_batch_are_not_asked_online_behind_its_back(source):
    with serving() as server:
        server.store.step = lambda batch: {**batch, "status": "cancelled"}  # type: ignore[method-assign]
        server.store.on_upload = lambda: (_ for _ in ()).throw(ConnectionError())
        extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", max_retries=0)
        with pytest.raises(assay.APIConnectionError):
            run_without_retries(extractor, source, source.with_name("out.jsonl"))
        with pytest.raises(ConfigurationError, match="--provider-batch"):
            extract(server, source, provider=False)
