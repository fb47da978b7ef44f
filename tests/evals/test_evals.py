"""Scores against gold, and `assay eval`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay
from assay.cli import main
from assay.errors import ConfigurationError
from assay.evals import Score, cases, compare, evaluate, same
from assay.evals.align import align
from servers import Received, Server, answer, completion, error

GOLD = {"name": "salt", "amounts": [{"quantity": 2, "unit": "g"}], "note": None}
SETS = Path(__file__).parents[3] / "shared" / "data" / "sets"


def total(gold: Any, value: Any) -> Score:
    return sum(compare(gold, value).values(), Score())


# -- values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Salt ", "salt"),
        ("Sea\n salt", "sea salt"),
        ("STRASSE", "straße"),
        (2, 2.0),
        (74.5, "74.50"),
        ("1,200", 1200),
        ("2026-03-04", "4 March 2026"),
        ("March 4, 2026", "2026-03-04"),
        ("2026-03-04T10:00:00Z", "2026-03-04T10:00:00+00:00"),
        ("2026-03-04T12:00:00+02:00", "2026-03-04T10:00:00Z"),
    ],
)
def test_what_means_the_same_is_the_same(one: Any, other: Any) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (True, "1"),
        (2, 3),
        (2, "two"),
        ("02134", "2134"),
        ("salt", "salty"),
        ("2026-03-04", "2026-03-05"),
        ("01/02/2003", "2003-02-01"),
        ("01/02/2003", "2003-01-02"),
        ("1.5", "1,5"),
        (None, "null"),
    ],
)
def test_what_may_mean_something_else_is_not(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


# -- fields --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "field", "score"),
    [
        ({**GOLD, "name": "Salt "}, "/name", Score(right=1)),
        ({**GOLD, "name": "sugar"}, "/name", Score(wrong=1)),
        ({**GOLD, "name": None}, "/name", Score(omitted=1)),
        ({**GOLD, "name": ""}, "/name", Score(omitted=1)),
        ({**GOLD, "note": "fine"}, "/note", Score(invented=1)),
        ({"name": "salt"}, "/note", Score(empty=1)),
        ({**GOLD, "amounts": [{"quantity": 2.0, "unit": "g"}]}, "/amounts/*/quantity", Score(right=1)),
        ({**GOLD, "amounts": [{"quantity": 3, "unit": "g"}]}, "/amounts/*/quantity", Score(wrong=1)),
        ({**GOLD, "amounts": []}, "/amounts/*/unit", Score(omitted=1)),
        ({**GOLD, "amounts": [*GOLD["amounts"], {"quantity": 1, "unit": "g"}]}, "/amounts/*/unit", Score(right=1, invented=1)),
        ({**GOLD, "more": {"a/b": 1}}, "/more/a~1b", Score(invented=1)),
        (None, "/amounts/*/unit", Score(omitted=1)),
    ],
)
def test_each_way_of_being_right_or_wrong(value: Any, field: str, score: Score) -> None:
    assert compare(GOLD, value)[field] == score


def test_a_bare_value_is_a_field() -> None:
    assert compare("x", "X") == {"": Score(right=1)}


def test_no_value_on_both_sides_is_counted_once() -> None:
    assert compare({"a": None}, {"a": []}) == {"/a": Score(empty=1)}
    assert compare({"a": []}, {"a": [1]}) == {"/a/*": Score(invented=1)}
    assert compare({"a": [1]}, {"a": None}) == {"/a/*": Score(omitted=1)}


def test_another_shape_is_omitted_and_invented() -> None:
    assert compare({"a": {"b": 1}}, {"a": "b"}) == {"/a/b": Score(omitted=1), "/a": Score(invented=1)}


def test_precision_recall_and_f1() -> None:
    score = Score(right=6, wrong=1, omitted=5, invented=3, empty=9)
    assert (score.precision, score.recall) == (0.6, 0.5)
    assert score.f1 == pytest.approx(2 * 0.6 * 0.5 / 1.1)
    assert (Score(empty=1).precision, Score(empty=1).recall, Score(empty=1).f1) == (None, None, None)
    assert Score(omitted=1).f1 == Score(invented=1).f1 == 0


# -- lists ---------------------------------------------------------------------------------------------------------------


def test_the_order_of_a_list_says_nothing() -> None:
    gold = {"items": [{"name": "lamp", "price": 74.5}, {"name": "pen", "price": 3}]}
    assert total(gold, {"items": gold["items"][::-1]}) == Score(right=4)


def test_an_item_left_out_does_not_spoil_those_after_it() -> None:
    gold = [{"name": name, "currency": "EUR"} for name in ("lamp", "pen", "cup")]
    assert compare(gold, gold[1:])["/*/name"] == Score(right=2, omitted=1)


def test_an_item_is_matched_by_most_in_common() -> None:
    gold = [{"name": "lamp", "price": 1, "currency": "EUR"}, {"name": "pen", "price": 2, "currency": "EUR"}]
    value = [{"name": "pen", "price": 9, "currency": "EUR"}, {"name": "lamp", "price": 1, "currency": "EUR"}]
    assert compare(gold, value)["/*/price"] == Score(right=1, wrong=1)
    assert compare(gold, value)["/*/name"] == Score(right=2)


def test_objects_with_nothing_in_common_are_wrong_and_scalars_are_invented() -> None:
    assert total([{"price": 1}], [{"price": 2}]) == Score(wrong=1)
    assert total(["java", "sql"], ["sql", "perl"]) == Score(right=1, omitted=1, invented=1)


def test_what_is_said_twice_is_right_once() -> None:
    assert total(["sql"], ["sql", "SQL"]) == Score(right=1, invented=1)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_gold_against_itself_has_no_fault(gold: Any) -> None:
    assert total(gold, gold).faultless


@given(st.lists(values, max_size=5), st.randoms())
def test_gold_in_any_order_has_no_fault(gold: list[Any], random: Any) -> None:
    shuffled = random.sample(gold, len(gold))
    assert total(gold, shuffled).faultless


@given(values, values)
def test_swapping_the_sides_swaps_omitted_and_invented(one: Any, other: Any) -> None:
    there, back = total(one, other), total(other, one)
    assert (there.right, there.wrong, there.omitted, there.invented) == (back.right, back.wrong, back.invented, back.omitted)


@given(st.lists(values, max_size=5), st.lists(values, max_size=5))
def test_every_item_of_two_lists_is_in_one_pair(gold: list[Any], value: list[Any]) -> None:
    pairs = list(align(gold, value))
    for side, items in enumerate((gold, value)):
        assert sorted(pair[side] for pair in pairs if pair[side] is not None) == list(range(len(items)))


# -- cases ---------------------------------------------------------------------------------------------------------------


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_cases_of_a_table_have_gold_as_json_or_text(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('id,text,gold\n7,Mo is 3,"{""name"": ""Mo""}"\n8,Bo,Bo\n')
    assert [(case.id, case.text, case.gold) for case in cases(tmp_path / "c.csv")] == [
        ("7", "Mo is 3", {"name": "Mo"}),
        ("8", "Bo", "Bo"),
    ]


def test_a_text_in_jsonl_stays_the_text_it_is(tmp_path: Path) -> None:
    assert [case.gold for case in cases(write(tmp_path / "c.jsonl", {"text": "x", "gold": "1"}))] == ["1"]


@pytest.mark.parametrize("row", [{"text": "Mo"}, {"gold": {"name": "Mo"}}, {"text": "", "gold": {}}])
def test_a_row_that_is_no_case_is_named(row: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"c\.jsonl, row 2"):
        list(cases(write(tmp_path / "c.jsonl", {"text": "x", "gold": 1}, row)))


@pytest.mark.skipif(not SETS.is_dir(), reason="the outside sets are not here")
@pytest.mark.parametrize("name", ["addresses", "ingredients", "names", "references"])
def test_real_gold_is_faultless_against_itself(name: str) -> None:
    scores = [compare(case.gold, case.gold) for case in cases(SETS / f"{name}.jsonl")]
    assert len(scores) > 100
    assert all(score.faultless for each in scores for score in each.values())


# -- a run ---------------------------------------------------------------------------------------------------------------

SCHEMA = {"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def pet(request: Received) -> Any:
    """A model that takes the last word of every text for the name, and has none for `nobody`."""
    if b"nobody" in request.body:
        return [completion("I see none.")]
    word = request.json["messages"][-1]["content"].replace("</document>", "").split()[-1]
    return [completion(json.dumps({"name": word}))]


def test_evaluate_adds_up_what_happened(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.jsonl",
        {"text": "a cat, Mo", "gold": {"name": "mo"}},
        {"text": "a dog, Bo", "gold": {"name": "Rex"}},
        {"text": "nobody", "gold": {"name": "Al"}},
    )
    with (
        Server(pet) as server,
        assay.Extractor(SCHEMA, model="m", base_url=server.base_url, mode="json", retries=1) as extractor,
    ):
        scores = evaluate(extractor, cases(path), concurrency=1)
    assert (scores.documents, scores.valid, scores.valid_at_once, scores.exact) == (3, 2, 2, 1)
    assert scores.fields == {"/name": Score(right=1, wrong=1, omitted=1)}
    assert scores.attempts == len(server.received) == 4
    assert scores.usage.total_tokens == 4 * 15
    assert scores.total.f1 == pytest.approx(0.4)


def test_what_would_fail_every_case_is_raised_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", *[{"text": "Mo", "gold": {}}] * 20)
    with (
        Server(lambda _: [answer(401, error("no such key"))]) as server,
        assay.Extractor(SCHEMA, model="m", base_url=server.base_url, mode="json") as extractor,
        pytest.raises(assay.AuthenticationError),
    ):
        evaluate(extractor, cases(path), concurrency=1)
    assert len(server.received) < 20


# -- the command ---------------------------------------------------------------------------------------------------------


def command(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    (folder / "pet.json").write_text(json.dumps(SCHEMA))
    monkeypatch.setattr(
        sys, "argv", ["assay", "eval", "cases.jsonl", "-s", "pet.json", "-m", "m", "--mode", "json", *arguments]
    )
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_eval_scores_and_keeps_each_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": 1, "text": "Mo", "gold": {"name": "Mo"}}, {"id": 2, "text": "Bo", "gold": {"name": "Rex"}}]
    write(tmp_path / "cases.jsonl", *rows)
    with Server(pet) as server:
        code = command(tmp_path, monkeypatch, "--base-url", server.base_url, "--format", "json", "--results", "r.jsonl")
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (report["model"], report["documents"], report["valid"], report["exact"]) == ("m", 2, 2, 1)
    assert report["fields"]["/name"]["recall"] == report["total"]["f1"] == 0.5
    kept = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(row["id"], row["value"], row["scores"]["/name"]["right"]) for row in kept] == [
        (1, {"name": "Mo"}, 1),
        (2, {"name": "Bo"}, 0),
    ]


def test_a_case_that_fails_is_omitted_and_the_exit_code_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "cases.jsonl", {"id": "c7", "text": "nobody", "gold": {"name": "Mo"}})
    with Server(pet) as server:
        code = command(tmp_path, monkeypatch, "--base-url", server.base_url, "--retries", "0")
    shown = capsys.readouterr()
    assert code == 1
    assert "0 of 1 documents valid" in shown.out
    assert "/name" in shown.out
    assert "failed: c7: " in shown.err


@pytest.mark.parametrize(("gate", "code"), [("0.5", 0), ("0.51", 1)])
def test_the_gate(
    gate: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "cases.jsonl", {"text": "Mo", "gold": {"name": "Mo"}}, {"text": "Bo", "gold": {"name": "Rex"}})
    with Server(pet) as server:
        assert command(tmp_path, monkeypatch, "--base-url", server.base_url, "--quiet", "--fail-under", gate) == code
    assert ("under 0.51" in capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(
    ("rows", "arguments", "told"),
    [
        ([], [], "has no cases"),
        ([{"text": "Mo"}], [], "'gold'"),
        ([{"text": "Mo", "gold": 1}], ["--results", "no/r.jsonl"], "there is no folder"),
        ([{"text": "Mo", "gold": 1}], ["--fail-under", "90"], "or equal to 1"),
    ],
)
def test_wrong_usage_is_exit_code_2_before_anything_is_asked(
    rows: list[Any],
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "cases.jsonl", *rows)
    with Server(pet) as server:
        assert command(tmp_path, monkeypatch, "--base-url", server.base_url, *arguments) == 2
    assert told in capsys.readouterr().err
    assert server.received == []
