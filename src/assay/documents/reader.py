"""From a path, or bytes, to a document: which kind it is, and the file of `formats` that reads it."""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from assay.documents import helper
from assay.documents.document import Document, Wanted
from assay.documents.formats.plain import READ
from assay.documents.kind import HEAD, INSTEAD, Kind, kind_of
from assay.documents.ocr import check, recognized
from assay.documents.pages import Pages, numbers
from assay.errors import ConfigurationError

LARGEST = 100_000_000
"""Bytes of a file that is read."""


class Format(Protocol):
    """What each file of `formats` is."""

    def read(self, data: bytes, wanted: Wanted) -> Document: ...


_FORMATS = {
    Kind.TEXT: "plain",
    Kind.DOCX: "docx",
    Kind.PPTX: "pptx",
    Kind.ODF: "odf",
    Kind.EPUB: "epub",
    Kind.MAIL: "mail",
    Kind.PDF: "pdf",
    Kind.SHEET: "sheet",
    Kind.HTML: "html",
    Kind.IMAGE: "image",
}
"""The file of `formats` for each kind that is read."""
_NEEDS = {
    Kind.PDF: ("pypdfium2", "PIL"),
    Kind.SHEET: ("python_calamine",),
    Kind.HTML: ("selectolax",),
    Kind.EPUB: ("selectolax",),
    Kind.IMAGE: ("PIL",),
}
"""The packages of the extra `documents` that a kind needs."""
_IN_HELPER = frozenset({Kind.PDF, Kind.SHEET, Kind.HTML, Kind.IMAGE})


def read(
    source: str | Path | bytes,
    pages: Pages = None,
    *,
    encoding: str | None = None,
    ocr: str | None = None,
    name: str | None = None,
) -> Document:
    """The text of a file, with its pages (sheets, slides) as places.

    `source` is a path, or the bytes of a file. `pages` chooses pages, slides or sheets, counted from 1: `"1-3,7"`, a number,
    numbers. `encoding` is that of a text that is not UTF-8. `ocr="tesseract"` (or `"tesseract:deu+eng"`) reads pages that are images with that program.
    `name` is what errors call bytes. Raises `ConfigurationError` for what cannot be read, and says what to do.
    """
    data, called = _opened(source, name)
    check(ocr)
    document = read_bytes(data, Wanted(called, numbers(pages), encoding))
    return recognized(document, ocr) if ocr is not None and document.blank else document


def read_bytes(data: bytes, wanted: Wanted) -> Document:
    """The document that some bytes are."""
    kind = kind_of(data, wanted.name)
    check_kind(kind, wanted.name)
    if kind in _IN_HELPER:
        document = helper.read(_FORMATS[kind], data, wanted)
    else:
        format_ = cast("Format", importlib.import_module(f"assay.documents.formats.{_FORMATS[kind]}"))
        document = format_.read(data, wanted)
    return replace(document, name=wanted.name)


def check_kind(kind: Kind, name: str) -> None:
    """Raise for a kind that is not read, or whose package is not installed."""
    if kind in INSTEAD:
        raise ConfigurationError(f"{name} is {kind.value}: {INSTEAD[kind]}")
    if kind not in _FORMATS:
        raise ConfigurationError(f"{name} is {kind.value}: assay reads {READ}")
    if any(importlib.util.find_spec(package) is None for package in _NEEDS.get(kind, ())):
        raise ConfigurationError(f"{name} is {kind.value}: pip install 'assay[documents]' to read it")


def check_text(text: str) -> None:
    """Raise for a text that is the bytes of a file, or its path: a language model would invent values from it."""
    kind = kind_of(text[:HEAD].encode("latin-1", "replace"), "a.txt") if text.startswith(_HEADS) else Kind.TEXT
    if kind is not Kind.TEXT:
        raise ConfigurationError(
            f"the source is {kind.value} as a str: give its bytes to assay.read, or its pathlib.Path as the source"
        )
    if len(text) < 256 and _NAMED.search(text) and _is_document(text):
        raise ConfigurationError(
            f"the source is the name of a file, {text!r}: give pathlib.Path({text!r}) to read it; a str is the text itself"
        )


_HEADS = ("%PDF-", "PK\x03\x04", "\x89PNG\r", "\xff\xd8\xff", "{\\rtf", "\xd0\xcf\x11\xe0")
"""With which the files begin that are most often read as text by mistake."""


_NAMED = re.compile(r"^[^\n]+\.[A-Za-z]{2,5}$")
"""A text that may be a file's name."""


def _is_document(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _opened(source: str | Path | bytes, name: str | None) -> tuple[bytes, str]:
    if isinstance(source, bytes | bytearray | memoryview):
        data, called = bytes(source), name or "the source"
    elif isinstance(source, str | Path):
        data, called = _from_disk(Path(source)), name or str(source)
    else:
        raise ConfigurationError(f"the source of read must be a path or bytes; got {type(source).__name__}")
    if len(data) > LARGEST:
        raise ConfigurationError(_too_large(called, len(data)))
    return data, called


def _from_disk(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ConfigurationError(f"{path} is a folder: give a file, or give the folder to assay batch")
        if (size := path.stat().st_size) > LARGEST:
            raise ConfigurationError(_too_large(str(path), size))
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _too_large(name: str, size: int) -> str:
    return f"{name} has {size / 1e6:.0f} MB: a file may have at most {LARGEST / 1e6:.0f} MB"


DPI, SIDE = 150, 2000
"""How pages are drawn: dots per inch, and pixels of the longer side at most."""


def drawn(document: Document, pages: tuple[int, ...], *, most_bytes: int) -> list[bytes]:
    """Pages of a document as JPEG images, `most_bytes` together at most. Raises `ConfigurationError`."""
    format_ = _FORMATS[kind_of(document.data, document.name)]
    wanted = Wanted(document.name, pages)
    return helper.render(
        document.data, format_, wanted, dpi=DPI, side=SIDE, most_bytes=most_bytes * 3 // 4
    )  # base64 takes a third
