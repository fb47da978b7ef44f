"""A batch over documents: a folder of them, or a table with a column of paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import makers
import pytest
from planted import Contract, Reader, contract

import assay
from assay.batch import Columns, Settings, dry_run, run
from servers import Server, said


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def folder(root: Path) -> Path:
    docs = root / "docs"
    (docs / "deep").mkdir(parents=True)
    (docs / "a.pdf").write_bytes(makers.pdf(makers.lines("in a pdf")))
    (docs / "b.docx").write_bytes(makers.docx(makers.p("in a docx")))
    (docs / "deep" / "c.png").write_bytes(makers.picture("in a picture"))
    (docs / "d.pdf").write_bytes(makers.pdf(makers.lines("x"), encrypt="secret"))
    (docs / "e.bin").write_bytes(bytes(30))
    (docs / "f.txt").write_text("in a text")
    return docs


def test_a_folder_of_documents_has_a_row_for_each(tmp_path: Path) -> None:
    docs, out = folder(tmp_path), tmp_path / "out.jsonl"
    with Server(said('{"items": ["x"]}')) as server:
        extractor = assay.Extractor(list[str], model="ollama/qwen3:8b", base_url=server.base_url)
        summary = run(extractor, docs, out)
    assert (summary.done, summary.failed) == (3, 3)
    asked = " ".join(request.json["messages"][-1]["content"] for request in server.received)
    assert all(f"in a {kind}" in asked for kind in ("pdf", "docx", "text"))
    failed = {row["id"]: row["error"]["message"] for row in rows(out) if row["error"]}
    assert set(failed) == {"d.pdf", "deep/c.png", "e.bin"}
    assert "with a password" in failed["d.pdf"]
    assert "not known as a vision model" in failed["deep/c.png"]


def test_pictures_in_a_folder_go_to_a_model_that_sees_and_are_told_apart(tmp_path: Path) -> None:
    docs, out = tmp_path / "docs", tmp_path / "out.jsonl"
    docs.mkdir()
    for name in ("one", "two"):
        (docs / f"{name}.png").write_bytes(makers.picture(name))
    with Server(said('{"items": ["x"]}')) as server:
        summary = run(assay.Extractor(list[str], model="ollama/qwen2.5vl:7b", base_url=server.base_url), docs, out)
    assert (summary.done, summary.failed) == (2, 0)
    assert len({str(request.json["messages"][-1]["content"]) for request in server.received}) == 2


def test_a_column_of_paths_is_read_from_the_folder_of_the_table(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "in.csv").write_text("id,path,note\n1,docs/a.pdf,first\n2,docs/nowhere.pdf,second\n3,,third\n")
    with Server(said('{"items": ["x"]}')) as server:
        extractor = assay.Extractor(list[str], model="ollama/qwen3:8b", base_url=server.base_url)
        summary = run(extractor, tmp_path / "in.csv", tmp_path / "out.jsonl", settings=Settings(columns=Columns(file="path")))
    assert (summary.done, summary.failed) == (1, 2)
    (done,) = [row for row in rows(tmp_path / "out.jsonl") if row["error"] is None]
    assert (done["note"], done["path"]) == ("first", "docs/a.pdf")
    with pytest.raises(assay.ConfigurationError, match="--file must be one of"):
        run(extractor, tmp_path / "in.csv", tmp_path / "b.jsonl", settings=Settings(columns=Columns(file="pth")))


def test_long_documents_go_in_pieces_and_a_dry_run_counts_them(tmp_path: Path) -> None:
    document, out = contract(40_000), tmp_path / "out.jsonl"
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": document.text}) + "\n")
    with Server(Reader()) as server:
        extractor = assay.Extractor(Contract, model="m", base_url=server.base_url, split=8000)
        plan = dry_run(extractor, tmp_path / "in.jsonl", out, settings=Settings())
        assert server.received == []
        run(extractor, tmp_path / "in.jsonl", out)
    assert (plan.to_ask, plan.requests) == (1, len(server.received))
    (row,) = rows(out)
    assert row["value"] == document.gold
    assert row["attempts"] == plan.requests
