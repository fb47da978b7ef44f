"""Confidence from token probabilities, and the threshold that promises an error rate."""

from __future__ import annotations

import json
import random
from math import log
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typer.testing import CliRunner

import assay
from assay.cli.app import app
from assay.data.confidence import confidence
from assay.data.paths import leaves
from assay.data.sites import sites
from assay.evals.calibrate import Calibration, Judged, calibrate, share
from assay.testing import FakeModel
from servers import Received, Server, Steps, completion_body
from servers import answer as response

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(trees, st.booleans())
def test_sites_are_where_the_scalars_are_written(data: Any, indented: bool) -> None:
    text = json.dumps(data, indent=2 if indented else None)
    found = {path: json.loads(text[start:end]) for path, (start, end) in sites(text).items()}
    assert found == {path: value for path, value in leaves(data) if not isinstance(value, dict | list)}


@pytest.mark.parametrize("text", ["", "{", "[1 2]", '{"a" 1}', "{1: 2}", "1 2", "nul", "[1", '{"a": "b'])
def test_what_is_no_json_has_no_sites(text: str) -> None:
    with pytest.raises(ValueError, match="at|Unterminated|Expecting"):
        sites(text)


def test_a_values_confidence_is_that_of_its_own_tokens() -> None:
    tokens = [
        ('{"na', 0.0),
        ('me": "', log(0.5)),
        ("A", log(0.5)),
        ("da", log(0.8)),
        ('", "age": ', log(0.9)),
        ("36", log(0.25)),
        ("}", 0.0),
    ]
    found = confidence('{"name": "Ada", "age": 36}', tokens)
    assert found["/age"] == pytest.approx(0.25)
    assert found["/name"] == pytest.approx(0.5 * 0.5 * 0.8 * 0.9), "the tokens with its quotes belong to it"


@pytest.mark.parametrize("tokens", [[], [("{}", 0.0)], [('{"a": 1', 0.0)]])
def test_tokens_that_are_not_the_reply_say_nothing(tokens: list[tuple[str, float]]) -> None:
    assert confidence('{"a": 1}', tokens) == {}


class Person(BaseModel):
    name: str
    age: int


def told(text: str, probability: float, *, numbers: float | None = None) -> Any:
    """An answer whose tokens are single characters; digits may have a probability of their own."""
    content = [
        {"token": sign, "logprob": log(numbers if numbers is not None and sign.isdigit() else probability)} for sign in text
    ]
    body = completion_body(text)
    body["choices"][0]["logprobs"] = {"content": content}
    return body


def test_probabilities_are_asked_for_only_with_the_option() -> None:
    with Server(lambda _: [response(body=told('{"name": "Ada", "age": 36}', 0.99, numbers=0.5))]) as server:
        plain = assay.Extractor(Person, model="m", base_url=server.base_url).run("Ada is 36.")
        sure = assay.Extractor(Person, model="m", base_url=server.base_url, logprobs=True).run("Ada is 36.")
    first, second = (received.json for received in server.received)
    assert "logprobs" not in first
    assert second["logprobs"] is True
    assert plain.value == sure.value
    assert sure.confidence == {"/name": pytest.approx(0.99**5, abs=1e-6), "/age": pytest.approx(0.25)}


def test_of_a_part_asked_again_the_last_answer_counts_and_wrappers_are_off() -> None:
    answers = iter([told('{"items": [{"name": "Ada", "age": "x"}]}', 0.9), told('{"/items/0/age": 36}', 0.5)])
    with Server(lambda _: [response(body=next(answers))]) as server:
        got = assay.Extractor(list[Person], model="m", base_url=server.base_url, logprobs=True).run("Ada is 36.")
    assert got.value == [Person(name="Ada", age=36)]
    assert got.confidence == {"/0/name": pytest.approx(0.9**5, abs=1e-6), "/0/age": pytest.approx(0.25)}


@pytest.mark.parametrize(
    "logprobs", [None, {}, {"content": None}, {"content": [{"token": 1}]}, {"content": [{"token": "a", "logprob": 1e999}]}, "x"]
)
def test_probabilities_that_are_none_are_none(logprobs: Any) -> None:
    body = completion_body('{"name": "Ada", "age": 36}')
    body["choices"][0]["logprobs"] = logprobs
    with Server(lambda _: [response(body=body)]) as server:
        got = assay.Extractor(Person, model="m", base_url=server.base_url, logprobs=True).run("Ada is 36.")
    assert got.value == Person(name="Ada", age=36)
    assert got.confidence == {}


# -- the threshold -----------------------------------------------------------------------------------------------------


def cases_of(number: int, rolled: random.Random, *, honest: bool = True) -> list[list[Judged]]:
    """Documents of five values, right as often as their confidence says, or at random."""
    found = []
    for _ in range(number):
        sure = [rolled.random() for _ in range(5)]
        found.append([Judged("/x", one, rolled.random() < (one if honest else 0.5)) for one in sure])
    return found


def test_what_is_promised_is_kept_on_new_documents() -> None:
    rolled = random.Random(3)
    errors, covered = [], []
    for _ in range(60):
        learnt = calibrate(cases_of(100, rolled), 0.1)
        seen = share(cases_of(100, rolled), learnt.threshold)
        errors.append(seen.error)
        covered.append(seen.coverage)
    assert sum(errors) / len(errors) <= 0.1
    assert sum(errors) / len(errors) >= 0.06, "it does not refuse more than it must"
    assert sum(covered) / len(covered) > 0.4


def test_a_worthless_confidence_accepts_little() -> None:
    rolled = random.Random(4)
    seen = share(cases_of(200, rolled, honest=False), calibrate(cases_of(200, rolled, honest=False), 0.05).threshold)
    assert seen.coverage < 0.2


def test_few_cases_promise_nothing() -> None:
    perfect = [[Judged("/x", 0.9, True)]] * 8
    assert not calibrate(perfect, 0.1).accepts(1.0), "8 cases cannot promise 10 %: 1 / 9 is more"
    assert calibrate(perfect * 2, 0.1).accepts(0.9)


def test_values_without_a_figure_are_never_accepted() -> None:
    learnt = calibrate([[Judged("/x", 0.0, True)]] * 50, 0.5)
    assert not learnt.accepts(0.0)


@pytest.mark.parametrize("error", [0, 1, -0.1, 2])
def test_an_error_rate_that_is_none_says_so(error: float) -> None:
    with pytest.raises(assay.ConfigurationError, match="error must be"):
        calibrate([], error)


def test_a_calibration_is_a_file(tmp_path: Path) -> None:
    made = calibrate(cases_of(50, random.Random(1)), 0.1, "m")
    made.write(tmp_path / "c.json")
    assert Calibration.read(tmp_path / "c.json") == made
    (tmp_path / "d.json").write_text("[]")
    with pytest.raises(assay.ConfigurationError, match="--calibrate"):
        Calibration.read(tmp_path / "d.json")


def test_at_the_command_line(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"Name{n} is {n}.", "gold": {"name": f"Name{n}", "age": n}} for n in range(60)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "person.json").write_text(json.dumps(Person.model_json_schema()))

    def answer(request: Received) -> Steps:
        text = request.json["messages"][-1]["content"]
        number = int(text.split("Name")[1].split()[0])
        wrong = number % 3 == 0
        said = json.dumps({"name": f"Name{number}", "age": 1000 + number if wrong else number})
        return [response(body=told(said, 0.999, numbers=0.4 if wrong else 0.99))]

    with Server(answer) as server:
        arguments = ["--schema", str(tmp_path / "person.json"), "--base-url", server.base_url, "--model", "m", "-q"]
        ran = CliRunner().invoke(
            app, ["eval", str(tmp_path / "cases.jsonl"), *arguments, "--calibrate", str(tmp_path / "c.json")]
        )
    assert ran.exit_code == 0, ran.output
    learnt = Calibration.read(tmp_path / "c.json")
    assert (learnt.documents, learnt.values, learnt.promised, learnt.model) == (60, 120, 0.05, "m")
    assert 0.4**4 < learnt.threshold < 0.4**2, "all that is right, and nothing that is wrong"
    assert "accepted and wrong (promised: at most 5.0% on average)" in " ".join(ran.stderr.split())


# -- without probabilities: does it say the same again? ----------------------------------------------------------------------


def test_doubtful_values_are_asked_for_again_alone() -> None:
    answers = iter([{"name": "Zoe", "age": 36}, {"/name": "Ada"}, {"/name": "Zoe"}, {"/name": "Ada"}, {"/name": "Zoe"}, "no"])
    model = FakeModel(lambda _: answered if isinstance(answered := next(answers), str) else json.dumps(answered))
    with assay.Extractor(Person, model=model) as extractor:
        got = extractor.run("Ada is 36.")
        assert got.ungrounded == ("/name",)
        assert extractor.agreement("Ada is 36.", got) == {"/name": pytest.approx(0.4)}
    schema = model.asked[1].schema
    assert schema is not None
    assert list(schema["properties"]) == ["/name"]
    assert "Zoe" not in json.dumps(model.asked[1].messages), "it is not told what it said before"
    assert all(question.body["temperature"] > 0 for question in model.asked[1:])


def test_what_nobody_doubts_is_not_asked_for() -> None:
    model = FakeModel([{"items": [{"name": "Ada", "age": 36}]}])
    with assay.Extractor(list[Person], model=model) as extractor:
        assert extractor.agreement("Ada is 36.", extractor.run("Ada is 36.")) == {}
    assert len(model.asked) == 1


def test_paths_lead_into_the_bare_value() -> None:
    tries = iter([{"items": [{"name": "Ada", "age": 36}]}, {"/items/0/age": 36}, {"/items/0/age": 37}])
    model = FakeModel(lambda _: json.dumps(next(tries)))
    with assay.Extractor(list[Person], model=model) as extractor:
        got = extractor.run("Ada is 36.")
        assert extractor.agreement("Ada is 36.", got, paths=["/0/age"], samples=2) == {"/0/age": 0.5}
