"""Texts that run away, and texts that only look like it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.runaway import Leash
from assay.types import Bound

LINE = "1 star anise (optional)"


def bound(source: str, characters: int | None = None) -> Bound:
    return Bound(characters, source.count(" ") + 1, source)


def pulled(text: str, source: str = LINE, size: int = 4, characters: int | None = None) -> int | None:
    """After how many characters the leash is pulled; None when it never is."""
    leash = Leash(bound(source, characters))
    for at in range(0, len(text), size):
        if leash.feed(text[at : at + size]):
            return at + size
    return None


@pytest.mark.parametrize(
    "loop",
    [
        '{"a": "' + "very " * 400,
        '{"a": "' + "very, very, " * 200,
        '{"a": 0.' + "3" * 2000,
        '{"a": 1,' + "\n" * 2000,
        '{"a":' + "    \n" * 500,
        '{"a": "' + "\\n" * 1000,
        '{"a": [' + '"x", ' * 500,
        '{"a": [' + '{"name": "anise", "amount": 1}, ' * 100,
        '{"a": "' + "the quick brown fox jumps over the lazy dog and " * 40,
        '{"a": {' * 300,
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_loop_is_seen_soon(loop: str, size: int) -> None:
    at = pulled(loop, size=size)
    assert at is not None
    assert at <= 1100


def test_what_goes_on_without_repeating_ends_at_the_bound() -> None:
    text = " ".join(str(n * 7919) for n in range(1000))
    assert pulled(text) is None
    assert 500 < (pulled(text, characters=500) or 0) < 600


def test_one_text_has_a_bound_of_its_own() -> None:
    rambling = " ".join(str(n * 7919) for n in range(400))
    many = json.dumps([str(n * 7919) for n in range(400)])
    leash = Leash(Bound(None, 5, LINE, 600))
    assert any(leash.feed(piece) for piece in ['{"a": "say \\"', *rambling])
    assert 600 < leash._length < 700
    leash = Leash(Bound(None, 5, LINE, 600))
    assert not any(leash.feed(piece) for piece in many)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("=" * 900, "=" * 900),
        ("0 " * 400, [0] * 400),
        ("row: pen 1 euro\n" * 60, [{"item": "pen", "price": 1, "currency": "euro"}] * 60),
        ("la " * 300, "la " * 300),
        ("a" * 50 + "\n" * 300 + "b", "a" * 50 + "\n" * 300 + "b"),
        (LINE, [True] * 15),
    ],
)
def test_an_answer_may_repeat_as_often_as_its_source(source: str, value: object) -> None:
    assert pulled(json.dumps({"a": value}, indent=1), source) is None


@given(st.text(max_size=600), st.integers(1, 50))
def test_a_copy_of_the_source_is_never_broken_off(source: str, size: int) -> None:
    for ascii_ in (True, False):
        assert pulled(json.dumps({"copy": source, "words": source.split()}, ensure_ascii=ascii_), source, size) is None


@given(st.text(alphabet='ab "\\\n{},', min_size=1, max_size=60), st.integers(1, 80))
def test_any_round_in_a_string_is_seen_whatever_it_is_made_of(round_: str, size: int) -> None:
    """And by the pieces in which it comes, no sooner and not much later."""
    assert pulled('{"a": ' + json.dumps(round_ * 600)[:-1], "nothing like it", size) is not None
