"""`assay report`: a run's journal as a page. The runs are real ones against a local server."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import BaseModel

import assay
from assay.batch import Columns, Settings, run
from assay.batch.journal import Journal
from assay.cli import main
from assay.errors import ConfigurationError
from assay.report import Digest, page, read
from assay.report.digest import EXAMPLES, FAILURES, SAMPLE
from batch_server import NUMBER, serving

EVIL = "<script>alert('x')</script><img src=x onerror=alert(2)>&amp;\x00"
KEY = "a-very-secret-key"


class Doc(BaseModel):
    number: int
    title: str = ""


def answer(document: str) -> str | tuple[int, dict[str, object], dict[str, str]]:
    number = int(NUMBER.search(document)[1])
    match number % 10:
        case 1:
            return f"Sorry. {EVIL}"
        case 2:
            return f'{{"number": "{EVIL[:-1]}"}}'
        case 3:
            return 500, {"error": {"message": f"down {EVIL[:-1]} for {KEY}"}}, {}
        case 4:
            return f'Here:\n```json\n{{"number": {number}, "title": "{EVIL[:-1]}"}}\n```'
    return f'{{"number": {number}}}'


def batch(folder: Path, count: int) -> Path:
    output = folder / "out.jsonl"
    rows = [{"id": f"r{at}", "text": f"document {at}", "page": f"<b>{at}</b>"} for at in range(count)]
    with serving() as server:
        server.answer = answer
        extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", retries=1, max_retries=0, api_key=KEY)
        assert run(extractor, rows, output, settings=Settings(concurrency=4)).stop is None
    return output


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return batch(tmp_path_factory.mktemp("run"), 20)


@pytest.fixture(scope="module")
def digest(output: Path) -> Digest:
    return read(output)


@pytest.fixture(scope="module")
def html(digest: Digest) -> str:
    return page(digest, made=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


class Seen(HTMLParser):
    """What a browser would find in a page: tags, attributes, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


# -- what is gathered ----------------------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_run(digest: Digest) -> None:
    assert (digest.rows, digest.done, digest.failed) == (20, 14, 6)
    assert digest.kinds == {"json": 2, "type": 2, "server": 2}
    assert digest.attempts == {0: 2, 1: 14, 2: 4}
    assert digest.reasks == 4
    assert digest.models == {"m": 20}
    assert digest.repairs["fence"] == 2
    assert digest.spent.total_tokens == digest.spent.prompt_tokens + digest.spent.completion_tokens > 0


def test_a_failure_has_its_reason_and_its_last_reply(digest: Digest) -> None:
    by_id = {failure.id: failure for failure in digest.failures}
    assert by_id["r1"].reply == f"Sorry. {EVIL}"
    assert [(problem.path, problem.kind) for problem in by_id["r2"].problems] == [("/number", "type")]
    assert (by_id["r3"].kind, by_id["r3"].reply, by_id["r3"].line) == ("server", None, 4)


def test_repairs_come_with_examples_and_rows_with_values(digest: Digest) -> None:
    assert [example.id for example in digest.examples["fence"]] == ["r4", "r14"]
    by_id = {row.id: row for row in digest.sample}
    assert by_id["r0"].value == {"number": 0, "title": ""}
    assert by_id["r0"].carried == {"page": "<b>0</b>"}


def test_what_stands_nowhere_comes_first_and_a_kept_text_has_its_values_marked(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    rows = [{"id": f"r{at}", "memo": f"  <i>document {at}</i> of Ames\u202e", "page": at} for at in range(3)]
    with serving() as server:
        server.answer = lambda text: (
            '{"number": 2, "title": "Bo"}' if "document 2" in text else '{"number": 1, "title": "Ames"}'
        )
        extractor = assay.Extractor(Doc, model="m", base_url=server.url, mode="json", retries=0, max_retries=0)
        columns = Columns(text="memo", keep_text=True)
        assert run(extractor, rows, output, settings=Settings(columns=columns, concurrency=1)).done == 3
    digest = read(output)
    assert [(row.id, row.ungrounded) for row in digest.sample] == [("r0", ("/number",)), ("r2", ("/title",)), ("r1", ())]
    assert [[row.text[span.start : span.end] for span in row.spans] for row in digest.sample] == [
        ["Ames"],
        ["2"],
        ["1", "Ames"],
    ]
    assert digest.sample[0].carried == {"page": 0}
    html = page(digest, made=datetime.now(UTC))
    assert '&lt;i&gt;document <mark title="/number">1</mark>&lt;/i&gt; of <mark title="/title">Ames</mark>\ufffd' in html
    assert "2 have a value that needs a look" in html


def test_the_journal_names_the_run_as_well_as_its_output_does(output: Path, digest: Digest) -> None:
    assert read(output.with_name("out.jsonl.journal")) == digest


def test_a_long_run_is_cut_to_examples_and_a_spread_sample(tmp_path: Path) -> None:
    digest = read(batch(tmp_path, 400))
    assert (digest.done, digest.failed) == (280, 120)
    assert len(digest.failures) == FAILURES
    assert all(len(examples) == EXAMPLES for examples in digest.examples.values())
    assert [row.doubtful for row in digest.sample[: SAMPLE + 1]] == [True] * SAMPLE + [False]
    assert digest.doubtful == 40
    assert SAMPLE // 2 < len(digest.sample) - SAMPLE <= SAMPLE
    assert int(digest.sample[-1].id.removeprefix("r")) > 350
    assert "20 more failed" in page(digest, made=datetime.now(UTC))


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.journal"])
def test_a_run_without_a_journal_is_told_so_and_none_is_made(tmp_path: Path, name: str) -> None:
    (tmp_path / "out.jsonl").write_text("{}\n")
    with pytest.raises(ConfigurationError, match=r"no journal .*out\.jsonl\.journal"):
        read(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl.journal")
    try:
        with pytest.raises(ConfigurationError, match="in use by another run"):
            read(tmp_path / "out.jsonl")
    finally:
        journal.close()


def test_a_run_without_rows_is_a_page_too(tmp_path: Path) -> None:
    Journal(tmp_path / "out.jsonl.journal").close()
    seen = Seen(page(read(tmp_path / "out.jsonl"), made=datetime.now(UTC)))
    assert "No row is done." in seen.text


# -- the page ------------------------------------------------------------------------------------------------------------


def test_what_strangers_wrote_stays_text(html: str) -> None:
    seen = Seen(html)
    assert EVIL.rstrip("\x00") in seen.text
    assert not {"script", "img", "b", "iframe", "link"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]


def test_the_page_needs_nothing_else(html: str) -> None:
    seen = Seen(html)
    assert [value for name, value in seen.attributes if name in ("src", "href") and not str(value).startswith("#")] == []
    assert "url(" not in html
    assert "@import" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'") in seen.attributes


def test_the_page_shows_no_key(output: Path, html: str) -> None:
    assert KEY not in html
    assert "down <script>" in Seen(html).text  # the message of the server that had repeated the key is there


def test_links_lead_to_sections_and_every_table_has_a_caption(html: str) -> None:
    seen = Seen(html)
    ids = [value for name, value in seen.attributes if name == "id"]
    assert {str(value)[1:] for name, value in seen.attributes if name == "href"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert seen.tags.count("table") == seen.tags.count("caption") > 0


def test_the_page_says_the_figures(html: str) -> None:
    text = re.sub(r"\s+", " ", Seen(html).text)
    assert "Rows 20" in text
    assert "Done 14 70.0 %" in text
    assert "Failed 6 30.0 %" in text
    assert "made by assay on 2026-01-02 03:04 UTC".casefold() in text.casefold()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium")
@pytest.mark.parametrize("width", [360, 1100])
def test_a_browser_lays_it_out_without_scrolling_sideways(html: str, tmp_path: Path, width: int) -> None:
    (tmp_path / "page.html").write_text(html)
    # The page allows no script: the one around it measures.
    (tmp_path / "frame.html").write_text(
        f"<iframe src=page.html width={width} height=800 style='border:0' onload=\"const d = this.contentDocument;"
        "d.querySelectorAll('details').forEach(e => e.open = true);"
        "document.title = d.documentElement.scrollWidth + ' of ' + d.documentElement.clientWidth\"></iframe>"
    )
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    shown = subprocess.run(
        [
            "chromium", *flags.split(), f"--user-data-dir={tmp_path / 'profile'}", "--allow-file-access-from-files",
            "--window-size=1400,1000", "--dump-dom", (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    found = re.search(r"<title>(\d+) of (\d+)</title>", shown.stdout)
    assert found is not None, shown.stderr[-2000:]
    assert int(found[1]) <= int(found[2]) <= width


# -- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[object]:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["assay", "report", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    yield invoke


def test_the_command_writes_the_page_and_says_so_on_stderr(command, output: Path, tmp_path: Path, capsys) -> None:
    assert command(output, "-o", "page.html") == 0
    said = capsys.readouterr()
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert said.out == ""
    assert "page.html: 20 rows, 14 done, 6 failed" in said.err


def test_a_run_is_never_overwritten_by_its_report(command, output: Path, capsys) -> None:
    before = output.read_bytes()
    assert command(output, "-o", output) == 2
    assert ".html" in capsys.readouterr().err
    assert output.read_bytes() == before


def test_what_is_no_run_is_exit_code_2(command, capsys) -> None:
    assert command("nothing.jsonl") == 2
    assert "no journal" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_exit_code_2(command, output: Path, capsys) -> None:
    assert command(output, "-o", "no/such/folder/page.html") == 2
    assert "cannot be written" in capsys.readouterr().err


# -- a journal that somebody else made -----------------------------------------------------------------------------------

DAMAGE = {
    "a body that is no JSON": "UPDATE answers SET body = '{{{'",
    "a body without its members": "UPDATE answers SET body = '\"value\":1'",
    "members of other types": """UPDATE answers SET body = '"value":1,"error":null,"attempts":"many","usage":[],"repairs":7,"model":{}'""",
    "repairs that are none": """UPDATE answers SET body = '"value":1,"error":null,"attempts":1,"usage":{},"repairs":[{"kind":[]}],"model":"m"'""",
    "a body of bytes": "UPDATE answers SET body = x'fffe00'",
    "an id that is no JSON": "UPDATE rows SET id = 'nope'",
    "columns that are no object": "UPDATE rows SET carried = '[1]'",
    "a detail that is no JSON": "UPDATE answers SET detail = 'x', state = 'failed', kind = 'x'",
    "problems that are none": """UPDATE answers SET detail = '"problems":[{"a":1}]', state = 'failed'""",
    "a kind of bytes": "UPDATE answers SET kind = x'ff'",
    "tokens that are text": "UPDATE answers SET prompt_tokens = 'many', cost = 'much'",
    "infinite cost": "UPDATE answers SET cost = 9e999",
    "a line that is text": "UPDATE rows SET line = '<b>'",
    "deep nesting": "UPDATE answers SET body = '\"value\":' || replace(hex(zeroblob(50000)), '00', '[') || ',\"x\":1'",
    "a fact of bytes": "INSERT OR REPLACE INTO facts VALUES ('format', x'ff')",
    "another format": "UPDATE facts SET value = '77'",
    "no columns": "ALTER TABLE answers RENAME COLUMN body TO other",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON facts BEGIN DELETE FROM rows; END",
    "an endless view": "DROP TABLE rows; CREATE VIEW rows AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n",
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_hostile_journal_gives_no_traceback(command, output: Path, tmp_path: Path, capsys, kind: str) -> None:
    path = tmp_path / "evil.jsonl.journal"
    shutil.copy(output.with_name(f"{output.name}.journal"), path)
    with sqlite3.connect(path) as db:
        db.executescript(DAMAGE[kind])
    db.close()
    assert command(path, "-o", "page.html") in (0, 2)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert (tmp_path / "page.html").exists() or "journal" in said


@pytest.mark.parametrize("seed", range(12))
def test_a_journal_with_bytes_turned_over_gives_no_traceback(command, output: Path, tmp_path: Path, capsys, seed: int) -> None:
    data = bytearray(output.with_name(f"{output.name}.journal").read_bytes())
    dice = random.Random(seed)
    for _ in range(40):
        data[dice.randrange(100 if seed % 3 else 0, len(data))] = dice.randrange(256)
    (tmp_path / "evil.jsonl.journal").write_bytes(data)
    assert command(tmp_path / "evil.jsonl.journal", "-o", "page.html") in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err
