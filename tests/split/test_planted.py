"""Long documents with planted facts: every fact found, none doubled, every twin kept, every conflict told."""

from __future__ import annotations

import pytest
from planted import Contract, Reader, contract

import assay
from servers import Server

SIZES = [20_000, 100_000, 400_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("overlap", [None, 1600])
def test_every_fact_is_found_once_and_every_twin_twice(size: int, overlap: int | None) -> None:
    document, reader = contract(size, seed=size, twins=12), Reader()
    split = assay.Split(8000, overlap)
    with Server(reader) as server, assay.Extractor(Contract, model="m", base_url=server.base_url, split=split) as extractor:
        outcome = extractor.run(document.text)
        pieces = extractor.pieces(document.text)
    assert outcome.unwrap().model_dump() == document.gold
    assert len(server.received) == pieces == len(outcome.attempts) > size // 8000
    assert not outcome.conflicts
    for span in outcome.spans:
        value = document.text[span.start : span.end]
        assert value, span
    lines = [span for span in outcome.spans if span.path.startswith("/lines/") and span.path.endswith("/goods")]
    assert [document.text[span.start : span.end] for span in lines] == [line["goods"] for line in document.gold["lines"]]
    assert len({span.start for span in lines}) == len(lines)
    assert {attempt.piece for attempt in outcome.attempts} == set(range(1, pieces + 1))


def test_a_conflict_is_told_and_the_first_value_counts() -> None:
    document = contract(30_000, conflicts=True)
    with Server(Reader()) as server:
        with assay.Extractor(Contract, model="m", base_url=server.base_url, split=6000) as extractor:
            outcome = extractor.run(document.text)
        (conflict,) = outcome.conflicts
        assert (conflict.path, conflict.kept) == ("/seller", "Ostrow & Sons")
        told = [(said.value, document.text[said.start : said.end]) for said in conflict.told]
        assert told == [("Ostrow & Sons", "Ostrow & Sons"), ("Vasa AB", "Vasa AB")]
        last = assay.extract(
            Contract, document.text, model="m", base_url=server.base_url, split=assay.Split(6000, conflict="last")
        )
        assert last.seller == "Vasa AB"
        with pytest.raises(assay.ConfigurationError, match=r"/seller: piece 1 says \"Ostrow & Sons\"; piece \d+ says"):
            assay.extract(
                Contract, document.text, model="m", base_url=server.base_url, split=assay.Split(6000, conflict="error")
            )


def test_a_context_is_learnt_from_the_servers_error_once() -> None:
    document, reader = contract(60_000), Reader(context=4000)
    with Server(reader) as server, assay.Extractor(Contract, model="m", base_url=server.base_url) as extractor:
        outcome = extractor.run(document.text)
        assert outcome.unwrap().model_dump() == document.gold
        assert len(server.received) == len(outcome.attempts) + 1
        asked = len(server.received)
        assert extractor.run(document.text).ok
        assert len(server.received) == asked + len(outcome.attempts)  # known now: the whole is not tried again


def test_a_context_that_is_given_needs_no_error() -> None:
    document, reader = contract(60_000), Reader(context=4000)
    with Server(reader) as server:
        value = assay.extract(Contract, document.text, model="m", base_url=server.base_url, context_tokens=4000)
    assert value.model_dump() == document.gold
    assert len(server.received) == len(reader.documents)


def test_pieces_are_asked_side_by_side() -> None:
    document, reader = contract(100_000), Reader(latency=0.3)
    with Server(reader) as server:
        assay.extract(Contract, document.text, model="groq/m", api_key="k", base_url=server.base_url, split=4000)
    assert reader.most_at_once > 16


def test_a_failed_piece_fails_the_outcome_and_the_rest_rides_on_the_error() -> None:
    document, reader = contract(40_000), Reader(fail="Governed by")
    with Server(reader) as server, assay.Extractor(Contract, model="m", base_url=server.base_url, split=6000) as extractor:
        outcome = extractor.run(document.text)
    error = outcome.error
    assert isinstance(error, assay.ExtractionError)
    assert "1 of " in str(error)
    assert "pieces of the document failed: piece" in str(error)
    assert error.partial["buyer"] == "Bergman Ltd"
    found = len(error.partial["lines"])
    assert 0 < found < len(document.gold["lines"])
    assert outcome.usage.total_tokens > 0


def test_one_budget_bounds_all_pieces_together() -> None:
    document = contract(60_000)
    with (
        Server(Reader()) as server,
        assay.Extractor(
            Contract, model="m", base_url=server.base_url, split=6000, budget=assay.Budget(tokens=12_000), max_tokens=500
        ) as extractor,
    ):
        outcome = extractor.run(document.text)
    assert isinstance(outcome.error, assay.ExtractionError)
    assert isinstance(outcome.error.__cause__, assay.BudgetExceeded)
    assert outcome.error.partial["buyer"] == "Bergman Ltd"
    assert len(server.received) < extractor.pieces(document.text)


def test_items_are_streamed_piece_by_piece_in_order() -> None:
    from planted import Line

    class Lines(assay.Extractable):
        lines: list[Line]

    document = contract(60_000, twins=8)
    with Server(Reader()) as server, assay.Extractor(Lines, model="m", base_url=server.base_url, split=5000) as extractor:
        seen = []
        for item in extractor.stream_items(document.text):
            assert isinstance(item, Line)
            seen.append(item.model_dump())
    assert seen == document.gold["lines"]


def test_never_is_one_request() -> None:
    document = contract(30_000)
    with Server(Reader(context=4000)) as server, pytest.raises(assay.ConfigurationError, match="too long"):
        assay.extract(Contract, document.text, model="m", base_url=server.base_url, split="never")
    assert len(server.received) == 1


@pytest.mark.parametrize("split", [0, -1, True, "always", 1.5])
def test_a_split_that_is_none_is_refused(split: object) -> None:
    with pytest.raises(assay.ConfigurationError, match="split must be"):
        assay.Options.of(split=split)
    with pytest.raises(assay.ConfigurationError, match="overlap must be at most half"):
        assay.Split(100, 60)
