"""What a document, a model, a server or a file name says is never a command to the terminal."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from assay.cli import main
from servers import Server, answer, completion, error

EVIL = "A\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07\x1b[2J\x1b[31m\x00\x9b31m\x9d0;x\x9c\x7f\x85\x08\r\u202eB\u2028"
SCHEMA = '{"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'
OURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r(?=\x1b\[)")
"""What rich itself sends: colours, and the spinner's movements."""
COMMANDS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


Run = Callable[..., str]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "pet.json").write_text(SCHEMA)
    (tmp_path / "letter.txt").write_text(EVIL.replace("\0", ""), newline="")
    (tmp_path / "evil.json").write_text(
        json.dumps({"title": EVIL, "type": "object", "properties": {EVIL: {"pattern": f"({EVIL}"}}})
    )
    (tmp_path / "cases.jsonl").write_text(json.dumps({"text": EVIL, "gold": {"name": EVIL}, "id": EVIL}) + "\n")
    return tmp_path


@pytest.fixture
def on_terminal(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """All that a command line writes, to both streams, when they are a terminal with colours."""
    monkeypatch.chdir(place)
    for name, value in {"COLUMNS": "200", "FORCE_COLOR": "1", "TERM": "xterm-256color", "ASSAY_API_KEY": "x"}.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["assay", *arguments])
        with contextlib.suppress(SystemExit):
            main()
        said = capsys.readouterr()
        return said.out + said.err

    return invoke


def is_harmless(said: str) -> bool:
    assert said.strip()
    return not COMMANDS.search(OURS.sub("", said)) and "\x1b[2J" not in said and "\x1b[31m\\x00" not in said


REPLIES = {
    "value": completion(json.dumps({"name": EVIL})),
    "invalid": completion(json.dumps({"name": [EVIL], EVIL: EVIL})),
    "prose": completion(EVIL),
    "refused": answer(400, error(EVIL, code=EVIL), {"x-request-id": "a\x9b31m"}),
    "page": answer(502, EVIL.encode(), {"content-type": "text/html"}),
    "rejected": answer(400, error(EVIL, code="json_validate_failed", failed_generation=EVIL)),
}
FLAGS = ("--schema", "pet.json", "--model", "m", "--max-retries", "0", "--retries", "0", "--base-url")


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("more", [("--format", "table", "--trace"), ("--format", "yaml"), ("--format", "json")], ids=str)
def test_extract(reply: bytes, more: tuple[str, ...], on_terminal: Run) -> None:
    with Server([reply]) as server:
        assert is_harmless(on_terminal("extract", "letter.txt", *more, *FLAGS, server.base_url))


@pytest.mark.parametrize(
    "command",
    [
        ("extract", "no\x1b]0;x\x07file", "--schema", "pet.json"),
        ("extract", "letter.txt", "no\x1b]0;x\x07file", "--schema", "pet.json"),
        ("extract", "letter.txt", "--schema", "no\x9bfile.json"),
        ("--\x1b]0;x\x07",),
        ("schema", "evil.json"),
        ("schema", "evil.json", "--lint"),
        ("schema", "pet.json", "--prompt", "--instructions", EVIL.replace("\0", "")),
        ("extract", "letter.txt", "--schema", "evil.json", "--model", "x\x1b]0;x\x07"),
        ("read", "letter.txt"),
        ("read", "letter.txt", "--format", "json"),
        ("report", "\x1b]0;x\x07"),
        ("models", "pull", "\x1b]0;x\x07"),
    ],
    ids=ascii,
)
def test_what_the_command_line_names(command: tuple[str, ...], on_terminal: Run) -> None:
    assert is_harmless(on_terminal(*command))


@pytest.mark.parametrize("command", ["doctor", "eval", "batch"])
def test_the_other_commands(command: str, on_terminal: Run) -> None:
    given = {
        "doctor": (),
        "eval": ("cases.jsonl", "--schema", "pet.json"),
        "batch": ("cases.jsonl", "-o", "out.jsonl", "--schema", "pet.json"),
    }
    for reply in ("invalid", "refused"):
        with Server([REPLIES[reply]]) as server:
            flags = ("--model", "m", "--max-retries", "0", "--base-url", server.base_url)
            assert is_harmless(on_terminal(command, *given[command], *flags))


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_value_is_the_same_for_a_program(form: str, place: Path) -> None:
    with Server([REPLIES["value"]]) as server:
        command = [sys.executable, "-m", "assay", "extract", "letter.txt", "--format", form, *FLAGS, server.base_url]
        ran = subprocess.run(command, capture_output=True, cwd=place, check=True)
    value = json.loads(ran.stdout) if form == "json" else yaml.safe_load(ran.stdout)
    assert value == {"name": EVIL}
    assert not COMMANDS.search(ran.stdout.decode())
