"""Batches: rows in and out in every format, failures as rows, stops, budgets, resumes. Against a real local server."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel, field_validator

import assay
from assay.backends.limits import RateLimiter
from assay.batch import Columns, Pace, Settings, dry_run, journal_path, run
from assay.batch.stops import Stop
from assay.errors import ConfigurationError
from assay.options import Budget
from assay.prices import Price
from batch_runs import Doc, Notes
from batch_server import BatchServer, Reply, default_answer, serving


@pytest.fixture
def server():
    with serving() as running:
        yield running


def texts(count: int) -> list[dict[str, Any]]:
    return [{"id": f"r{number}", "text": f"document {number} end"} for number in range(count)]


def batch(
    server: BatchServer, source: Any, output: Path, *, options: dict[str, Any] | None = None, reporter=None, **given: Any
):
    target = given.pop("target", Doc)
    limiter = given.pop("limiter", None)
    control = given.pop("control", None)
    settings = {"model": "m", "base_url": server.url, "mode": "json", "retries": 0, "max_retries": 0, **(options or {})}
    extractor = assay.Extractor(target, limiter=limiter, **settings)
    return run(extractor, source, output, settings=Settings(**given), reporter=reporter, control=control)


def jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def error(status: int, message: str, **more: Any) -> Reply:
    return status, {"error": {"message": message, "type": "invalid_request_error", **more}}, {}


# -- in and out ------------------------------------------------------------------------------------------------------


def test_a_row_out_has_what_the_contract_says_and_the_other_columns(server, tmp_path):
    rows = [{"id": "a", "text": "document 1", "page": 7, "value": "mine", "tags": ["x", None]}]
    batch(server, rows, tmp_path / "out.jsonl")
    (row,) = jsonl(tmp_path / "out.jsonl")
    usage = row.pop("usage")
    assert row == {
        "id": "a",
        "value": {"number": 1, "length": row["value"]["length"]},
        "error": None,
        "attempts": 1,
        "repairs": [],
        "model": "m",
        "evidence": {"/number": ["exact", 9, 10], "/length": None},
        "ungrounded": ["/length"],
        "page": 7,
        "input.value": "mine",
        "tags": ["x", None],
    }
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


@pytest.mark.parametrize("out", ["jsonl", "csv", "parquet"])
def test_a_row_says_which_values_stand_nowhere_in_its_text(server, tmp_path, out):
    server.answer = lambda document: "no idea" if "b" in document else '{"number": 1200, "length": 9}'
    rows = [{"text": "a: 1,200 of document 1", "ungrounded": "mine"}, {"text": "b: document 2", "ungrounded": "yours"}]
    output = tmp_path / f"out.{out}"
    assert batch(server, rows, output).done == 1
    match out:
        case "jsonl":
            found = jsonl(output)
            assert found[0]["evidence"] == {"/number": ["value", 3, 8], "/length": None}
        case "csv":
            with output.open(newline="") as file:
                found = [{**row, "ungrounded": json.loads(row["ungrounded"] or "null")} for row in csv.DictReader(file)]
        case "parquet":
            found = pq.read_table(output).to_pylist()
    assert [(row.get("ungrounded"), row["input.ungrounded"]) for row in found] == [(["/length"], "mine"), (None, "yours")]


@pytest.mark.parametrize("out", ["jsonl", "csv", "parquet"])
def test_values_are_not_looked_for_where_nobody_wants_to_know(server, tmp_path, out):
    output = tmp_path / f"out.{out}"
    assert batch(server, texts(1), output, evidence=False).done == 1
    match out:
        case "jsonl":
            assert not jsonl(output)[0].keys() & {"evidence", "ungrounded"}
        case "csv":
            with output.open(newline="") as file:
                assert next(csv.DictReader(file))["ungrounded"] == ""
        case "parquet":
            assert pq.read_table(output)["ungrounded"].to_pylist() == [None]


@pytest.mark.parametrize("name", ["evidence", "ungrounded", "confidence", "review"])
def test_no_column_of_the_input_hides_one_of_ours(server, tmp_path, name):
    batch(server, [{"text": "document 1", name: "mine"}], tmp_path / "out.jsonl", accept=0.5)
    line = (tmp_path / "out.jsonl").read_text()
    assert line.count(f'"{name}":') == (name != "confidence")  # which the server did not tell
    assert json.loads(line)[f"input.{name}"] == "mine"


def write_source(kind: str, folder: Path) -> Path:
    path = folder / f"in.{kind}"
    rows = [{"id": f"r{n}", "text": f'document {n}\nsaid "hi, there"', "page": n} for n in range(5)]
    match kind:
        case "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case "csv" | "tsv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, ["page", "id", "text"], delimiter="," if kind == "csv" else "\t")
                writer.writeheader()
                writer.writerows(rows)
        case "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("out", ["jsonl", "csv", "parquet"])
def test_every_format_goes_in_and_comes_out(server, tmp_path, kind, out):
    source, output = write_source(kind, tmp_path), tmp_path / f"out.{out}"
    assert batch(server, source, output).done == 5
    page = str if kind in ("csv", "tsv") or out == "csv" else (lambda n: n)
    match out:
        case "jsonl":
            found = [(row["id"], row["value"]["number"], row["page"]) for row in jsonl(output)]
        case "csv":
            with output.open(newline="") as file:
                found = [(row["id"], int(row["value.number"]), row["page"]) for row in csv.DictReader(file)]
        case "parquet":
            found = [(row["id"], row["value"]["number"], row["page"]) for row in pq.read_table(output).to_pylist()]
    assert found == [(f"r{n}", n, page(n)) for n in range(5)]


def test_a_folder_of_text_files(server, tmp_path):
    folder = tmp_path / "texts"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.txt").write_text("document 2")
    (folder / "sub" / "a.md").write_text("document 1")
    (folder / "bad.txt").write_bytes(b"caf\xe9")
    (folder / ".hidden").write_text("document 9")
    summary = batch(server, folder, tmp_path / "out.jsonl")
    assert (summary.done, summary.failures) == (2, {"input": 1})
    assert {row["id"]: (row["value"] or {}).get("number") for row in jsonl(tmp_path / "out.jsonl")} == {
        "b.txt": 2,
        "bad.txt": None,
        "sub/a.md": 1,
    }


def test_any_iterable_is_read_no_further_ahead_than_needed(server, tmp_path):
    read = 0

    def rows():
        nonlocal read
        for number in range(100_000):
            read += 1
            yield f"document {number} end"

    summary = batch(server, rows(), tmp_path / "out.jsonl", budget=Budget(tokens=20_000), concurrency=8)
    assert summary.stop is not None
    assert read < summary.asked + 3000


def test_rows_without_an_id_are_numbered(server, tmp_path):
    batch(server, ["document 5", "document 6"], tmp_path / "out.jsonl")
    assert [(row["id"], row["value"]["number"]) for row in jsonl(tmp_path / "out.jsonl")] == [(1, 5), (2, 6)]


def test_columns_may_have_other_names(server, tmp_path):
    rows = [{"key": "k", "body": "document 4", "id": "other"}]
    batch(server, rows, tmp_path / "out.jsonl", columns=Columns(text="body", id="key"))
    (row,) = jsonl(tmp_path / "out.jsonl")
    assert (row["id"], row["value"]["number"], row["input.id"]) == ("k", 4, "other")


def test_bad_rows_fail_with_their_line_and_the_others_are_done(server, tmp_path):
    lines = [
        b'{"text": "document 0"}',
        b"{broken",
        b'{"text": "caf\xe9"}',
        b'{"txt": 1}',
        b"[1]",
        b'{"text": ""}',
        b'{"text": 3}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines) + b'\n\n{"text": "document 8"}')
    summary = batch(server, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (summary.done, summary.failures) == (2, {"input": 6})
    failed = jsonl(tmp_path / "out.jsonl.errors.jsonl")
    assert [row["line"] for row in failed] == [2, 3, 4, 5, 6, 7]
    said = [row["message"] for row in failed]
    for part, message in zip(
        ["not JSON", "byte 0xe9", "it has txt", "a list is not a row", "empty", "is a int"], said, strict=True
    ):
        assert part in message
    assert jsonl(tmp_path / "out.jsonl")[-1]["value"]["number"] == 8


def test_bad_rows_of_a_table(server, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"id,text\na,document 1\nb,caf\xe9\nc,too,many\n\nd,document 2\n")
    summary = batch(server, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (summary.done, summary.failed) == (2, 2)
    assert [row["line"] for row in jsonl(tmp_path / "out.csv.errors.jsonl")] == [3, 4]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.csv", "id,body\n1,x\n", "no column 'text'"),
        ("in.csv", "", "is empty"),
        ("in.xlsx", "x", "batch reads"),
        ("in.parquet", "x", "not a readable Parquet file"),
        ("nowhere.jsonl", None, "there is no file"),
    ],
)
def test_an_input_that_cannot_be_read_says_why(server, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=says):
        batch(server, tmp_path / name, tmp_path / "out.jsonl")
    assert not journal_path(tmp_path / "out.jsonl").exists()


def test_an_output_that_was_not_written_by_a_batch_is_not_touched(server, tmp_path):
    (tmp_path / "out.jsonl").write_text("precious")
    with pytest.raises(ConfigurationError, match="no journal"):
        batch(server, ["document 1"], tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "precious"


class Rich(BaseModel):
    day: date
    amounts: list[float]
    by_name: dict[str, int]
    either: int | str
    maybe: bool | None = None
    inner: list[Rich] = []


def test_parquet_columns_come_from_the_model_alone(tmp_path):
    value = {"day": "2026-01-31", "amounts": [1, 2.5], "by_name": {"a": 1}, "either": "x", "inner": []}
    with serving(answer=lambda _: json.dumps(value)) as server:
        batch(server, ["document 1"], tmp_path / "out.parquet", target=Rich)
    table = pq.read_table(tmp_path / "out.parquet")
    types = {field.name: field.type for field in table.schema.field("value").type}
    assert types == {
        "day": pa.date32(),
        "amounts": pa.list_(pa.field("element", pa.float64())),
        "by_name": pa.map_(pa.string(), pa.int64()),
        "either": pa.string(),
        "maybe": pa.bool_(),
        "inner": pa.list_(pa.field("element", pa.string())),
    }
    assert table.to_pylist()[0]["value"] == {
        "day": date(2026, 1, 31),
        "amounts": [1.0, 2.5],
        "by_name": [("a", 1)],
        "either": '"x"',
        "maybe": None,
        "inner": [],
    }


def test_a_table_whose_columns_turn_up_late_has_them_all_in_the_end(server, tmp_path):
    rows = [{"text": f"document {n}", **({"late": n} if n > 200 else {})} for n in range(300)]
    batch(server, rows, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["late"] for row in found] == [""] * 201 + [str(n) for n in range(201, 300)]


def test_a_bare_value_is_a_value(tmp_path):
    with serving(answer=lambda _: '{"items": [1, 2]}') as server:
        batch(server, ["document 1"], tmp_path / "out.parquet", target=list[int])
        batch(server, ["document 1"], tmp_path / "out.csv", target=list[int])
    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["value"] == [1, 2]
    assert "[1,2]" in (tmp_path / "out.csv").read_text()


# -- once ------------------------------------------------------------------------------------------------------------


def test_identical_texts_are_asked_once(server, tmp_path):
    rows = [{"id": n, "text": f"document {n % 3} end"} for n in range(500)]
    summary = batch(server, rows, tmp_path / "out.jsonl")
    assert (summary.asked, summary.reused, summary.done) == (3, 497, 500)
    assert set(server.asked.values()) == {1}
    assert [(row["id"], row["value"]["number"]) for row in jsonl(tmp_path / "out.jsonl")] == [(n, n % 3) for n in range(500)]


def test_the_same_command_again_asks_nothing(server, tmp_path):
    batch(server, texts(20), tmp_path / "out.jsonl")
    before = (tmp_path / "out.jsonl").read_bytes()
    notes = Notes()
    summary = batch(server, texts(20), tmp_path / "out.jsonl", reporter=notes)
    assert (summary.asked, summary.kept) == (0, 20)
    assert notes.said == ["resuming: 20 rows are done"]
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_an_output_that_was_damaged_or_deleted_is_put_together_again(server, tmp_path):
    output = tmp_path / "out.jsonl"
    batch(server, texts(20), output)
    whole = output.read_bytes()
    output.write_bytes(whole[:333])
    batch(server, texts(20), output)
    assert output.read_bytes() == whole
    output.unlink()
    assert batch(server, texts(20), output).asked == 0
    assert output.read_bytes() == whole


def test_a_changed_schema_or_prompt_is_asked_anew_and_said_before_and_changing_back_is_free(server, tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    batch(server, texts(5), output)
    changed = {"options": {"instructions": "Look closely."}}
    summary = batch(server, texts(5), output, reporter=notes, **changed)
    assert summary.asked == 5
    assert "changed since the last run: instructions" in notes.said[0]
    assert "the 5 answers so far stay" in notes.said[0]
    assert len(jsonl(output)) == 5
    assert batch(server, texts(5), output).asked == 0
    assert batch(server, texts(5), output, **changed).asked == 0
    assert len(jsonl(output)) == 5


def test_a_changed_input_costs_only_what_is_new_and_leaves_its_own_rows_alone(server, tmp_path):
    output = tmp_path / "out.jsonl"
    batch(server, texts(10), output)
    rows = [{"id": "new", "text": "document 77"}, *texts(10)[3:8]]
    assert batch(server, rows, output).asked == 1
    assert [row["id"] for row in jsonl(output)] == ["new", "r3", "r4", "r5", "r6", "r7"]


# -- failures --------------------------------------------------------------------------------------------------------


class Picky(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def small(cls, number: int) -> int:
        if number >= 3:
            raise ValueError("too large")
        return number


def test_a_failed_row_is_a_row_and_stands_in_the_errors_file(server, tmp_path):
    output = tmp_path / "out.jsonl"
    summary = batch(server, texts(5), output, target=Picky)
    assert (summary.done, summary.failures, summary.stop) == (3, {"value": 2}, None)
    rows = jsonl(output)
    assert [row["value"] for row in rows[3:]] == [None, None]
    assert rows[3]["error"]["kind"] == "value"
    failed = jsonl(tmp_path / "out.jsonl.errors.jsonl")
    assert [row["id"] for row in failed] == ["r3", "r4"]
    assert '"number": 3' in failed[0]["reply"]
    assert failed[0]["problems"][0]["path"] == "/number"
    assert "too large" in failed[0]["message"]


def test_failed_rows_are_asked_again_when_told_to_and_not_before(tmp_path):
    output = tmp_path / "out.jsonl"
    with serving(answer=lambda text: error(500, "oops") if "document 2 " in text else default_answer(text)) as server:
        assert batch(server, texts(4), output).failures == {"server": 1}
        assert (tmp_path / "out.jsonl.errors.jsonl").exists()
        server.answer = None
        assert batch(server, texts(4), output).asked == 0
        summary = batch(server, texts(4), output, retry_failed=True)
        assert (summary.asked, summary.done, summary.failed) == (1, 4, 0)
    assert [row["id"] for row in jsonl(output)] == ["r0", "r1", "r2", "r3"]
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "rate limit"), (502, "unavailable"), (503, "unavailable"), (529, "unavailable")]
)
def test_rows_that_met_no_server_are_asked_again_by_the_same_command(tmp_path, status, kind):
    output, notes = tmp_path / "out.jsonl", Notes()
    with serving(answer=lambda text: error(status, "busy") if "document 2 " in text else default_answer(text)) as server:
        assert batch(server, texts(4), output).failures == {kind: 1}
        server.answer = None
        summary = batch(server, texts(4), output, reporter=notes)
        assert (summary.asked, summary.done, summary.failed) == (1, 4, 0)
    assert notes.said == ["resuming: 3 rows are done, 1 that met no server are asked again"]


def test_requests_that_were_refused_and_sent_again_show_in_row_and_summary(tmp_path):
    tried: list[str] = []

    def answer(text: str) -> Any:
        tried.append(text)
        busy = "document 2 " in text and tried.count(text) < 3
        return error(503, "busy") if busy else default_answer(text)

    with serving(answer=answer) as server:
        summary = batch(server, texts(4), tmp_path / "out.jsonl", options={"max_retries": 3})
    assert (summary.done, summary.asked, summary.requests, summary.reasks, summary.repeats) == (4, 4, 6, 0, 2)
    assert [row["usage"]["requests"] for row in jsonl(tmp_path / "out.jsonl")] == [1, 1, 3, 1]


def test_a_validator_that_breaks_fails_its_row_alone(server, tmp_path):
    class Broken(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def breaks(cls, number: int) -> int:
            return 1 // (number - 1)

    summary = batch(server, texts(3), tmp_path / "out.jsonl", target=Broken)
    assert (summary.done, summary.failures) == (2, {"ZeroDivisionError": 1})


@pytest.mark.parametrize(
    "reply",
    [
        error(401, "Invalid API Key", code="invalid_api_key"),
        error(404, "The model `m` does not exist", code="model_not_found"),
        error(400, "invalid schema for response_format", param="response_format"),
        error(400, "a setting that nobody explains"),
    ],
)
def test_what_fails_every_row_stops_the_run_at_once_with_one_message(tmp_path, reply):
    with serving(answer=lambda _: reply) as server:
        summary = batch(server, texts(1000), tmp_path / "out.jsonl", concurrency=4)
        assert summary.stop is not None
        assert summary.stop.reason == "fatal"
        assert reply[1]["error"]["message"] in summary.stop.message
        assert sum(server.asked.values()) <= 40
        server.answer = None
        summary = batch(server, texts(1000), tmp_path / "out.jsonl", retry_failed=True)
        assert summary.done == 1000


def test_no_server_at_all_stops_the_run(tmp_path):
    with serving() as server:
        pass
    summary = batch(server, texts(100), tmp_path / "out.jsonl")
    assert summary.stop is not None
    assert "cannot be reached" in summary.stop.message
    assert summary.failed == 0


def test_max_failures(server, tmp_path):
    summary = batch(server, texts(500), tmp_path / "out.jsonl", target=Picky, max_failures=5, concurrency=2)
    assert summary.stop is not None
    assert summary.stop.reason == "failures"
    assert 6 <= summary.failed <= 8


def test_a_fault_of_our_own_is_raised_and_never_passed_over(server, tmp_path):
    def control(runner) -> None:
        runner._room = "no room"  # what a bug would look like

    with pytest.raises(AttributeError):
        batch(server, texts(50), tmp_path / "out.jsonl", control=control)
    assert batch(server, texts(50), tmp_path / "out.jsonl").done == 50


# -- money and stops -------------------------------------------------------------------------------------------------


def test_a_budget_in_tokens_is_kept_and_going_on_needs_a_larger_one(server, tmp_path):
    output = tmp_path / "out.jsonl"
    summary = batch(server, texts(500), output, budget=Budget(tokens=5000), concurrency=4)
    assert summary.stop is not None
    assert summary.stop.reason == "budget"
    assert 4500 < summary.spent.total_tokens <= 5000
    assert len(jsonl(output)) == summary.done
    assert batch(server, texts(500), output, budget=Budget(tokens=5000)).asked == 0
    assert batch(server, texts(500), output, budget=Budget(tokens=10_000), concurrency=4).asked > 0


def test_a_budget_in_money_needs_a_price(server, tmp_path):
    with pytest.raises(ConfigurationError, match="the price of this model is not known"):
        batch(server, texts(5), tmp_path / "out.jsonl", budget=Budget(cost=1.0))
    priced = {"price": Price(1000.0, 1000.0)}
    summary = batch(server, texts(500), tmp_path / "out.jsonl", options=priced, budget=Budget(cost=5.0), concurrency=4)
    assert summary.spent.cost is not None
    assert 4 < summary.spent.cost <= 5


def test_what_failed_rows_cost_is_still_spent_after_they_were_asked_again(tmp_path):
    """A failure without usage has no cost; nor does it take away what the row costs later."""
    output, priced = tmp_path / "out.jsonl", {"price": Price(1000.0, 1000.0)}
    failing = {"target": Picky, "options": priced}
    with serving(answer=lambda text: error(500, "oops") if "document 2 " in text else default_answer(text)) as server:
        batch(server, texts(6), output, **failing)
        server.answer = None
        first = batch(server, texts(6), output, retry_failed=True, **failing).spent.cost
        second = batch(server, texts(6), output, retry_failed=True, **failing).spent.cost
        assert first is not None
        assert second is not None
        assert second > first > 0
        stopped = batch(server, texts(60), output, budget=Budget(cost=second), **failing)
        assert (stopped.asked, stopped.stop and stopped.stop.reason) == (0, "budget")


def test_what_was_spent_before_a_price_was_known_counts_too(server, tmp_path):
    batch(server, texts(20), tmp_path / "out.jsonl")
    priced = {"price": Price(1000.0, 1000.0)}
    summary = batch(server, texts(40), tmp_path / "out.jsonl", options=priced, budget=Budget(cost=0.1))
    assert (summary.asked, summary.stop and summary.stop.reason) == (0, "budget")


def test_a_stop_finishes_what_is_under_way(tmp_path):
    with serving(latency=0.05) as server:

        def control(runner) -> None:
            runner._loop.call_later(0.3, runner.stop, Stop("interrupted", "enough"))

        summary = batch(server, texts(5000), tmp_path / "out.jsonl", control=control, concurrency=8)
        assert summary.stop == Stop("interrupted", "enough")
        assert 0 < summary.done < 5000
        assert summary.done == server.served == len(jsonl(tmp_path / "out.jsonl"))
        assert summary.pending is None


def test_a_stop_is_heard_by_those_who_wait_for_a_limit(server, tmp_path):
    def control(runner) -> None:
        runner._loop.call_later(0.3, runner.stop, Stop("interrupted", "enough"))

    limiter = RateLimiter(rpm=2)  # the third row would wait half a minute
    summary = batch(server, texts(50), tmp_path / "out.jsonl", limiter=limiter, control=control)
    assert (summary.done, summary.seconds < 10) == (2, True)


def test_order_of_finishing_or_of_the_input(tmp_path):
    with serving() as server:
        server.respond = slow_first(server)  # type: ignore[method-assign]  # a server whose first answers take longer
        batch(server, texts(50), tmp_path / "done.jsonl", order="done", concurrency=10)
        batch(server, texts(50), tmp_path / "input.jsonl", order="input", concurrency=10)
    done = [row["id"] for row in jsonl(tmp_path / "done.jsonl")]
    assert sorted(done) == sorted(f"r{n}" for n in range(50))
    assert done[0] != "r0"
    assert [row["id"] for row in jsonl(tmp_path / "input.jsonl")] == [f"r{n}" for n in range(50)]


def slow_first(server: BatchServer):
    import asyncio

    real = BatchServer.respond

    async def respond(size: int, body: dict[str, Any]):
        if "document 0 " in body["messages"][-1]["content"]:
            await asyncio.sleep(0.4)
        return await real(server, size, body)

    return respond


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_server_that_enforces_limits_refuses_hardly_anything(tmp_path):
    with serving(rpm=1200, tpm=150_000) as server:
        limiter = RateLimiter(rpm=1200)
        server.requests.level, server.requests.at = 20, 0.0  # type: ignore[union-attr]  # nearly used up: the limit is felt
        server.requests.left()  # type: ignore[union-attr]
        summary = batch(
            server, texts(1300), tmp_path / "out.jsonl", limiter=limiter, options={"max_retries": 2}, concurrency=32
        )
        assert summary.done == 1300
        assert server.refused <= 32


def test_answers_get_the_room_that_answers_took_where_tokens_are_limited(tmp_path):
    asked: list[int | None] = []

    with serving(tpm=10_000_000) as server:
        real = server.respond

        async def respond(size: int, body: dict[str, Any]):
            asked.append(body.get("max_tokens"))
            return await real(size, body)

        server.respond = respond  # type: ignore[method-assign]
        batch(server, texts(200), tmp_path / "out.jsonl", limiter=RateLimiter(tpm=10_000_000), concurrency=4)
    assert asked[0] is None
    assert 32 < asked[-1] < 100  # type: ignore[operator]


@pytest.mark.parametrize(("cap", "width"), [(1, 6), (3, 6), (4, 16)])
def test_a_server_that_takes_some_at_once_gets_as_many_and_no_row_is_lost(tmp_path, cap, width):
    """It says 429 and no more to the others. Read as a rate, a run would take minutes."""
    refused = 0

    with serving(latency=0.05) as server:
        real, under_way = server.respond, 0

        async def respond(size: int, body: dict[str, Any]):
            nonlocal refused, under_way
            if under_way >= cap:
                refused += 1
                return error(429, "too many requests")
            under_way += 1
            try:
                return await real(size, body)
            finally:
                under_way -= 1

        server.respond = respond  # type: ignore[method-assign]
        summary = batch(server, texts(60), tmp_path / "out.jsonl", limiter=RateLimiter(), concurrency=width)
    assert (summary.done, summary.failed) == (60, 0)
    assert summary.repeats == refused <= 3 * width
    assert summary.seconds < 0.05 * 60 / cap * 3 + 3


# -- plans and progress ----------------------------------------------------------------------------------------------


def test_a_dry_run_asks_nothing_and_comes_near_what_the_run_takes(server, tmp_path):
    output = tmp_path / "out.jsonl"
    rows = [*texts(300), {"id": "twin", "text": "document 1 end"}, {"id": "bad"}]
    extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", price=Price(1.0, 1.0))
    plan = dry_run(extractor, rows, output, pace=Pace(rpm=60))
    assert (plan.rows, plan.to_ask, plan.twins, plan.faulty, plan.measured) == (302, 300, 1, 1, 0)
    assert plan.seconds == pytest.approx(240)
    assert not server.asked
    assert not journal_path(output).exists()
    batch(server, rows[:100], output)
    extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", retries=0, price=Price(1.0, 1.0))
    plan = dry_run(extractor, rows, output)
    assert (plan.to_ask, plan.finished, plan.measured) == (200, 100, 100)
    before = batch(server, rows, output)
    assert plan.usage.total_tokens == pytest.approx(before.usage.total_tokens, rel=0.05)


def test_progress_is_told_while_it_goes_on(tmp_path):
    notes = Notes()
    with serving(latency=0.05) as server:
        batch(server, texts(200), tmp_path / "out.jsonl", reporter=notes, concurrency=8)
    middle = [tick for tick in notes.ticks if 0 < tick.done < 200]
    assert middle
    assert all(tick.under_way <= 8 for tick in middle)
    assert middle[-1].rows_per_second > 0
    assert notes.ticks[-1].usage.total_tokens > 0


def test_the_width_grows_while_the_server_keeps_up(tmp_path):
    with serving(latency=0.03) as server:
        batch(server, texts(600), tmp_path / "out.jsonl")
        assert server.most_under_way > 16
