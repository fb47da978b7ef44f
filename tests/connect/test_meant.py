"""Mistakes that people make at the door: the error says what was meant."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

import assay
from assay.testing import FakeModel

IMAGE: Any = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is on it?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ],
    }
]


class Order(BaseModel):
    number: int
    note: str = ""


@pytest.mark.parametrize("text", ["Order 7, urgent.", b"Order 7"])
def test_a_text_in_the_types_place(text: Any) -> None:
    for call in (lambda: assay.extract(text, Order), lambda: assay.Extractor(text)):
        with pytest.raises(assay.SchemaError, match="the type comes first"):
            call()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Order, r"extract\(Order, text\)"),
        (float("nan"), "empty cell"),
        (None, "got None"),
        (7, "got int"),
        ({"role": "user", "content": "x"}, "in a list"),
    ],
)
def test_a_source_that_is_none(source: Any, said: str) -> None:
    extractor = assay.Extractor(Order, client=FakeModel([]))
    with pytest.raises(assay.ConfigurationError, match=said):
        extractor.run(source)


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("o3-mini", "openai/o3-mini"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("mistral-small", "mistral/mistral-small"),
        ("llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        ("opnai/gpt-4o", "openai/gpt-4o"),
        ("grok/openai/gpt-oss-20b", "groq/openai/gpt-oss-20b"),
        ("olama/qwen3", "ollama/qwen3"),
    ],
)
def test_a_model_without_its_provider_or_with_one_that_is_mistyped(model: str, meant: str) -> None:
    with pytest.raises(assay.ConfigurationError, match=f"did you mean '{meant}'"):
        assay.Extractor(Order, model=model)


def test_a_model_that_resembles_nothing_is_not_guessed() -> None:
    with pytest.raises(assay.ConfigurationError) as raised:
        assay.Extractor(Order, model="zebra")
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(("option", "meant"), [("modle", "mode"), ("temprature", "temperature"), ("max_token", "max_tokens")])
def test_a_typo_in_an_option(option: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
        assay.extract(Order, "Order 7", **{option: 1})  # type: ignore[misc]  # a typo


def test_a_validator_that_would_have_to_be_awaited() -> None:
    """pydantic takes the coroutine itself for the value: it would pass as one."""

    class Checked(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        async def known(cls, value: str) -> str:
            return value

    for target in (Checked, list[Checked], Checked | None):
        with pytest.raises(assay.SchemaError, match=r"known is async"):
            assay.Extractor(target, client=FakeModel([]))


@pytest.mark.model
@pytest.mark.parametrize("mode", ["json_schema", "text"])
def test_an_image_for_a_model_that_reads_text_alone(mode: str) -> None:
    pytest.importorskip("xllamacpp")
    with assay.Extractor(Order, model="local/smollm2-135m", mode=mode) as extractor:
        outcome = extractor.run(IMAGE)
    assert isinstance(outcome.error, assay.BadRequestError)
    assert "only text" in str(outcome.error)


def test_an_outcome_is_a_line_in_a_notebook() -> None:
    source = "Order 7. " * 2000
    good = assay.Extractor(Order, client=FakeModel(lambda _: {"number": 7, "note": "x" * 5000})).run(source)
    bad = assay.Extractor(Order, client=FakeModel(lambda _: {"number": "many"}), retries=1).run(source)
    for outcome in (good, bad, copy.copy(good)):
        assert len(repr(outcome)) < 400
        assert "\n" not in repr(outcome)
    assert repr(good).startswith("<Outcome of Order(number=7, note='xxx")
    assert repr(bad).startswith("<Outcome failed with ExtractionError: no valid Order")
    assert "2 attempts" in repr(bad)
    assert "Order 7. Order 7." not in repr(good.attempts[0])
