"""Instructor over our clients: both modes, sync and async, re-asks and the tokens of all attempts counted."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import instructor
import pytest
from openai.types import CompletionUsage as TheirUsage
from pydantic import BaseModel

from api_server import Answer, Asked, api_server, as_json, completion, tool_call
from assay.groq import AsyncGroq, Groq
from assay.groq.chat_types import CompletionUsage


class User(BaseModel):
    name: str
    age: int


def answering(texts: list[str]) -> Any:
    """Gives the texts in turn, as content or, when tools were sent, as the arguments of a call."""
    left = list(texts)

    def answer(asked: Asked) -> Answer:
        text = left.pop(0)
        tools = asked.json().get("tools")
        return as_json(
            completion(None, tool_calls=[tool_call(text, tools[0]["function"]["name"])]) if tools else completion(text)
        )

    return answer


GOOD, BAD = '{"name": "Ada", "age": 36}', '{"name": "Ada", "age": "old"}'
ASK = {"messages": [{"role": "user", "content": "Ada is 36"}], "model": "openai/gpt-oss-20b", "response_model": User}
MODES = pytest.mark.parametrize("mode", [instructor.Mode.JSON, instructor.Mode.TOOLS])


@MODES
def test_patched(mode: instructor.Mode) -> None:
    with api_server(answering([GOOD])) as server, Groq(api_key="gsk_x", base_url=server.url) as client:
        user = instructor.patch(client, mode=mode).chat.completions.create(**ASK)
        assert isinstance(user, User) and (user.name, user.age) == ("Ada", 36)
        assert user._raw_response.usage.total_tokens == 23


@MODES
def test_usage_counts_all_attempts(mode: instructor.Mode) -> None:
    with api_server(answering([BAD, BAD, GOOD])) as server, Groq(api_key="gsk_x", base_url=server.url) as client:
        user = instructor.patch(client, mode=mode).chat.completions.create(**ASK, max_retries=3)
        assert (user.age, len(server.asked)) == (36, 3)
        usage = user._raw_response.usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3 * 18, 3 * 5, 3 * 23)
        assert usage.prompt_tokens_details.cached_tokens == 3 * 4
        assert usage.total_time == pytest.approx(3 * 0.012)


@MODES
def test_patched_async(mode: instructor.Mode) -> None:
    async def run(url: str) -> Any:
        async with AsyncGroq(api_key="gsk_x", base_url=url) as client:
            return await instructor.patch(client, mode=mode).chat.completions.create(**ASK, max_retries=2)

    with api_server(answering([BAD, GOOD])) as server:
        user = asyncio.run(run(server.url))
    assert (user.name, user.age, user._raw_response.usage.total_tokens) == ("Ada", 36, 46)


def test_the_whole_client_of_instructor() -> None:
    with api_server(answering([BAD, GOOD])) as server, Groq(api_key="gsk_x", base_url=server.url) as client:
        create = instructor.patch(create=client.chat.completions.create, mode=instructor.Mode.JSON)
        user, raw = instructor.Instructor(
            client=client, create=create, mode=instructor.Mode.JSON
        ).chat.completions.create_with_completion(**ASK, max_retries=1)
    assert (user.age, raw.usage.total_tokens, raw.x_groq.id) == (36, 46, "req_01")


def test_failures_count_too() -> None:
    with (
        api_server(answering([BAD, BAD])) as server,
        Groq(api_key="gsk_x", base_url=server.url) as client,
        pytest.raises(instructor.core.InstructorRetryException) as caught,
    ):
        instructor.patch(client, mode=instructor.Mode.JSON).chat.completions.create(**ASK, max_retries=1)
    assert caught.value.total_usage.total_tokens == 46


def test_usage_is_of_both_classes_and_otherwise_as_ever() -> None:
    with api_server(lambda _: as_json(completion())) as server, Groq(api_key="gsk_x", base_url=server.url) as client:
        answer = client.chat.completions.create(messages=[], model="m")
    usage = answer.usage
    assert isinstance(usage, CompletionUsage) and isinstance(usage, TheirUsage)
    assert answer.to_dict()["usage"] == completion()["usage"]
    assert json.loads(answer.model_dump_json())["usage"]["queue_time"] == 0.05
    copy = pickle.loads(pickle.dumps(answer))
    assert copy.to_dict() == answer.to_dict() and isinstance(copy.usage, CompletionUsage)
