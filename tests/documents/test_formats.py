"""A real file of each format, read: what comes out, where it stands, and what is said of what was left out."""

from __future__ import annotations

import pickle
from email.message import EmailMessage

import makers
import pytest

import assay
from assay.documents import Document
from assay.types import Span

W_ROW = "<w:tr>{}</w:tr>"


def cell(text: str) -> str:
    return f"<w:tc>{makers.p(text)}</w:tc>"


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span("", start, start + len(text), "exact")


def test_places_cover_the_text_in_order_and_without_overlap() -> None:
    document = assay.read(makers.pdf(makers.lines("one"), [], makers.lines("three", "more")))
    assert [(place.kind, place.number) for place in document.places] == [("page", 1), ("page", 2), ("page", 3)]
    assert "".join(document.text[place.start : place.end] for place in document.places) == document.text
    assert document.blank == ()  # an empty page is no image


def test_a_pdf_knows_the_page_and_the_box_of_each_word() -> None:
    document = assay.read(makers.pdf(makers.lines("Invoice 7", "Pay EUR 1,240.50 please"), makers.lines("Page two")))
    place = document.place(span(document, "1,240.50"))
    assert place is not None
    assert (place.kind, place.number, place.until) == ("page", 1, None)
    left, bottom, right, top = place.box  # type: ignore[misc]
    assert 72 < left < right < 200
    assert 841 - 72 - 16 - 5 < bottom < top < 841 - 72 - 16 + 12
    across = document.place(Span("", 0, len(document.text), "exact"))
    assert across is not None
    assert str(across) == "page 1 to 2"
    assert len(document.boxes(Span("", 0, document.text.index("please"), "exact"))) == 2  # one a line
    assert pickle.loads(pickle.dumps(document)) == document


@pytest.mark.parametrize("order", ["rows", "columns", "shuffled"])
def test_the_rows_of_a_table_stay_together_however_it_was_drawn(order: str) -> None:
    cells = [(72 + 160 * x, 120 + 16 * y, ("Item", "Price", "EUR")[x] + f" {y}") for y in range(6) for x in range(3)]
    if order == "columns":
        cells.sort(key=lambda text: text[0])
    if order == "shuffled":
        cells = [cells[at * 7 % 18] for at in range(18)]
    text = assay.read(makers.pdf(cells)).text
    assert [line.split() for line in text.splitlines()] == [["Item", str(y), "Price", str(y), "EUR", str(y)] for y in range(6)]


@pytest.mark.parametrize("whole", [True, False])
def test_two_columns_of_text_are_read_one_after_the_other(whole: bool) -> None:
    left = [(50, 100 + 14 * y, f"left line {y} says a few words more") for y in range(8)]
    right = [(320, 100 + 14 * y, f"right line {y} says some words more") for y in range(8)]
    body = left + right if whole else [line for pair in zip(left, right, strict=True) for line in pair]
    text = assay.read(makers.pdf([(50, 60, "A title across both of the columns of this page"), *body])).text
    assert text.splitlines()[1:] == [line for _, _, line in left + right]


def test_pages_are_chosen_and_keep_their_numbers() -> None:
    data = makers.pdf(*[makers.lines(f"page {n}") for n in range(1, 6)])
    document = assay.read(data, pages="2-3,5")
    assert [place.number for place in document.places] == [2, 3, 5]
    assert "page 4" not in document.text
    with pytest.raises(assay.ConfigurationError, match="has 5 pages; pages asks for 6"):
        assay.read(data, pages=6)


def test_the_values_of_a_form_are_text() -> None:
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    packed = BytesIO()
    canvas = Canvas(packed)
    canvas.drawString(72, 700, "Name:")
    canvas.acroForm.textfield(name="name", value="Petra Lindqvist", x=120, y=695, width=200, height=20)
    canvas.save()
    assert "Petra Lindqvist" in assay.read(packed.getvalue()).text


def test_docx() -> None:
    table = f"<w:tbl>{W_ROW.format(cell('a') + cell('b'))}{W_ROW.format(cell('1') + cell('2'))}</w:tbl>"
    body = (
        makers.p("Contract", "<w:pStyle w:val='H1'/>")
        + "<w:p><w:r><w:t>Between</w:t><w:tab/><w:t>A</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        + "<w:ins><w:r><w:t> &amp; B</w:t></w:r></w:ins><w:r><w:footnoteReference w:id='2'/></w:r></w:p>"
        + table
        + f"<w:p><w:r><w:pict><w:txbxContent>{makers.p('in a box')}</w:txbxContent></w:pict></w:r></w:p>"
    )
    notes = f"<w:footnotes {makers.W}><w:footnote w:type='separator' w:id='0'/><w:footnote w:id='2'>{makers.p('a note')}</w:footnote></w:footnotes>"
    document = assay.read(makers.docx(body, **{"word/footnotes.xml": notes}))
    assert document.text.splitlines() == ["# Contract", "Between\tA & B[2]", "a | b", "1 | 2", "", "", "in a box", "[2] a note"]
    assert document.notes == ("1 deleted piece of text (tracked changes) were left out",)
    with pytest.raises(assay.ConfigurationError, match="has no pages"):
        assay.read(makers.docx(body), pages=1)


def test_pptx_has_its_slides_in_the_order_in_which_they_are_shown() -> None:
    document = assay.read(makers.pptx("one", "two", "three", hidden=[2], notes={1: "say hello"}))
    assert document.text == "one\nsay hello\n\nthree"
    assert [str(place) for place in document.places] == ["slide 1", "slide 3"]
    assert document.notes == ("the hidden slide 2 was left out: pages='2' reads it",)
    assert assay.read(makers.pptx("one", "two", hidden=[2]), pages=2).text == "two"


def test_odt_and_odp() -> None:
    rows = "<table:table-row><table:table-cell><text:p>1</text:p></table:table-cell><table:table-cell><text:p>2</text:p></table:table-cell></table:table-row>"
    body = (
        '<text:h text:outline-level="2">Head</text:h><text:p>a<text:s text:c="2"/>b<text:line-break/>c<text:span>d</text:span></text:p>'
        f"<text:list><text:list-item><text:p>x</text:p></text:list-item></text:list><table:table>{rows}</table:table>"
    )
    assert assay.read(makers.odt(body)).text == "## Head\na  b\ncd\n- x\n1 | 2"
    assert [str(place) for place in assay.read(makers.odp("a", "b")).places] == ["slide 1 (p1)", "slide 2 (p2)"]


def test_a_spreadsheet_has_a_place_for_each_sheet() -> None:
    rows = [{"A1": "pos", "B1": "price"}, {"A2": "1", "B2": "12.50"}, {"A3": "date:46085", "C3": "late"}]
    book = makers.xlsx(("Lines", rows), ("Secret", [{"A1": "x"}]), hidden=["Secret"])
    document = assay.read(book)
    assert document.text == "pos | price\n1 | 12.5\n2026-03-04 |  | late"
    assert [str(place) for place in document.places] == ["sheet 1 (Lines)"]
    assert document.notes == ("the hidden sheet 'Secret' was left out: pages='2' reads it",)
    assert assay.read(book, pages=2).text == "x"


def test_html_is_what_a_reader_sees() -> None:
    page = (
        "<!doctype html><head><title>t</title><style>p{}</style></head><body><h1>Offer</h1><p>Two <b>lamps</b>,\n <i>please</i>.</p>"
        "<table><tr><th>a<th>b<tr><td>1<td>2</table><ul><li>x<li>y</ul><div style='display: none'>secret</div>"
        "<script>alert(1)</script><p hidden>h</p><img alt='a lamp'><pre>a\n  b</pre>"
    )
    document = assay.read(page.encode())
    assert document.text == "# Offer\n\nTwo lamps, please.\n\na | b\n1 | 2\n\n- x\n- y\n\na lamp\n\na\n  b"
    assert document.notes == ("2 hidden elements were left out",)


@pytest.mark.parametrize("charset", ["windows-1252", "iso-8859-1", "shift_jis"])
def test_html_says_its_own_encoding(charset: str) -> None:
    word = "請求" if charset == "shift_jis" else "“Größe”"
    encoding = "cp1252" if charset == "iso-8859-1" else charset
    assert assay.read(f"<html><meta charset={charset}><p>{word}".encode(encoding)).text == word


def test_a_mail_has_its_headers_its_text_and_its_attachments() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@example.org>", "shop@example.org", "Größe"
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content("Hello,\nsee the offer.\n")
    mail.add_alternative("<p>Hello in HTML", subtype="html")
    mail.add_attachment(makers.pdf(makers.lines("EUR 12")), maintype="application", subtype="pdf", filename="offer.pdf")
    mail.add_attachment(b"\x7fELF", maintype="application", subtype="octet-stream", filename="tool.exe")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("the first mail")
    mail.add_attachment(inner)
    document = assay.read(mail.as_bytes(), name="a.eml")
    assert document.text.startswith(
        "From: Ada <ada@example.org>\nTo: shop@example.org\nSubject: Größe\n\nHello,\nsee the offer."
    )
    assert [str(place) for place in document.places] == ["mail 1", "attachment 1 (offer.pdf)", "attachment 3"]
    assert document.text.endswith("Subject: inner\n\nthe first mail")
    assert document.notes == (f"an attachment was left out: tool.exe is a program: assay reads {makers_read()}",)


def makers_read() -> str:
    from assay.documents.formats.plain import READ

    return READ


def test_a_mail_of_html_alone_is_read_as_its_page() -> None:
    mail = EmailMessage()
    mail["From"] = "a@example.org"
    mail.set_content("<p>Total: <b>12 €</b>", subtype="html", charset="cp1252")
    assert assay.read(mail.as_bytes(), name="a.eml").text == "From: a@example.org\n\nTotal: 12 €"


def test_epub_has_its_chapters() -> None:
    document = assay.read(makers.epub("one", "two"))
    assert document.text == "one\n\ntwo"
    assert [str(place) for place in document.places] == ["chapter 1", "chapter 2"]


def test_images_and_scans_have_pages_without_text() -> None:
    assert assay.read(makers.picture("hello")).blank == (1,)
    assert assay.read(makers.picture("hello", form="JPEG")).blank == (1,)
    document = assay.read(makers.scanned("hello", pages=2))
    assert (document.text.strip(), document.blank) == ("", (1, 2))
