"""The README and the pages beside the rooms say what is: their code runs, in its order, and prints what they show.

A Python block is run against a local server that answers with the `<!-- reply: ... -->` comments below it; a `text` block
after that shows what it prints.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from assay.cli.app import app
from servers import Received, Server, Steps, said

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?P<replies>(?:<!-- reply: .*? -->\n)*)(?:```text\n(?P<prints>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
REPLY = re.compile(r"<!-- reply: (.*?) -->\n", re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "src").rglob("README.md")), ROOT / "tests" / "benchmarks" / "README.md"]
"""The README, and the pages that stand beside the rooms that they tell of."""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith(("ASSAY_", "GROQ_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GROQ_API_KEY", "a-key-that-is-none")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_runs_and_prints_what_the_page_shows(page: Path, environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.parent.name == "documents":
        pytest.importorskip("pypdfium2", reason="the extra `documents`")
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    names: dict[str, Any] = {"__name__": "readme"}
    monkeypatch.setitem(sys.modules, "readme", type(sys)("readme"))
    sys.modules["readme"].__dict__.update(names)
    wrong: list[str] = []
    replies: list[str] = []

    def reply(request: Received) -> Steps:
        assert replies, "a request for which the page has no reply"
        return said(replies.pop(0))(request)

    with Server(reply) as server:
        monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
        for block in blocks:
            line = text.count("\n", 0, block.start()) + 1
            try:
                replies[:] = REPLY.findall(block["replies"])
                printed = _run(block["code"], line)
                assert replies == [], "replies that were not asked for"
            except Exception as error:  # the next blocks may still be right
                wrong.append(f"line {line}: {type(error).__name__}: {error}")
                continue
            if block["prints"] is not None and _lines(printed) != _lines(block["prints"]):
                wrong.append(f"line {line} prints\n{printed}")
    assert not wrong, "\n\n".join(wrong)


def _run(code: str, line: int) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * line + code, "README.md", "exec"), sys.modules["readme"].__dict__)
    return printed.getvalue()


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_most_code_says_what_it_prints() -> None:
    assert sum(block["prints"] is not None for block in BLOCK.finditer(README)) >= 8


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_two_commands_of_one_line(heading: str) -> None:
    section = re.search(rf"^## {heading}\n\n```sh\n(.*?)\n```\n", README, re.DOTALL | re.MULTILINE)
    assert section is not None
    assert "\n" not in section[1]
    assert section[1].startswith("python3 -m venv ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    broken = [t for t in targets if (t[1:] not in anchors if t.startswith("#") else not (page.parent / t).exists())]
    assert broken == []


def test_every_name_in_the_error_tree_is_exported() -> None:
    import assay

    tree = README.split("## Errors", 1)[1].split("```", 2)[1]
    names = re.findall(r"[A-Z][A-Za-z]+(?:Error|Exceeded|Failed)\b", tree)
    assert len(names) > 15
    assert [name for name in names if not hasattr(assay, name)] == []


def test_every_option_is_in_the_table() -> None:
    from dataclasses import fields

    from assay.options import Options

    table = README.split("## Options", 1)[1].split("##", 1)[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == {field.name for field in fields(Options)}


def test_every_command_and_flag_is_there() -> None:
    section = (ROOT / "src" / "assay" / "cli" / "README.md").read_text(encoding="utf-8")
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    flags = {
        name for command in root.commands.values() for flag in command.params for name in flag.opts if name.startswith("--")
    }
    assert {flag for flag in flags if f"`{flag}" not in section} == set()
    assert {name for name in root.commands if f"`assay {name}" not in section} == set()


def test_every_example_is_in_the_table() -> None:
    scripts = {path.name for path in (ROOT / "examples").glob("*.py") if "def main" in path.read_text(encoding="utf-8")}
    assert {script for script in scripts if f"examples/{script}" not in README} == set()
