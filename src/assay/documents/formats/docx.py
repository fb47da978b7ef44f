"""DOCX: paragraphs, tables row by row, text boxes, foot- and endnotes. It knows no pages: those are made when it is printed."""

from __future__ import annotations

from collections.abc import Iterator

from assay.documents.archive import Archive, Element, attribute, local, opened
from assay.documents.document import Document, Wanted
from assay.errors import ConfigurationError

_GONE = frozenset({"del", "moveFrom", "instrText", "delText", "delInstrText", "pPr", "rPr", "tblPr", "tcPr", "trPr", "sectPr"})
_NOTES = {"footnotes": "footnote", "endnotes": "endnote"}


def read(data: bytes, wanted: Wanted) -> Document:
    if wanted.pages is not None:
        raise ConfigurationError(f"{wanted.name} is a DOCX, which has no pages: leave pages out, or save it as PDF")
    with opened(data, wanted.name) as archive:
        return _Reader(archive).read()


class _Reader:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        related = archive.related("word/document.xml").values()
        self._parts = {kind: part for kind, part in related if part in archive.names}
        self._headings = self._styles()
        self._deleted = 0
        self._pictures = 0

    def read(self) -> Document:
        body = self._archive.xml("word/document.xml").find("{*}body")
        lines = list(self._blocks(body)) if body is not None else []
        for kind, name in _NOTES.items():
            if kind in self._parts:
                lines += self._footnotes(kind, name)
        notes = []
        if self._deleted:
            notes.append(f"{self._deleted} deleted piece{'s' * (self._deleted > 1)} of text (tracked changes) were left out")
        if self._pictures:
            notes.append(
                f"{self._pictures} picture{'s' * (self._pictures > 1)} were left out: save it as PDF to have them read"
            )
        return Document("\n".join(lines).strip("\n"), notes=tuple(notes))

    def _styles(self) -> dict[str, int]:
        """The level of each style that is a heading's."""
        if "styles" not in self._parts:
            return {}
        levels = {}
        for style in self._archive.xml(self._parts["styles"]).iterfind("{*}style"):
            name, id_ = style.find("{*}name"), attribute(style, "styleId")
            said = (attribute(name, "val") or "").lower() if name is not None else ""
            if id_ and said.startswith("heading ") and said[8:].isdigit():
                levels[id_] = min(6, int(said[8:]))
            elif id_ and said == "title":
                levels[id_] = 1
        return levels

    def _blocks(self, parent: Element) -> Iterator[str]:
        for element in parent:
            match local(element):
                case "p":
                    yield from self._paragraph(element)
                case "tbl":
                    yield from self._table(element)
                    yield ""
                case "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo" | "smartTag" | "txbxContent":
                    yield from self._blocks(element)
                case _:
                    pass

    def _paragraph(self, paragraph: Element) -> Iterator[str]:
        boxes: list[str] = []
        text = "".join(self._runs(paragraph, boxes))
        style = paragraph.find("{*}pPr/{*}pStyle")
        level = self._headings.get(attribute(style, "val") or "", 0) if style is not None else 0
        if paragraph.find("{*}pPr/{*}numPr") is not None and not level and text:
            text = f"- {text}"
        yield f"{'#' * level} {text}" if level and text.strip() else text
        yield from boxes

    def _runs(self, parent: Element, boxes: list[str]) -> Iterator[str]:
        for element in parent:
            match local(element):
                case "t":
                    yield element.text or ""
                case "tab":
                    yield "\t"
                case "br" | "cr":
                    yield "\n"
                case "noBreakHyphen":
                    yield "-"
                case "txbxContent":
                    boxes += self._blocks(element)
                case "footnoteReference" | "endnoteReference":
                    yield f"[{attribute(element, 'id')}]"
                case "AlternateContent":  # the same twice: for new programs and for old ones
                    yield from self._runs(element[0], boxes) if len(element) else ()
                case "blip":
                    self._pictures += 1
                case "del" | "moveFrom":
                    self._deleted += 1
                case name if name not in _GONE:
                    yield from self._runs(element, boxes)

    def _table(self, table: Element) -> Iterator[str]:
        for row in self._within(table, "tr"):
            cells = [" ".join(" ".join(self._blocks(cell)).split()) for cell in self._within(row, "tc")]
            if any(cells):
                yield " | ".join(cells)

    def _within(self, parent: Element, name: str) -> Iterator[Element]:
        """The rows of a table, or the cells of a row: also those in content controls and in tracked changes."""
        for element in parent:
            if local(element) == name:
                yield element
            elif local(element) in ("sdt", "sdtContent", "customXml", "ins"):
                yield from self._within(element, name)

    def _footnotes(self, kind: str, name: str) -> Iterator[str]:
        for note in self._archive.xml(self._parts[kind]).iterfind(f"{{*}}{name}"):
            if attribute(note, "type") in (None, "normal") and (text := " ".join(" ".join(self._blocks(note)).split())):
                yield f"[{attribute(note, 'id')}] {text}"
