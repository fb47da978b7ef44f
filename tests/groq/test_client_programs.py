"""Programs written for the groq package, as its documentation teaches it: each runs on both packages, unchanged but for the name.

What a program prints and what it sends must be the same on both.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from api_server import Answer, Asked, api_server, as_json, as_stream, chat, chunk, completion, events, hello_stream, tool_call

Answering = Callable[[Asked], Answer]

PROGRAMS: list[Any] = []


def program(name: str, text: str, answer: Answering = chat) -> None:
    PROGRAMS.append(pytest.param(textwrap.dedent(text), answer, id=name))


def run(text: str, package: str, answer: Answering, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[Any]]:
    """The lines that the program prints and the requests that it sends."""
    lines: list[str] = []
    with api_server(answer) as server:
        monkeypatch.setenv("GROQ_API_KEY", "gsk_secret")
        monkeypatch.setenv("GROQ_BASE_URL", server.url)
        scope = {"__name__": "__main__", "print": lambda *values: lines.append(" ".join(map(str, values))), "URL": server.url}
        exec(compile(re.sub(r"\bgroq\b", package, text), f"<{package}>", "exec"), scope)  # noqa: S102
        asked = [(one.method, one.path, one.headers["authorization"], _body(one)) for one in server.asked]
    return lines, asked


def _body(asked: Asked) -> Any:
    kind = asked.headers.get("content-type", "")
    if "json" in kind and asked.body:
        return asked.json()
    boundary = kind.partition("boundary=")[2]
    return asked.body.replace(boundary.encode(), b"BOUNDARY") if boundary else asked.body


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("text", "answer"), PROGRAMS)
def test_a_program_for_groq_does_the_same_here(text: str, answer: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, asked = run(text, "groq", answer, monkeypatch)
    assert lines and asked, "the program does something"
    assert run(text, "assay", answer, monkeypatch) == (lines, asked)


# -- chats -------------------------------------------------------------------------------------------------------------

program(
    "chat",
    """
    import os
    from groq import Groq

    client = Groq(api_key=os.environ.get("GROQ_API_KEY"))
    chat_completion = client.chat.completions.create(
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Explain the importance of low latency LLMs"},
        ],
        model="openai/gpt-oss-20b",
        temperature=0.5,
        max_completion_tokens=1024,
        top_p=1,
        stop=None,
        stream=False,
    )
    print(chat_completion.choices[0].message.content)
    print(chat_completion.id, chat_completion.model, chat_completion.created, chat_completion.object)
    print(chat_completion.choices[0].finish_reason, chat_completion.choices[0].message.role, chat_completion.choices[0].index)
    usage = chat_completion.usage
    print(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.queue_time, usage.total_time)
    print(usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details)
    print(chat_completion.x_groq.id, chat_completion.x_groq.seed, chat_completion.system_fingerprint, chat_completion.service_tier)
    """,
)

program(
    "answers are pydantic models",
    """
    import json
    from groq import Groq

    with Groq() as client:
        completion = client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m")
    print(json.dumps(completion.to_dict(), sort_keys=True))
    print(json.loads(completion.to_json()) == completion.to_dict())
    print(json.dumps(completion.model_dump(exclude_unset=True), sort_keys=True))
    print(json.loads(completion.model_dump_json(exclude_unset=True)) == completion.model_dump(exclude_unset=True))
    print(completion.newest, completion.model_extra["newest"], completion.choices[0].message.mood)
    print("usage_breakdown" in completion.model_fields_set, "mcp_list_tools" in completion.model_fields_set)
    print(completion.usage_breakdown, completion.mcp_list_tools)
    print(completion.model_copy(update={"id": "other"}).id, completion == completion.model_copy())
    """,
    lambda _: as_json({**completion("Hello!", mood="fine"), "newest": {"deep": [1]}}),
)

program(
    "stop sequences",
    """
    from groq import Groq

    client = Groq()
    for stop in (", 6", ["###", "END"]):
        print(client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 10."}], model="m", stop=stop
        ).choices[0].message.content)
    """,
)

program(
    "streaming",
    """
    from groq import Groq

    client = Groq()
    stream = client.chat.completions.create(
        messages=[{"role": "user", "content": "hi"}], model="m", temperature=0.5, stream=True
    )
    for chunk in stream:
        print(repr(chunk.choices[0].delta.content), chunk.choices[0].finish_reason, chunk.id)
        if chunk.x_groq is not None:
            print(chunk.x_groq.id, chunk.x_groq.usage.total_tokens if chunk.x_groq.usage else None)
    """,
)

program(
    "leaving a stream",
    """
    from groq import Groq

    with Groq() as client:
        with client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m", stream=True) as stream:
            print(stream.response.status_code, stream.response.headers["Content-Type"])
            print(next(stream).choices[0].delta.role)
        other = client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m", stream=True)
        print(next(iter(other)).id)
        other.close()
        print(client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m").id)
    """,
)

program(
    "async",
    """
    import asyncio
    from groq import AsyncGroq

    async def main() -> None:
        client = AsyncGroq()
        chat_completion = await client.chat.completions.create(
            messages=[{"role": "user", "content": "hi"}], model="openai/gpt-oss-20b", seed=7
        )
        print(chat_completion.choices[0].message.content)
        await client.close()

    asyncio.run(main())
    """,
)

program(
    "async streaming",
    """
    import asyncio
    from groq import AsyncGroq

    async def main() -> None:
        async with AsyncGroq() as client:
            stream = await client.chat.completions.create(
                messages=[{"role": "user", "content": "hi"}], model="m", stream=True, max_completion_tokens=9
            )
            async for chunk in stream:
                print(chunk.choices[0].delta.content)
            async with await client.chat.completions.create(
                messages=[{"role": "user", "content": "hi"}], model="m", stream=True
            ) as left:
                print((await anext(aiter(left))).id, left.response.status_code)

    asyncio.run(main())
    """,
)

program(
    "many at once",
    """
    import asyncio
    from groq import AsyncGroq

    async def main() -> None:
        async with AsyncGroq() as client:
            answers = await asyncio.gather(*(
                client.chat.completions.create(messages=[{"role": "user", "content": "same"}], model="m") for _ in range(20)
            ))
        print([answer.choices[0].message.content for answer in answers])

    asyncio.run(main())
    """,
)

# -- structured outputs --------------------------------------------------------------------------------------------------

RECIPE = json.dumps(
    {"recipe_name": "Cake", "ingredients": [{"name": "flour", "quantity": "200", "quantity_unit": "g"}], "directions": ["Mix"]}
)

program(
    "JSON mode with pydantic",
    """
    import json
    from typing import List, Optional
    from pydantic import BaseModel
    from groq import Groq

    class Ingredient(BaseModel):
        name: str
        quantity: str
        quantity_unit: Optional[str]

    class Recipe(BaseModel):
        recipe_name: str
        ingredients: List[Ingredient]
        directions: List[str]

    Recipe.model_rebuild(_types_namespace=globals())
    groq_client = Groq()
    chat_completion = groq_client.chat.completions.create(
        messages=[
            {"role": "system", "content": f"You output recipes in JSON. {json.dumps(Recipe.model_json_schema(), indent=2)}"},
            {"role": "user", "content": "Fetch a recipe for cake"},
        ],
        model="openai/gpt-oss-20b",
        temperature=0,
        stream=False,
        response_format={"type": "json_object"},
    )
    print(Recipe.model_validate_json(chat_completion.choices[0].message.content))
    """,
    lambda _: as_json(completion(RECIPE)),
)

program(
    "structured outputs",
    """
    import json
    from groq import Groq

    response = Groq().chat.completions.create(
        model="openai/gpt-oss-20b",
        messages=[{"role": "user", "content": "The laptop is great"}],
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "review", "strict": True,
                "schema": {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"], "additionalProperties": False},
            },
        },
    )
    print(json.loads(response.choices[0].message.content or "{}"))
    """,
    lambda _: as_json(completion('{"a": "b"}')),
)

# -- tools -----------------------------------------------------------------------------------------------------------------


def tools(asked: Asked) -> Answer:
    messages = asked.json()["messages"]
    if messages[-1]["role"] == "tool":
        return as_json(completion("It is " + " and ".join(m["content"] for m in messages if m["role"] == "tool")))
    calls = [tool_call('{"location": "New York"}'), tool_call('{"location": "Tokyo"}', call_id="call_2")]
    return as_json(completion(None, tool_calls=calls, reasoning="Two places."))


program(
    "parallel tools",
    """
    import json
    from groq import Groq

    client = Groq()

    def get_weather(location, unit="C"):
        return f"{len(location)} {unit} in {location}"

    messages = [{"role": "user", "content": "What is the weather in New York and Tokyo?"}]
    tools = [{"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": {
        "type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}}}]
    response = client.chat.completions.create(
        model="m", messages=messages, tools=tools, tool_choice="auto", parallel_tool_calls=True, max_completion_tokens=4096
    )
    response_message = response.choices[0].message
    print(response.choices[0].finish_reason, response_message.content, response_message.reasoning)
    messages.append(response_message)
    for tool_call in response_message.tool_calls:
        arguments = json.loads(tool_call.function.arguments)
        print(tool_call.id, tool_call.type, tool_call.function.name, arguments)
        messages.append({"tool_call_id": tool_call.id, "role": "tool", "name": tool_call.function.name,
                         "content": get_weather(**arguments)})
    print(client.chat.completions.create(model="m", messages=messages, tools=tools).choices[0].message.content)
    chosen = {"type": "function", "function": {"name": "get_weather"}}
    print(client.chat.completions.create(model="m", messages=messages[:1], tools=tools, tool_choice=chosen).id)
    """,
    tools,
)

program(
    "tools in a stream",
    """
    from groq import Groq

    calls = {}
    for chunk in Groq().chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            calls.setdefault(call.index, []).append((call.id, call.function.name, call.function.arguments))
    print(calls)
    """,
    lambda _: as_stream(
        events(
            chunk({"role": "assistant"}),
            chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
            chunk({}, "tool_calls"),
        )
    ),
)

program(
    "server tools",
    """
    from groq import Groq

    message = Groq().chat.completions.create(
        model="groq/compound", messages=[{"role": "user", "content": "news"}], search_settings={"include_domains": ["a.org"]},
        compound_custom={"tools": {"enabled_tools": ["web_search"]}}, tools=[{"type": "browser_search"}],
    ).choices[0].message
    tool = message.executed_tools[0]
    print(tool.type, tool.index, tool.arguments, tool.output, tool.search_results.results[0].title, tool.search_results.images)
    """.replace("groq/compound", "compound-beta"),
    lambda _: as_json(
        completion(
            executed_tools=[
                {
                    "index": 0,
                    "type": "search",
                    "arguments": "{}",
                    "output": "found",
                    "search_results": {"results": [{"title": "T", "url": "u", "content": "c", "score": 0.5}]},
                }
            ]
        )
    ),
)

# -- reasoning, vision, documents --------------------------------------------------------------------------------------------

program(
    "reasoning",
    """
    from groq import Groq

    client = Groq()
    ask = [{"role": "user", "content": "How many r in strawberry?"}]
    message = client.chat.completions.create(
        model="qwen/qwen3-32b", messages=ask, reasoning_format="parsed", reasoning_effort="default"
    ).choices[0].message
    print(message.reasoning, message.content)
    print(client.chat.completions.create(model="m", messages=ask, include_reasoning=False, reasoning_effort="low").id)
    """,
    lambda _: as_json(completion("3", reasoning="s-t-r...")),
)

program(
    "vision",
    """
    import base64
    from groq import Groq

    base64_image = base64.b64encode(b"image").decode("utf-8")
    print(Groq().chat.completions.create(
        messages=[{"role": "user", "content": [
            {"type": "text", "text": "What's in this image? ü"},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64_image}"}},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        ]}],
        model="meta-llama/llama-4-scout-17b-16e-instruct",
    ).choices[0].message.content)
    """,
)

program(
    "documents, tiers and whatever else",
    """
    from groq import Groq

    print(Groq().chat.completions.create(
        messages=({"role": role, "content": "x"} for role in ("system", "user")), model="m", service_tier="flex", user="u",
        documents=[{"id": "1", "source": {"type": "text", "text": "facts"}}], citation_options="enabled", n=1,
        disable_tool_validation=True, logprobs=None, metadata=None, extra_body={"debug": True}, extra_query={"q": "a b", "yes": True},
        extra_headers={"X-Mine": "1"}, timeout=9.5,
    ).id)
    """,
)

# -- raw responses, options ----------------------------------------------------------------------------------------------

RATES = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-tokens": "17997",
    "x-ratelimit-reset-requests": "2m59.56s",
    "x-request-id": "req_01",
}


def with_headers(asked: Asked) -> Answer:
    return as_stream(hello_stream()) if asked.json().get("stream") else as_json(completion(), **RATES)


program(
    "raw responses",
    """
    from groq import Groq

    client = Groq()
    raw = client.chat.completions.with_raw_response.create(messages=[{"role": "user", "content": "hi"}], model="m")
    print(raw.status_code, raw.headers.get("X-RateLimit-Limit-Requests"), raw.headers["x-ratelimit-reset-requests"])
    print("X-Request-Id" in raw.headers, raw.headers.get("x-nothing"))
    print(raw.parse().choices[0].message.content, raw.json()["id"], raw.text() == raw.read().decode())
    for chunk in client.chat.completions.with_raw_response.create(
        messages=[{"role": "user", "content": "hi"}], model="m", stream=True
    ).parse():
        print(chunk.choices[0].delta.content)
    print(client.with_raw_response.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m").parse().id)
    """,
    with_headers,
)

program(
    "streamed responses",
    """
    from groq import Groq

    ask = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}
    with Groq() as client:
        with client.chat.completions.with_streaming_response.create(**ask, stream=True) as response:
            print(response.headers.get("content-type"), [line for line in response.iter_lines()])
        with client.chat.completions.with_streaming_response.create(**ask) as response:
            print(response.parse().id)
        with client.chat.completions.with_streaming_response.create(**ask) as response:
            print(b"".join(response.iter_bytes()) == "".join(response.text() for _ in range(0)).encode() or "bytes")
        with client.chat.completions.with_streaming_response.create(**ask, stream=True) as response:
            print("".join(response.iter_text()))
    """,
    with_headers,
)

program(
    "async raw and streamed responses",
    """
    import asyncio
    from groq import AsyncGroq

    ask = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}

    async def main() -> None:
        async with AsyncGroq() as client:
            raw = await client.chat.completions.with_raw_response.create(**ask)
            print(raw.headers.get("X-Request-Id"), (await raw.parse()).id, (await raw.json())["model"], len(await raw.text()))
            async with client.chat.completions.with_streaming_response.create(**ask, stream=True) as response:
                print([line async for line in response.iter_lines()])
            async with client.chat.completions.with_streaming_response.create(**ask) as response:
                print(len(await response.read()))

    asyncio.run(main())
    """,
    with_headers,
)

program(
    "options",
    """
    from groq import Groq

    client = Groq(timeout=20.0, max_retries=0, default_headers={"X-Foo": "bar"}, default_query={"v": "1"})
    ask = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}
    print(client.with_options(max_retries=5, timeout=5.0).chat.completions.create(**ask).id)
    print(client.copy(api_key="gsk_other").chat.completions.create(**ask).id)
    print(client.with_options(default_query={"w": "2"}).chat.completions.create(**ask).id)
    print(client.with_options(set_default_query={}).max_retries, client.timeout, client.api_key)
    """,
)

program(
    "calls that the client does not name",
    """
    import httpx
    from groq import Groq

    client = Groq()
    response = client.post("/openai/v1/foo", cast_to=httpx.Response, body={"my_param": True})
    print(response.headers.get("x-foo"), response.json()["id"])
    print(client.get("/openai/v1/foo", cast_to=object)["id"])
    """,
    lambda _: as_json(completion(), x_foo="bar"),
)

program(
    "an httpx client and an httpx timeout",
    """
    import httpx
    from groq import Groq

    seen = []
    with httpx.Client(event_hooks={"request": [lambda request: seen.append(request.method)]}, headers={"X-Own": "1"}) as http:
        client = Groq(http_client=http, timeout=httpx.Timeout(60.0, read=5.0, write=10.0, connect=2.0))
        print(client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m").id, seen)
    """,
)

# -- errors --------------------------------------------------------------------------------------------------------------

FAILURES = {
    400: {
        "message": "Failed to generate JSON",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": "{",
    },
    401: {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"},
    403: {"message": "no", "type": "permissions_error"},
    404: {"message": "The model `x` does not exist", "type": "invalid_request_error", "code": "model_not_found"},
    413: {"message": "Request too large", "type": "tokens", "code": "rate_limit_exceeded"},
    422: {"message": "semantic", "type": "invalid_request_error"},
    429: {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded"},
    500: {"message": "oops", "type": "internal_server_error"},
}


def failing(asked: Asked) -> Answer:
    status = int(asked.json()["model"])
    return as_json({"error": FAILURES[status]}, status, retry_after="0")


program(
    "errors",
    """
    import groq
    from groq import Groq

    client = Groq(max_retries=0)
    for status in (400, 401, 403, 404, 413, 422, 429, 500):
        try:
            client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model=str(status))
        except groq.BadRequestError as e:
            print("bad", e.status_code, e.body["error"]["failed_generation"])
        except groq.RateLimitError as e:
            print("A 429 status code was received; we should back off a bit.", e.response.headers["Retry-After"])
        except groq.APIStatusError as e:
            print("Another non-200-range status code was received")
            print(e.status_code, e.body["error"]["message"], e.response.json() == e.body, e.response.status_code)
            print(isinstance(e, (groq.AuthenticationError, groq.PermissionDeniedError, groq.NotFoundError,
                                 groq.UnprocessableEntityError, groq.InternalServerError)))
            assert e.status_code in (413, *range(400, 600))
    """,
    failing,
)

program(
    "no connection",
    """
    import groq

    client = groq.Groq(base_url="http://127.0.0.1:9", max_retries=0)
    try:
        client.chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m")
    except groq.APIConnectionError as e:
        print("The server could not be reached", isinstance(e, groq.APIError))
    print(groq.Groq().models.list().object)
    """,
    lambda _: as_json({"object": "list", "data": []}),
)

program(
    "an error in a stream",
    """
    import groq

    try:
        for chunk in groq.Groq().chat.completions.create(messages=[{"role": "user", "content": "hi"}], model="m", stream=True):
            print(chunk.choices[0].delta.content)
    except groq.APIError as e:
        print(e.body["failed_generation"], e.body["code"])
    """,
    lambda _: as_stream(
        (
            *events(chunk({"content": "one"}), chunk({"content": "two"}), done=False),
            b'event: error\ndata: {"error":{"message":"Failed to call a function.","code":"tool_use_failed","failed_generation":"<function=x>","status_code":400}}\n\n',
        )
    ),
)

# -- models, files, batches ------------------------------------------------------------------------------------------------

MODEL = {"id": "openai/gpt-oss-20b", "object": "model", "created": 1, "owned_by": "OpenAI", "context_window": 131072}
FILE = {"id": "file_01", "object": "file", "bytes": 20, "created_at": 2, "filename": "batch.jsonl", "purpose": "batch"}
BATCH = {
    "id": "batch_01",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "errors": None,
    "input_file_id": "file_01",
    "completion_window": "24h",
    "status": "completed",
    "output_file_id": "file_02",
    "error_file_id": None,
    "finalizing_at": None,
    "created_at": 3,
    "request_counts": {"total": 2, "completed": 2, "failed": 0},
    "metadata": {"a": "b"},
}


def stored(asked: Asked) -> Answer:
    method, path = asked.method, asked.path.removeprefix("/openai/v1")
    match method, path.split("/")[1:]:
        case "GET", ["models" | "files" | "batches" as kind]:
            return as_json({"object": "list", "data": [{"models": MODEL, "files": FILE, "batches": BATCH}[kind]]})
        case "GET", ["models", _]:
            return as_json(MODEL)
        case "DELETE", [_, name]:
            return as_json({"id": name, "object": "file", "deleted": True})
        case "GET", ["files", _, "content"]:
            return Answer(
                b'{"custom_id": "request-2"}\n{"custom_id": "request-1"}\n',
                headers={"content-type": "application/octet-stream"},
            )
        case _, ["files", *_]:
            return as_json(FILE)
        case "POST", ["batches", _, "cancel"]:
            return as_json({**BATCH, "status": "cancelling", "cancelling_at": 9})
        case _, ["batches", *_]:
            return as_json(BATCH)
    return Answer(b"{}", 404)


program(
    "models",
    """
    from groq import Groq

    client = Groq()
    models = client.models.list()
    print(models.object, [(model.id, model.owned_by, model.created, model.context_window) for model in models.data])
    print(sorted(client.models.retrieve("openai/gpt-oss-20b").to_dict().items()), client.models.delete("mine").deleted)
    """,
    stored,
)

program(
    "files and batches",
    """
    import pathlib, tempfile
    from groq import Groq

    client = Groq()
    path = pathlib.Path(tempfile.mkdtemp()) / "batch.jsonl"
    path.write_text('{"custom_id": "request-1"}')
    with path.open("rb") as lines:
        response = client.files.create(file=lines, purpose="batch")
    print(response.id, response.filename, response.bytes, response.purpose)
    print(client.files.create(file=path, purpose="batch").id)
    print(client.files.create(file=("batch.jsonl", b"bytes", "application/jsonl"), purpose="batch").to_dict() == client.files.info("file_01").to_dict())
    print(client.files.list().data[0].id, client.files.info("file_01").created_at, client.files.delete("file_01").deleted)
    batch = client.batches.create(
        completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file_01", metadata={"a": "b"}
    )
    batch = client.batches.retrieve(batch.id)
    print(batch.status, batch.output_file_id, batch.request_counts.completed, batch.metadata, batch.errors)
    print([b.id for b in client.batches.list().data], client.batches.cancel(batch.id).cancelling_at)
    content = client.files.content(batch.output_file_id)
    print(content.text().splitlines(), len(content.read()))
    content.write_to_file(path)
    print(path.read_text())
    """,
    stored,
)

program(
    "async files and batches",
    """
    import asyncio
    from groq import AsyncGroq

    async def main() -> None:
        async with AsyncGroq() as client:
            print((await client.files.create(file=("b.jsonl", b"{}"), purpose="batch")).id)
            print((await client.batches.list()).data[0].status, (await client.models.list()).data[0].id)
            content = await client.files.content("file_02")
            print(await content.text())

    asyncio.run(main())
    """,
    stored,
)


def test_custom_headers_of_the_environment_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'from groq import Groq\nprint(Groq().chat.completions.create(messages=[{"role": "user", "content": "x"}], model="m").id)'
    seen: list[list[str | None]] = []

    def answer(asked: Asked) -> Answer:
        seen.append([asked.headers[name] for name in ("x-team", "x-colon")])
        return chat(asked)

    monkeypatch.setenv("GROQ_CUSTOM_HEADERS", "X-Team: ml\nX-Colon: a: b")
    for package in ("groq", "assay"):
        run(text, package, answer, monkeypatch)
    assert seen == [["ml", "a: b"]] * 2
