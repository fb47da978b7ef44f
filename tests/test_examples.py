"""Every example runs, as a process, on the embedded model; and `schemas/` holds the schemas of their models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from assay.cli import main

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

# What each script's output has to hold when all goes well: its own words, not the model's.
SCRIPTS = {
    "sentiment.py": "% sure)",
    "recipe.py": "1. ",
    "catalogue.py": "valid after ",
    "nested_product.py": "\n",
    "movie.py": "effective prompt",
    "decorated.py": "  - ",
    "batch.py": " of 4 done",
    "pipeline.py": "('a3', ",
    "chat.py": "total_tokens=",
    "stop_sequences.py": "finish reason: stop",
    "streaming.py": "\n",
    "async_chat.py": "What is two plus two?\n  ",
    "async_streaming.py": "\n",
}

SCHEMAS = {
    "sentiment": "sentiment.py:Sentiment",
    "recipe": "recipe.py:Recipe",
    "catalogue_entry": "catalogue.py:CatalogueEntry",
    "product": "nested_product.py:Product",
    "movie": "movie.py:Movie",
    "meeting": "decorated.py:Meeting",
    "agenda": "decorated.py:Agenda",
    "ticket": "batch.py:Ticket",
    "flat": "pipeline.py:Flat",
}


def run(*command: str, source: str = "") -> subprocess.CompletedProcess[str]:
    keyless = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY") and name != "ASSAY_MODEL"}
    return subprocess.run(
        [sys.executable, *command],
        input=source,
        capture_output=True,
        text=True,
        env=keyless,
        cwd=ROOT,
        timeout=180,
        check=False,
    )


def test_every_script_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")} == set(SCRIPTS)


@pytest.mark.model
@pytest.mark.parametrize("script", SCRIPTS)
def test_example_runs_on_the_embedded_model(script: str) -> None:
    ran = run(str(EXAMPLES / script))
    assert ran.returncode == 0, ran.stderr
    assert SCRIPTS[script] in ran.stdout
    assert ran.stdout.strip()
    assert "Traceback" not in ran.stderr


def test_every_schema_is_tested() -> None:
    assert {path.stem for path in (ROOT / "schemas").glob("*.json")} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_file_is_what_the_command_prints(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["assay", "schema", str(EXAMPLES / SCHEMAS[name]), "--quiet"])
    with pytest.raises(SystemExit):
        main()
    text = (ROOT / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.model
def test_a_schema_file_works_on_the_command_line() -> None:
    source = "Six Wrong Turnings, a comedy directed by Paul Adeyemi, came out in 2014 and runs 91 minutes."
    flags = ("--model", "local/smollm2-135m", "--max-tokens", "150")
    ran = run("-m", "assay", "extract", "--schema", "schemas/movie.json", *flags, source=source)
    assert ran.returncode == 0, ran.stderr
    schema = json.loads((ROOT / "schemas" / "movie.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads(ran.stdout))


@pytest.mark.model
def test_the_demo_shows_text_class_and_value() -> None:
    ran = run("-m", "assay", "demo")
    assert ran.returncode == 0, ran.stderr
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    given, extracted = ran.stdout.split("╭─ assay.extract(")
    assert given in readme
    for shown in ("order_number=", " tokens · ", "toy", "assay models pull", "GROQ_API_KEY"):
        assert shown in extracted
