"""The Instructor adapter beyond Instructor's own promises; and assay's client under the installed Instructor."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal
from unittest.mock import AsyncMock, MagicMock

import openai
import pytest
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException, TokenBudgetExceeded
from instructor.v2.validation import async_field_validator
from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

import assay
import groq
from assay.adapters import instructor
from servers import EVENT_STREAM, LAST_CHUNK, Received, Server, Steps, answer, chunked, completion, delta, error, events


class User(BaseModel):
    name: str
    age: int = Field(gt=0)


JASON = '{"name": "Jason", "age": 25}'
SAID: Any = [{"role": "user", "content": "Extract Jason is 25 years old."}]


OPEN: list[Any] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def over_openai(server: Server, mode: Any = None) -> Any:
    OPEN.append(openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0))
    return instructor.from_openai(OPEN[-1], mode=mode)


def over_groq(server: Server, mode: Any = None) -> Any:
    OPEN.append(groq.Groq(api_key="gsk_k", base_url=server.url, max_retries=0))
    return instructor.from_groq(OPEN[-1], mode=mode)


def over_assay(server: Server, mode: Any = None) -> Any:
    OPEN.append(assay.Groq(api_key="gsk_k", base_url=server.url, max_retries=0))
    return instructor.from_groq(OPEN[-1], mode=mode)


def create(client: Any, response_model: Any = User, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "m", "messages": SAID, **options}, response_model=response_model)


# -- what comes back -----------------------------------------------------------------------------------------------------


@dataclass
class Point:
    x: int
    y: int


class Dog(BaseModel):
    bark: str


@pytest.mark.parametrize(
    ("target", "reply", "value"),
    [
        (User, JASON, User(name="Jason", age=25)),
        (int | str, '{"value": 3}', 3),
        (User | Dog, '{"value": {"bark": "wau"}}', Dog(bark="wau")),
        (User | None, '{"value": null}', None),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (tuple[int, str], '{"items": [1, "a"]}', (1, "a")),
        (list[User], json.dumps({"items": [json.loads(JASON)]}), [User(name="Jason", age=25)]),
        (Iterable[int], '{"items": [1, 2]}', [1, 2]),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (Literal["a", "b"], '{"value": "b"}', "b"),
        (User, f"```json\n{JASON}\n```", User(name="Jason", age=25)),
        (User, '<think>hm</think>{"name": "Jason", "age": "25",}', User(name="Jason", age=25)),
    ],
)
def test_any_type_comes_back_exactly_as_it_is(target: Any, reply: str, value: Any) -> None:
    with Server([completion(reply)]) as server:
        got, whole = over_openai(server).create_with_completion(messages=SAID, response_model=target, model="m")
    assert got == value
    assert type(got) is type(value)
    assert whole.choices[0].message.content == reply
    assert len(server.received) == 1


def test_messages_are_not_changed() -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "I am {{ name }}"}]}]
    before = copy.deepcopy(messages)
    with Server([completion("{}")], [completion(JASON)]) as server:
        create(over_openai(server), messages=messages, context={"name": "Jason"})
    assert messages == before


def test_a_template_keeps_what_its_context_does_not_name() -> None:
    with Server([completion(JASON)]) as server:
        create(over_openai(server), messages=[{"role": "user", "content": "{{ a }} and {{ b }}"}], context={"a": 1})
    assert "1 and {{ b }}" in json.dumps(server.received[0].json["messages"])


def test_a_target_is_compiled_once() -> None:
    built = 0

    class Counted(User):
        @classmethod
        def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
            nonlocal built
            built += 1
            return handler(core)

    with Server([completion(JASON)]) as server:
        client = over_openai(server)
        create(client, Counted)
        first = built
        for _ in range(3):
            create(client, Counted)
    assert first
    assert built == first


# -- failures --------------------------------------------------------------------------------------------------------------


def test_a_rejected_generation_is_asked_again() -> None:
    refused = error("Failed to generate JSON.", code="json_validate_failed", failed_generation='{"name": "Jason"}')
    with Server([answer(400, refused)], [completion(JASON)]) as server:
        user, _ = over_groq(server).create_with_completion(messages=SAID, response_model=User, model="m", max_retries=1)
    assert user.age == 25
    assert len(server.received) == 2


def test_a_rejected_generation_that_is_right_needs_no_second_request() -> None:
    refused = error("Failed to generate JSON.", code="json_validate_failed", failed_generation=f"```json\n{JASON}\n```")
    with Server([answer(400, refused)]) as server:
        assert create(over_groq(server)).age == 25
    assert len(server.received) == 1


def test_usage_is_counted_over_all_attempts_on_groq() -> None:
    heard = []
    with Server([completion("{}")], [completion(JASON)]) as server:
        client = over_groq(server)
        client.on("completion:usage", lambda usage: heard.append(usage.total_tokens))
        assert create(client)._total_usage.total_tokens == 30
    assert heard == [15, 30]


@pytest.mark.parametrize(
    ("status", "kind", "ours"),
    [
        (429, "RateLimitError", assay.RateLimitError),
        (401, "AuthenticationError", assay.AuthenticationError),
        (500, "InternalServerError", assay.InternalServerError),
    ],
)
def test_a_servers_errors_keep_the_type_that_the_client_gives_them(status: int, kind: str, ours: type[Exception]) -> None:
    heard: list[Exception] = []
    with Server([answer(status, error("no"))]) as server:
        with pytest.raises(getattr(groq, kind)):
            create(over_groq(server))
        client = over_openai(server)
        client.on("completion:error", heard.append)
        with pytest.raises(getattr(openai, kind)):
            create(client)
        with pytest.raises(ours):
            create(over_assay(server))
        assert len(server.received) == 3
    assert type(heard[0]) is getattr(openai, kind)


def test_a_failure_is_both_libraries_and_can_be_pickled() -> None:
    with Server([completion('{"name": "Jason", "age": -1}')]) as server, pytest.raises(InstructorRetryException) as caught:
        create(over_openai(server), max_retries=1)
    failure = caught.value
    assert isinstance(failure, assay.ExtractionError)
    assert failure.problems[0].path == "/age"
    again = pickle.loads(pickle.dumps(failure))
    assert type(again) is type(failure)
    assert (again.n_attempts, again.total_usage.total_tokens, str(again)) == (2, 30, str(failure))
    assert isinstance(again.failed_attempts[1].exception, ValidationError)
    assert again.last_completion.choices[0].message.content == '{"name": "Jason", "age": -1}'
    assert len(str(failure)) < 600


def test_an_answer_that_stays_cut_off_is_said_to_be() -> None:
    with Server([completion('{"name": "Ja', finish_reason="length")]) as server:
        with pytest.raises(IncompleteOutputException) as caught:
            create(over_openai(server), max_retries=1)
        assert isinstance(caught.value, InstructorRetryException)
        assert len(server.received) == 2


def test_a_token_budget_ends_the_attempts() -> None:
    with Server([completion("{}")]) as server:
        with pytest.raises(TokenBudgetExceeded) as caught:
            create(over_openai(server), max_retries=9, token_budget=30)
        assert len(server.received) == 2
    assert caught.value.budget == 30
    assert pickle.loads(pickle.dumps(caught.value)).budget == 30


def test_a_tenacity_rule_sees_the_validation_error() -> None:
    rule = Retrying(stop=stop_after_attempt(5), retry=retry_if_exception_type(ValidationError))
    with Server([completion("{}")], [completion(JASON)]) as server:
        assert create(over_openai(server), max_retries=rule).age == 25
    never = Retrying(stop=stop_after_attempt(5), retry=retry_if_exception_type(KeyError))
    with Server([completion("{}")]) as server:
        with pytest.raises(InstructorRetryException):
            create(over_openai(server), max_retries=never)
        assert len(server.received) == 1


def test_hooks_of_a_failure() -> None:
    heard: list[Any] = []
    with Server([completion("{}")]) as server:
        client = over_openai(server)
        client.on(
            "parse:error",
            lambda _, *, attempt_number, max_attempts, is_last_attempt: heard.append(
                (attempt_number, max_attempts, is_last_attempt)
            ),
        )
        client.on("completion:last_attempt", lambda failure: heard.append(type(failure).__name__))
        with pytest.raises(InstructorRetryException):
            create(client, max_retries=1)
    assert heard == [(1, 2, False), (2, 2, True), "ValidationError"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_retries": "3"}, "max_retries"),
        ({"context": {}, "validation_context": {}}, "mean the same"),
        ({"cache": object()}, "no cache"),
    ],
)
def test_wrong_options_are_refused_before_any_request(options: dict[str, Any], said: str) -> None:
    with Server([completion(JASON)]) as server:
        with pytest.raises(assay.ConfigurationError, match=said):
            create(over_openai(server), **options)
        assert server.received == []


# -- what programs for Instructor count on -----------------------------------------------------------------------------


def test_the_completions_usage_is_that_of_all_attempts() -> None:
    with Server([completion('{"name": "Jason"}')], [completion(JASON)]) as server:
        user, whole = over_openai(server).create_with_completion(model="m", response_model=User, messages=SAID)
    assert user.age == 25
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens, whole.usage.total_tokens) == (20, 10, 30)
    assert user._raw_response.usage.total_tokens == 30


def test_async_validators_are_refused_and_not_passed_over() -> None:
    class Checked(BaseModel):
        name: str

        @async_field_validator("name")
        async def known(self, value: str) -> str:
            raise ValueError("never")

    with Server([completion(JASON)]) as server:
        for model in (Checked, list[Checked], Checked | None):
            with pytest.raises(assay.ConfigurationError, match="async validators"):
                create(over_openai(server), response_model=model)
        assert server.received == []


def mock(text: str) -> MagicMock:
    client = MagicMock()
    answer = client.chat.completions.create.return_value
    answer.choices[0].message.content = text
    return client


@pytest.mark.parametrize("make", [instructor.from_openai, instructor.from_groq, instructor.patch])
def test_mocks_of_users_unit_tests_are_clients(make: Any) -> None:
    client = mock(JASON)
    user = make(client).chat.completions.create(model="m", response_model=User, messages=SAID)
    assert user == User(name="Jason", age=25)


def test_mocks_that_are_awaited_and_mocks_of_a_list_of_choices() -> None:
    client = MagicMock()
    answer = SimpleNamespace(message=MagicMock(content=JASON, tool_calls=None), finish_reason="stop")
    client.chat.completions.create = AsyncMock(return_value=MagicMock(choices=[answer]))
    ask = instructor.from_openai(client).create(model="m", response_model=User, messages=SAID)
    assert asyncio.run(ask) == User(name="Jason", age=25)
    assert assay.extract(User, "Jason is 25", client=mock(JASON), model="m").age == 25


def test_a_rule_of_tenacity_is_told_before_each_attempt() -> None:
    told: list[int] = []
    rule = Retrying(stop=stop_after_attempt(3), before=lambda state: told.append(state.attempt_number))
    with Server([completion("{}")], [completion(JASON)]) as server:
        create(over_openai(server), max_retries=rule)
    assert told == [1, 2]


class Shouted(BaseModel):
    name: str
    age: int

    @field_validator("name")
    @classmethod
    def loud(cls, value: str) -> str:
        if not value.isupper():
            raise ValueError("a name is shouted")
        return value

    @field_validator("age")
    @classmethod
    def grown(cls, value: int) -> int:
        if value < 18:
            raise PydanticCustomError("too_young", "only {least} and older", {"least": 18})
        return value


def test_what_validators_say_keeps_its_type_and_words() -> None:
    with Server([completion('{"name": "Jason", "age": 7}')]) as server, pytest.raises(InstructorRetryException) as raised:
        create(over_openai(server), response_model=Shouted, max_retries=0)
    (failed,) = raised.value.failed_attempts
    said = {error["loc"]: (error["type"], error["msg"]) for error in failed.exception.errors()}
    assert said == {
        ("name",): ("value_error", "Value error, a name is shouted"),
        ("age",): ("too_young", "only 18 and older"),
    }
    assert isinstance(failed.exception.errors()[0]["ctx"]["error"], ValueError)


def test_a_validator_that_complains_again_and_again_is_not_the_modes_fault() -> None:
    with Server([completion('{"name": "Jason", "age": 25}')]) as server, pytest.raises(InstructorRetryException):
        create(over_openai(server), response_model=Shouted, max_retries=4)
    assert all("response_format" in request.json for request in server.received)
    assert len(server.received) == 5


def test_unfinished_texts_are_shown_by_default() -> None:
    pieces = ['{"name": "Ja', "so", 'n", "age": 2', "5}"]
    steps = [EVENT_STREAM, *[chunked(events(delta(piece), done=False)) for piece in pieces]]
    steps += [chunked(events(delta(finish_reason="stop"))), LAST_CHUNK]
    with Server(steps) as server:
        seen = list(over_openai(server).create_partial(model="m", response_model=User, messages=SAID))
    assert [user.name for user in seen][:2] == ["Ja", "Jaso"]
    assert seen[-1] == User(name="Jason", age=25)


# -- streams ---------------------------------------------------------------------------------------------------------------


class Gate:
    """An answer whose second half is sent only when its reader has opened the gate, having seen the first."""

    def __init__(self, text: str, cut: int) -> None:
        self.opened = threading.Event()
        self.in_time = False
        self.steps: Steps = [
            EVENT_STREAM,
            chunked(events(delta(text[:cut]), done=False)),
            lambda _: setattr(self, "in_time", self.opened.wait(5)),
            chunked(events(delta(text[cut:]), delta(finish_reason="stop"))),
            LAST_CHUNK,
        ]


@pytest.mark.parametrize("over", [over_openai, over_groq, over_assay])
def test_partial_values_and_items_are_there_while_the_answer_comes(over: Any) -> None:
    gate = Gate(JASON, 20)
    with Server(gate.steps) as server:
        users = over(server).chat.completions.create_partial(model="m", response_model=User, messages=SAID)
        assert next(users).name == "Jason"
        gate.opened.set()
        assert list(users)[-1] == User(name="Jason", age=25)
    assert gate.in_time
    gate = Gate('{"items": [1, 2, 3]}', 14)
    with Server(gate.steps) as server:
        numbers = over(server).create_iterable(model="m", response_model=int, messages=SAID)
        assert next(numbers) == 1
        gate.opened.set()
        assert list(numbers) == [2, 3]
    assert gate.in_time


def test_partial_values_are_there_while_the_answer_comes_awaited() -> None:
    gate = Gate(JASON, 20)

    async def main(url: str) -> list[Any]:
        async with openai.AsyncOpenAI(api_key="k", base_url=url) as inner:
            users = instructor.from_openai(inner).create_partial(model="m", response_model=User, messages=SAID)
            first = await anext(users)
            gate.opened.set()
            return [first.name, *[user async for user in users]]

    with Server(gate.steps) as server:
        seen = asyncio.run(main(server.base_url))
    assert gate.in_time
    assert seen[0] == "Jason"
    assert seen[-1] == User(name="Jason", age=25)


def test_a_stream_that_ends_badly_raises_as_a_call_does() -> None:
    steps = [EVENT_STREAM, chunked(events(delta('{"name": "Jason", "age": 0}'), delta(finish_reason="stop"))), LAST_CHUNK]
    with Server(steps) as server, pytest.raises(InstructorRetryException) as caught:
        list(over_openai(server).create_partial(model="m", response_model=User, messages=SAID, max_retries=1))
    assert caught.value.n_attempts == 2


# -- clients ---------------------------------------------------------------------------------------------------------------


def test_any_look_alike_will_do() -> None:
    def ask(**kwargs: Any) -> Any:
        asked.append(kwargs)
        return {"choices": [{"message": {"role": "assistant", "content": JASON}, "finish_reason": "stop"}]}

    asked: list[Any] = []
    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=ask)))
    assert create(instructor.from_openai(client), top_p=0.5).age == 25
    assert asked[0]["top_p"] == 0.5
    assert create(instructor.from_litellm(ask)).age == 25
    assert instructor.patch(create=ask)(response_model=User, messages=SAID, model="m").age == 25
    assert instructor.patch(client).chat.completions.create(response_model=User, messages=SAID, model="m").age == 25


def test_a_model_by_its_name_needs_no_vendors_package() -> None:
    heard = []
    with Server([completion(JASON)]) as server:
        client = instructor.from_provider("openai/gpt-4o-mini", api_key="k", base_url=server.base_url)
        client.on("completion:response", lambda whole: heard.append(whole.usage.total_tokens))
        user, whole = client.create_with_completion(messages=SAID, response_model=User)
    assert user.age == 25
    assert whole.choices[0].message.content == JASON
    assert heard == [15]
    assert server.received[0].json["model"] == "gpt-4o-mini"


def test_a_model_by_its_name_awaited() -> None:
    async def main(url: str) -> Any:
        client = instructor.from_provider("openai/gpt-4o-mini", async_client=True, api_key="k", base_url=url)
        return await client.create(messages=SAID, response_model=User)

    with Server([completion(JASON)]) as server:
        assert asyncio.run(main(server.base_url)).age == 25


def test_our_own_clients_will_do() -> None:
    async def main(url: str) -> list[Any]:
        async with assay.AsyncGroq(api_key="gsk_k", base_url=url, max_retries=0) as inner:
            client = instructor.from_groq(inner)
            user = await client.create(model="m", response_model=User, messages=SAID)
            _, whole = await client.create_with_completion(model="m", response_model=User, messages=SAID)
            return [user.age, whole.usage.total_tokens]

    with Server([completion(JASON)]) as server:
        assert create(over_assay(server)).age == 25
        assert create(instructor.patch(over_assay(server).client)).age == 25
        assert asyncio.run(main(server.url)) == [25, 15]


def test_an_instructor_is_one() -> None:
    import instructor as installed

    with Server([completion(JASON)]) as server:
        assert isinstance(over_openai(server), installed.Instructor)
        assert isinstance(over_openai(server), instructor.Instructor)
    assert instructor.Maybe is installed.Maybe


# -- our client under the installed Instructor ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["JSON", "TOOLS"])
def test_our_client_works_under_the_installed_instructor(mode: str) -> None:
    import instructor as installed

    def steps(request: Received) -> Steps:
        if "tools" not in request.json:
            return [completion(JASON)]
        call = {"id": "1", "type": "function", "function": {"name": "User", "arguments": JASON}}
        return [completion(None, message={"role": "assistant", "content": None, "tool_calls": [call]})]

    with Server(steps) as server:
        with assay.Groq(api_key="gsk_k", base_url=server.url) as inner:
            client = installed.patch(inner, mode=installed.Mode[mode])
            user = client.chat.completions.create(model="m", response_model=User, messages=SAID)
            assert user.age == 25
            assert user._raw_response.usage.total_tokens == 15

        async def main() -> Any:
            async with assay.AsyncGroq(api_key="gsk_k", base_url=server.url) as inner:
                client = installed.patch(inner, mode=installed.Mode[mode])
                return await client.chat.completions.create(model="m", response_model=User, messages=SAID)

        assert asyncio.run(main()).age == 25


# -- the embedded model ------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_programs_run_on_the_embedded_model() -> None:
    pytest.importorskip("xllamacpp")

    class City(BaseModel):
        name: str
        country: str

    client = instructor.from_provider("local/smollm2-135m", temperature=0)
    said = [{"role": "user", "content": "Paris is the capital of France."}]
    city, whole = client.create_with_completion(messages=said, response_model=City, max_tokens=60)
    assert type(city) is City
    assert whole.usage.total_tokens > 0
    *partials, last = client.create_partial(messages=said, response_model=City, max_tokens=60)
    assert last == city
    assert partials[0].country is None
