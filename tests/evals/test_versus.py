"""Two models on the same cases: the difference, its interval, what chance would make of it; how fields are compared."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import assay
from assay.cli.app import app
from assay.evals import Score, Scored, cases, compare, evaluate, results, rules_of, scored, versus
from assay.report.versus import comparison_page
from assay.testing import FakeModel, faults
from servers import Received, Server, Steps, completion

RIGHT, WRONG = Score(right=1), Score(wrong=1)


def case(number: int, *, right: bool, ran: bool = True) -> Scored:
    scores = {"/a": RIGHT if right else WRONG, "/b": RIGHT}
    return Scored(number, f"text {number}", {"a": 1}, {"a": 1 if right else 2}, scores, ran, True, 0.1, 10, 0.2)


def cases_of(rights: list[bool]) -> list[Scored]:
    return [case(n, right=right) for n, right in enumerate(rights)]


def test_a_clear_difference_is_real_and_its_interval_lies_on_one_side() -> None:
    one = versus("old", cases_of([n % 2 == 0 for n in range(80)]), "new", cases_of([n % 10 != 0 for n in range(80)]))
    assert one.fields["/a"].first == 0.5
    assert one.fields["/a"].second == 0.9
    assert one.fields["/a"].change == pytest.approx(0.4)
    assert 0.2 < one.fields["/a"].low < 0.4 < one.fields["/a"].high < 0.6
    assert one.fields["/a"].p < 0.01
    assert one.total.real
    assert one.exact.second == 0.9
    assert len(one.apart) == 48


def test_no_difference_is_none() -> None:
    same = cases_of([n % 3 == 0 for n in range(60)])
    one = versus("a", same, "b", same)
    assert (one.total.change, one.total.low, one.total.high, one.total.p) == (0, 0, 0, 1)
    assert one.apart == ()
    assert not one.total.real


def test_a_difference_in_one_case_of_twenty_may_be_chance() -> None:
    one = versus("a", cases_of([True] * 19 + [False]), "b", cases_of([True] * 20))
    assert one.total.change > 0
    assert one.total.p > 0.3


def test_p_is_right_when_there_is_no_difference() -> None:
    """Of models that are equally good, about 5 % come out with a p below 0.05."""
    rolled = random.Random(1)
    found = 0
    for _ in range(60):
        a, b = ([rolled.random() < 0.7 for _ in range(40)] for _ in range(2))
        found += versus("a", cases_of(a), "b", cases_of(b)).fields["/a"].real
    assert found <= 8  # a rate of 0.05 gives more in one of 300 runs


def test_both_ways_round_say_the_same() -> None:
    a, b = cases_of([n % 2 == 0 for n in range(40)]), cases_of([n % 3 == 0 for n in range(40)])
    one, other = versus("a", a, "b", b), versus("b", b, "a", a)
    assert one.total.change == pytest.approx(-other.total.change)
    assert one.total.p == other.total.p
    assert one.total.low == pytest.approx(-other.total.high, abs=0.01)


def test_what_did_not_run_counts_for_neither() -> None:
    a = [*cases_of([True] * 5), case(5, right=False, ran=False)]
    one = versus("a", a, "b", cases_of([True] * 6))
    assert (one.cases, one.not_run, one.total.change) == (5, (5,), 0)


def test_other_cases_are_not_compared() -> None:
    one = versus("a", cases_of([True] * 3), "b", [])
    assert one.cases == 0
    assert one.total.first is None


# -- how fields are compared -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "gold", "said", "right"),
    [
        ("exact", "Ada", "ada", False),
        ("exact", 1, 1.0, False),
        ("exact", "Ada", "Ada", True),
        ("text", "01/02/2003", "01/02/2003 ", True),
        ("text", "2026-03-04", "4 March 2026", False),
        ("date", "2026-03-04", "2026-03-04T10:00:00Z", True),
        ("date", "2026-03-04", "4 March 2026", True),
        ("date", "2026-03-04", "2026-03-05", False),
        ({"number": 0.01}, 1.0, 1.01, True),
        ({"number": 0.01}, 1.0, 1.02, False),
        ({"number": "1%"}, 200, 202, True),
        ({"number": "1%"}, 200, 203, False),
        ({"number": 5}, 7, "n/a", False),
        ("set", ["a", "b"], ["B", "a"], True),
        ("set", ["a", "b"], ["a"], False),
    ],
)
def test_fields_are_compared_as_the_schema_says(rule: Any, gold: Any, said: Any, right: bool) -> None:
    schema = {"type": "object", "properties": {"x": {"x-compare": rule}}}
    assert compare({"x": gold}, {"x": said}, rules_of(schema)) == {"/x": RIGHT if right else WRONG}


def test_rules_reach_into_lists_and_references() -> None:
    schema = {
        "$defs": {"Line": {"properties": {"price": {"x-compare": {"number": 0.5}}}}},
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}},
    }
    assert set(rules_of(schema)) == {"/lines/*/price"}


@pytest.mark.parametrize("rule", ["exakt", {"number": -1}, {"number": "much"}, {"numbr": 1}, 3])
def test_a_rule_that_there_is_not_says_so(rule: Any) -> None:
    with pytest.raises(assay.ConfigurationError, match="/x must be"):
        rules_of({"properties": {"x": {"x-compare": rule}}})


def test_a_users_function_goes_first(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": 1, "text": "t", "gold": {"code": "AB-1"}}\n')
    schema = {"type": "object", "properties": {"code": {"type": "string", "x-compare": "exact"}}, "required": ["code"]}
    with assay.Extractor(schema, model=FakeModel(lambda _: {"code": "ab1"})) as extractor:
        loose = evaluate(extractor, cases(path), rules={"/code": lambda gold, said: gold.replace("-", "").lower() == said})
        assert loose.total.f1 == 1
        assert evaluate(extractor, cases(path)).total.f1 == 0


# -- from results, and at the command line --------------------------------------------------------------------------------

GOLD = [{"name": f"Name{n}", "age": n} for n in range(24)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"id": n, "text": f"{gold['name']} is {gold['age']} years old.", "gold": gold} for n, gold in enumerate(GOLD)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    properties = {"name": {"type": "string"}, "age": {"type": "integer"}}
    (tmp_path / "person.json").write_text(json.dumps({"type": "object", "properties": properties, "required": ["name", "age"]}))
    return tmp_path


def server_of() -> Server:
    """`good` is always right; `bad` errs at every other age; `ill` fails at five documents."""

    def answer(request: Received) -> Steps:
        asked = request.json
        found = re.search(r"(Name\d+) is (\d+)", asked["messages"][-1]["content"])
        assert found is not None
        name, age = found[1], int(found[2])
        if asked["model"] == "ill" and age < 5:
            return [b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"]
        wrong = asked["model"] == "bad" and age % 2
        return [completion(json.dumps({"name": name, "age": age + 100 * wrong}))]

    return Server(answer)


def run(folder: Path, server: Server, *arguments: str) -> Any:
    shared = ["--schema", str(folder / "person.json"), "--base-url", server.base_url, "--max-retries", "0", "-q"]
    return CliRunner().invoke(app, ["eval", str(folder / "cases.jsonl"), *shared, *arguments])


def test_two_models_are_compared_at_the_command_line(folder: Path) -> None:
    with server_of() as server:
        ran = run(folder, server, "--model", "bad", "--model", "good", "--page", str(folder / "page.html"))
    assert ran.exit_code == 0, ran.output
    assert "good is better than bad" in ran.output
    assert "24 cases, 12 of them with different scores" in " ".join(ran.output.split())
    page = (folder / "page.html").read_text()
    assert "<strong>good is better.</strong>" in page
    assert page.count("<details") == 12


def test_as_json(folder: Path) -> None:
    with server_of() as server:
        ran = run(folder, server, "--model", "bad", "--model", "good", "--format", "json")
    told = json.loads(ran.stdout)
    assert [model["model"] for model in told["models"]] == ["bad", "good"]
    (compared,) = told["compared"]
    assert compared["fields"]["/age"]["change"] == pytest.approx(0.5)
    assert compared["fields"]["/name"]["p"] == 1
    assert compared["apart"] == list(range(1, 24, 2))


def test_an_earlier_run_is_a_gate(folder: Path) -> None:
    earlier = folder / "earlier.jsonl"
    with server_of() as server:
        assert run(folder, server, "--model", "good", "--results", str(earlier)).exit_code == 0
        gate = ["--against", str(earlier), "--may-fall", "0.01"]
        assert run(folder, server, "--model", "good", *gate).exit_code == 0
        fallen = run(folder, server, "--model", "bad", *gate)
        assert fallen.exit_code == 1
        assert "F1 fell by 0.25" in fallen.stderr
        assert run(folder, server, "--model", "bad", "--against", str(earlier), "--may-fall", "0.5").exit_code == 0


def test_cases_that_did_not_run_are_told_apart(folder: Path) -> None:
    with server_of() as server:
        ran = run(folder, server, "--model", "good", "--model", "ill")
    assert ran.exit_code == 1
    assert "19 cases, 0 of them with different scores; 5 cases did not run" in " ".join(ran.output.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--may-fall", "0.1"], "--against"),
        (["--page", "x.html"], "second --model"),
        (["--against", "nowhere.jsonl"], "cannot be read"),
        (["--against", "CASES"], "--results wrote"),
    ],
)
def test_what_makes_no_sense_says_so(arguments: list[str], says: str, folder: Path) -> None:
    with server_of() as server:
        given = [str(folder / "cases.jsonl") if argument == "CASES" else argument for argument in arguments]
        ran = run(folder, server, "--model", "good", *given)
        assert isinstance(ran.exception, assay.ConfigurationError)  # exit code 2 in a terminal: see tests/cli
        assert says in str(ran.exception)
        assert server.received == []


def test_the_page_escapes_what_documents_say_and_marks_gold() -> None:
    nasty = "<script>alert(1)</script> costs 12.50"
    gold = {"price": 12.5}
    one, other = (
        Scored("<b>", nasty, gold, {"price": value}, compare(gold, {"price": value}), True, True, None, 1, 1.0)
        for value in (12.5, 3)
    )
    page = comparison_page([versus("a</title>", [one], "b", [other])], made=datetime(2026, 1, 1, tzinfo=UTC))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert '<mark title="/price">12.50</mark>' in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_results_become_what_is_compared(folder: Path) -> None:
    with assay.Extractor(dict[str, Any], model=FakeModel(lambda _: {"name": "x"}), max_retries=0) as extractor:
        given = list(cases(folder / "cases.jsonl", limit=2))
        assert all(scored(result).ran for result in results(extractor, given))
        with faults("overloaded(after=1)"):
            fine, failed = map(scored, results(extractor, given))
    assert (fine.ran, failed.ran) == (True, False)
