"""Scores against gold, and `assay eval`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli import main
from assay.evals import Score, compare
from servers import Server, said

GOLD = {"name": "salt", "amounts": [{"quantity": 2, "unit": "g"}], "note": None}


@pytest.mark.parametrize(
    ("said", "field", "score"),
    [
        ({**GOLD, "name": "Salt "}, "name", Score(right=1)),
        ({**GOLD, "name": "sugar"}, "name", Score(wrong=1)),
        ({**GOLD, "name": None}, "name", Score(missed=1)),
        ({**GOLD, "name": ""}, "name", Score(missed=1)),
        ({**GOLD, "note": "fine"}, "note", Score(invented=1)),
        ({"name": "salt"}, "note", Score(empty=1)),
        ({**GOLD, "amounts": [{"quantity": 2.0, "unit": "g"}]}, "amounts[].quantity", Score(right=1)),
        ({**GOLD, "amounts": [{"quantity": "2", "unit": "g"}]}, "amounts[].quantity", Score(wrong=1)),
        ({**GOLD, "amounts": []}, "amounts[].unit", Score(missed=1)),
        ({**GOLD, "amounts": [*GOLD["amounts"], {"quantity": 1, "unit": "g"}]}, "amounts[].unit", Score(right=1, invented=1)),
        (None, "amounts[].unit", Score(missed=1)),
    ],
)
def test_each_way_of_being_right_or_wrong(said: Any, field: str, score: Score) -> None:
    assert compare(GOLD, said)[field] == score


def test_true_is_not_one() -> None:
    assert compare({"a": True}, {"a": 1}) == {"a": Score(wrong=1)}


def test_a_bare_value_is_a_field() -> None:
    assert compare("x", "X") == {"value": Score(right=1)}


def test_no_value_on_both_sides_is_counted_once() -> None:
    assert compare({"a": None}, {"a": []}) == {"a": Score(empty=1)}
    assert compare({"a": []}, {"a": [1]}) == {"a[]": Score(invented=1)}
    assert compare({"a": [1]}, {"a": None}) == {"a[]": Score(missed=1)}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_gold_against_itself_has_no_fault(gold: Any) -> None:
    total = sum(compare(gold, gold).values(), Score())
    assert total == Score(right=total.right, empty=total.empty)


@given(values, values)
def test_swapping_the_sides_swaps_missed_and_invented(one: Any, other: Any) -> None:
    there = sum(compare(one, other).values(), Score())
    back = sum(compare(other, one).values(), Score())
    assert (there.right, there.wrong, there.missed, there.invented) == (back.right, back.wrong, back.invented, back.missed)


# -- the command -------------------------------------------------------------------------------------------------------

SCHEMA = '{"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'


def evaluate(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    (folder / "pet.json").write_text(SCHEMA)
    monkeypatch.setattr(sys, "argv", ["assay", "eval", "cases.jsonl", "-s", "pet.json", "-m", "m", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def cases(folder: Path, *rows: Any) -> None:
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_eval_scores_and_keeps_each_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases(tmp_path, {"id": 1, "text": "Mo", "gold": {"name": "Mo"}}, {"id": 2, "text": "Bo", "gold": {"name": "Bo"}})
    with Server(said('{"name": "Mo"}')) as server:
        code = evaluate(
            tmp_path,
            monkeypatch,
            "--base-url",
            server.base_url,
            "--format",
            "json",
            "--results",
            "r.jsonl",
            "--concurrency",
            "1",
        )
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (report["documents"], report["valid"], report["valid_at_once"], report["perfect"]) == (2, 2, 2, 1)
    assert report["fields"]["name"]["accuracy"] == 0.5
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(row["id"], row["value"], row["scores"]["name"]["right"]) for row in rows] == [
        (1, {"name": "Mo"}, 1),
        (2, {"name": "Mo"}, 0),
    ]


def test_a_case_that_fails_is_missed_and_the_exit_code_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases(tmp_path, {"text": "Mo", "gold": {"name": "Mo"}})
    with Server(said("No.")) as server:
        code = evaluate(tmp_path, monkeypatch, "--base-url", server.base_url, "--retries", "0", "--mode", "json")
    shown = capsys.readouterr().out
    assert code == 1
    assert "0 of 1 documents valid" in shown
    assert "0.0%" in shown


@pytest.mark.parametrize(
    ("row", "told"), [({"text": "Mo"}, "'gold'"), ({"gold": {"name": "Mo"}}, "row 1"), ({"text": "", "gold": {}}, "row 1")]
)
def test_a_row_that_is_no_case_is_exit_code_2(
    row: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases(tmp_path, row)
    assert evaluate(tmp_path, monkeypatch, "--base-url", "http://127.0.0.1:9/v1") == 2
    assert told in capsys.readouterr().err
