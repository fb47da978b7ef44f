"""Which model is asked when none is named: never the embedded one, which answers everything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import assay
from assay.cli import main


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if "KEY" in name or "TOKEN" in name or name.startswith(("ASSAY_", "GROQ"))]:
        monkeypatch.delenv(name)


def test_without_a_key_nothing_is_made_up() -> None:
    with pytest.raises(assay.ConfigurationError, match=r"(?s)set GROQ_API_KEY.*model=\"local/smollm2-135m\"") as raised:
        assay.extract(list[str], "pens and ink")
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize("name", ["GROQ_APIKEY", "GROQ_API_KYE", "GROQ_KEY", "groq_api_key"])
def test_a_misspelt_key_is_named_and_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "not-a-real-one")
    with pytest.raises(assay.ConfigurationError, match=f"{name} is set: did you mean GROQ_API_KEY") as raised:
        assay.Extractor(list[str])
    assert "not-a-real-one" not in str(raised.value)


def test_the_key_of_another_provider_is_an_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "not-a-real-one")
    with pytest.raises(assay.ConfigurationError, match="MISTRAL_API_KEY is set: give model='mistral/NAME'"):
        assay.Extractor(list[str])


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
@pytest.mark.parametrize("command", ["extract", "batch", "eval"])
def test_the_command_line_says_what_to_set(
    command: str, quiet: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "pens and ink", "gold": ["pens"]}\n')
    (tmp_path / "goods.json").write_text('{"type": "array", "items": {"type": "string"}}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["assay", command, "rows.jsonl", "--schema", "goods.json", *quiet])
    if command == "batch":
        monkeypatch.setattr("sys.argv", ["assay", "batch", "rows.jsonl", "-o", "out.jsonl", "--schema", "goods.json", *quiet])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert "GROQ_API_KEY" in said.err
    assert said.out == ""
    assert not (tmp_path / "out.jsonl").exists()
