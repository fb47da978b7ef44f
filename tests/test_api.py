"""The doors, over a real server on a real socket."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

import assay
from assay import Extractor
from assay.backends.limits import RateLimiter
from servers import Server, answer, completion, error


class Person(BaseModel):
    name: str
    age: int | None = None


ADA = '{"name": "Ada", "age": 36}'
TEXT = "Ada is 36."
KEY = "gsk_secret_key_that_nobody_may_see"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSAY_MODEL", "GROQ_API_KEY", "ASSAY_API_KEY", "OPENAI_API_KEY", "GROQ_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_extract_from_any_server_in_json_mode() -> None:
    with Server([completion(ADA)]) as server:
        person = assay.extract(Person, TEXT, model="m", base_url=server.base_url)
    assert person == Person(name="Ada", age=36)
    (request,) = server.received
    assert request.path == "/openai/v1/chat/completions"
    assert request.json["model"] == "m"
    assert request.json["response_format"] == {"type": "json_object"}
    assert request.json["temperature"] == 0
    assert "authorization" not in request.headers


def test_aextract_and_a_connection_kept() -> None:
    async def main(url: str) -> list[Person]:
        async with Extractor(Person, model="m", base_url=url) as extractor:
            return [await extractor.aextract(TEXT) for _ in range(3)]

    with Server([completion(ADA)]) as server:
        assert asyncio.run(main(server.base_url)) == [Person(name="Ada", age=36)] * 3
    assert {request.connection for request in server.received} == {0}


def test_the_body_is_the_same_from_call_to_call_up_to_the_document() -> None:
    with Server([completion(ADA)]) as server, Extractor(Person, model="m", base_url=server.base_url) as extractor:
        for text in ("one", "two"):
            extractor.extract(text)
    one, two = (request.body for request in server.received)
    at = one.index(b"<document>")
    assert one[:at] == two[:at]


def test_groq_takes_the_schema_strictly_and_the_key_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server([completion(ADA)]) as server:
        monkeypatch.setenv("GROQ_API_KEY", KEY)
        monkeypatch.setenv("GROQ_BASE_URL", server.url)  # without /openai/v1, as the groq SDK has it
        assert assay.extract(Person, TEXT).name == "Ada"
    (request,) = server.received
    assert request.headers["authorization"] == f"Bearer {KEY}"
    form = request.json["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"] is True
    assert form["json_schema"]["schema"]["required"] == ["name", "age"]
    assert "name" in request.json["messages"][0]["content"], "the schema is in the prompt in every mode"


@pytest.mark.parametrize(("mode", "key"), [("json", "response_format"), ("json_schema", "response_format"), ("tools", "tools")])
def test_a_mode_can_be_chosen(mode: str, key: str) -> None:
    reply = completion(ADA)
    if mode == "tools":
        call = {"id": "1", "type": "function", "function": {"name": "Person", "arguments": ADA}}
        reply = completion(None, message={"role": "assistant", "content": None, "tool_calls": [call]})
    with Server([reply]) as server:
        assert assay.extract(Person, TEXT, model="m", base_url=server.base_url, mode=mode).age == 36
    assert key in server.received[0].json


def test_text_mode_sends_no_constraint() -> None:
    with Server([completion(f"Here it is:\n```json\n{ADA}\n```")]) as server:
        outcome = Extractor(Person, model="m", base_url=server.base_url, mode="text").run(TEXT)
    assert outcome.unwrap().name == "Ada"
    assert [repair.kind for repair in outcome.repairs]
    assert not {"response_format", "tools"} & server.received[0].json.keys()


def test_json_validate_failed_is_read_or_asked_again() -> None:
    refused = error("Failed to generate JSON.", code="json_validate_failed", failed_generation="```json\n" + ADA + "\n```")
    with Server([answer(400, refused)]) as server:
        outcome = Extractor(Person, model="m", base_url=server.base_url).run(TEXT)
    assert outcome.unwrap().age == 36
    assert len(server.received) == 1
    prose = error("Failed to generate JSON.", code="json_validate_failed", failed_generation="Ada, I think?")
    with Server([answer(400, prose)], [completion(ADA)]) as server:
        outcome = Extractor(Person, model="m", base_url=server.base_url).run(TEXT)
    assert outcome.unwrap().age == 36
    assert len(server.received) == 2


def test_a_validation_error_is_asked_again_with_what_was_wrong() -> None:
    with Server([completion('{"name": "Ada", "age": "old"}')], [completion('{"/age": 36}')]) as server:
        outcome = Extractor(Person, model="m", base_url=server.base_url).run(TEXT)
    assert outcome.unwrap().age == 36
    assert outcome.usage.total_tokens == 30
    assert "/age" in server.received[1].json["messages"][-1]["content"]
    assert len(server.received[1].body) < len(server.received[0].body)


def test_a_refused_mode_is_remembered_for_the_server() -> None:
    def steps(request: Any) -> list[bytes]:
        if "response_format" in request.json:
            return [answer(400, error("response_format is not supported"))]
        return [completion(ADA)]

    with Server(steps) as server, Extractor(Person, model="m", base_url=server.base_url) as extractor:
        first, second = extractor.run(TEXT), extractor.run(TEXT)
    assert "stepped down" in first.notes[0]
    assert second.notes == ()
    assert len(server.received) == 3


class Color(Enum):
    RED = "red"


class Movie(TypedDict):
    title: str


@dataclass
class Point:
    x: int


TARGETS: list[tuple[Any, str, Any]] = [
    (list[Person], f'{{"items": [{ADA}]}}', [Person(name="Ada", age=36)]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (tuple[int, str], '{"items": [1, "a"]}', (1, "a")),
    (Literal["a", "b"], '{"value": "b"}', "b"),
    (Color, '{"value": "red"}', Color.RED),
    (int, '{"value": 3}', 3),
    (Person | Point, '{"value": {"x": 1}}', Point(1)),
    (Person | None, '{"value": null}', None),
    (Point, '{"x": 1}', Point(1)),
    (Movie, '{"title": "M"}', {"title": "M"}),
    (date, '{"value": "2024-03-05"}', date(2024, 3, 5)),
    (Decimal, '{"value": "1.50"}', Decimal("1.50")),
    ({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, '{"a": 1}', {"a": 1}),
]


@pytest.mark.parametrize(("type_", "reply", "value"), TARGETS, ids=lambda part: str(part)[:30])
def test_any_type(type_: Any, reply: str, value: Any) -> None:
    with Server([completion(reply)]) as server:
        got = assay.extract(type_, TEXT, model="m", base_url=server.base_url)
    assert got == value
    assert type(got) is type(value)


def test_a_schema_file(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"type": "object", "properties": {"when": {"type": "string", "format": "date"}}}))
    with Server([completion('{"when": "next week"}')], [completion('{"when": "2024-03-05"}')]) as server:
        outcome = Extractor(path, model="m", base_url=server.base_url).run(TEXT)
    assert outcome.value == {"when": "2024-03-05"}
    assert outcome.attempts[0].problems[0].path == "/when"


def test_decorated_and_extractable_models() -> None:
    with Server([completion(ADA)]) as server:

        @assay.extractable(model="m", base_url=server.base_url, instructions="Only real people.")
        class Decorated(BaseModel):
            name: str

        class Typed(assay.Extractable):
            name: str

        assert type(Decorated.extract(TEXT)) is Decorated  # type: ignore[attr-defined]
        assert type(assay.extract(Decorated, TEXT)) is Decorated
        assert type(asyncio.run(Decorated.aextract(TEXT))) is Decorated  # type: ignore[attr-defined]
        assert Typed.extract(TEXT, model="m", base_url=server.base_url).name == "Ada"
    assert "Only real people." in server.received[0].json["messages"][0]["content"]


def test_the_second_call_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server([completion(ADA)]) as server:
        extractor = Extractor(Person, model="m", base_url=server.base_url)
        assert Extractor(Person, model="m", base_url=server.base_url).target is extractor.target
        assay.extract(Person, TEXT, model="n", base_url=server.base_url)
        assay.extract(Person, TEXT, model="n", base_url=server.base_url)
    assert {request.connection for request in server.received} == {0}


def test_what_the_environment_says_is_read_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server([completion(ADA)]) as one, Server([completion(ADA)]) as two:
        for server, key in ((one, "first"), (two, "second")):
            monkeypatch.setenv("GROQ_BASE_URL", server.url)
            monkeypatch.setenv("GROQ_API_KEY", key)
            assay.extract(Person, TEXT)
            assert server.received[0].headers["authorization"] == f"Bearer {key}"


def test_examples_are_turns_and_checked_before_anything_is_sent() -> None:
    with Server([completion(ADA)]) as server:
        options: Any = {"model": "m", "base_url": server.base_url}
        assay.extract(Person, TEXT, examples=[("Bob, 7", Person(name="Bob", age=7))], **options)
        with pytest.raises(assay.ConfigurationError, match="age"):
            assay.extract(Person, TEXT, examples=[("Bob, 7", {"name": "Bob", "age": "x"})], **options)
    (request,) = server.received
    assert [message["role"] for message in request.json["messages"]] == ["system", "user", "assistant", "user"]
    assert json.loads(request.json["messages"][2]["content"]) == {"name": "Bob", "age": 7}


def test_chat_messages_as_the_source_stay_as_they_are() -> None:
    source = [{"role": "user", "content": [{"type": "text", "text": TEXT}]}]
    before = json.dumps(source)
    with Server([completion(ADA)]) as server:
        assay.extract(Person, source, model="m", base_url=server.base_url)
    assert server.received[0].json["messages"][1:] == source
    assert json.dumps(source) == before


def test_map_keeps_order_and_a_failed_row_is_an_outcome() -> None:
    def steps(request: Any) -> list[Any]:
        text = request.json["messages"][-1]["content"]
        number = int(text.split()[2])
        return [0.02 * (number % 3), completion("no" if number == 4 else json.dumps({"name": f"p{number}"}))]

    with Server(steps) as server, Extractor(Person, model="m", base_url=server.base_url, retries=0) as extractor:
        outcomes = list(extractor.map((f"person {i} there" for i in range(10)), concurrency=4))
    names = [outcome.value.name if outcome.value else None for outcome in outcomes]
    assert names == [f"p{i}" if i != 4 else None for i in range(10)]
    assert isinstance(outcomes[4].error, assay.ExtractionError)


def test_map_reads_no_further_ahead_than_it_works() -> None:
    taken: list[int] = []

    def sources() -> Any:
        for i in range(100):
            taken.append(i)
            yield "x"

    with Server([completion(ADA)]) as server, Extractor(Person, model="m", base_url=server.base_url) as extractor:
        results = extractor.map(sources(), concurrency=3)
        next(results)
        time.sleep(0.2)
        assert len(taken) < 20
        results.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "assay-map"]


def test_amap_takes_async_sources() -> None:
    async def sources() -> AsyncIterator[str]:
        for _ in range(3):
            yield TEXT

    async def main(url: str) -> list[Any]:
        async with Extractor(Person, model="m", base_url=url) as extractor:
            return [outcome.value async for outcome in extractor.amap(sources(), concurrency=2)]

    with Server([completion(ADA)]) as server:
        assert len(asyncio.run(main(server.base_url))) == 3


def test_threads_share_an_extractor() -> None:
    with Server([completion(ADA)]) as server, Extractor(Person, model="m", base_url=server.base_url) as extractor:
        got: list[Any] = []
        threads = [threading.Thread(target=lambda: got.append(extractor.extract(TEXT))) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [Person(name="Ada", age=36)] * 16


def test_an_httpx_client_of_the_users() -> None:
    with Server([completion(ADA)]) as server, httpx.Client(headers={"x-mine": "1"}) as client:
        assert assay.extract(Person, TEXT, model="m", base_url=server.base_url, client=client).name == "Ada"
    assert server.received[0].headers["x-mine"] == "1"


def test_an_extractor_travels_to_another_process() -> None:
    with Server([completion(ADA)]) as server:
        extractor = Extractor(Person, model="m", base_url=server.base_url, instructions="hm")
        copy = pickle.loads(pickle.dumps(extractor))
        assert copy.options == extractor.options
        assert copy.extract(TEXT).name == "Ada"


def test_outcomes_and_errors_pickle() -> None:
    with Server([completion("no")]) as server:
        outcome = Extractor(Person, model="m", base_url=server.base_url, retries=0).run(TEXT)
    copy = pickle.loads(pickle.dumps(outcome))
    assert str(copy.error) == str(outcome.error)
    assert copy.error.attempts == outcome.attempts


# -- bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "grok/x"}, "known provider"),
        ({"model": "groq/openai/gpt-oss-20b"}, "GROQ_API_KEY"),
        ({"model": "m", "base_url": "ftp://x"}, "http://"),
        ({"base_url": "http://127.0.0.1:1"}, "no model is given"),
        ({"model": "m", "base_url": "http://127.0.0.1:1", "mode": "xml"}, "mode"),
        ({"model": "m", "base_url": "http://127.0.0.1:1", "retries": -1}, "retries"),
        ({"model": "m", "base_url": "http://127.0.0.1:1", "timeout": 0}, "timeout"),
        ({"model": "m", "base_url": "http://127.0.0.1:1", "budget": 1.0}, "price"),
        ({"model": "local/nope"}, "nope"),
    ],
)
def test_wrong_settings_say_what_to_do(options: dict[str, Any], message: str) -> None:
    with pytest.raises(assay.ConfigurationError, match=message):
        Extractor(Person, **options)


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="did you mean 'temperature'"):
        assay.extract(Person, TEXT, temprature=0)  # type: ignore[call-overload]


def test_an_empty_source_is_an_error_before_any_request() -> None:
    with Server([completion(ADA)]) as server, pytest.raises(assay.ConfigurationError, match="empty"):
        assay.extract(Person, "  ", model="m", base_url=server.base_url)
    assert server.received == []


def test_a_type_without_a_schema_names_the_field() -> None:
    class Odd(BaseModel, arbitrary_types_allowed=True):
        lock: threading.Lock().__class__  # type: ignore[name-defined, misc, valid-type]

    with pytest.raises(assay.SchemaError, match="lock"):
        Extractor(Odd, model="m", base_url="http://127.0.0.1:1")


def test_a_server_that_is_not_there() -> None:
    with Server([completion(ADA)]) as server:
        url = server.base_url
    with pytest.raises(assay.APIConnectionError, match="127.0.0.1"):
        assay.extract(Person, TEXT, model="m", base_url=url, max_retries=0)


def test_the_key_is_shown_nowhere() -> None:
    with Server([answer(401, error(f"Incorrect API key provided: {KEY}", code="invalid_api_key"))]) as server:
        extractor = Extractor(Person, model="m", base_url=server.base_url, api_key=KEY)
        outcome = extractor.run(TEXT)
    assert isinstance(outcome.error, assay.AuthenticationError)
    for shown in (repr(extractor), repr(extractor.options), repr(outcome), str(outcome.error), repr(outcome.error)):
        assert KEY not in shown


@pytest.mark.parametrize("source", [None, float("nan"), 3, "", "  ", {}])
def test_a_source_that_is_none_is_a_failed_row_of_a_map(source: Any) -> None:
    reply = completion('{"name": "Ada", "age": 36}')
    with Server(lambda _: [reply]) as server, assay.Extractor(Person, model="m", base_url=server.base_url) as extractor:
        outcomes = list(extractor.map([TEXT, source, TEXT], concurrency=1))
    assert [outcome.ok for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1].error, assay.SourceError)
    assert len(server.received) == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"api_key": "a-key-that-is-none"}, "api_key"),
        ({"limiter": RateLimiter(rpm=3)}, "RateLimiter"),
        ({"client": assay.Groq(api_key="a-key-that-is-none")}, "Groq"),
    ],
)
def test_what_may_not_travel_says_so_by_name(given: Any, says: str) -> None:
    extractor = assay.Extractor(
        Person, model="m", **({"base_url": "http://127.0.0.1:9"} if "client" not in given else {}), **given
    )
    with pytest.raises(assay.ConfigurationError, match=says) as refused:
        pickle.dumps(extractor)
    assert "a-key-that-is-none" not in str(refused.value)
