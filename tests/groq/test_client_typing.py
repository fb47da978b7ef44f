"""What a type checker makes of the clients: mypy reads this file, and agrees with every `assert_type` and `type: ignore`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import assert_type

from assay.groq import APIResponse, AsyncAPIResponse, AsyncGroq, AsyncStream, Groq, Stream
from assay.groq.chat_types import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageToolCall, CompletionUsage
from assay.groq.params import ChatMessage
from assay.groq.store_types import Batch, File, Model, ModelList


def blocking(client: Groq, messages: list[ChatMessage], streams: bool) -> None:
    completion = client.chat.completions.create(messages=messages, model="m", temperature=0.5, stop=["a"])
    assert_type(completion, ChatCompletion)
    assert_type(completion.choices[0].message.content, str | None)
    assert_type(completion.choices[0].message.tool_calls, list[ChatCompletionMessageToolCall] | None)
    assert_type(completion.usage, CompletionUsage | None)
    client.chat.completions.create(messages=[{"role": "user", "content": "hi"}, completion.choices[0].message], model="m")

    stream = client.chat.completions.create(messages=messages, model="m", stream=True)
    assert_type(stream, Stream[ChatCompletionChunk])
    with stream as entered:
        for chunk in entered:
            assert_type(chunk.choices[0].delta.content, str | None)
    either = client.chat.completions.create(messages=messages, model="m", stream=streams)
    assert_type(either, ChatCompletion | Stream[ChatCompletionChunk])

    raw = client.chat.completions.with_raw_response.create(messages=messages, model="m")
    assert_type(raw, APIResponse[ChatCompletion])
    assert_type(raw.parse(), ChatCompletion)
    raw_stream = client.with_raw_response.chat.completions.create(messages=messages, model="m", stream=True)
    assert_type(raw_stream.parse(), Stream[ChatCompletionChunk])
    with client.chat.completions.with_streaming_response.create(messages=messages, model="m") as response:
        assert_type(response, APIResponse[ChatCompletion])

    assert_type(client.models.list(), ModelList)
    assert_type(client.models.with_raw_response.retrieve("m", timeout=3), APIResponse[Model])
    assert_type(client.files.create(file=b"", purpose="batch"), File)
    assert_type(client.files.content("f"), APIResponse[bytes])
    assert_type(client.with_options(max_retries=5, timeout=None), Groq)


async def awaited(client: AsyncGroq, messages: list[ChatMessage]) -> None:
    assert_type(await client.chat.completions.create(messages=messages, model="m"), ChatCompletion)
    stream = await client.chat.completions.create(messages=messages, model="m", stream=True)
    assert_type(stream, AsyncStream[ChatCompletionChunk])
    async with stream as entered:
        async for chunk in entered:
            assert_type(chunk, ChatCompletionChunk)
    raw = await client.chat.completions.with_raw_response.create(messages=messages, model="m")
    assert_type(raw, AsyncAPIResponse[ChatCompletion])
    async with client.models.with_streaming_response.list() as response:
        assert_type(await response.parse(), ModelList)
    assert_type(await client.batches.retrieve("b"), Batch)
    assert_type(await client.files.content("f"), AsyncAPIResponse[bytes])


def wrong(client: Groq, messages: list[ChatMessage]) -> None:
    client.chat.completions.create(messages=messages)  # type: ignore[call-overload]
    client.chat.completions.create(messages=messages, model="m", temperatur=1)  # type: ignore[call-overload]
    client.chat.completions.create(messages=messages, model="m", temperature="hot")  # type: ignore[call-overload]
    client.chat.completions.create(messages=messages, model="m", reasoning_effort="huge")  # type: ignore[call-overload]
    client.models.retrieve("m", timout=3)  # type: ignore[call-arg]
    client.batches.create(input_file_id="f", endpoint="/v2", completion_window="24h")  # type: ignore[arg-type]
    client.with_options(max_retry=3)  # type: ignore[call-arg]


def test_mypy_agrees() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", __file__]
    ran = subprocess.run(command, cwd=root, env={"MYPYPATH": "src", "PATH": ""}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
