"""Streams of partial values over real sockets: shown while the answer comes, final once shown, validated at the end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from assay import BadRequestError, ConfigurationError, ExtractionError, Extractor, JSONSchema, Mode, extractable
from servers import (
    EVENT_STREAM,
    FIN,
    LAST_CHUNK,
    Received,
    Server,
    Steps,
    answer,
    chunked,
    completion,
    delta,
    error,
    events,
    streamed,
)


class Item(BaseModel):
    name: str
    count: int = Field(gt=0)


class Order(BaseModel):
    number: str
    items: list[Item]


ORDER = {"number": "A-1", "items": [{"name": "nut", "count": 3}, {"name": "bolt", "count": 2}]}


@contextmanager
def extractor(*steps: Any, target: Any = Order, **options: Any) -> Iterator[tuple[Server, Extractor[Any]]]:
    options = {"model": "m", "retries": 1, "max_retries": 0, "mode": "text"} | options
    with Server(*steps) as server, Extractor(target, base_url=server.base_url, **options) as made:
        yield server, made


class Gate:
    """An answer whose second half is sent only when the reader has opened the gate, having seen the first."""

    def __init__(self, text: str, cut: int) -> None:
        self._opened = threading.Event()
        self.in_time = False
        self.steps: Steps = [
            EVENT_STREAM,
            chunked(events(delta(text[:cut]), done=False)),
            lambda _: setattr(self, "in_time", self._opened.wait(5)),
            chunked(events(delta(text[cut:]), delta(finish_reason="stop"))),
            LAST_CHUNK,
        ]

    def open(self) -> None:
        self._opened.set()


TEXT = json.dumps(ORDER)
CUT = TEXT.index('{"name": "bolt"')


# -- partial values ----------------------------------------------------------------------------------------------------


def test_the_first_value_is_there_while_the_answer_still_comes() -> None:
    gate = Gate(TEXT, CUT)
    with extractor(gate.steps) as (_, orders):
        partials = orders.stream("...")
        first = next(partials)
        assert first.value.number == "A-1"
        gate.open()
        *_, last = partials
    assert gate.in_time
    assert last.value == Order(**ORDER)


def test_the_first_value_is_there_while_the_answer_still_comes_awaited() -> None:
    gate = Gate(TEXT, CUT)

    async def main() -> Order | None:
        with extractor(gate.steps) as (_, orders):
            async with orders:
                partials = orders.astream("...")
                first = await anext(partials)
                assert first.value is not None
                assert first.value.items[0].name == "nut"
                gate.open()
                return [partial async for partial in partials][-1].value

    assert asyncio.run(main()) == Order(**ORDER)
    assert gate.in_time


def test_every_partial_says_what_it_completed_and_the_last_how_it_went() -> None:
    with extractor(streamed(json.dumps(ORDER, indent=1), size=1)) as (server, orders):
        partials = list(orders.stream("two nuts"))
    assert [path for partial in partials[:-1] for path in partial.paths] == [
        "/number",
        *("/items/0/name", "/items/0/count", "/items/0"),
        *("/items/1/name", "/items/1/count", "/items/1"),
        "/items",
        "",
    ]
    assert [partial.complete for partial in partials] == [False] * (len(partials) - 1) + [True]
    assert partials[1].value == Order.model_construct(number="A-1", items=[Item.model_construct(name="nut", count=None)])
    assert partials[1].data == {"number": "A-1", "items": [{"name": "nut"}]}
    last = partials[-1]
    assert last.value == Order(**ORDER)
    assert last.outcome is not None
    assert last.outcome.usage.total_tokens == 15
    assert last.outcome.attempts[0].reply == json.dumps(ORDER, indent=1)
    assert server.received[0].json["stream"] is True


def test_a_re_ask_mends_the_value_and_takes_nothing_back() -> None:
    wrong = {"number": "A-1", "items": [{"name": "nut", "count": 0}, {"name": "bolt", "count": 2}]}
    with extractor(streamed(json.dumps(wrong)), streamed(json.dumps({"/items/0/count": 3}))) as (_, orders):
        partials = list(orders.stream("..."))
    shown = [partial.value for partial in partials[:-1]]
    assert shown[-1].items[0].count is None
    assert {partial.attempt for partial in partials[:-1]} == {1}
    assert partials[-1].attempt == 2
    assert partials[-1].value == Order(**ORDER)
    assert len(partials[-1].outcome.attempts) == 2


def test_a_reply_without_any_value_is_asked_again_and_the_second_is_shown() -> None:
    with extractor(streamed("I cannot say."), streamed(TEXT)) as (_, orders):
        partials = list(orders.stream("..."))
    assert [partial.attempt for partial in partials] == [2] * len(partials)
    assert len(partials) > 2


def test_a_failed_extraction_raises_at_the_end_of_the_stream() -> None:
    with extractor(streamed('{"number": "A-1", "items": [{"name": "nut", "count": -1}]}')) as (_, orders):
        partials = orders.stream("...")
        assert next(partials).value.number == "A-1"
        with pytest.raises(ExtractionError) as caught:
            list(partials)
    assert len(caught.value.attempts) == 2


def test_a_server_error_raises() -> None:
    with extractor([answer(400, error("no such thing"))]) as (_, orders), pytest.raises(BadRequestError, match="no such thing"):
        list(orders.stream("..."))


def test_a_stream_that_breaks_is_begun_again_and_takes_nothing_back() -> None:
    broken = [EVENT_STREAM, chunked(events(delta('{"number": "A-1", "it'), done=False)), FIN]
    with extractor(broken, streamed(TEXT), max_retries=1) as (server, orders):
        partials = list(orders.stream("..."))
    assert len(server.received) == 2
    assert [partial.value.number for partial in partials] == ["A-1", "A-1"]
    assert partials[-1].value == Order(**ORDER)


def test_leaving_a_stream_closes_its_connection() -> None:
    gate = Gate(TEXT, CUT)
    with extractor(gate.steps) as (server, orders):
        partials = orders.stream("...")
        next(partials)
        partials.close()
        gate.open()
        assert server.until_closed()


def test_prose_think_blocks_and_fences_are_passed_over() -> None:
    text = f"<think>maybe {{}} or [1]</think>Here you are:\n```json\n{TEXT}\n```"
    with extractor(streamed(text)) as (_, orders):
        partials = list(orders.stream("..."))
    assert partials[0].value.number == "A-1"
    assert partials[-1].value == Order(**ORDER)


def test_unfinished_text_is_shown_when_asked_for() -> None:
    with extractor(streamed('{"number": "A-1234"}', size=2), target=JSONSchema({"type": "object"})) as (_, made):
        shown = [(partial.data or {}).get("number") for partial in made.stream("...", unfinished=True)]
    assert shown == [None, None, None, None, None, "", "A-", "A-12", "A-1234", "A-1234", "A-1234"]


def test_what_a_validator_sees_is_whole_and_its_context_arrives() -> None:
    seen = []

    class Note(BaseModel):
        title: str
        text: str

        @field_validator("title")
        @classmethod
        def remember(cls, value: str, info: ValidationInfo) -> str:
            seen.append((value, info.context))
            return value

    with extractor(streamed('{"title": "A long title", "text": "x"}'), target=Note, context={"user": 1}) as (_, notes):
        partials = list(notes.stream("..."))
        assert partials[-1].value.text == "x"
        assert partials[0].value.title == "A long title"
    assert set(map(repr, seen)) == {repr(("A long title", {"user": 1}))}


def test_a_decorated_class_streams_itself() -> None:
    with Server(streamed(TEXT)) as server:

        @extractable(model="m", base_url=server.base_url, mode="text")
        class Cart(Order):
            pass

        *_, last = Cart.stream("...")
        assert type(last.value) is Cart


# -- modes -----------------------------------------------------------------------------------------------------------


def test_where_the_mode_cannot_be_streamed_it_steps_down_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_x")
    with Server(streamed(TEXT)) as server:
        orders = Extractor(Order, model="groq/openai/gpt-oss-20b", base_url=server.base_url)
        *partials, last = orders.stream("...")
        orders.close()
    assert partials
    assert "response_format" not in server.received[0].json
    assert last.outcome.attempts[0].mode is Mode.TEXT
    assert "does not stream in mode" in last.outcome.notes[0]


@pytest.mark.parametrize("mode", ["json", "json_schema", "tools"])
@pytest.mark.parametrize("model", ["groq/openai/gpt-oss-20b", "x", "openai/gpt-4o"])
def test_a_mode_that_the_user_named_is_streamed_as_it_is(mode: str, model: str) -> None:
    pieces = [TEXT[at : at + 9] for at in range(0, len(TEXT), 9)]

    def steps(request: Received) -> Steps:
        if "tools" not in request.json:
            return streamed(TEXT)
        calls = [delta(delta={"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in pieces]
        return [EVENT_STREAM, chunked(events(*calls, delta(finish_reason="tool_calls"))), LAST_CHUNK]

    with extractor(steps, model=model, mode=mode, api_key="k") as (server, orders):
        *partials, last = orders.stream("...")
    assert len(partials) > 3
    assert last.value == Order(**ORDER)
    sent = server.received[0].json
    assert sent["stream"] is True
    assert ("tools" in sent) is (mode == "tools")
    assert ("response_format" in sent) is (mode != "tools")
    assert last.outcome.attempts[0].mode is Mode(mode)
    assert not [note for note in last.outcome.notes if "mode" in note]


def test_or_it_gives_the_value_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_x")
    with Server([completion(TEXT)]) as server:
        orders = Extractor(Order, model="groq/openai/gpt-oss-20b", base_url=server.base_url)
        (only,) = orders.stream("...", stream_mode="once")
        orders.close()
    assert only.complete
    assert only.value == Order(**ORDER)
    assert "stream" not in server.received[0].json
    assert "response_format" in server.received[0].json
    assert "not streamed" in only.outcome.notes[0]


def test_an_unknown_stream_mode_is_refused() -> None:
    with extractor([completion("{}")]) as (_, orders), pytest.raises(ConfigurationError, match="step_down, once"):
        next(orders.stream("...", stream_mode="both"))


def test_a_server_that_refuses_to_stream_in_a_mode_is_asked_in_the_next() -> None:
    def steps(request: Received) -> Steps:
        if "response_format" in request.json:
            return [answer(400, error("`response_format` does not support streaming"))]
        return streamed(TEXT)

    with extractor(steps, mode="json") as (_, orders):
        *_, last = orders.stream("...")
    assert last.outcome.attempts[-1].mode is Mode.TEXT


# -- items -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [list[Item], Order])
def test_items_are_given_one_by_one_while_the_answer_still_comes(target: Any) -> None:
    text = json.dumps({"items": ORDER["items"], "number": "A-1"} if target is Order else ORDER["items"])
    gate = Gate(text, text.index('{"name": "bolt"'))
    with extractor(gate.steps, target=target) as (_, orders):
        items = orders.stream_items("...")
        assert next(items) == Item(name="nut", count=3)
        gate.open()
        assert list(items) == [Item(name="bolt", count=2)]
    assert gate.in_time


def test_items_are_given_one_by_one_awaited() -> None:
    text = json.dumps({"items": ORDER["items"]})
    gate = Gate(text, text.index('{"name": "bolt"'))

    async def main(items: AsyncIterator[Item]) -> list[Item]:
        first = await anext(items)
        gate.open()
        return [first, *[item async for item in items]]

    with extractor(gate.steps, target=list[Item]) as (_, orders):
        assert asyncio.run(main(orders.astream_items("..."))) == [Item(name="nut", count=3), Item(name="bolt", count=2)]
    assert gate.in_time


def test_an_item_that_is_not_valid_waits_for_the_re_ask() -> None:
    wrong = [{"name": "nut", "count": 3}, {"name": "bolt", "count": 0}, {"name": "nail", "count": 1}]
    mended = [*wrong[:1], {"name": "bolt", "count": 2}, *wrong[2:]]
    replies = [streamed(json.dumps({"items": wrong})), streamed(json.dumps({"/items/1/count": 2}))]
    with extractor(*replies, target=list[Item]) as (_, orders):
        assert list(orders.stream_items("...")) == [Item(**item) for item in mended]


def test_items_of_a_json_schema_are_checked_by_it() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    replies = [streamed('{"items": [{"n": 1}, {"n": "x"}]}'), streamed('{"items": [{"n": 1}, {"n": 2}]}')]
    with extractor(*replies, target=schema) as (_, made):
        assert list(made.stream_items("...")) == [{"n": 1}, {"n": 2}]


def test_a_target_without_a_list_has_no_items() -> None:
    with extractor([completion("{}")], target=Item) as (server, made):
        with pytest.raises(ConfigurationError, match="Item: it has none"):
            next(made.stream_items("..."))
        assert server.received == []


# -- the embedded model ----------------------------------------------------------------------------------------------


@pytest.mark.model
def test_the_embedded_model_streams() -> None:
    pytest.importorskip("xllamacpp")

    class City(BaseModel):
        name: str
        country: str

    with Extractor(City, model="local/smollm2-135m", max_tokens=60) as cities:
        *partials, last = cities.stream("Paris is the capital of France.")
    assert partials
    assert partials[0].value.name == last.value.name
    assert partials[0].value.country is None


def test_a_stream_whose_server_tells_no_usage_says_so() -> None:
    untold = [EVENT_STREAM, chunked(events(delta(TEXT), delta(finish_reason="stop"))), LAST_CHUNK]
    with extractor(untold) as (_, orders):
        *_, last = orders.stream("...")
    assert last.outcome is not None
    assert last.outcome.usage.total_tokens == 0
    assert any("no usage" in note for note in last.outcome.notes)
