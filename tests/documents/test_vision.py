"""Pages that are images: they go to a model that sees, in their place, also when it is asked again; a blind one gets none."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import makers
import pytest
from pydantic import BaseModel

import assay
from assay.types import Profile
from servers import Server, completion, said


class Invoice(BaseModel):
    supplier: str
    amount: float


GOOD = '{"supplier": "Bergman", "amount": 12.5}'
SEEING, BLIND = "ollama/qwen2.5vl:7b", "ollama/qwen3:8b"


def parts_of(request: Any) -> list[Any]:
    return request.json["messages"][-1]["content"]


def mixed() -> bytes:
    """A page of text, then one that is an image."""
    from io import BytesIO

    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    packed = BytesIO()
    canvas = Canvas(packed)
    canvas.drawString(72, 700, "Bergman Ltd, invoice 7")
    canvas.showPage()
    canvas.drawImage(ImageReader(BytesIO(makers.picture("EUR 12.50"))), 0, 0, 595, 842)
    canvas.showPage()
    canvas.drawString(72, 700, "The last page")
    canvas.save()
    return packed.getvalue()


def test_an_image_stands_in_its_place_between_the_text() -> None:
    with Server(said(GOOD)) as server, assay.Extractor(Invoice, model=SEEING, base_url=server.base_url) as extractor:
        outcome = extractor.run(assay.read(mixed(), name="in.pdf"))
    assert outcome.unwrap().amount == 12.5
    first, image, last = parts_of(server.received[0])
    assert first["text"].startswith("<document>\nBergman Ltd, invoice 7")
    assert first["text"].endswith("page 2, an image:")
    assert base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,")).startswith(b"\xff\xd8")
    assert last["text"] == "The last page\n</document>"
    assert outcome.source == assay.read(mixed()).text
    (span,) = [span for span in outcome.spans if span.path == "/supplier"]
    assert span.place is not None
    assert span.place.number == 1


def test_a_question_about_parts_shows_the_image_as_well() -> None:
    replies = iter(['{"supplier": "Bergman", "amount": "much", "x": 1}', '{"/amount": 12.5}'])
    with Server(lambda _: [completion(next(replies))]) as server:
        value = assay.extract(
            Invoice, assay.read(makers.picture("EUR 12.50"), name="a.png"), model=SEEING, base_url=server.base_url
        )
    assert value.amount == 12.5
    assert len(server.received) == 2
    assert all(any(part["type"] == "image_url" for part in parts_of(request)) for request in server.received)


def test_a_blind_model_gets_no_image_and_says_what_to_do() -> None:
    with Server(said(GOOD)) as server, assay.Extractor(Invoice, model=BLIND, base_url=server.base_url) as extractor:
        for source in (mixed(), makers.picture("x"), makers.scanned("x", pages=2)):
            outcome = extractor.run(assay.read(source, name="in.pdf"))
            assert isinstance(outcome.error, assay.ConfigurationError)
            assert "qwen3:8b is not known as a vision model" in str(outcome.error)
        assert server.received == []


def test_never_leaves_images_out_and_says_so_unless_nothing_is_left() -> None:
    with (
        Server(said(GOOD)) as server,
        assay.Extractor(Invoice, model=SEEING, base_url=server.base_url, vision="never") as extractor,
    ):
        outcome = extractor.run(assay.read(mixed()))
        assert outcome.ok
        assert "page 2 is without text and not read" in outcome.notes
        assert not extractor.run(assay.read(makers.picture("x"))).ok
    assert all(isinstance(parts_of(request), str) for request in server.received)


def test_always_shows_every_page_to_a_model_of_which_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(mixed())
    with Server(said(GOOD)) as server:
        assay.extract(Invoice, tmp_path / "in.pdf", model="m", base_url=server.base_url, vision="always")
    parts = parts_of(server.received[0])
    assert sum(part["type"] == "image_url" for part in parts) == 3
    assert "Bergman Ltd" in parts[0]["text"]  # the text goes along


def test_more_pages_than_a_request_takes_is_an_error_with_both_numbers() -> None:
    document = assay.read(makers.scanned("x", pages=6))
    says = "6 pages would be sent as images, but .* takes 5 per request"
    with Server(said(GOOD)) as server, pytest.raises(assay.ConfigurationError, match=says):
        assay.extract(Invoice, document, model="groq/qwen/qwen3.6-27b", api_key="k", base_url=server.base_url)


def test_images_are_lowered_until_they_fit() -> None:
    from assay.documents.reader import drawn

    document = assay.read(makers.scanned(*["some text that takes room"] * 12))
    (large,) = drawn(document, (1,), most_bytes=10_000_000)
    (small,) = drawn(document, (1,), most_bytes=len(large))
    assert len(small) <= len(large) * 3 // 4
    with pytest.raises(assay.ConfigurationError, match="at their smallest"):
        drawn(document, (1,), most_bytes=1000)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_form_of_image_goes_as_jpeg(form: str) -> None:
    from assay.documents.reader import drawn

    document = assay.read(makers.picture("hello", form=form))
    (image,) = drawn(document, (1,), most_bytes=1_000_000)
    assert image.startswith(b"\xff\xd8")


def test_a_profile_is_blind_unless_it_is_said_to_see() -> None:
    assert Profile().images == 0


def test_an_image_is_no_text_to_a_budget() -> None:
    document = assay.read(makers.picture(*["a line of text"] * 15))
    with Server(said(GOOD)) as server:
        value = assay.extract(
            Invoice, document, model=SEEING, base_url=server.base_url, budget=assay.Budget(tokens=6000), max_tokens=100
        )
    assert value.amount == 12.5
    assert len(server.received[0].body) > 20_000
