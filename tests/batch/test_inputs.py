"""Inputs as people have them, and what is wrong with them: every format, real files, a real local server."""

from __future__ import annotations

import asyncio
import bz2
import csv
import gzip
import json
import os
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from assay.batch import Columns, arun, journal_path
from assay.errors import ConfigurationError
from batch_runs import Notes, batch, extractor, jsonl, texts, write
from batch_server import serving


@pytest.fixture
def server():
    with serving() as running:
        yield running


def out(folder: Path) -> list[dict[str, Any]]:
    return jsonl(folder / "out.jsonl")


def failures(folder: Path) -> list[tuple[Any, int, str]]:
    return [(row["id"], row["line"], row["message"]) for row in jsonl(folder / "out.jsonl.errors.jsonl")]


# -- values that no file can hold --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"\xff\x00", "_wA="),
        (pd.NaT, None),
        (pd.NA, None),
        (float("nan"), None),
        (float("inf"), "Infinity"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        (["\udce9", {"\ud800": pd.NaT}], ["\\udce9", {"\\ud800": None}]),
        (10**400, 10**400),
        (object, "<class 'object'>"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_value_that_json_has_not_is_written_in_a_documented_form(server, tmp_path, value, written, kind):
    rows = [{"id": "a", "text": "document 1", "extra": value}, *texts(3)]
    assert batch(server, rows, tmp_path / f"out.{kind}").done == 4
    assert batch(server, rows, tmp_path / f"out.{kind}").kept == 4
    if kind == "jsonl":
        assert out(tmp_path)[0]["extra"] == written


class Explodes:
    def __str__(self) -> str:
        raise RuntimeError("no text of me")


def test_a_value_that_breaks_fails_its_row_alone_at_every_run(server, tmp_path):
    rows = [{"id": "a", "text": "document 9", "extra": Explodes()}, *texts(3)]
    for _ in range(2):
        summary = batch(server, rows, tmp_path / "out.jsonl")
        assert (summary.done, summary.failures, summary.stop) == (3, {"input": 1}, None)


def test_a_lone_surrogate_in_a_line_or_a_text_fails_that_row_alone(server, tmp_path):
    lines = [
        '{"id": 1, "text": "document 1"}',
        '{"id": 2, "text": "\\ud800"}',
        '{"id": 3, "text": "document 3", "x": "\\udc00"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    assert batch(server, tmp_path / "in.jsonl", tmp_path / "out.jsonl").failures == {"input": 2}
    rows = [{"id": 1, "text": "document \ud800 1"}, *texts(2)]
    assert batch(server, rows, tmp_path / "more.jsonl").done >= 2


def test_names_of_columns_that_are_not_utf8_are_an_error_that_says_what_to_do(server, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"id,text,caf\xe9\na,document 1,x\n")
    with pytest.raises(ConfigurationError, match="--encoding cp1252"):
        batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl", encoding="cp1252").done == 1
    assert out(tmp_path)[0]["café"] == "x"


@pytest.mark.parametrize("usage", [1e30, float("inf"), -5, 10**25, "many", None, [1]])
def test_a_usage_that_is_none_ends_nothing(tmp_path, usage):
    def answer(text: str) -> Any:
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": '{"number": 1, "length": 1}'},
            "finish_reason": "stop",
        }
        said = {"prompt_tokens": usage, "completion_tokens": 2, "total_tokens": usage, "cost": usage}
        return 200, {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": said}, {}

    with serving(answer=answer) as server:
        for _ in range(2):
            assert batch(server, texts(3), tmp_path / "out.jsonl").done == 3
    assert all(json.loads(json.dumps(row, allow_nan=False)) for row in out(tmp_path))


# -- Parquet -----------------------------------------------------------------------------------------------------------


def moments(kind: pa.DataType, *counts: int | None) -> pa.Array:
    return pa.array(counts, {32: pa.int32(), 64: pa.int64()}[kind.bit_width]).cast(kind)


def odd_columns() -> dict[str, pa.Array]:
    return {
        "id": pa.array(["a", "b", "c"]),
        "text": pa.array([b"document 1", b"document 2", b"document 3"], pa.binary()),
        "ns": moments(pa.timestamp("ns"), 1, None, 10**18 + 1),
        "zoned": moments(pa.timestamp("us", "Europe/Berlin"), 1, None, 10**15),
        "far": moments(pa.timestamp("ms"), 4 * 10**14, -(10**15), 10**15),
        "day": pa.array([date(2024, 1, 2), None, date(9999, 12, 31)]),
        "days": moments(pa.date32(), 10**7, -(10**7), 0),
        "time": moments(pa.time64("ns"), 1, None, 3),
        "duration": moments(pa.duration("ns"), 1, None, -3),
        "price": pa.array([Decimal("1.20"), None, Decimal("-0.01")], pa.decimal128(20, 2)),
        "large": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "float": pa.array([1.5, None, float("inf")], pa.float32()),
        "bytes": pa.array([b"\xff", None, b""]),
        "kind": pa.array(["x", None, "y"]).dictionary_encode(),
        "list": pa.array([[1], None, []], pa.list_(pa.timestamp("us"))),
        "inner": pa.array([{"day": date(2024, 1, 2)}, None, {"day": None}]),
        "map": pa.array([[("k", timedelta(1))], None, []], pa.map_(pa.string(), pa.duration("us"))),
        "none": pa.nulls(3),
    }


@pytest.mark.parametrize("given", ["file", "table"])
def test_every_type_of_column_comes_out_as_it_went_in(server, tmp_path, given):
    table = pa.table(odd_columns())
    pq.write_table(table, tmp_path / "in.parquet")
    source = tmp_path / "in.parquet" if given == "file" else table
    assert batch(server, source, tmp_path / "out.parquet").done == 3
    before, after = (
        pq.read_table(tmp_path / "in.parquet") if given == "file" else table,
        pq.read_table(tmp_path / "out.parquet"),
    )
    for name in set(table.column_names) - {"text"}:
        expected = before[name].cast(pa.string()) if name == "kind" else before[name]
        assert after[name].combine_chunks().equals(expected.combine_chunks()), name
    for kind in ("jsonl", "csv"):
        assert batch(server, source, tmp_path / f"out.{kind}").done == 3
    assert (out(tmp_path)[0]["ns"], out(tmp_path)[0]["price"]) == ("1970-01-01T00:00:00.000000001", "1.20")


def test_two_columns_of_one_name_are_both_kept(server, tmp_path):
    columns = [pa.array(["document 1"]), pa.array([1]), pa.array([2]), pa.array([3])]
    pq.write_table(pa.Table.from_arrays(columns, names=["text", "note", "note", "note.2"]), tmp_path / "in.parquet")
    batch(server, tmp_path / "in.parquet", tmp_path / "out.jsonl")
    (row,) = out(tmp_path)
    assert (row["note"], row["note.2"], row["note.3"]) == (1, 3, 2)


def test_two_text_columns_of_one_name_are_an_error(server, tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text("text,text\na,b\n")
    for name in ("in.parquet", "in.csv"):
        with pytest.raises(ConfigurationError, match="2 columns named 'text'"):
            batch(server, tmp_path / name, tmp_path / "out.jsonl")
    assert not server.asked


def test_bytes_that_are_no_text_fail_their_row_with_its_id(server, tmp_path):
    table = pa.table({"id": ["a", "b"], "text": pa.array([b"document 1", b"caf\xe9"], pa.binary())})
    assert batch(server, table, tmp_path / "out.jsonl").failures == {"input": 1}
    assert failures(tmp_path)[0][:2] == ("b", 2)


class Number(BaseModel):
    number: int
    more: list[int] = []


def test_a_value_too_large_for_its_parquet_column_fails_its_row_and_not_the_file(tmp_path):
    def answer(text: str) -> str:
        return '{"number": 99999999999999999999}' if "document 1 " in text else '{"number": 7}'

    with serving(answer=answer) as server:
        for _ in range(2):
            summary = batch(server, texts(3), tmp_path / "out.parquet", target=Number)
            assert (summary.done, summary.failures, summary.stop) == (2, {"output": 1}, None)
        assert batch(server, texts(3), tmp_path / "out.jsonl", target=Number).done == 3
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["value"] and row["value"]["number"] for row in rows] == [7, None, 7]
    assert "does not fit" in rows[1]["error"]["message"]


@pytest.mark.parametrize("large", [2**63, -(2**63) - 1, 2**64])
def test_a_whole_number_beyond_its_column_is_written_as_json(server, tmp_path, large):
    rows = [{"id": large, "text": "document 1", "count": 1}, {"id": 2, "text": "document 2", "count": large}]
    assert batch(server, rows, tmp_path / "out.parquet").done == 2
    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[1]["count"] == str(large)


# -- ids and other columns ---------------------------------------------------------------------------------------------


def test_ids_and_columns_that_changed_are_refreshed_without_asking(server, tmp_path):
    rows = [{"id": n, "key": f"k{n}", "text": f"document {n} end", "page": n} for n in range(5)]
    batch(server, write(tmp_path / "in.jsonl", *rows), tmp_path / "out.jsonl")
    rows[2] |= {"id": "new", "page": 77, "more": True}
    summary = batch(server, write(tmp_path / "in.jsonl", *rows), tmp_path / "out.jsonl")
    assert (summary.asked, summary.kept) == (0, 5)
    assert [(row["id"], row["page"]) for row in out(tmp_path)] == [(0, 0), (1, 1), ("new", 77), (3, 3), (4, 4)]
    assert out(tmp_path)[2]["more"] is True
    assert batch(server, tmp_path / "in.jsonl", tmp_path / "out.jsonl", columns=Columns(id="key")).asked == 0
    assert [row["id"] for row in out(tmp_path)] == [f"k{n}" for n in range(5)]


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.parquet", "rows"])
@pytest.mark.parametrize(("columns", "flag"), [(Columns(id="nope"), "--id"), (Columns(text="nope"), "--text")])
def test_a_column_that_is_not_there_is_an_error_at_once(server, tmp_path, name, columns, flag):
    rows = texts(3)
    match name:
        case "in.jsonl":
            write(tmp_path / name, *rows)
        case "in.csv":
            (tmp_path / name).write_text("id,text\n1,x\n")
        case "in.parquet":
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    with pytest.raises(ConfigurationError, match=f"no column 'nope': {flag} must be one of 'id', 'text'"):
        batch(server, rows if name == "rows" else tmp_path / name, tmp_path / "out.jsonl", columns=columns)
    assert not server.asked
    assert not journal_path(tmp_path / "out.jsonl").exists()


def test_a_failed_row_keeps_its_own_id_or_has_none(server, tmp_path):
    lines = [
        b'{"id": "a", "text": "document 1"}',
        b"{broken",  # no name of its own
        b'{"id": "c", "text": "document',  # a name before the fault
        b'{"id": "d", "text": "caf\xe9"}',
        b'{"id": "e", "text": ""}',
        b'{"text": 3}',
        b"[1]",
        b'{"id": 2, "text": "document 2"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    batch(server, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [(id_, line) for id_, line, _ in failures(tmp_path)] == [
        (None, 2), ("c", 3), ("d", 4), ("e", 5), (None, 6), (None, 7)
    ]  # fmt: skip
    assert [row["id"] for row in out(tmp_path)] == ["a", None, "c", "d", "e", None, None, 2]
    (tmp_path / "in.csv").write_bytes(b"text,id\ndocument 1,a\ncaf\xe9,b\none,c,too many\nshort\n,e\n")
    batch(server, tmp_path / "in.csv", tmp_path / "t.jsonl")
    assert [row["id"] for row in jsonl(tmp_path / "t.jsonl")] == ["a", "b", "c", None, "e"]


def test_rows_with_the_same_fault_each_tell_their_own_line(server, tmp_path):
    write(tmp_path / "in.jsonl", {"text": "document 1"}, {"text": None}, {"text": None}, {"other": 1})
    batch(server, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [message.partition(":")[0] for *_, message in failures(tmp_path)] == ["line 2", "line 3", "line 4"]


def test_our_own_output_is_the_input_of_a_second_and_a_third_stage(server, tmp_path):
    for kind in ("jsonl", "csv"):
        rows = [
            {"id": n, "text": f"document {n} end", "body": f"document 5{n} end", "last": f"document 6{n}"} for n in range(2)
        ]
        source: Any = rows
        for stage, text in enumerate(["text", "body", "last"], 1):
            output = tmp_path / f"stage{stage}.{kind}"
            assert batch(server, source, output, columns=Columns(text=text)).done == 2
            source = output
        if kind == "jsonl":
            row = jsonl(output)[1]
            found = [row["value"]["number"], row["input.value"]["number"], row["input.input.value"]["number"]]
            assert "input.input.usage" in row
        else:
            with output.open(newline="") as file:
                row = list(csv.DictReader(file))[1]
            found = [int(row[f"{before}value.number"]) for before in ("", "input.", "input.input.")]
        assert found == [61, 51, 1]


def test_duplicate_headers_are_both_kept(server, tmp_path):
    (tmp_path / "in.csv").write_text("id,note,text,note\na,first,document 1,second\n")
    batch(server, tmp_path / "in.csv", tmp_path / "out.csv")
    batch(server, tmp_path / "out.csv", tmp_path / "out.jsonl", columns=Columns(text="note"))
    assert out(tmp_path)[0]["note.2"] == "second"


# -- CSV ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('id,text\n1,fine\n2,"opened\n3,document\n4,document\n', 3),
        ('id,text\n1,"opened\n2,fine\n3,"closed\n4,fine\n', 2),
        ('id,text\n1,fine\n2,"last', 3),
    ],
)
def test_a_quote_that_swallows_rows_is_an_error_that_names_the_line(server, tmp_path, content, line):
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(ConfigurationError, match=f"line {line}: a quoted field is not closed"):
        batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert not server.asked


def test_quotes_that_are_right_or_harm_one_row_only(server, tmp_path):
    content = 'id,text\n1,"document 1\nsaid ""hi"""\n2,document 2 has 5" pipes\n3,"document" 3\n4,document 4\n'
    (tmp_path / "in.csv").write_text(content)
    assert batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl").failures == {"input": 1}
    assert failures(tmp_path)[0][1] == 5


@pytest.mark.parametrize("delimiter", [";", "tab", "|"])
def test_other_delimiters(server, tmp_path, delimiter):
    sign = "\t" if delimiter == "tab" else delimiter
    (tmp_path / "in.csv").write_text(f"id{sign}text\na{sign}document 1, end\n")
    with pytest.raises(ConfigurationError, match="--delimiter"):
        batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl", delimiter=delimiter).done == 1
    with pytest.raises(ConfigurationError, match="one character"):
        batch(server, tmp_path / "in.csv", tmp_path / "out.jsonl", delimiter=";;")


# -- encodings and packed files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
def test_other_encodings_are_read_when_named_or_marked_and_guessed_aloud(server, tmp_path, name, encoding):
    rows = [{"id": n, "text": f"document {n} café"} for n in range(3)]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if name == "in.csv":
        content = "id,text\n" + "".join(f"{row['id']},{row['text']}\n" for row in rows)
    (tmp_path / name).write_bytes(content.encode(encoding))
    notes = Notes()
    if encoding in ("utf-16", "utf-32"):
        assert batch(server, tmp_path / name, tmp_path / "out.jsonl", reporter=notes).done == 3
        assert encoding.upper() in notes.said[0]
    elif encoding == "cp1252":
        assert batch(server, tmp_path / name, tmp_path / "out.jsonl").failures == {"input": 3}
        assert "--encoding cp1252" in failures(tmp_path)[0][2]
    else:
        with pytest.raises(ConfigurationError, match=f"--encoding {encoding}"):
            batch(server, tmp_path / name, tmp_path / "out.jsonl")
    assert batch(server, tmp_path / name, tmp_path / "out.jsonl", encoding=encoding).done == 3
    assert any("café" in text for text in server.asked)
    with pytest.raises(ConfigurationError, match="must be the name of an encoding"):
        batch(server, tmp_path / name, tmp_path / "out.jsonl", encoding="latin-99")


def pack(data: bytes, kind: str) -> bytes:
    match kind:
        case "gz":
            return gzip.compress(data)
        case "bz2":
            return bz2.compress(data)
        case _:
            from backports import zstd

            return zstd.compress(data)


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
@pytest.mark.parametrize("name", ["in.jsonl", "in.csv"])
def test_packed_files_are_read_and_broken_ones_said(server, tmp_path, name, kind):
    whole = "".join(f'{{"id": {n}, "text": "document {n} {os.urandom(20).hex()}"}}\n' for n in range(400))
    if name == "in.csv":
        whole = "id,text\n" + "".join(f"{n},document {n} {os.urandom(20).hex()}\n" for n in range(400))
    path = tmp_path / f"{name}.{kind}"
    path.write_bytes(pack(whole.encode(), kind))
    assert batch(server, path, tmp_path / "out.jsonl").done == 400
    path.write_bytes(pack(whole.encode(), kind)[:-200])
    try:
        stop = batch(server, path, tmp_path / "cut.jsonl").stop
    except ConfigurationError as error:
        assert "is broken" in str(error)  # noqa: PT017  # found before the first request, or on the way
    else:
        assert stop is not None
        assert "is broken" in stop.message


def test_a_spreadsheet_is_a_table(server, tmp_path):
    sheet = "".join(
        f'<row r="{at}">' + "".join(f'<c r="{col}{at}" t="inlineStr"><is><t>{cell}</t></is></c>' for col, cell in zip("ABC", row, strict=True)) + "</row>"
        for at, row in enumerate([("id", "text", "page"), ("a", "document 1", "7"), ("b", "document 2", "8"), ("c", "", "9")], 1)
    )  # fmt: skip
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(tmp_path / "in.xlsx", "w") as file:
        file.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="Bills" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        file.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>')
    assert batch(server, tmp_path / "in.xlsx", tmp_path / "out.jsonl").failures == {"input": 1}
    assert [(row["id"], row["page"]) for row in out(tmp_path)] == [("a", "7"), ("b", "8"), ("c", "9")]
    with pytest.raises(ConfigurationError, match="no column 'nope'.*'Bills'"):
        batch(server, tmp_path / "in.xlsx", tmp_path / "no.jsonl", columns=Columns(text="nope"))


# -- folders, globs, frames --------------------------------------------------------------------------------------------


def test_a_folder_of_documents_has_no_files_of_ours_no_hidden_ones_and_nothing_that_hangs(server, tmp_path):
    (tmp_path / "a.txt").write_text("document 1")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.txt").write_text("document 9")
    (tmp_path / ".hidden.txt").write_text("document 9")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "null.txt").symlink_to("/dev/zero")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("document 2")
    with (tmp_path / "huge.txt").open("wb") as huge:
        huge.truncate(200_000_000)
    for _ in range(2):
        summary = batch(server, tmp_path, tmp_path / "out.jsonl")
        assert (summary.done, summary.failures) == (2, {"input": 3})
    assert {row["id"]: row["value"] is not None for row in out(tmp_path)} == {
        "a.txt": True, "caf\\xe9.txt": True, "huge.txt": False, "null.txt": False, "pipe.txt": False
    }  # fmt: skip


def test_what_other_runs_wrote_beside_their_outputs_is_no_input_but_their_outputs_are(server, tmp_path):
    batch(server, [*texts(2), ""], tmp_path / "first.jsonl")
    batch(server, [*texts(3), ""], tmp_path / "second.jsonl")
    notes = Notes()
    columns = Columns(template="document {{ id }}")
    for source in (tmp_path, tmp_path / "*.jsonl"):
        assert batch(server, source, tmp_path / "third.jsonl", columns=columns, reporter=notes).rows == 7
    assert "2 .jsonl files" in notes.said[0]


def test_a_folder_whose_name_is_not_utf8(server, tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    write(folder / "in.jsonl", *texts(2), {"id": 3, "text": ""})
    for _ in range(2):
        assert batch(server, folder / "in.jsonl", folder / "out.jsonl").rows == 3


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "jsonl.gz"])
@pytest.mark.parametrize("given", ["folder", "glob"])
def test_parts_are_one_input(server, tmp_path, kind, given):
    parts = tmp_path / "parts"
    parts.mkdir()
    for part in range(3):
        rows = [{"text": f"document {part}{n} end", "page": n} for n in range(2)]
        path = parts / f"part-{part}.{kind}"
        match kind:
            case "jsonl":
                write(path, *rows)
            case "jsonl.gz":
                path.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
            case "csv":
                path.write_text("text,page\n" + "".join(f"{row['text']},{row['page']}\n" for row in rows))
            case "parquet":
                pq.write_table(pa.Table.from_pylist(rows), path)
    (parts / "_SUCCESS").write_text("")
    source = parts if given == "folder" else parts / f"*.{kind}"
    output = parts / f"out.{kind.partition('.')[0]}"
    notes = Notes()
    for _ in range(2):
        assert batch(server, source, output, reporter=notes).done == 6
    assert "3 " in notes.said[0]
    if kind == "jsonl":
        assert [row["id"] for row in jsonl(output)][:3] == ["part-0.jsonl:1", "part-0.jsonl:2", "part-1.jsonl:1"]


@pytest.mark.parametrize(("pattern", "says"), [("*.csv", "no file matches"), ("*", "several kinds")])
def test_a_glob_that_matches_nothing_or_too_much(server, tmp_path, pattern, says):
    write(tmp_path / "a.jsonl", *texts(1))
    (tmp_path / "b.txt").write_text("x")
    with pytest.raises(ConfigurationError, match=says):
        batch(server, tmp_path / pattern, tmp_path / "out.jsonl")


def test_a_data_frame_is_rows(server, tmp_path):
    frame = pd.DataFrame(
        {"id": ["a", "b", "c"], "text": ["document 1", None, "document 3"], "at": [pd.Timestamp(5), pd.NaT, pd.NaT]}
    )
    assert batch(server, frame, tmp_path / "out.jsonl").failures == {"input": 1}
    assert [(row["id"], row["at"]) for row in out(tmp_path)] == [
        ("a", "1970-01-01T00:00:00.000000005"),
        ("b", None),
        ("c", None),
    ]
    mixed = pd.DataFrame({"id": [1, "b"], "text": ["document 1", "document 2"], "any": [[1], "x"]})
    assert batch(server, mixed, tmp_path / "mixed.jsonl").done == 2
    assert batch(server, frame["text"], tmp_path / "series.jsonl").failures == {"input": 1}
    reader = pa.table({"text": ["document 1"]}).to_reader()
    assert batch(server, reader, tmp_path / "reader.jsonl").done == 1
    with pytest.raises(ConfigurationError, match="no column 'body'"):
        batch(server, frame, tmp_path / "no.jsonl", columns=Columns(text="body"))


@pytest.mark.parametrize("given", [{"text": "document 1"}, b"document 1", 5])
def test_what_is_no_input_says_what_is(server, tmp_path, given):
    with pytest.raises(ConfigurationError, match="give a path, a table, or an iterable"):
        batch(server, given, tmp_path / "out.jsonl")


def test_in_a_running_loop_run_works_and_arun_is_awaited(server, tmp_path):
    async def main() -> None:
        assert batch(server, texts(2), tmp_path / "out.jsonl").done == 2
        assert (await arun(extractor(server), texts(2), tmp_path / "more.jsonl")).done == 2

    asyncio.run(main())


@pytest.mark.parametrize(("name", "content"), [("in.jsonl", ""), ("in.jsonl", "\n\n"), ("in.csv", "id,text\n")])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_an_input_without_rows_gives_an_output_without_rows(server, tmp_path, name, content, kind):
    (tmp_path / name).write_text(content)
    assert batch(server, tmp_path / name, tmp_path / f"out.{kind}").rows == 0
    assert (tmp_path / f"out.{kind}").exists()
    if kind == "parquet":
        assert pq.read_table(tmp_path / "out.parquet").column_names[:2] == ["id", "value"]


# -- the text ----------------------------------------------------------------------------------------------------------

ROWS = [
    {"id": 1, "title": "document 1", "body": "the first", "stars": 5},
    {"id": 2, "title": None, "body": "document 2", "stars": 4},
    {"id": 3, "title": "", "body": None, "stars": 3},
]


def test_several_columns_make_the_text(server, tmp_path):
    assert batch(server, ROWS, tmp_path / "out.jsonl", columns=Columns(("title", "body"))).failures == {"input": 1}
    asked = list(server.asked)
    assert any("title: document 1\n\nbody: the first" in text for text in asked)
    assert any("body: document 2" in text and "title" not in text.rpartition("body")[0] for text in asked)
    assert [
        sorted(set(row) - {"value", "error", "attempts", "usage", "repairs", "model", "evidence", "ungrounded"})
        for row in out(tmp_path)[:1]
    ] == [["id", "stars"]]


def test_a_template_makes_the_text(server, tmp_path):
    columns = Columns(template="{{ title or 'untitled' }} ({{ stars }} stars): {{ row['body'] }}")
    assert batch(server, ROWS, tmp_path / "out.jsonl", columns=columns).done == 3
    assert any("document 1 (5 stars): the first" in text for text in server.asked)
    assert out(tmp_path)[0]["body"] == "the first"
    assert batch(server, ROWS, tmp_path / "bad.jsonl", columns=Columns(template="{{ nowhere }}")).failures == {"input": 3}
    for unsafe in ("{{ ''.__class__.__mro__ }}", "{{ row.update({'a': 1}) }}"):
        assert batch(server, ROWS, tmp_path / "unsafe.jsonl", columns=Columns(template=unsafe)).failed == 3
    with pytest.raises(ConfigurationError, match="template"):
        batch(server, ROWS, tmp_path / "worse.jsonl", columns=Columns(template="{% if %}"))


def test_the_text_is_kept_when_asked_for(server, tmp_path):
    batch(server, texts(1), tmp_path / "out.jsonl", columns=Columns(keep_text=True))
    assert out(tmp_path)[0]["text"] == "document 0 end"


def test_a_limit_is_a_first_look_and_the_rest_goes_on(server, tmp_path):
    source = write(tmp_path / "in.jsonl", *texts(30))
    assert batch(server, source, tmp_path / "out.jsonl", limit=5).asked == 5
    assert batch(server, source, tmp_path / "out.jsonl").asked == 25
    assert batch(server, source, tmp_path / "out.jsonl", limit=5).rows == 30
    assert [row["id"] for row in out(tmp_path)] == [f"r{n}" for n in range(30)]


def test_safe_csv_keeps_spreadsheets_from_running_texts(server, tmp_path):
    rows = [{"id": "=1+1", "text": "document 1", "=cmd|'x'": "@SUM(A1)", "n": -5, "plain": "a=b"}]
    batch(server, rows, tmp_path / "out.csv", safe_csv=True)
    with (tmp_path / "out.csv").open(newline="") as file:
        header, cells = list(csv.reader(file))
    assert not any(cell.startswith(("=", "@")) for cell in header + cells)
    assert (cells[0], cells[header.index("n")], cells[header.index("plain")]) == ("'=1+1", "-5", "a=b")


def test_a_format_may_be_named_where_the_file_s_name_says_none(server, tmp_path):
    batch(server, texts(1), tmp_path / "out.dat", format=".csv")
    assert (tmp_path / "out.dat").read_text().startswith("id,value.number,value.length,error")
