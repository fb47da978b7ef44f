"""Programs as Instructor's documentation teaches them: the same text under the installed Instructor and under assay's adapter.

Each runs twice, with `instructor` bound to either module, so what passes here is a program that works with one changed import.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from tenacity import Retrying, stop_after_attempt, wait_fixed

from servers import Received, Server, Steps, completion, streamed

Replies = Callable[..., Server]


@pytest.fixture(params=["instructor", "assay.adapters.instructor"])
def instructor(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module(request.param)


@pytest.fixture
def serve() -> Iterator[Replies]:
    """A server that gives these texts in turn, the last for ever; streamed to who asks for a stream."""
    servers: list[Server] = []

    def start(*texts: str) -> Server:
        def steps(request: Received) -> Steps:
            text = texts[min(len(server.received), len(texts)) - 1]
            return streamed(text) if request.json.get("stream") else [completion(text)]

        server = Server(steps)
        servers.append(server.__enter__())
        return server

    yield start
    for server in servers:
        server.__exit__(None, None, None)


OPEN: list[OpenAI] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def openai_client(server: Server) -> OpenAI:
    OPEN.append(OpenAI(api_key="k", base_url=server.base_url, max_retries=0))
    return OPEN[-1]


class User(BaseModel):
    name: str
    age: int


JASON = '{"name": "Jason", "age": 25}'
SAID: Any = [{"role": "user", "content": "Extract Jason is 25 years old."}]


def test_simple(instructor: Any, serve: Replies) -> None:
    client = instructor.from_openai(openai_client(serve(JASON)), mode=instructor.Mode.JSON)
    user = client.chat.completions.create(model="gpt-4o-mini", response_model=User, messages=SAID)
    assert isinstance(user, User)
    assert (user.name, user.age) == ("Jason", 25)


def test_defaults_and_the_short_way(instructor: Any, serve: Replies) -> None:
    server = serve(JASON)
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON, model="gpt-4o-mini", temperature=0.5)
    assert client.create(response_model=User, messages=SAID).age == 25
    assert server.received[0].json["model"] == "gpt-4o-mini"
    assert server.received[0].json["temperature"] == 0.5


def test_patch(instructor: Any, serve: Replies) -> None:
    client = instructor.patch(openai_client(serve(JASON)), mode=instructor.Mode.JSON)
    assert client.chat.completions.create(model="m", response_model=User, messages=SAID).age == 25
    plain = client.chat.completions.create(model="m", messages=SAID)
    assert plain.choices[0].message.content == JASON


def test_retry_with_a_validator(instructor: Any, serve: Replies) -> None:
    class Person(User):
        @field_validator("name")
        @classmethod
        def upper(cls, value: str) -> str:
            if value != value.upper():
                raise ValueError("Name must be uppercase")
            return value

    server = serve(JASON, JASON.replace("Jason", "JASON"))
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    assert client.chat.completions.create(model="m", response_model=Person, max_retries=2, messages=SAID).name == "JASON"
    assert len(server.received) == 2
    assert "Name must be uppercase" in json.dumps(server.received[1].json["messages"])


def test_retries_are_counted_after_the_first_attempt(instructor: Any, serve: Replies) -> None:
    server = serve('{"name": "Jason", "age": "old"}')
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    from instructor.core.exceptions import InstructorRetryException

    with pytest.raises(InstructorRetryException) as caught:
        client.chat.completions.create(model="m", response_model=User, max_retries=2, messages=SAID)
    error = caught.value
    assert len(server.received) == 3
    assert error.n_attempts == 3
    assert [attempt.attempt_number for attempt in error.failed_attempts] == [1, 2, 3]
    assert error.failed_attempts[0].completion.choices[0].message.content == '{"name": "Jason", "age": "old"}'
    assert error.failed_attempts[0].exception.errors()[0]["loc"] == ("age",)
    assert error.last_completion.choices[0].message.content.startswith('{"name"')
    assert error.total_usage.total_tokens == 45
    assert error.create_kwargs["model"] == "m"


def test_retries_by_tenacity(instructor: Any, serve: Replies) -> None:
    from instructor.core.exceptions import InstructorRetryException

    server = serve("{}")
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    with pytest.raises(InstructorRetryException):
        client.chat.completions.create(
            model="m",
            response_model=User,
            max_retries=Retrying(stop=stop_after_attempt(2), wait=wait_fixed(0.01)),
            messages=SAID,
        )
    assert len(server.received) == 2


def test_a_context_fills_templates_and_reaches_validators(instructor: Any, serve: Replies) -> None:
    class Quote(BaseModel):
        quote: str

        @field_validator("quote")
        @classmethod
        def in_source(cls, value: str, info: ValidationInfo) -> str:
            if info.context and value not in info.context["document"]:
                raise ValueError("not in the document")
            return value

    server = serve('{"quote": "The sky is blue"}')
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    quote = client.chat.completions.create(
        model="m",
        response_model=Quote,
        messages=[{"role": "user", "content": "Quote from: {{ document }}"}],
        context={"document": "The sky is blue today."},
    )
    assert quote.quote == "The sky is blue"
    assert "Quote from: The sky is blue today." in json.dumps(server.received[0].json["messages"])


def test_maybe(instructor: Any, serve: Replies) -> None:
    client = instructor.from_openai(
        openai_client(serve('{"result": null, "error": true, "message": "no user in the text"}')), mode=instructor.Mode.JSON
    )
    maybe = client.chat.completions.create(model="m", response_model=instructor.Maybe(User), messages=SAID)
    assert not maybe
    assert maybe.message == "no user in the text"


def test_partial(instructor: Any, serve: Replies) -> None:
    client = instructor.from_openai(openai_client(serve(JASON)), mode=instructor.Mode.JSON)
    users = list(client.chat.completions.create_partial(model="m", response_model=User, messages=SAID))
    assert users[0].age is None
    assert users[-1].name == "Jason"
    assert users[-1].age == 25
    users = list(client.chat.completions.create(model="m", response_model=instructor.Partial[User], stream=True, messages=SAID))
    assert users[-1].age == 25


def test_iterable(instructor: Any, serve: Replies) -> None:
    key = "tasks" if instructor.__name__ == "instructor" else "items"
    server = serve(json.dumps({key: [json.loads(JASON), {"name": "Sarah", "age": 30}]}))
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    users = client.chat.completions.create(model="m", response_model=Iterable[User], messages=SAID)
    assert [user.name for user in users] == ["Jason", "Sarah"]
    users = client.chat.completions.create(model="m", response_model=Iterable[User], stream=True, messages=SAID)
    assert [user.name for user in users] == ["Jason", "Sarah"]
    users = client.chat.completions.create_iterable(model="m", response_model=User, messages=SAID)
    assert [(type(user).__name__, user.age) for user in users] == [("User", 25), ("User", 30)]


def test_classification_with_literals(instructor: Any, serve: Replies) -> None:
    class Label(BaseModel):
        label: Literal["spam", "ham"] = Field(description="The class of the text")

    client = instructor.from_openai(openai_client(serve('{"label": "spam"}')), mode=instructor.Mode.JSON)
    assert client.chat.completions.create(model="m", response_model=Label, messages=SAID).label == "spam"


def test_create_with_completion(instructor: Any, serve: Replies) -> None:
    client = instructor.from_openai(openai_client(serve(JASON)), mode=instructor.Mode.JSON)
    user, whole = client.chat.completions.create_with_completion(model="m", response_model=User, messages=SAID)
    assert user.age == 25
    assert whole.usage.total_tokens == 15
    assert whole.choices[0].message.content == JASON
    assert user._raw_response is whole


def test_hooks(instructor: Any, serve: Replies) -> None:
    heard: list[Any] = []
    client = instructor.from_openai(openai_client(serve("{}", JASON)), mode=instructor.Mode.JSON)
    client.on("completion:kwargs", lambda *_, **kwargs: heard.append(("kwargs", kwargs["model"])))
    client.on("completion:response", lambda response: heard.append(("response", response.usage.total_tokens)))
    client.on("completion:usage", lambda usage: heard.append(("usage", usage.total_tokens)))
    client.on("parse:error", lambda error: heard.append(("parse", type(error).__name__)))
    client.chat.completions.create(model="m", response_model=User, messages=SAID)
    assert [name for name, _ in heard] == ["kwargs", "response", "usage", "parse", "kwargs", "response", "usage"]
    assert ("kwargs", "m") in heard
    assert ("parse", "ValidationError") in heard
    assert heard[-1] == ("usage", 30)
    heard.clear()
    client.clear()
    client.chat.completions.create(model="m", response_model=User, messages=SAID)
    assert heard == []


def test_hooks_of_one_call_and_taking_one_off(instructor: Any, serve: Replies) -> None:
    from instructor.core.hooks import Hooks

    heard: list[str] = []

    def listen(*_: Any, **__: Any) -> None:
        heard.append("client")

    hooks = Hooks()
    hooks.on("completion:kwargs", lambda *_, **__: heard.append("call"))
    client = instructor.from_openai(openai_client(serve(JASON)), mode=instructor.Mode.JSON)
    client.on("completion:kwargs", listen)
    client.chat.completions.create(model="m", response_model=User, messages=SAID, hooks=hooks)
    client.off("completion:kwargs", listen)
    client.chat.completions.create(model="m", response_model=User, messages=SAID)
    assert heard == ["client", "call"]


def test_async(instructor: Any, serve: Replies) -> None:
    server = serve(JASON)

    async def main() -> list[Any]:
        async with AsyncOpenAI(api_key="k", base_url=server.base_url) as inner:
            client = instructor.from_openai(inner, mode=instructor.Mode.JSON)
            users = await asyncio.gather(
                *(client.chat.completions.create(model="m", response_model=User, messages=SAID) for _ in range(3))
            )
            partials = [
                user async for user in client.chat.completions.create_partial(model="m", response_model=User, messages=SAID)
            ]
            return [*users, partials[-1]]

    assert [user.age for user in asyncio.run(main())] == [25] * 4


def test_async_iterable(instructor: Any, serve: Replies) -> None:
    key = "tasks" if instructor.__name__ == "instructor" else "items"
    server = serve(json.dumps({key: [json.loads(JASON)]}))

    async def main() -> list[Any]:
        async with AsyncOpenAI(api_key="k", base_url=server.base_url) as inner:
            client = instructor.from_openai(inner, mode=instructor.Mode.JSON)
            users = await client.chat.completions.create(model="m", response_model=Iterable[User], stream=True, messages=SAID)
            return [user async for user in users]

    assert [user.age for user in asyncio.run(main())] == [25]


def test_llm_validator(instructor: Any, serve: Replies) -> None:
    verdict = '{"is_valid": false, "reason": "That is evil", "fixed_value": null}'
    client = instructor.from_openai(openai_client(serve(verdict)), mode=instructor.Mode.JSON)

    class Answer(BaseModel):
        answer: Annotated[str, AfterValidator(instructor.llm_validator("don't say objectionable things", client=client))]

    with pytest.raises(ValueError, match="That is evil"):
        Answer(answer="The meaning of life is to be evil and steal")


def test_citations(instructor: Any, serve: Replies) -> None:
    class Fact(instructor.CitationMixin):
        fact: str

    reply = '{"fact": "Jason is 20", "substring_quotes": ["Jason is 20 years old", "not in the text"]}'
    client = instructor.from_openai(openai_client(serve(reply)), mode=instructor.Mode.JSON)
    text = "Betty was a student. Jason is 20 years old."
    fact = client.chat.completions.create(model="m", response_model=Fact, messages=SAID, context={"context": text})
    assert "Jason is 20 years old" in fact.substring_quotes
    assert all(quote in text for quote in fact.substring_quotes)


def test_images(instructor: Any, serve: Replies) -> None:
    server = serve(JASON)
    client = instructor.from_openai(openai_client(server), mode=instructor.Mode.JSON)
    image = instructor.Image.from_url("https://example.com/a.png")
    client.chat.completions.create(
        model="m", response_model=User, messages=[{"role": "user", "content": ["Who is on this?", image]}]
    )
    parts = next(m["content"] for m in server.received[0].json["messages"] if m["role"] == "user")
    assert {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}} in parts


def test_tools(instructor: Any, serve: Replies) -> None:
    def steps(request: Received) -> Steps:
        name = request.json["tools"][0]["function"]["name"]
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": JASON}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return [completion(None, finish_reason="tool_calls", message=message)]

    with Server(steps) as server:
        client = instructor.from_openai(openai_client(server), mode=instructor.Mode.TOOLS)
        assert client.chat.completions.create(model="m", response_model=User, messages=SAID).age == 25


def test_without_a_response_model_the_client_answers(instructor: Any, serve: Replies) -> None:
    client = instructor.from_openai(openai_client(serve("Hello")), mode=instructor.Mode.JSON)
    answer = client.chat.completions.create(model="m", response_model=None, messages=SAID)
    assert answer.choices[0].message.content == "Hello"
