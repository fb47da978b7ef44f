"""The command line: what goes to stdout and to stderr, exit codes, and what bad input is told."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.cli import main
from servers import Server, answer, error, said

SCHEMA = '{"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}'
GOOD = '{"name": "Mo", "age": 3}'
MODULE = """\
from pydantic import BaseModel, Field, field_validator
from typing import Literal

class Pet(BaseModel):
    name: str
    age: int
    kind: Literal["cat", "dog"] | None = Field(default=None, alias="type")

class House:
    class Cat(BaseModel):
        name: str

Pets = list[Pet]
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command line in this process, in an empty folder, with nothing in the environment."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith(("ASSAY_", "GROQ_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "pet.json").write_text(SCHEMA)
    (tmp_path / "pet.py").write_text(MODULE)

    def invoke(*arguments: object, stdin: bytes = b"Mo is a cat of three years.") -> Ran:
        monkeypatch.setattr(sys, "argv", ["assay", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return invoke


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(name in ran.out for name in ("demo", "extract", "batch", "schema", "models"))


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == "0.1.0"


# -- extract ---------------------------------------------------------------------------------------------------------


def test_extract_prints_the_value_alone_on_stdout(run: Run) -> None:
    with Server(said(GOOD)) as server:
        ran = run("extract", "--schema", "pet.json", "--model", "m", "--base-url", server.base_url)
    assert ran.code == 0
    assert json.loads(ran.out) == {"name": "Mo", "age": 3}
    assert "1 attempt" in ran.err
    assert "10 + 5 tokens" in ran.err


def test_quiet_leaves_stderr_empty(run: Run) -> None:
    with Server(said(GOOD)) as server:
        ran = run("extract", "--schema", "pet.json", "--model", "m", "--base-url", server.base_url, "--quiet")
    assert (ran.code, ran.err) == (0, "")


def test_extract_reads_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("\ufeffMo is three. Ünïcode.", encoding="utf-8")
    with Server(said(GOOD)) as server:
        run("extract", "letter.txt", "--schema", "pet.json", "--model", "m", "--base-url", server.base_url)
    sent = json.dumps(server.received[0].json, ensure_ascii=False)
    assert "Mo is three. Ünïcode." in sent
    assert "\ufeff" not in sent


@pytest.mark.parametrize("spec", ["pet.py:Pet", "pet:Pet", "pet.py:House.Cat", "pet.py:Pets", "pet.json"])
def test_schema_takes_a_file_a_module_and_a_path(run: Run, spec: str) -> None:
    reply = f'{{"items": [{GOOD}]}}' if spec.endswith("Pets") else GOOD if "Cat" not in spec else '{"name": "Mo"}'
    with Server(said(reply)) as server:
        ran = run("extract", "--schema", spec, "--model", "m", "--base-url", server.base_url)
    assert ran.code == 0, ran.err
    assert "Mo" in ran.out


def test_yaml(run: Run) -> None:
    with Server(said('{"name": "no", "age": 3}')) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--format", "yaml")
    assert ran.out == "name: 'no'\nage: 3\n"


def test_table_shows_each_leaf(run: Run) -> None:
    with Server(said('{"items": [{"name": "Mo", "age": 3, "type": "cat"}, {"name": "[red]", "age": 4}]}')) as server:
        ran = run("extract", "-s", "pet.py:Pets", "-m", "m", "--base-url", server.base_url, "--format", "table")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["[0].type", "cat"] in rows
    assert ["[1].name", "[red]"] in rows
    assert ["[1].type", "null"] in rows


def test_json_is_written_by_alias_and_is_plain_when_piped(run: Run) -> None:
    with Server(said('{"name": "Mo", "age": 3, "type": "cat"}')) as server:
        ran = run("extract", "-s", "pet.py:Pet", "-m", "m", "--base-url", server.base_url)
    assert json.loads(ran.out) == {"name": "Mo", "age": 3, "type": "cat"}
    assert "\x1b" not in ran.out


def test_trace_shows_every_attempt(run: Run) -> None:
    with Server(said('{"name": "Mo", "age": "old"}'), said('{"/age": 3}'), said(GOOD)) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--trace")
    assert ran.code == 0, ran.err
    assert "attempt 1 of 2" in ran.err
    assert "attempt 2 of 2" in ran.err
    assert '"age": "old"' in ran.err
    assert "/age" in ran.err
    assert "Mo is a cat of three years." in ran.err


def test_a_failed_extraction_is_exit_code_1_and_one_screen(run: Run) -> None:
    with Server(said("I cannot do that.")) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--retries", 1)
    assert ran.code == 1
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) < 40


def test_the_shared_flags_reach_the_request(run: Run) -> None:
    flags = ("--temperature", 0.5, "--max-tokens", 77, "--instructions", "Ages are in years.", "--mode", "json")
    with Server(said(GOOD)) as server:
        run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, *flags)
    body = server.received[0].json
    assert body["temperature"] == 0.5
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert body["response_format"] == {"type": "json_object"}
    assert "Ages are in years." in json.dumps(body["messages"])


def test_worked_examples_come_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "examples.jsonl").write_text('{"text": "Bo, 7", "value": {"name": "Bo", "age": 7}}\n')
    with Server(said(GOOD)) as server:
        run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--examples", "examples.jsonl")
    assert "Bo, 7" in json.dumps(server.received[0].json["messages"])


def test_the_key_comes_from_the_named_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret-1")
    with Server(said(GOOD)) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--api-key-env", "MY_KEY", "--trace")
    assert [request.headers["authorization"] for request in server.received] == ["Bearer secret-1"]
    assert "secret-1" not in ran.out + ran.err


def test_the_key_for_a_base_url_comes_from_assay_api_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_API_KEY", "secret-2")
    with Server(said(GOOD)) as server:
        run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url)
    assert [request.headers["authorization"] for request in server.received] == ["Bearer secret-2"]


def test_a_refused_key_is_exit_code_2_and_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret-3")
    with Server([answer(401, error("Invalid API Key", code="invalid_api_key"))]) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--api-key-env", "MY_KEY")
    assert ran.code == 2
    assert "Invalid API Key" in ran.err
    assert "secret-3" not in ran.err


def test_a_server_that_fails_is_exit_code_1(run: Run) -> None:
    with Server([answer(503, error("over capacity"))]) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--max-retries", 0)
    assert ran.code == 1
    assert "over capacity" in ran.err


@pytest.mark.parametrize("amount", ["0.001", "$1", "5 tokens"])
def test_a_budget_is_dollars_or_tokens(run: Run, amount: str) -> None:
    with Server(said(GOOD)) as server:
        ran = run("extract", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, "--budget", amount)
    if "tokens" in amount:
        assert ran.code == 1
        assert server.received == []
    else:
        assert ran.code == 2
        assert "price" in ran.err


# -- bad input -------------------------------------------------------------------------------------------------------

HERE = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")

BAD = {
    "no file": (["extract", "nowhere.txt", "-s", "pet.json", *HERE], "nowhere.txt does not exist"),
    "a folder": (["extract", ".", "-s", "pet.json", *HERE], "is a folder"),
    "no schema given": (["extract", *HERE], "--schema"),
    "no schema file": (["extract", "-s", "nowhere.json", *HERE], "nowhere.json does not exist"),
    "a schema that is no JSON": (["extract", "-s", "broken.json", *HERE], "broken.json"),
    "a schema that is no schema": (["extract", "-s", "wrong.json", *HERE], "type"),
    "neither file nor class": (["extract", "-s", "Pet", *HERE], "path.py:Class"),
    "no such module": (["extract", "-s", "no_such_module:Pet", *HERE], "no_such_module"),
    "no such class": (["extract", "-s", "pet.py:Pett", *HERE], "did you mean 'Pet'"),
    "no such python file": (["extract", "-s", "nowhere.py:Pet", *HERE], "nowhere.py does not exist"),
    "a module that fails": (["extract", "-s", "failing.py:Pet", *HERE], "ZeroDivisionError"),
    "a module that exits": (["extract", "-s", "exiting.py:Pet", *HERE], "SystemExit"),
    "not a type": (["extract", "-s", "pet.py:Literal", *HERE], "Literal"),
    "an unknown mode": (["extract", "-s", "pet.json", *HERE, "--mode", "xml"], "xml"),
    "an unknown prompt style": (["extract", "-s", "pet.json", *HERE, "--prompt-style", "poem"], "poem"),
    "a negative number of retries": (["extract", "-s", "pet.json", *HERE, "--retries", "-1"], "retries"),
    "a wrong temperature": (["extract", "-s", "pet.json", *HERE, "--temperature", "9"], "temperature"),
    "a wrong timeout": (["extract", "-s", "pet.json", *HERE, "--timeout", "0"], "timeout"),
    "a budget in words": (["extract", "-s", "pet.json", *HERE, "--budget", "much"], "--budget"),
    "a context that is no JSON": (["extract", "-s", "pet.json", *HERE, "--context", "{"], "--context"),
    "no examples file": (["extract", "-s", "pet.json", *HERE, "--examples", "nowhere.jsonl"], "nowhere.jsonl"),
    "an examples file of another kind": (["extract", "-s", "pet.json", *HERE, "--examples", "wrong.json"], "line 1"),
    "no key variable": (["extract", "-s", "pet.json", *HERE, "--api-key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY"),
    "no key": (["extract", "-s", "pet.json", "-m", "groq/openai/gpt-oss-20b"], "GROQ_API_KEY"),
    "an unknown provider": (["extract", "-s", "pet.json", "-m", "nobody/thing"], "nobody"),
    "an unknown local model": (["extract", "-s", "pet.json", "-m", "local/gpt-9"], "gpt-9"),
    "no model file": (["extract", "-s", "pet.json", "-m", "local:/nowhere/model.gguf"], "/nowhere/model.gguf"),
    "no server there": (["extract", "-s", "pet.json", *HERE, "--max-retries", "0"], "127.0.0.1:9"),
    "an unknown flag": (["extract", "-s", "pet.json", "--modle", "m"], "--modle"),
    "an unknown command": (["extrcat"], "extrcat"),
    "an unknown local model to pull": (["models", "pull", "smollm3-135m"], "did you mean"),
    "an unknown provider to show a schema for": (["schema", "pet.json", "--for", "nobody"], "nobody"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_exit_code_2_with_a_message(run: Run, tmp_path: Path, case: str) -> None:
    (tmp_path / "broken.json").write_text('{"type": ')
    (tmp_path / "wrong.json").write_text('{"type": "strong"}')
    (tmp_path / "failing.py").write_text("1 / 0")
    (tmp_path / "exiting.py").write_text("raise SystemExit(0)")
    arguments, told = BAD[case]
    ran = run(*arguments)
    assert ran.code == 2, ran
    assert told in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


def test_an_empty_source_is_exit_code_2(run: Run) -> None:
    ran = run("extract", "-s", "pet.json", *HERE, stdin=b" \n")
    assert ran.code == 2
    assert "empty" in ran.err


def test_bytes_that_are_not_utf8_are_exit_code_2_and_say_where(run: Run) -> None:
    ran = run("extract", "-s", "pet.json", *HERE, stdin="Mo, 3 Jahre, schön".encode("latin-1"))
    assert ran.code == 2
    assert "byte 16 is 0xf6" in ran.err


# -- schema ----------------------------------------------------------------------------------------------------------


def test_schema_prints_the_schema_alone_on_stdout(run: Run) -> None:
    ran = run("schema", "pet.py:Pet")
    assert ran.code == 0, ran.err
    schema = json.loads(ran.out)
    assert schema["title"] == "Pet"
    assert list(schema["properties"]) == ["name", "age", "type"]
    assert "system" in ran.err


def test_schema_in_a_strict_providers_form(run: Run) -> None:
    schema = json.loads(run("schema", "pet.py:Pet", "--for", "openai").out)
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name", "age", "type"]


def test_lint_warns_of_what_will_go_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "loose.py").write_text("from pydantic import BaseModel\nclass Loose(BaseModel):\n    data: dict\n")
    ran = run("schema", "loose.py:Loose", "--lint")
    assert ran.code == 0
    assert "/data" in ran.err or "data" in ran.err


# -- models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["models"], ["models", "list"]])
def test_models_lists_what_there_is(run: Run, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    ran = run(*command)
    assert ran.code == 0
    assert "local/smollm2-135m" in ran.out
    assert "98 MB" in ran.out
    assert "yes" not in ran.out


# -- as processes ----------------------------------------------------------------------------------------------------


def assay(*arguments: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "assay", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload]


def test_ctrl_c_is_exit_code_130_without_a_traceback(tmp_path: Path) -> None:
    (_with_schema(tmp_path) / "letter.txt").write_text("Mo is three.")
    with Server([3600.0]) as server:
        process = assay("extract", "letter.txt", "-s", "pet.json", "-m", "m", "--base-url", server.base_url, cwd=tmp_path)
        while not server.received:
            assert process.poll() is None, "it ended before it asked"
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err


def test_a_reader_that_leaves_early_is_no_traceback(tmp_path: Path) -> None:
    process = assay("schema", "pet.json", "--quiet", cwd=_with_schema(tmp_path))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)
    assert "Traceback" not in err


def _with_schema(folder: Path) -> Path:
    (folder / "pet.json").write_text(SCHEMA)
    return folder


def test_completion_is_offered(tmp_path: Path) -> None:
    environment = os.environ | {"_ASSAY_COMPLETE": "complete_bash", "COMP_WORDS": "assay ex", "COMP_CWORD": "1"}
    script = "import sys; sys.argv[0] = 'assay'; from assay.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert ran.stdout.split() == ["extract"]
