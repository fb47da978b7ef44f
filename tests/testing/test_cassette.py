"""Cassettes and the pytest plugin, as a user's project has them: recorded from a server, played without one."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import assay
from assay.testing import CassetteMissError, cassette
from servers import Server, answer, completion, error, said

KEY = "a-key-that-nobody-may-see"


class Person(BaseModel):
    name: str
    age: int


ADA = '{"name": "Ada", "age": 36}'
TEXT = "Ada is 36."


def ask(url: str, text: str = TEXT, **options: object) -> assay.Outcome[Person]:
    with assay.Extractor(Person, model="m", base_url=url, api_key=KEY, max_retries=0, **options) as extractor:  # type: ignore[arg-type]
        return extractor.run(text)


def test_recorded_once_and_played_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ada.yaml"
    with Server(said(ADA)) as server:
        with cassette(path, "once"):
            first = ask(server.base_url)
        url, before = server.base_url, len(server.received)
    with cassette(path) as played:
        again = ask(url)
        assert played.unplayed == 0
    assert again.value == first.value == Person(name="Ada", age=36)
    assert again.usage == first.usage
    assert before == 1


def test_a_cassette_can_be_read_and_has_no_key(tmp_path: Path) -> None:
    path = tmp_path / "ada.yaml"
    with Server(said(json.dumps({"name": KEY, "age": 36}))) as server, cassette(path, "once"):
        ask(server.base_url)
    text = path.read_text()
    assert KEY not in text
    assert "authorization" not in text.lower()
    assert text.startswith("---\nrequest:\n  method: POST\n  path: /openai/v1/chat/completions\n  body: |")
    assert "127.0.0.1" not in text


def test_streams_failures_and_awaited_calls_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"

    def all_of(url: str) -> list[object]:
        with assay.Extractor(Person, model="m", base_url=url, max_retries=0, mode="text") as extractor:
            partials = [partial.value for partial in extractor.stream("stream")]
            return [partials, asyncio.run(extractor.arun("awaited")).value, type(extractor.run("fails").error)]

    refused = [answer(401, error("no", code="invalid_api_key"))]
    with Server(lambda request: refused if "fails" in request.body.decode() else said(ADA)(request)) as server:
        with cassette(path, "once"):
            recorded = all_of(server.base_url)
        url = server.base_url
    with cassette(path):
        assert all_of(url) == recorded
    assert recorded[2] is assay.AuthenticationError


def test_a_miss_names_the_nearest_and_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "ada.yaml"
    with Server(said(ADA)) as server:
        with cassette(path, "once"):
            ask(server.base_url)
            ask(server.base_url, "Something else entirely.")
        with cassette(path), pytest.raises(CassetteMissError) as missed:
            ask(server.base_url, "Ada is 37.")
        assert len(server.received) == 2, "a miss is not sent"
    assert "nearest is number 1" in str(missed.value)
    assert "/messages/1/content" in str(missed.value)
    assert "36" in str(missed.value)
    assert "37" in str(missed.value)


def test_each_recorded_answer_is_played_once(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    replies = iter(['{"name": "Ada", "age": 1}', '{"name": "Ada", "age": 2}'])
    with Server(lambda _: [completion(next(replies))]) as server:
        with cassette(path, "once"):
            ask(server.base_url)
            ask(server.base_url)
        with cassette(path):
            assert [ask(server.base_url).unwrap().age for _ in range(2)] == [1, 2]
            with pytest.raises(CassetteMissError, match="already been played"):
                ask(server.base_url)


@pytest.mark.parametrize(("record", "requests"), [("none", None), ("once", None), ("new", 1), ("all", 2)])
def test_what_is_recorded_over_a_cassette_that_is_there(record: str, requests: int | None, tmp_path: Path) -> None:
    path = tmp_path / "ada.yaml"
    with Server(said(ADA)) as server:
        with cassette(path, "once"):
            ask(server.base_url)
        before = len(server.received)
        with cassette(path, record):  # type: ignore[arg-type]
            assert ask(server.base_url).ok
            if requests is None:
                with pytest.raises(CassetteMissError):
                    ask(server.base_url, "new")
            else:
                assert ask(server.base_url, "new").ok
        assert len(server.received) - before == (requests or 0)


def test_a_broken_cassette_says_so(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("request: [1, 2\n")
    with pytest.raises(assay.ConfigurationError, match="is not a cassette"), cassette(path):
        pass


# -- the plugin --------------------------------------------------------------------------------------------------------

PIPELINE = '''
import assay
from pydantic import BaseModel

class Ticket(BaseModel):
    customer: str
    urgent: bool

def triage(texts, **options):
    """A user's pipeline: the urgent ones first, what failed apart."""
    with assay.Extractor(Ticket, **options) as extractor:
        outcomes = list(extractor.map(texts, concurrency=1))
    done = sorted((o.value for o in outcomes if o.ok), key=lambda ticket: not ticket.urgent)
    return done, [o.error for o in outcomes if not o.ok]
'''

TESTS = """
import pytest
import assay
from assay.testing import FakeModel, faults
from shop.pipeline import Ticket, triage

def test_with_a_cassette(cassette):
    done, failed = triage(["Ada: now!"], model="m", base_url=URL, max_retries=0)
    assert [ticket.customer for ticket in done] == ["Ada"]

@pytest.mark.cassette("shared.yaml")
def test_with_a_mark():
    assert triage(["Ada: now!"], model="m", base_url=URL, max_retries=0)[0]

def test_with_a_fake():
    model = FakeModel({"a": {"customer": "Bo", "urgent": False}, "b": {"customer": "Ada", "urgent": True}})
    done, failed = triage(["a", "b"], model=model)
    assert [ticket.customer for ticket in done] == ["Ada", "Bo"] and not failed

def test_on_a_bad_day():
    model = FakeModel(lambda text: {"customer": text, "urgent": True})
    with faults("reset(after=1, times=1)"):
        done, failed = triage(["a", "b", "c"], model=model, max_retries=0)
    assert len(done) == 2 and isinstance(failed[0], assay.APIConnectionError)

def test_nothing_goes_out():
    with pytest.raises(assay.testing.NetworkBlockedError, match="cassette"):
        triage(["a"], model="m", base_url=URL)

def test_no_model_runs_unmarked():
    with pytest.raises(assay.testing.NetworkBlockedError, match="assay_model"):
        triage(["a"], model="local/smollm2-135m")
"""


def project(pytester: pytest.Pytester, url: str) -> None:
    pytester.mkpydir("shop")
    (pytester.path / "shop" / "pipeline.py").write_text(PIPELINE)
    (pytester.path / "test_shop.py").write_text(f"URL = {url!r}\n{TESTS}")
    pytester.makeini("[pytest]\npythonpath = .\n")


def test_a_pipeline_of_a_user_is_tested_without_a_network(pytester: pytest.Pytester) -> None:
    with Server(said('{"customer": "Ada", "urgent": true}')) as server:
        project(pytester, server.base_url)
        recorded = pytester.runpytest_subprocess("--assay-record=once", "-p", "no:cacheprovider")
        recorded.assert_outcomes(passed=6)
        assert len(server.received) == 2, "only the two with a cassette"
    assert (pytester.path / "cassettes" / "test_shop" / "test_with_a_cassette.yaml").exists()
    assert (pytester.path / "shared.yaml").exists()
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=6)


def test_without_a_recording_the_miss_says_what_to_do(pytester: pytest.Pytester) -> None:
    project(pytester, "http://127.0.0.1:9/v1")
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "with_a_cassette")
    ran.assert_outcomes(failed=1)
    assert re.search(r"CassetteMissError.*--assay-record", ran.stdout.str(), re.DOTALL)


def test_the_door_can_be_opened(pytester: pytest.Pytester) -> None:
    with Server(said(ADA)) as server:
        pytester.makepyfile(
            f"""
            import assay, pytest
            def ask():
                return assay.extract(dict, "Ada", model="m", base_url={server.base_url!r}, max_retries=0)
            @pytest.mark.assay_network
            def test_marked(): ask()
            def test_unmarked(): ask()
            """
        )
        pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1, failed=1)
        pytester.makeini("[pytest]\nassay_network = loopback\n")
        pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_the_plugin_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_light():
            heavy = {"instructor", "openai", "httpx", "jsonschema", "yaml", "xllamacpp", "typer", "rich"}
            assert heavy & set(sys.modules) == set()
        """
    )
    pytester.makeini("[pytest]\nassay_network = any\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest").assert_outcomes(passed=1)
