"""Answers that ended before their value did: what is whole is kept, nothing is left out unnoticed, and a loop gets no more room."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from assay.types import RUNAWAY, Call, Mode, Profile, Reply, Usage
from engine.playing import play, said, task


class Item(BaseModel):
    name: str
    price: float


class Order(BaseModel):
    number: int
    items: list[Item]
    extras: list[str] = []
    note: str | None = None
    total: float


ITEMS = [{"name": f"item {n}", "price": n} for n in range(6)]
WHOLE = {"number": 7, "items": ITEMS, "extras": ["bag", "card", "bow"], "note": "ring twice", "total": 15}
SOURCE = "Order 7: " + ", ".join(f"item {n} for {n} euros" for n in range(6)) + ". A bag, a card, a bow. Ring twice. 15 in all."


def cut(text: str, finish: str | None = "length", used: int = 1000) -> Reply:
    return Reply(text, finish, Usage(100, used, total_tokens=100 + used))


def upto(value: Any, mark: str) -> str:
    text = json.dumps(value)
    return text[: text.index(mark) + len(mark)]


# -- how much room the next answer gets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("finish", ["stop", "content_filter", "error", "tool_calls", None])
@pytest.mark.parametrize("most", [None, 400])
def test_an_answer_that_ended_early_for_another_reason_gets_no_less_room_and_another_question(finish, most) -> None:
    outcome, (first, again), _ = play(
        task(Order, max_tokens=most), cut('{"number": 7, "it', finish, used=5), json.dumps(WHOLE), source=SOURCE
    )
    assert outcome.unwrap().total == 15
    assert first.params.max_tokens == again.params.max_tokens == most
    assert "cut off" in said(again)
    assert said(again) != said(first)
    assert str(finish) in outcome.notes[0]


@pytest.mark.parametrize(("most", "used", "next_"), [(None, 5, 2048), (None, 3000, 6000), (400, 400, 800), (400, 5, 800)])
def test_an_answer_that_met_the_token_limit_gets_twice_the_room(most, used, next_) -> None:
    outcome, (_, again), _ = play(
        task(Order, max_tokens=most), cut('{"number": 7, "it', used=used), json.dumps(WHOLE), source=SOURCE
    )
    assert outcome.ok
    assert again.params.max_tokens == next_


# -- lists, and what stands behind them ---------------------------------------------------------------------------------


def test_what_stands_behind_a_cut_list_is_asked_for_with_the_rest_of_it() -> None:
    """An optional field that the answer had not come to is not `not found`."""
    rest = {"items": ITEMS[2:], "/extras": WHOLE["extras"], "/note": "ring twice", "/total": 15}
    outcome, (_, more), _ = play(task(Order, retries=0), cut(upto(WHOLE, '"item 2"')), json.dumps(rest), source=SOURCE)
    assert outcome.unwrap() == Order.model_validate(WHOLE)
    for path in ("/extras", "/note", "/total"):
        assert path in said(more)
    assert "/number" not in said(more)


def test_two_long_lists_are_each_continued_and_nothing_is_asked_twice() -> None:
    answers = [
        cut(upto(WHOLE, '"item 2"')),
        cut(upto({"items": ITEMS[2:]}, '"item 4"')),
        cut(upto({"items": ITEMS[4:], "/extras": ["bag", "card"]}, '"card')),
        json.dumps({"items": ["card", "bow"], "/note": "ring twice", "/total": 15}),
    ]
    outcome, calls, _ = play(task(Order, retries=0), *answers, source=SOURCE)
    assert outcome.unwrap() == Order.model_validate(WHOLE)
    assert len(calls) == 4


def test_a_cut_answer_about_parts_keeps_the_parts_that_are_whole() -> None:
    bad = {**WHOLE, "items": "six", "extras": {"a": 1}}
    answers = [
        json.dumps(bad),
        cut(upto({"/items": ITEMS, "/extras": WHOLE["extras"]}, '"bag", "card"')),
        json.dumps({"items": ["card", "bow"]}),
    ]
    outcome, (_, parts, more), _ = play(task(Order, retries=1), *answers, source=SOURCE)
    assert outcome.unwrap() == Order.model_validate(WHOLE)
    assert "/items" in said(parts)
    assert "item 3" not in said(more).partition("<document>")[0]


def test_a_part_that_is_cut_and_no_list_is_asked_for_alone() -> None:
    bad = {**WHOLE, "number": "seven?", "total": "much"}
    answers = [json.dumps(bad), cut('{"/number": 7, "/total": 1', "stop", used=8), '{"/total": 15}']
    outcome, (_, _, again), _ = play(task(Order), *answers, source=SOURCE)
    assert outcome.unwrap() == Order.model_validate(WHOLE)
    assert "/number" not in said(again)


def test_parts_of_which_none_is_whole_get_more_room_as_parts() -> None:
    bad = {**WHOLE, "note": [5, 6]}
    answers = [json.dumps(bad), cut('{"/note": "ring tw', used=10), '{"/note": "ring twice"}']
    outcome, (_, parts, again), _ = play(task(Order, max_tokens=10), *answers, source=SOURCE)
    assert outcome.unwrap() == Order.model_validate(WHOLE)
    assert said(parts) == said(again)
    assert again.params.max_tokens == 20


# -- a model caught in a loop -------------------------------------------------------------------------------------------


class Ingredient(BaseModel):
    name: str
    preparation: str | None = None
    optional: bool = False


LINE = "1 star anise (optional)"
LOOPS = {
    "a word": "very " * 800,
    "rambling": " ".join(f"and then step {n * 7919 % 1013} follows" for n in range(150)),
    "blanks": " " * 4000,
    "digits": "3" * 4000,
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_a_text_that_runs_away_is_asked_for_alone_and_gets_no_more_room(loop: str) -> None:
    away = f'{{"name": "star anise", "preparation": "{loop}'
    outcome, (_, again), _ = play(
        task(Ingredient, max_tokens=1000),
        cut(away),
        '{"/preparation": null, "/optional": true}',
        source=LINE,
    )
    assert outcome.unwrap() == Ingredient(name="star anise", optional=True)
    assert (again.params.max_tokens or 0) < 1000
    assert "/preparation" in said(again)
    assert "without end" in said(again)
    assert "preparation" in outcome.notes[0]


@pytest.mark.parametrize(
    "away",
    [
        '{"name": "star' + " anise" * 700,
        '{"name": 0.' + "3" * 4000,
        '{"name": "star anise",' + "\\n" * 4000,
        "{" + " " * 4000,
    ],
)
def test_with_nothing_whole_before_it_the_whole_is_asked_again_held_short(away: str) -> None:
    good = '{"name": "star anise", "optional": true}'
    outcome, (_, again), _ = play(task(Ingredient, max_tokens=1000), cut(away), good, source=LINE)
    assert outcome.unwrap() == Ingredient(name="star anise", optional=True)
    assert (again.params.max_tokens or 0) < 1000


def test_a_loop_that_goes_on_is_asked_in_another_mode_and_costs_no_more_each_time() -> None:
    away = '{"name": "' + "very " * 800
    outcome, calls, _ = play(task(Ingredient, max_tokens=1000, retries=2), *[cut(away)] * 3, source=LINE)
    assert not outcome.ok
    assert [call.mode for call in calls] == [Mode.JSON, Mode.JSON, Mode.TEXT]
    assert sum(call.params.max_tokens or 0 for call in calls) <= 3000
    assert outcome.problems[0].kind == "truncated"


@pytest.mark.parametrize(
    "words", ["only what the document says there, or null: it ran on without end", "Ran: it ran on without end."]
)
def test_our_own_words_are_no_value(words: str) -> None:
    """Small models copy what they are told."""
    away = '{"name": "' + "very " * 800
    echo = json.dumps({"name": "star anise", "preparation": words, "optional": True})
    part = json.dumps({"/preparation": words})
    outcome, (_, _, again, _), _ = play(
        task(Ingredient, retries=3), cut(away), echo, part, '{"/preparation": null}', source=LINE
    )
    assert outcome.unwrap() == Ingredient(name="star anise", optional=True)
    assert "/preparation" in said(again)
    assert words not in said(again)


def test_a_loop_inside_a_list_keeps_the_items_before_it() -> None:
    class Recipe(BaseModel):
        ingredients: list[Ingredient]
        servings: int | None = None

    away = '{"ingredients": [{"name": "salt"}, {"name": "anise", "preparation": "' + "ground " * 500
    rest = {"items": [{"name": "anise", "preparation": "ground"}], "/servings": 4}
    outcome, (_, more), _ = play(task(Recipe), cut(away), json.dumps(rest), source="salt, anise, ground. Serves 4.")
    value = outcome.unwrap()
    assert [item.name for item in value.ingredients] == ["salt", "anise"]
    assert value.servings == 4
    assert "/preparation" in said(more)


def test_a_list_that_goes_round_is_asked_for_alone() -> None:
    away = '{"number": 7, "items": [' + '{"name": "pen", "price": 1}, ' * 9 + '{"na'
    rest = {"/items": ITEMS, "/extras": [], "/note": None, "/total": 15}
    outcome, (_, again), _ = play(task(Order), cut(away), json.dumps(rest), source=SOURCE)
    assert outcome.unwrap().number == 7
    assert len(outcome.unwrap().items) == 6
    assert "repeats itself" in said(again)


def test_what_was_broken_off_while_it_came_counts_as_a_loop() -> None:
    outcome, (_, again), _ = play(
        task(Ingredient),
        cut('{"name": "star anise", "preparation": "x', RUNAWAY, used=80),
        '{"/preparation": null}',
        source=LINE,
    )
    assert outcome.ok
    assert "without end" in said(again)


def test_a_long_answer_out_of_a_long_source_is_no_loop() -> None:
    source = " ".join(f"word{n}" for n in range(2000))

    class Copy(BaseModel):
        title: str
        body: str

    outcome, (_, again), _ = play(
        task(Copy),
        cut(json.dumps({"title": "words", "body": source})[:9000]),
        json.dumps({"title": "words", "body": source}),
        source=source,
    )
    assert outcome.ok
    assert again.params.max_tokens == 2048


@pytest.mark.parametrize("line", ["-" * 3000, "0 " * 1500, "no, " * 1000])
def test_what_repeats_in_the_source_may_repeat_in_the_answer(line: str) -> None:
    class Copy(BaseModel):
        line: str

    text = json.dumps({"line": line})
    outcome, (_, again), _ = play(task(Copy), cut(text[:2000]), text, source=line)
    assert outcome.ok
    assert again.params.max_tokens == 2048


# -- bounds in the constrained form ---------------------------------------------------------------------------------------

CONSTRAINED = Profile(modes=(Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT), strict=True)


def schema(call: Call) -> Any:
    return (call.schema or {})["properties"]


def test_a_server_that_enforces_the_schema_is_given_bounds_once_a_text_ran_away() -> None:
    away = '{"name": "' + "very " * 800
    outcome, (first, again), _ = play(
        task(Ingredient, profile=CONSTRAINED), cut(away), '{"name": "star anise", "optional": true}', source=LINE
    )
    assert outcome.ok
    assert "maxLength" not in json.dumps(schema(first))
    assert schema(again)["name"]["maxLength"] == 200


def test_a_text_that_the_server_ended_at_its_bound_is_not_taken_for_finished() -> None:
    """A grammar closes a string that runs away: it looks whole, and is not."""
    job = task(Ingredient, profile=Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect="llama.cpp"))
    ended = {"name": "star anise", "preparation": ("very " * 40)[:200], "optional": True}
    outcome, (first, again), _ = play(job, json.dumps(ended), '{"/preparation": null}', source=LINE)
    assert schema(first)["name"]["maxLength"] == 200
    assert outcome.unwrap().preparation is None
    assert "/preparation" in said(again)


def test_the_strict_form_has_no_bounds() -> None:
    job = task(Ingredient, profile=Profile(modes=(Mode.JSON_SCHEMA, Mode.TEXT), strict=True, dialect="strict"))
    _, calls, _ = play(job, cut('{"name": "' + "very " * 800), '{"name": "star anise"}', source=LINE)
    assert all("maxLength" not in json.dumps(call.schema) for call in calls)


# -- images and system messages ---------------------------------------------------------------------------------------------

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def photo(text: str = "Read this.") -> Any:
    from assay.types import Message

    return (Message("system", "You read receipts."), Message("user", [{"type": "text", "text": text}, IMAGE]))


def test_a_question_about_parts_shows_the_image_again() -> None:
    bad = {**WHOLE, "total": "much"}
    outcome, (_, parts), _ = play(task(Order), json.dumps(bad), '{"/total": 15}', source=photo())
    assert outcome.unwrap().total == 15
    assert IMAGE in parts.messages[-1].content
    assert "/total" in parts.messages[-1].content[0]["text"]
    assert "You read receipts." in parts.messages[-1].content[0]["text"].partition("<document>")[0]


def test_the_length_of_an_answer_about_an_image_says_nothing() -> None:
    long = {"name": " ".join(f"w{n}" for n in range(900))}
    _, calls, _ = play(task(Ingredient), cut(json.dumps(long)[:4000]), json.dumps(long), source=photo())
    assert calls[1].params.max_tokens == 2048


def test_there_is_one_system_message_and_it_comes_first() -> None:
    _, (call,), _ = play(task(Order, examples=[("no order", WHOLE)]), json.dumps(WHOLE), source=photo())
    assert [message.role for message in call.messages] == ["system", "user", "assistant", "user"]
    assert call.messages[0].content.endswith("You read receipts.")
    assert "never invent" in call.messages[0].content
