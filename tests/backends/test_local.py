"""The embedded model behind the transport port: real answers, no cross-talk, and an end to whatever was begun."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.backends.local import chat, engine, weights
from assay.backends.local.table import DEFAULT
from assay.backends.local.transport import AsyncLocalTransport, LocalTransport
from assay.errors import APIConnectionError, APITimeoutError, ConfigurationError
from assay.flow.drive import run, stream
from assay.flow.effects import Emit, Flow, Open, Read, Request, Response, Send

pytestmark = pytest.mark.model

ASK = [{"role": "user", "content": "Name three colours."}]
STORY = [{"role": "user", "content": "Tell a very long story."}]
ALIVE = 60
"""Seconds in which anything here must have happened; only a hang takes them."""


@pytest.fixture(scope="module")
def path() -> Path:
    pytest.importorskip("xllamacpp")
    return weights.pull(DEFAULT)


@pytest.fixture(scope="module")
def local(path: Path) -> Iterator[LocalTransport]:
    transport = LocalTransport(path)
    yield transport
    transport.close()


def request(messages: Any = None, timeout: float | None = ALIVE, **body: Any) -> Request:
    whole = {"model": "m", "temperature": 0, "max_tokens": 12, "messages": ASK if messages is None else messages} | body
    return Request("POST", "local://engine/chat/completions", (), json.dumps(whole).encode(), timeout)


def text(response: Response) -> str:
    assert response.status == 200, response.body
    said: str = json.loads(response.body)["choices"][0]["message"]["content"]
    return said


def error(response: Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/json"
    said: dict[str, Any] = json.loads(response.body)["error"]
    return said


def read_all(request: Request) -> Flow[None]:
    incoming = yield Open(request)
    while data := (yield Read(incoming)):
        yield Emit((incoming.status, data))


def send(request: Request) -> Flow[Response]:
    return (yield Send(request))


def deltas(frames: list[bytes]) -> str:
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in frames if not frame.startswith(b"data: [DONE]")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


# -- answers ---------------------------------------------------------------------------------------------------------


def test_it_answers_as_a_server_would(local: LocalTransport) -> None:
    response = run(send(request()), local)
    body = json.loads(response.body)
    assert body["object"] == "chat.completion"
    assert body["model"] == DEFAULT
    assert body["choices"][0]["message"]["role"] == "assistant"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 12
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + 12
    assert len(text(response)) > 12


def test_a_stream_says_the_same_as_the_whole_answer(local: LocalTransport) -> None:
    got = list(stream(read_all(request()), local))
    assert {status for status, _ in got} == {200}
    frames = [frame for _, frame in got]
    assert all(frame.startswith(b"data: ") and frame.endswith(b"\n\n") for frame in frames)
    assert frames[-1] == b"data: [DONE]\n\n"
    assert deltas(frames) == text(local.send(request()))
    assert any("usage" in json.loads(frame[6:]) for frame in frames[:-1])


def test_awaited_it_says_the_same(path: Path, local: LocalTransport) -> None:
    async def ask() -> tuple[Response, list[bytes]]:
        transport = AsyncLocalTransport(path)
        response = await transport.send(request())
        incoming = await transport.open(request())
        frames = [frame async for frame in _frames(incoming)]
        await transport.aclose()
        return response, frames

    response, frames = asyncio.run(ask())
    assert text(response) == deltas(frames) == text(local.send(request()))


async def _frames(incoming: Any) -> Any:
    while frame := await incoming.read():
        yield frame


def test_a_schema_is_kept_to_token_by_token(local: LocalTransport) -> None:
    schema = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": r"^\d{3}-\d{2}$"},
            "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "kind": {"enum": ["shop", "bank"]},
        },
        "required": ["code", "share", "kind"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    for seed in range(3):
        value = json.loads(text(local.send(request(max_tokens=80, response_format=form, temperature=1.2, seed=seed))))
        assert list(value) == ["code", "share", "kind"]
        assert value["code"][3] == "-" and value["code"].replace("-", "").isdigit()
        assert 0 < value["share"] <= 1
        assert value["kind"] in {"shop", "bank"}


def test_a_stop_sequence_and_a_grammar_of_ones_own_are_kept_to(local: LocalTransport) -> None:
    assert text(local.send(request(grammar='root ::= "yes" | "no"'))) in {"yes", "no"}
    whole = text(local.send(request()))
    assert text(local.send(request(stop=[whole[4]]))) == whole[:4]


def test_tokens_are_counted_as_the_engine_counts_them(local: LocalTransport) -> None:
    system = [{"role": "system", "content": "Be brief, naïve and 短い."}]
    for messages in (ASK, system + ASK, STORY * 3):
        usage = json.loads(local.send(request(messages, max_tokens=1)).body)["usage"]
        assert local.count_tokens(messages) == usage["prompt_tokens"]


# -- what it does not take -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"messages": []}, "messages is empty"),
        ({"messages": "hello"}, "messages"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"n": 2}, "'n'"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "use mode json_schema"),
        ({"response_format": {"type": "poem"}}, "poem|response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "no schema"),
    ],
)
def test_what_it_cannot_use_is_a_400_whichever_way_the_engine_says_so(
    local: LocalTransport, body: dict[str, Any], said: str
) -> None:
    whole = local.send(request(**body))
    (streamed,) = stream(read_all(request(**body)), local)
    assert whole.status == streamed[0] == 400
    assert whole.body == streamed[1]
    assert said.split("|")[0] in error(whole)["message"] or said.split("|")[-1] in error(whole)["message"]


def test_another_path_is_a_404(local: LocalTransport) -> None:
    response = local.send(Request("GET", "local://engine/models", ()))
    assert response.status == 404


def test_a_prompt_that_does_not_fit_says_how_long_it_is_and_what_fits(local: LocalTransport) -> None:
    response = local.send(request([{"role": "user", "content": "word " * 5000}]))
    assert response.status == 400
    assert error(response)["code"] == "context_length_exceeded"
    assert "5031 tokens long" in error(response)["message"]
    assert "holds 4096" in error(response)["message"]


def test_a_file_that_is_no_model_is_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 1000)
    transport = LocalTransport(broken)
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        transport.send(request())
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        transport.open(request())
    transport.close()


def test_without_the_extra_two_lines_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError) as raised:
        weights.resolve(DEFAULT)
    first, second = str(raised.value).splitlines()
    assert 'pip install "assay[local]"' in first
    assert "GROQ_API_KEY" in second


# -- many at once ----------------------------------------------------------------------------------------------------


def test_answers_under_load_are_those_given_one_by_one(path: Path, local: LocalTransport) -> None:
    prompts = [[{"role": "user", "content": f"{n}. Say something about the number {n}."}] for n in range(8)]
    alone = [text(local.send(request(prompt, max_tokens=12))) for prompt in prompts]
    assert len(set(alone)) > 4
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda prompt: text(local.send(request(prompt, max_tokens=12))), prompts))
    assert at_once == alone

    async def awaited() -> list[str]:
        transport = AsyncLocalTransport(path)
        answers = await asyncio.gather(*(transport.send(request(prompt, max_tokens=12)) for prompt in reversed(prompts)))
        await transport.aclose()
        return [text(answer) for answer in answers]

    assert asyncio.run(awaited()) == alone[::-1]


def test_waiting_for_ones_turn_does_not_count_as_time(local: LocalTransport) -> None:
    began = time.monotonic()
    alone = text(local.send(request(max_tokens=40)))
    once = time.monotonic() - began
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: text(local.send(request(max_tokens=40, timeout=20 * once + 2))), range(6)))
    assert answers == [alone] * 6


def test_all_users_of_a_file_share_one_model_and_the_last_frees_it(path: Path) -> None:
    loaded = engine.acquire(engine.EngineSettings(path.resolve(), "shared", 512))
    again = engine.acquire(engine.EngineSettings(path.resolve(), "shared", 512))
    assert again is loaded
    loaded.load()
    before = _resident()
    engine.release(again)
    loaded.load()
    engine.release(loaded)
    with pytest.raises(APIConnectionError, match="closed"):
        loaded.load()
    if before is not None:
        assert before - (_resident() or 0) > 80_000_000


def test_a_transport_that_is_forgotten_gives_its_engine_back(path: Path) -> None:
    transport = LocalTransport(path, name="forgotten")
    shared = transport.engine
    shared.load()
    del transport
    gc.collect()
    with pytest.raises(APIConnectionError, match="closed"):
        shared.load()


def _resident() -> int | None:
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else None


# -- cutting ---------------------------------------------------------------------------------------------------------


def idle(local: LocalTransport) -> bool:
    """Whether the engine answers at once: a story that still went on would keep its only slot for a minute."""
    began = time.monotonic()
    local.send(request(max_tokens=1))
    return time.monotonic() - began < 10


def test_a_timeout_stops_the_engine(local: LocalTransport) -> None:
    with pytest.raises(APITimeoutError, match=r"within 0\.3 s"):
        local.send(request(STORY, timeout=0.3, max_tokens=4000))
    assert idle(local)
    with pytest.raises(APITimeoutError):
        list(stream(read_all(request(STORY, timeout=0.3, max_tokens=4000)), local))
    assert idle(local)


def test_a_timeout_is_met_while_the_prompt_is_still_read(local: LocalTransport) -> None:
    with pytest.raises(APITimeoutError):
        local.send(request([{"role": "user", "content": "all the nice people " * 900}], timeout=0.2))
    assert idle(local)


def test_leaving_a_stream_stops_the_engine(local: LocalTransport) -> None:
    chunks = stream(read_all(request(STORY, max_tokens=4000)), local)
    next(chunks)
    chunks.close()
    assert idle(local)


def test_cancelling_a_task_stops_the_engine(path: Path, local: LocalTransport) -> None:
    async def cancel() -> None:
        transport = AsyncLocalTransport(path)
        sending = asyncio.create_task(transport.send(request(STORY, max_tokens=4000)))
        waiting = asyncio.create_task(transport.send(request(STORY, max_tokens=4000)))
        await asyncio.sleep(0.3)
        for task in (waiting, sending):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        incoming = await transport.open(request(STORY, max_tokens=4000))
        await incoming.aclose()
        await transport.aclose()

    asyncio.run(cancel())
    assert idle(local)


def test_closing_ends_what_is_under_way_with_an_error(path: Path) -> None:
    transport = LocalTransport(path, context=1024)
    transport.load()
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            transport.send(request(STORY, max_tokens=900))
        except APIConnectionError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    transport.close()
    for thread in threads:
        thread.join(timeout=ALIVE)
    assert [str(failure) for failure in failures] == ["the embedded model was closed"] * 3
    with pytest.raises(APIConnectionError, match="closed"):
        transport.send(request())
    transport.close()


def test_the_interpreter_ends_quietly_with_a_model_left_open(path: Path) -> None:
    script = f"""
        from pathlib import Path
        from assay.backends.local.transport import LocalTransport
        from assay.flow.effects import Request
        body = b'{{"messages": [{{"role": "user", "content": "Hi"}}], "max_tokens": 2}}'
        transport = LocalTransport(Path({str(path)!r}))
        print(transport.send(Request("POST", "local://engine/chat/completions", (), body)).status)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=ALIVE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")


def test_its_own_listener_answers_nobody(local: LocalTransport) -> None:
    server = local.engine.load()
    for path in ("/slots", "/props", "/v1/models", "/v1/chat/completions"):
        assert httpx.post(server.listening_address + path, json={"messages": ASK}).status_code == 401
        assert httpx.get(server.listening_address + path).status_code in {401, 404}


def test_lists_and_strings_without_a_bound_end_by_themselves(local: LocalTransport) -> None:
    strings = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"words": strings}, "required": ["words"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    asked = [{"role": "user", "content": "Write the letter a over and over again: a a a a a a a a"}]
    response = local.send(request(asked, max_tokens=900, response_format=form, temperature=1.5, seed=7))
    words = json.loads(text(response))["words"]
    assert len(words) <= 8
    assert all(len(word) <= 200 for word in words)


@pytest.mark.parametrize("bound", [{"maxLength": 900}, {"enum": ["a"]}, {"pattern": "^a+$"}, {"format": "date"}])
def test_a_bound_of_the_schemas_own_stays_as_it_is(bound: dict[str, Any]) -> None:
    part = {"type": "string", **bound}
    schema = {"type": "object", "properties": {"maxItems": part, "free": {"type": ["string", "null"]}}}
    ruled = json.loads(chat.grammar(schema, 300).split("%json ", 1)[1])
    assert ruled["properties"] == {"maxItems": part, "free": {"type": ["string", "null"], "maxLength": 300}}


FORKED = """
import multiprocessing, assay
extractor = assay.Extractor(dict[str, str], model="local/smollm2-135m", timeout=60, max_tokens=40, retries=0)
extractor.run("My name is Ada.")
def work(text):
    outcome = extractor.run(text)
    return len(outcome.attempts)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply_async(work, ["My name is Bo."]).get(timeout=90))
print(len(extractor.run("My name is Cy.").attempts))
"""


@pytest.mark.model
@pytest.mark.skipif(sys.platform == "win32", reason="no forks")
def test_a_forked_process_loads_the_model_for_itself() -> None:
    ran = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=150)
    assert ran.stdout.split() == ["1", "1"], ran.stderr
