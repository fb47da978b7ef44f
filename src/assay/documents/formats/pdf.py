"""PDF, with PDFium: the text of each page in reading order, and where each word stands. Runs in the helper only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assay.data.places import pack
from assay.documents.document import Builder, Document, Wanted
from assay.documents.formats.pdf_lines import Line, lines_of, text_of
from assay.documents.formats.pdf_order import ordered
from assay.documents.formats.pictures import Picture, fitted
from assay.documents.formats.plain import is_garbage
from assay.documents.pages import chosen
from assay.errors import ConfigurationError

LOCKED = 4
"""PDFium's error for a document that wants a password."""
DRAWN = 40
"""Paths on a page without text from which on something is drawn there, and not only a line."""


def read(data: bytes, wanted: Wanted) -> Document:
    builder, words, blank, notes = Builder(), [], [], _Notes()
    with _opened(data, wanted.name) as pdf:
        for number in chosen(wanted.pages, len(pdf), "page", wanted.name):
            lines = ordered(_lines(pdf, number, notes))
            text, boxes = text_of(lines)
            if is_garbage(text):
                notes.unread.append(number)
                text, boxes = "", []
            if not text and (number in notes.unread or _shows_something(pdf[number - 1])):
                blank.append(number)
            start = builder.add(text, "page", number, pdf.get_page_label(number - 1))
            words += [(start + first, start + last, *box) for first, last, box in boxes]
        notes.look_at(pdf)
    return builder.document(notes=notes.texts(), blank=blank, words=pack(words))


def render(data: bytes, wanted: Wanted, *, dpi: int, side: int, most_bytes: int) -> list[bytes]:
    """The wanted pages as JPEG."""
    with _opened(data, wanted.name) as pdf:
        numbers = chosen(wanted.pages, len(pdf), "page", wanted.name)
        return fitted([_picture(pdf[number - 1], dpi, side) for number in numbers], most_bytes)


def _picture(page: Any, dpi: int, side: int) -> Picture:
    # The sides are bounded before a page of 200,000 points is drawn.
    longest = max(*page.get_size(), 1.0)
    return page.render(scale=min(dpi / 72, side / longest)).to_pil().convert("RGB")


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Any]:
    import pypdfium2  # noqa: PLC0415  # the extra `documents`

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == LOCKED:
            raise ConfigurationError(f"{name} is a PDF with a password: save it without one") from None
        raise ConfigurationError(f"{name} is a broken PDF: {error}") from None
    try:
        pdf.init_forms()  # before any page: the values of forms are no text until then
        yield pdf
    finally:
        pdf.close()


class _Notes:
    """Notes for the reader about what was found on the way."""

    def __init__(self) -> None:
        self.unread: list[int] = []
        self.outside: list[int] = []
        self.broken: list[int] = []
        self.more: list[str] = []

    def look_at(self, pdf: Any) -> None:
        if count := pdf.count_attachments():
            self.more.append(f"{count} attached file{'s were' if count > 1 else ' was'} left out")

    def texts(self) -> list[str]:
        said = [
            (self.unread, "the font has no map to characters: read as an image"),
            (self.outside, "text outside the page was left out"),
            (self.broken, "could not be read: broken"),
        ]
        return [f"page {', '.join(map(str, pages))}: {what}" for pages, what in said if pages] + self.more


def _lines(pdf: Any, number: int, notes: _Notes) -> list[Line]:
    import pypdfium2  # noqa: PLC0415  # the extra `documents`

    try:
        page = _flat(pdf, number)
        lines = lines_of(page.get_textpage())
    except pypdfium2.PdfiumError:
        notes.broken.append(number)
        return []
    left, bottom, right, top = page.get_bbox()
    inside = [line for line in lines if line.right > left and line.left < right and line.top > bottom and line.bottom < top]
    if len(inside) < len(lines):
        notes.outside.append(number)
    return inside


def _flat(pdf: Any, number: int) -> Any:
    """A page with the values of its forms drawn into it."""
    page = pdf[number - 1]
    if pdf.formenv is None:
        return page
    page.flatten()
    return pdf[number - 1]


def _shows_something(page: Any) -> bool:
    """Whether a page without text has an image, or is drawn."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415  # the extra `documents`

    if next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3), None) is not None:
        return True
    paths = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3)
    return sum(1 for _, _ in zip(range(DRAWN), paths, strict=False)) == DRAWN
