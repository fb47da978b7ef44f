"""OpenDocument texts and presentations (ODT, ODP): paragraphs, headings, lists, tables row by row, notes."""

from __future__ import annotations

from collections.abc import Iterator

from assay.documents.archive import Element, attribute, local, opened
from assay.documents.document import Builder, Document, Wanted
from assay.documents.pages import chosen
from assay.errors import ConfigurationError

_GONE = frozenset({"tracked-changes", "annotation", "sequence-decls", "forms", "variable-decls", "user-field-decls"})
MOST_SPACES = 1000
"""Of one `text:s`, which says how many there are."""


def read(data: bytes, wanted: Wanted) -> Document:
    with opened(data, wanted.name) as archive:
        if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.bytes("META-INF/manifest.xml"):
            raise ConfigurationError(f"{wanted.name} has a password: save it without one")
        root = archive.xml("content.xml")
    show = root.find("{*}body/{*}presentation")
    if show is not None:
        slides = show.findall("{*}page")
        builder = Builder()
        for number in chosen(wanted.pages, len(slides), "slide", wanted.name):
            builder.add("\n".join(_blocks(slides[number - 1])), "slide", number, attribute(slides[number - 1], "name") or "")
        return builder.document()
    if wanted.pages is not None:
        raise ConfigurationError(
            f"{wanted.name} is an OpenDocument text, which has no pages: leave pages out, or save it as PDF"
        )
    body = root.find("{*}body")
    changes = sum(local(each) == "deletion" for each in root.iter())
    notes = (f"{changes} deleted piece{'s' * (changes > 1)} of text (tracked changes) were left out",) if changes else ()
    return Document("\n".join(_blocks(body)).strip("\n") if body is not None else "", notes=notes)


def _blocks(parent: Element, bullet: str = "") -> Iterator[str]:
    for element in parent:
        match local(element):
            case "h":
                level = attribute(element, "outline-level") or "1"
                yield f"{'#' * min(6, int(level) if level.isdigit() else 1)} {''.join(_inline(element))}"
            case "p":
                yield bullet + "".join(_inline(element))
            case "list":
                yield from _blocks(element)
            case "list-item":
                yield from _blocks(element, "- ")
            case "table":
                yield from _table(element)
                yield ""
            case name if name not in _GONE:
                yield from _blocks(element, bullet)


def _table(table: Element) -> Iterator[str]:
    for row in (each for each in table.iter() if local(each) == "table-row"):
        cells = [" ".join(" ".join(_blocks(cell)).split()) for cell in row if local(cell) == "table-cell"]
        if any(cells):
            yield " | ".join(cells)


def _inline(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        match local(child):
            case "s":
                count = attribute(child, "c") or "1"
                yield " " * min(MOST_SPACES, int(count) if count.isdigit() else 1)
            case "tab":
                yield "\t"
            case "line-break":
                yield "\n"
            case "note":
                yield f" [{' '.join(' '.join(_blocks(child)).split())}]"
            case "text-box":
                yield "\n" + "\n".join(_blocks(child)) + "\n"
            case name if name not in _GONE:
                yield from _inline(child)
        yield child.tail or ""
