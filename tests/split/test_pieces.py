"""How a text is cut, what a piece is asked with, and how the answers of pieces become one."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import assay
from assay.split.cut import cut
from assay.split.tolerant import tolerant
from assay.target import JSONSchema
from assay.target.build import target
from assay.target.problems import Invalid
from servers import Received, Server, Steps, completion

FAMILY = "👨‍👩‍👧‍👦"


@given(
    st.lists(
        st.sampled_from(
            ["A sentence. ", "one word ", "\n\n", "\n", "これは文です。", FAMILY, "e\u0301", "# Head\n", "a | b\n"]
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(30, 400),
    st.integers(0, 15),
)
def test_pieces_cover_the_text_and_every_offset_leads_back(parts: list[str], size: int, overlap: int) -> None:
    source = "".join(parts)
    pieces = cut(source, size, overlap)
    covered = set().union(*(range(piece.start, piece.end) for piece in pieces))
    assert all(at in covered or source[at].isspace() for at in range(len(source)))
    for piece in pieces:
        assert piece.end - piece.start <= size
        assert not source[piece.start :].startswith(("\u0301", "\u200d"))
        for match in re.finditer(r"\w+", piece.text):
            where = piece.absolute(*match.span())
            assert where is not None
            assert source[where[0] : where[1]] == match[0]


def test_headings_and_the_header_of_a_table_stand_before_a_piece() -> None:
    rows = "".join(f"{at} | {at * 2}\n" for at in range(60))
    source = f"# Report\n\n## Part one\n\n{'Words. ' * 20}\n\n## Part two\n\nname | price\n{rows}"
    last = cut(source, 300, 30)[-1]
    assert last.text.startswith("# Report\n## Part two\nname | price\n…\n")
    assert source[slice(*last.absolute(2, 8))] == "Report"  # type: ignore[misc]


def test_a_pieces_schema_takes_what_one_piece_says() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]
        name: str = Field(min_length=3)

    class Dog(BaseModel):
        kind: Literal["dog"]
        weight: float = Field(gt=0)

    class Home(BaseModel):
        address: str
        pets: list[Cat | Dog] = Field(min_length=2)
        scores: dict[str, int]
        size: tuple[int, int] | None

    loose = target(JSONSchema(tolerant(target(Home).json_schema)))
    for data in (
        {},
        {"address": None, "pets": [{"kind": "cat", "name": None}, {"kind": "dog"}], "scores": {"a": None}, "size": None},
    ):
        assert loose.validate(data) == data
    with pytest.raises(Invalid):
        loose.validate({"address": 5})


class Answers:
    """A model that says what stands in its document: lines of `path = JSON`."""

    def __init__(self, *, cut_over: int | None = None, shy: bool = False) -> None:
        self.cut_over, self.shy = cut_over, shy
        self.prompts: list[str] = []

    def __call__(self, request: Received) -> Steps:
        prompt = request.json["messages"][-1]["content"]
        self.prompts.append(prompt)
        document = prompt[prompt.index("<document>") : prompt.rindex("</document>")]
        found: dict[str, Any] = {}
        if "/" in prompt.split("<document>")[0] and "Correct these parts" in prompt:
            return [completion(json.dumps({"/total": self._number(document)}))]
        for key, value in re.findall(r"^(\w+) = (.*)$", document, re.MULTILINE):
            parsed = json.loads(value)
            if key == "item":
                found.setdefault("items", []).append(parsed)
            else:
                found.setdefault(key, parsed)
        if self.shy and "Already found" not in prompt:
            found["items"] = found.get("items", [])[:1]
        text = json.dumps(found)
        if self.cut_over is not None and len(text) > self.cut_over:
            return [completion(text[:12], finish_reason="length")]
        return [completion(text)]

    @staticmethod
    def _number(document: str) -> Any:
        found = re.search(r"the sum is (\d+)", document)
        return int(found[1]) if found else None


class Item(BaseModel):
    name: str
    price: float | None = None
    note: str | None = None


class Bill(BaseModel):
    total: int
    items: list[Item] = []


RAIN = "\nIt rained all day and nothing of note was said by anyone." * 8


def ask(source: str, answers: Answers, split: assay.Split, **options: Any) -> assay.Outcome[Bill]:
    with Server(answers) as server:
        return assay.Extractor(Bill, model="m", base_url=server.base_url, split=split, **options).run(source)


def item(name: str, **more: Any) -> str:
    return f"\nitem = {json.dumps({'name': name, **more})}"


def test_items_with_the_same_key_are_one_wherever_they_stand_and_their_fields_are_united() -> None:
    source = "total = 5" + item("anvil", price=5.0) + RAIN + item("anvil", note="rusty") + item("nail")
    outcome = ask(source, Answers(), assay.Split(400, 40, key="name"))
    assert outcome.unwrap().items == [Item(name="anvil", price=5.0, note="rusty"), Item(name="nail")]
    plain = ask(source, Answers(), assay.Split(400, 40))
    assert len(plain.unwrap().items) == 3


def test_a_further_pass_brings_what_was_missed_in_the_order_of_the_text() -> None:
    source = "total = 5" + item("anvil") + item("barrel") + RAIN + item("candle") + item("drum")
    answers = Answers(shy=True)
    outcome = ask(source, answers, assay.Split(450, 40, passes=2))
    assert [found.name for found in outcome.unwrap().items] == ["anvil", "barrel", "candle", "drum"]
    once = ask(source, Answers(shy=True), assay.Split(450, 40))
    assert len(once.unwrap().items) == 2
    assert sum("Already found in this part" in prompt for prompt in answers.prompts) == len(answers.prompts) / 2


def test_a_piece_whose_answer_is_cut_off_is_halved() -> None:
    source = "total = 5" + "".join(
        item(f"{word} of iron") + "\nIt rained all day and nothing was said."
        for word in ["anvil", "barrel", "candle", "drum", "easel", "flask", "gauge", "hinge"]
    )
    outcome = ask(source + RAIN, Answers(cut_over=170), assay.Split(900, 40), retries=0)
    assert [found.name.split()[0] for found in outcome.unwrap().items] == [
        "anvil",
        "barrel",
        "candle",
        "drum",
        "easel",
        "flask",
        "gauge",
        "hinge",
    ]
    assert any("cut in two" in note for note in outcome.notes)


def test_what_fails_in_the_whole_is_asked_of_the_pieces_beside_it() -> None:
    answers = Answers()
    outcome = ask("note that the sum is 12" + item("anvil") + RAIN + item("nail"), answers, assay.Split(400, 40))
    assert outcome.unwrap() == Bill(total=12, items=[Item(name="anvil"), Item(name="nail")])
    assert sum("Correct these parts" in prompt for prompt in answers.prompts) == 1


def test_a_whole_that_stays_invalid_fails_and_carries_what_there_is() -> None:
    outcome = ask("nothing here" + item("anvil") + RAIN + item("nail"), Answers(), assay.Split(400, 40), retries=0)
    assert isinstance(outcome.error, assay.ExtractionError)
    assert outcome.error.partial["items"][1]["name"] == "nail"
    assert outcome.error.problems[0].path == "/total"


def test_placeholders_of_the_worked_example_never_come_back() -> None:
    from assay.split.placeholders import Placeholders

    class Task:
        class profile:
            worked_example = True

        target = target(Bill)

    example = Task.target.example()
    copied = Placeholders.of(Task).without(example, set())  # type: ignore[arg-type]
    assert copied == {"total": None, "items": []}
