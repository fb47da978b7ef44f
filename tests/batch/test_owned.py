"""No file that is not the run's own is removed or overwritten, and none is read by more people than its input."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.batch import journal_path
from assay.cli.app import app
from assay.errors import ConfigurationError
from batch_runs import batch, error, jsonl, texts, write
from batch_server import serving


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


def spelled(kind: str, path: Path, folder: Path) -> Path:
    """The same file by another name."""
    match kind:
        case "as it is":
            return path
        case "dots":
            return folder / "." / "sub" / ".." / path.name
        case "symlink":
            (folder / "link").symlink_to(path)
            return folder / "link"
        case "hard link":
            (folder / "hard").hardlink_to(path)
            return folder / "hard"
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["as it is", "dots", "symlink", "hard link"])
@pytest.mark.parametrize("role", ["output", "errors"])
def test_the_input_is_never_written(server, tmp_path, kind, role):
    (tmp_path / "sub").mkdir()
    source = write(tmp_path / "in.jsonl", *texts(2))
    same = spelled(kind, source, tmp_path)
    given = {"errors": same} if role == "errors" else {}
    with pytest.raises(ConfigurationError, match="name another file"):
        batch(server, source, same if role == "output" else tmp_path / "out.jsonl", force=True, **given)
    assert len(jsonl(source)) == 2
    assert not journal_path(tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.journal", "schema.py", "examples.jsonl"])
def test_no_two_roles_share_a_file(server, tmp_path, name):
    for read in ("schema.py", "examples.jsonl"):
        (tmp_path / read).write_text("mine")
    read = (tmp_path / "schema.py", tmp_path / "examples.jsonl")
    for given in ({}, {"force": True}):
        with pytest.raises(ConfigurationError, match="name another file"):
            batch(server, texts(1), tmp_path / "out.jsonl", errors=tmp_path / name, read=read, **given)
    assert all(path.read_text() == "mine" for path in read)


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("when", ["before the first run", "between two runs"])
def test_an_errors_file_that_no_run_wrote_is_refused_and_stays(tmp_path, fails, when):
    output, notes = tmp_path / "out.jsonl", tmp_path / "notes.jsonl"
    with serving(answer=lambda _: error(500, "no") if fails else '{"number": 1, "length": 1}') as server:
        if when == "between two runs":
            batch(server, texts(2), output)
        notes.write_text('{"id": "my own notes"}')
        with pytest.raises(ConfigurationError, match="move it away"):
            batch(server, texts(2), output, errors=notes, retry_failed=True)
        assert notes.read_text() == '{"id": "my own notes"}'
        batch(server, texts(2), output, errors=notes, retry_failed=True, force=True)
    assert notes.exists() == fails


def test_a_name_is_the_run_s_only_as_long_as_the_file_is_there(tmp_path):
    output, errors = tmp_path / "out.jsonl", tmp_path / "errors.jsonl"
    with serving() as server:
        batch(server, texts(2), output, errors=errors)
        write(errors, {"id": 1, "mine": True})
        with pytest.raises(ConfigurationError, match="move it away"):
            batch(server, texts(2), output, errors=errors)
        assert jsonl(errors) == [{"id": 1, "mine": True}]


def test_an_errors_file_of_ours_is_written_anew_and_goes_when_no_row_fails(tmp_path):
    output, errors = tmp_path / "out.jsonl", tmp_path / "errors.jsonl"
    with serving(answer=lambda _: error(500, "no")) as server:
        batch(server, texts(3), output, errors=errors)
        batch(server, texts(2), output, errors=errors)
        assert len(jsonl(errors)) == 2
        server.answer = None
        batch(server, texts(2), output, errors=errors, retry_failed=True)
    assert not errors.exists()


def test_an_output_that_was_replaced_by_something_else_is_not_touched(server, tmp_path):
    output = tmp_path / "out.jsonl"
    batch(server, texts(2), output)
    output.write_text("precious")
    with pytest.raises(ConfigurationError, match="--force"):
        batch(server, texts(2), output)
    assert output.read_text() == "precious"
    batch(server, texts(2), output, force=True)
    assert len(jsonl(output)) == 2


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.errors.jsonl"])
@pytest.mark.parametrize("what", ["pipe", "folder"])
def test_what_is_no_file_is_refused(server, tmp_path, name, what):
    os.mkfifo(tmp_path / name) if what == "pipe" else (tmp_path / name).mkdir()
    with pytest.raises(ConfigurationError, match="not a regular file"):
        batch(server, texts(1), tmp_path / "out.jsonl", force=True)


def test_another_program_s_database_is_no_journal_and_stays_as_it_is(server, tmp_path):
    path = journal_path(tmp_path / "out.jsonl")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="another database"):
        batch(server, texts(1), tmp_path / "out.jsonl")
    assert path.read_bytes() == before


def test_a_link_as_output_stays_a_link_and_its_target_is_written(server, tmp_path):
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "real.jsonl", tmp_path / "out.jsonl"
    link.symlink_to(target)
    assert batch(server, texts(2), link).asked >= 0
    assert link.is_symlink()
    assert len(jsonl(target)) == 2
    assert batch(server, texts(2), target).kept == 2


def test_a_link_in_the_place_of_a_part_or_a_journal_does_not_lead_us_away(server, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    output = tmp_path / "out.jsonl"
    batch(server, texts(2), output)
    output.unlink()
    for name in (f".{output.name}.part", f".{output.name}..part"):
        (tmp_path / name).symlink_to(precious)
    batch(server, texts(2), output)
    assert len(jsonl(output)) == 2
    journal_path(tmp_path / "other.jsonl").symlink_to(precious)
    with pytest.raises(ConfigurationError, match="is a link"):
        batch(server, texts(2), tmp_path / "other.jsonl")
    assert precious.read_text() == "mine"


@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o444, 0o644)])
def test_what_a_run_writes_is_read_by_no_more_people_than_its_input(tmp_path, mode, expected):
    source = write(tmp_path / "in.jsonl", *texts(2))
    source.chmod(mode)
    old = os.umask(0o022)
    try:
        with serving(answer=lambda text: error(500, "no") if "document 1" in text else '{"number": 1, "length": 1}') as server:
            for _ in range(2):
                batch(server, source, tmp_path / "out.jsonl")
    finally:
        os.umask(old)
    made = ["out.jsonl", "out.jsonl.errors.jsonl", "out.jsonl.journal"]
    assert {name: (tmp_path / name).stat().st_mode & 0o777 for name in made} == dict.fromkeys(made, expected)


def test_the_permissions_of_an_output_stay_as_its_owner_set_them(server, tmp_path):
    batch(server, texts(2), tmp_path / "out.jsonl")
    (tmp_path / "out.jsonl").chmod(0o660)
    batch(server, texts(1), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("name", ["out.txt", "out.jsonl.gz", "out", "out.xlsx"])
def test_an_output_that_cannot_be_written_leaves_nothing_behind(server, tmp_path, name):
    with pytest.raises(ConfigurationError, match="batch writes"):
        batch(server, texts(1), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--schema", "--examples", "--prompt-template"])
def test_the_command_line_knows_what_it_reads(server, tmp_path, flag):
    files = {"--schema": tmp_path / "doc.py", "--examples": tmp_path / "ex.jsonl", "--prompt-template": tmp_path / "t.j2"}
    files["--schema"].write_text("from pydantic import BaseModel\nclass Doc(BaseModel):\n    number: int\n    length: int\n")
    write(files["--examples"], {"text": "document 1", "value": {"number": 1, "length": 2}})
    files["--prompt-template"].write_text("{{ text }}")
    before = files[flag].read_bytes()
    source = write(tmp_path / "in.jsonl", *texts(1))
    command = ["batch", str(source), "-o", str(tmp_path / "out.jsonl"), "--errors", str(files[flag])]
    command += ["--schema", f"{files['--schema']}:Doc", "--examples", str(files["--examples"])]
    command += ["--prompt-template", str(files["--prompt-template"]), "--model", "m", "--base-url", server.url, "--force"]
    found = CliRunner().invoke(app, command)
    assert "name another file" in str(found.exception)
    assert files[flag].read_bytes() == before
