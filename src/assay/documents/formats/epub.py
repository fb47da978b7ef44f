"""EPUB: a place for each chapter, in the order of the book. Its chapters are pages of HTML."""

from __future__ import annotations

from posixpath import dirname, join, normpath
from urllib.parse import unquote

from assay.documents import helper
from assay.documents.archive import Archive, opened
from assay.documents.document import Builder, Document, Wanted
from assay.documents.pages import chosen
from assay.errors import ConfigurationError


def read(data: bytes, wanted: Wanted) -> Document:
    builder = Builder()
    with opened(data, wanted.name) as archive:
        chapters = _chapters(archive, wanted.name)
        for number in chosen(wanted.pages, len(chapters), "chapter", wanted.name):
            page = helper.read("html", archive.bytes(chapters[number - 1]), Wanted(wanted.name))
            builder.add(page.text, "chapter", number)
    return builder.document()


def _chapters(archive: Archive, name: str) -> list[str]:
    rootfile = archive.xml("META-INF/container.xml").find("{*}rootfiles/{*}rootfile")
    if rootfile is None:
        raise ConfigurationError(f"{name} is broken: its container does not name a book")
    book = rootfile.get("full-path", "")
    root = archive.xml(book)
    items = {item.get("id"): unquote(item.get("href", "")) for item in root.iterfind("{*}manifest/{*}item")}
    parts = [normpath(join(dirname(book), items.get(entry.get("idref"), ""))) for entry in root.iterfind("{*}spine/{*}itemref")]
    return [part for part in parts if part in archive.names]
