"""The page: every value links to its place and back, whatever the text holds, with neither scripts nor requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground import Evidence
from assay.outcome import Outcome
from assay.review import Reviewed, page
from assay.review.pieces import WHOLE, pieces
from assay.types import JSON, Span


class Read(HTMLParser):
    """What a browser would see of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [value for key, value in attrs if key == "id" and value]
        self.links += [value for key, value in attrs if key == "href" and value]
        assert not [key for key in given if key.startswith("on") or key in ("src", "style", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def reviewed(value: JSON, source: str, title: str = "a text") -> Reviewed:
    evidence = Evidence(json.dumps(value), source, {})
    return Reviewed(title, source, value, evidence.spans, evidence.ungrounded)


def whole(documents: Sequence[Reviewed]) -> Read:
    html = page(documents)
    html.encode()
    read = Read(html)
    assert "script" not in read.tags
    assert len(read.ids) == len(set(read.ids))
    assert not [link for link in read.links if not link.startswith("#") or link[1:] not in read.ids]
    return read


def test_links_go_both_ways_and_what_stands_nowhere_comes_first() -> None:
    value = {"supplier": "Bergman Ltd", "total": 1240.5, "vat": 9.99, "paid": True}
    read = whole([reviewed(value, "Bergman Ltd wants 1,240.50 EUR.")])
    text = "".join(read.text)
    assert text.index("/vat") < text.index("/supplier") < text.index("/paid")
    assert "not in the text" in text
    assert "in another print" in text
    assert {"#m0-0", "#f0-1", "#m0-1", "#f0-2"} <= set(read.links)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<b onclick=x>",
    "\u202eevil\u202c",
    "a\x00b\x1b[31m",
    "\ud800",
    "e\u0301",
    "مرحبا",
    "&amp;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_do_nothing(text: str) -> None:
    read = whole([reviewed({text: text, "other": "x" + text}, f"so {text} it says", title=text)])
    assert "b" not in read.tags
    shown = "".join(read.text)
    assert "\u202e" not in shown
    assert "\x00" not in shown
    assert "\x1b" not in shown


def test_crossing_spans_all_have_their_links() -> None:
    source = "abcdefghij"
    spans = (Span("/0", 0, 5, "exact"), Span("/1", 3, 8, "exact"), Span("/2", 3, 4, "exact"), Span("/3", 0, 5, "exact"))
    read = whole([Reviewed("x", source, ["a", "b", "c", "d"], spans)])
    assert {f"m0-{at}" for at in range(4)} <= set(read.ids)
    assert {f"#f0-{at}" for at in range(4)} <= set(read.links)


@given(st.text("ab \n", max_size=30), st.lists(st.tuples(st.integers(0, 29), st.integers(1, 8)), max_size=8))
def test_pieces_are_the_text_and_every_span_begins_once(source: str, places: list[tuple[int, int]]) -> None:
    spans = [Span("/x", a, min(a + n, len(source)), "exact") for a, n in places if a < len(source)]
    cut = list(pieces(source, spans))
    assert "".join(piece.text for piece in cut) == source
    assert sorted(at for piece in cut for at in piece.begins) == list(range(len(spans)))
    for at, span in enumerate(spans):
        assert "".join(piece.text for piece in cut if at in piece.spans) == source[span.start : span.end]


def test_of_a_long_text_windows_are_shown() -> None:
    source = "x " * WHOLE + "needle " + "y " * WHOLE
    read = whole([reviewed(["needle", "absent"], source)])
    shown = "".join(read.text)
    assert len(shown) < 10_000
    assert "characters without a value" in shown
    assert "needle" in shown


def test_several_documents_have_a_list() -> None:
    read = whole(
        [reviewed(["a"], "a", "first"), reviewed(["b"], "none", "second"), Reviewed("third", "t", None, failure="it broke")]
    )
    assert {"#d0", "#d1", "#d2"} <= set(read.links)
    assert "it broke" in "".join(read.text)


def test_an_outcome_makes_its_page() -> None:
    outcome = Outcome(["pens"], source="We sell pens.", text='["pens"]', evidence=Evidence('["pens"]', "We sell pens.", {}))
    read = Read(outcome.page("letter.txt"))
    assert "letter.txt" in "".join(read.text)
    assert "#m0-0" in read.links
    assert "broke" in Outcome(None, ValueError("broke"), source="a").page()


def test_five_hundred_values() -> None:
    values = [f"word{at}" for at in range(500)]
    whole([reviewed(values, " ".join(values))])
