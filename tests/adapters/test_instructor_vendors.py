"""Programs of Instructor's documentation for Anthropic and Gemini, one import changed, against servers that speak these protocols."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from assay.adapters import instructor
from assay.adapters.instructor import RetriesExhaustedError
from connect.test_wires import ANTHROPIC, GEMINI, anthropic, anthropic_events, gemini, sse
from servers import EVENT_STREAM, LAST_CHUNK, Server, answer, chunked, events

TEXT = "Extract: Jason is 25 years old."
JASON = {"name": "Jason", "age": 25}
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": TEXT}]


class User(BaseModel):
    name: str
    age: int


class Messages:
    """A client with `messages.create`, as Anthropic's package has it, whose answers are given."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.messages = SimpleNamespace(create=self._create)
        self._answers = list(answers)

    def _create(
        self, *, model: str, max_tokens: int, messages: Any, system: Any = None, extra_body: Any = None, **more: Any
    ) -> Any:
        self.asked.append({"model": model, "max_tokens": max_tokens, "messages": messages, "system": system, **more})
        said = self._answers.pop(0)
        return iter(said) if more.get("stream") else said


class Content:
    """A client with `models.generate_content`, as Google's package has it."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.models = SimpleNamespace(generate_content=self._create, generate_content_stream=self._stream)
        self._answers = list(answers)

    def _create(self, *, model: str, contents: Any, config: Any = None) -> Any:
        self.asked.append({"model": model, "contents": contents, "config": config})
        return self._answers.pop(0)

    def _stream(self, *, model: str, contents: Any, config: Any = None) -> Any:
        return iter(self._create(model=model, contents=contents, config=config))


def test_from_anthropic_over_a_client() -> None:
    theirs = Messages(anthropic(tool={"name": "Jason"}), anthropic(tool=JASON))
    client = instructor.from_anthropic(theirs, mode=instructor.Mode.ANTHROPIC_TOOLS)
    user, completion = client.create_with_completion(
        model="claude-3-5-haiku-latest", max_tokens=1024, system="Be exact.", messages=MESSAGES, response_model=User
    )
    assert user == User(name="Jason", age=25)
    assert completion["stop_reason"] == "end_turn"
    first, second = theirs.asked
    assert (first["model"], first["max_tokens"], first["tool_choice"]["name"]) == ("claude-3-5-haiku-latest", 1024, "User")
    assert "Be exact." in first["system"]
    assert "temperature" not in first
    assert '"assistant"' not in json.dumps(second["messages"])  # no tool call is replayed


def test_from_anthropic_streams() -> None:
    theirs = Messages(anthropic_events(json.dumps(JASON)))
    client = instructor.from_anthropic(theirs)
    *_, last = client.messages.create_partial(model="claude-x", max_tokens=99, messages=MESSAGES, response_model=User)
    assert last == User(name="Jason", age=25)


def test_from_genai_over_a_client() -> None:
    theirs = Content(gemini(json.dumps(JASON)), [gemini('{"name": "Jason",', finish=None), gemini(' "age": 25}')])
    client = instructor.from_genai(theirs, mode=instructor.Mode.GENAI_STRUCTURED_OUTPUTS)
    config = {"temperature": 0.5, "max_output_tokens": 77, "system_instruction": "Be exact."}
    user = client.chat.completions.create(model="gemini-2.5-flash", messages=MESSAGES, response_model=User, config=config)
    *_, last = client.create_partial(model="gemini-2.5-flash", messages=MESSAGES, response_model=User)
    assert user == last == User(name="Jason", age=25)
    asked = theirs.asked[0]
    assert asked["model"] == "gemini-2.5-flash"
    assert (asked["config"]["temperature"], asked["config"]["maxOutputTokens"]) == (0.5, 77)
    assert "Be exact." in json.dumps(asked["config"]["systemInstruction"])


def test_a_client_goes_into_extract_as_well() -> None:
    from assay import extract

    assert extract(User, TEXT, client=Messages(anthropic(json.dumps(JASON))), model="claude-x").age == 25
    assert extract(User, TEXT, client=Content(gemini(json.dumps(JASON))), model="gemini-2.5-flash").age == 25


@pytest.mark.parametrize(("model", "speaks"), [("anthropic/claude-x", ANTHROPIC), ("google/gemini-2.5-flash", GEMINI)])
def test_from_provider(model: str, speaks: Any) -> None:
    with speaks.server(json.dumps(JASON)) as server:
        client = instructor.from_provider(model, api_key="key-of-a-test", base_url=server.url)
        assert client.chat.completions.create(messages=MESSAGES, response_model=User) == User(name="Jason", age=25)
        other = client.create(model="other-model", messages=MESSAGES, response_model=User)
        awaited = instructor.from_provider(model, async_client=True, api_key="key-of-a-test", base_url=server.url)
        assert asyncio.run(awaited.create(messages=MESSAGES, response_model=User)) == other
    assert "other-model" in server.received[1].path + str(server.received[1].json.get("model"))


def test_attempts_run_out_in_instructors_own_way() -> None:
    theirs = Messages(*[anthropic("no json")] * 2)
    with pytest.raises(RetriesExhaustedError) as caught:
        instructor.from_anthropic(theirs).create(
            model="claude-x", max_tokens=9, messages=MESSAGES, response_model=User, max_retries=1
        )
    assert len(theirs.asked) == 2
    assert caught.value.last_completion["type"] == "message"


# -- the vendors' own packages -----------------------------------------------------------------------------------------

NAMED: dict[str, Any] = {"model": "claude-x", "max_tokens": 1024, "messages": MESSAGES, "response_model": User}


def test_the_anthropic_package() -> None:
    package = pytest.importorskip("anthropic")

    def steps(request: Any) -> Any:
        if request.json.get("stream"):
            return [EVENT_STREAM, chunked(sse(*anthropic_events(json.dumps(JASON)))), LAST_CHUNK]
        return [answer(200, anthropic(json.dumps(JASON), id="msg_1", stop_sequence=None), {"request-id": "req_1"})]

    async def awaited(url: str) -> Any:
        async with package.AsyncAnthropic(api_key="k", base_url=url) as theirs:
            return await instructor.from_anthropic(theirs).create(**NAMED)

    with Server(steps) as server, package.Anthropic(api_key="k", base_url=server.url) as theirs:
        client = instructor.from_anthropic(theirs)
        user = client.messages.create(**NAMED)
        *_, last = client.create_partial(**NAMED)
        assert user == last == asyncio.run(awaited(server.url)) == User(name="Jason", age=25)
    assert "output_config" in server.received[0].json


def test_the_anthropic_packages_errors_are_its_own() -> None:
    package = pytest.importorskip("anthropic")
    refusal = {"type": "error", "error": {"type": "authentication_error", "message": "no"}}
    with (
        Server([answer(401, refusal)]) as server,
        package.Anthropic(api_key="k", base_url=server.url, max_retries=0) as theirs,
        pytest.raises(package.AuthenticationError),
    ):
        instructor.from_anthropic(theirs).create(**NAMED)


def test_the_genai_package() -> None:
    package = pytest.importorskip("google.genai")

    def steps(request: Any) -> Any:
        if "streamGenerateContent" in request.path:
            pieces = events(gemini('{"name": "Jason",', finish=None), gemini(' "age": 25}'), done=False)
            return [EVENT_STREAM, chunked(pieces), LAST_CHUNK]
        return [answer(200, gemini(json.dumps(JASON)))]

    async def awaited(client: Any) -> Any:
        user = await instructor.from_genai(client, use_async=True).create(
            model="gemini-x", messages=MESSAGES, response_model=User
        )
        await client.aio.aclose()
        return user

    with Server(steps) as server:
        client = package.Client(api_key="k", http_options={"base_url": server.url})
        ours = instructor.from_genai(client)
        user = ours.create(model="gemini-2.5-flash", messages=MESSAGES, response_model=User)
        *_, last = ours.create_partial(model="gemini-2.5-flash", messages=MESSAGES, response_model=User)
        assert user == last == asyncio.run(awaited(client)) == User(name="Jason", age=25)
        client.close()
    assert "responseJsonSchema" in server.received[0].json["generationConfig"]
