"""Files of each format, made by the tests."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

Text = tuple[float, float, str]
"""Left, distance from the top, and what is written there, in points."""


def pdf(*pages: Sequence[Text], size: float = 11, **options: Any) -> bytes:
    """A PDF whose pages have texts at places, drawn in the order given."""
    packed = BytesIO()
    canvas = Canvas(packed, pagesize=A4, **options)
    for page in pages:
        canvas.setFont("Helvetica", size)
        for left, down, text in page:
            canvas.drawString(left, A4[1] - down, text)
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


def lines(*texts: str, left: float = 72, down: float = 72, step: float = 16) -> list[Text]:
    return [(left, down + step * at, text) for at, text in enumerate(texts)]


def scanned(*texts: str, pages: int = 1) -> bytes:
    """A PDF whose pages are images."""
    packed = BytesIO()
    canvas = Canvas(packed, pagesize=A4)
    for page in range(pages):
        from reportlab.lib.utils import ImageReader

        canvas.drawImage(ImageReader(BytesIO(picture(*texts, str(page + 1)))), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


def picture(*texts: str, form: str = "PNG", side: int = 1200, **options: Any) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (side, int(side * 1.4)), "white")
    draw = ImageDraw.Draw(image)
    for at, text in enumerate(texts):
        draw.text((100, 100 + 60 * at), text, fill="black", font_size=40)
    packed = BytesIO()
    image.save(packed, form, **options)
    return packed.getvalue()


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return packed.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'


def relations(**targets: tuple[str, str]) -> str:
    return _RELS.format(
        "".join(f'<Relationship Id="{id_}" Type="{_RELATIONS}/{kind}" Target="{to}"/>' for id_, (kind, to) in targets.items())
    )


def p(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"


def docx(body: str, **parts: str) -> bytes:
    return archive({
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relations(s=("styles", "styles.xml"), f=("footnotes", "footnotes.xml")),
        "word/styles.xml": f'<w:styles {W}><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style></w:styles>',
        **parts,
    })  # fmt: skip


P = f'xmlns:p="http://p" xmlns:a="http://a" xmlns:r="{_RELATIONS}"'


def pptx(*slides: str, hidden: Sequence[int] = (), notes: Mapping[int, str] | None = None) -> bytes:
    """Slides of one text box each; their files are numbered backwards, as programs may."""
    parts: dict[str, str | bytes] = {}
    count = len(slides)
    ids = "".join(f'<p:sldId id="{at}" r:id="r{at}"/>' for at in range(count))
    parts["ppt/presentation.xml"] = f"<p:presentation {P}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
    parts["ppt/_rels/presentation.xml.rels"] = relations(
        **{f"r{at}": ("slide", f"slides/slide{count - at}.xml") for at in range(count)}
    )
    for at, text in enumerate(slides):
        show = ' show="0"' if at + 1 in hidden else ""
        shape = f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        parts[f"ppt/slides/slide{count - at}.xml"] = f"<p:sld {P}{show}><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>"
        if notes and at + 1 in notes:
            parts[f"ppt/slides/_rels/slide{count - at}.xml.rels"] = relations(n=("notesSlide", f"../notes/n{at}.xml"))
            body = '<p:nvSpPr><p:nvPr><p:ph type="body"/></p:nvPr></p:nvSpPr>'
            parts[f"ppt/notes/n{at}.xml"] = (
                f"<p:notes {P}><p:sp>{body}<p:txBody><a:p><a:r><a:t>{notes[at + 1]}</a:t></a:r></a:p></p:txBody></p:sp></p:notes>"
            )
    return archive(parts)


_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def odt(body: str) -> bytes:
    content = f"<office:document-content {_ODF}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    return archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def odp(*slides: str) -> bytes:
    pages = "".join(f'<draw:page draw:name="p{at}"><text:p>{text}</text:p></draw:page>' for at, text in enumerate(slides, 1))
    content = f"<office:document-content {_ODF}><office:body><office:presentation>{pages}</office:presentation></office:body></office:document-content>"
    return archive({"mimetype": "application/vnd.oasis.opendocument.presentation", "content.xml": content})


_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def xlsx(*sheets: tuple[str, Sequence[Mapping[str, str]]], hidden: Sequence[str] = ()) -> bytes:
    """Sheets by name, each of rows, each from a cell's name to the XML of its cell: `{"A1": '<v>1</v>'}`."""
    parts: dict[str, str | bytes] = {}
    names = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"{" state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""}/>'
        for at, (name, _) in enumerate(sheets, 1)
    )
    parts["[Content_Types].xml"] = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    parts["_rels/.rels"] = relations(w=("officeDocument", "xl/workbook.xml"))
    parts["xl/workbook.xml"] = f'<workbook {_S} xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>'
    parts["xl/_rels/workbook.xml.rels"] = relations(
        **{f"r{at}": ("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)}, s=("styles", "styles.xml")
    )
    parts["xl/styles.xml"] = (
        f'<styleSheet {_S}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    for at, (_, rows) in enumerate(sheets, 1):
        xml = "".join(f"<row>{''.join(_cell(name, value) for name, value in row.items())}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{at}.xml"] = f"<worksheet {_S}><sheetData>{xml}</sheetData></worksheet>"
    return archive(parts)


def _cell(name: str, value: str) -> str:
    if value.startswith("date:"):
        return f'<c r="{name}" s="1"><v>{value[5:]}</v></c>'
    if value.replace(".", "").isdigit():
        return f'<c r="{name}"><v>{value}</v></c>'
    return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'


def epub(*chapters: str) -> bytes:
    items = "".join(f'<item id="c{at}" href="c{at}.xhtml"/>' for at in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    return archive({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="c"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": f'<package xmlns="o"><manifest>{items}</manifest><spine>{spine}</spine></package>',
        **{f"OEBPS/c{at}.xhtml": f"<html><body><p>{text}</p></body></html>" for at, text in enumerate(chapters)},
    })  # fmt: skip
