"""What kind of file some bytes are: by their signature, by what is in a zip, and only then by the name.

So bytes that are not text are never read as text, whatever the file is called.
"""

from __future__ import annotations

import re
import zipfile
from enum import Enum
from io import BytesIO
from pathlib import PurePath

HEAD = 4096
"""Bytes that a signature, a doctype or the headers of a mail are looked for in."""


class Kind(Enum):
    """A kind of file; the value is its name in a sentence."""

    TEXT = "a text"
    PDF = "a PDF"
    DOCX = "a Word document (DOCX)"
    PPTX = "a PowerPoint presentation (PPTX)"
    ODF = "an OpenDocument file"
    EPUB = "an EPUB book"
    SHEET = "a spreadsheet"
    HTML = "an HTML page"
    MAIL = "a mail"
    IMAGE = "an image"
    RTF = "an RTF document"
    DOC = "an old Word document (DOC)"
    PPT = "an old PowerPoint presentation (PPT)"
    MSG = "an Outlook mail (MSG)"
    LOCKED = "an Office document with a password"
    ARCHIVE = "an archive"
    AUDIO = "audio or video"
    DATABASE = "a database"
    TABLE = "a Parquet table"
    PROGRAM = "a program"
    MODEL = "model weights"
    BINARY = "binary data"


INSTEAD = {
    Kind.RTF: "save it as DOCX, ODT or text",
    Kind.DOC: "save it as DOCX",
    Kind.PPT: "save it as PPTX",
    Kind.MSG: "save it as EML",
    Kind.LOCKED: "save it without the password",
    Kind.ARCHIVE: "unpack it first",
    Kind.TABLE: "give it to assay batch, which reads its rows",
}
"""What to do with kinds that are known and not read."""

_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", Kind.PDF),
    (b"{\\rtf", Kind.RTF),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF87a", Kind.IMAGE),
    (b"GIF89a", Kind.IMAGE),
    (b"II*\0", Kind.IMAGE),
    (b"MM\0*", Kind.IMAGE),
    (b"\x1f\x8b", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ\0", Kind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),
    (b"SQLite format 3\0", Kind.DATABASE),
    (b"PAR1", Kind.TABLE),
    (b"\x7fELF", Kind.PROGRAM),
    (b"MZ\x90\0", Kind.PROGRAM),
    (b"GGUF", Kind.MODEL),
    (b"ID3", Kind.AUDIO),
    (b"OggS", Kind.AUDIO),
    (b"fLaC", Kind.AUDIO),
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("EncryptedPackage", Kind.LOCKED),
    ("WordDocument", Kind.DOC),
    ("PowerPoint Document", Kind.PPT),
    ("Workbook", Kind.SHEET),
    ("Book", Kind.SHEET),
    ("__properties_version1.0", Kind.MSG),
)
_ZIPS = (
    ("word/document.xml", Kind.DOCX),
    ("ppt/presentation.xml", Kind.PPTX),
    ("xl/workbook.xml", Kind.SHEET),
    ("xl/workbook.bin", Kind.SHEET),
)

_HTML = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):[ \t]?[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n")
_TEXT_NAMES = (".txt", ".text", ".md", ".markdown", ".rst", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml")


def kind_of(data: bytes, name: str = "") -> Kind:
    """The kind of some bytes; `name`, where there is one, only tells pages and mails from other texts."""
    head = data[:HEAD]
    if (found := _by_signature(data, head)) is not None:
        return found
    suffix = PurePath(name).suffix.lower()
    if suffix == ".eml":
        return Kind.MAIL
    if suffix in _TEXT_NAMES:
        return Kind.TEXT
    bare = _bare(head)
    if _HTML.match(bare) or (suffix in (".html", ".htm", ".xhtml") and b"<" in bare):
        return Kind.HTML
    return Kind.MAIL if _is_mail(bare) else Kind.TEXT


def _by_signature(data: bytes, head: bytes) -> Kind | None:
    if head.startswith(_OLE):
        return _ole(data)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip(data)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF":
        return Kind.IMAGE if head[8:12] == b"WEBP" else Kind.AUDIO
    if head[4:8] == b"ftyp":
        return Kind.IMAGE if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else Kind.AUDIO
    if head[:2] == b"BM" and len(data) > 30 and data[14:18] in (b"\x28\0\0\0", b"\x7c\0\0\0", b"\x6c\0\0\0"):
        return Kind.IMAGE
    # Printers and scanners put lines of their own before a PDF; readers look for its sign in the first kilobyte.
    at = head[:1024].find(b"%PDF-")
    return Kind.PDF if at > 0 and (b"endobj" in data or b"startxref" in data) else None


def _ole(data: bytes) -> Kind:
    """The names of the streams in an OLE file are UTF-16."""
    return next((kind for name, kind in _OLE_STREAMS if name.encode("utf-16-le") in data), Kind.BINARY)


def _zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = (
                archive.read("mimetype")[:80] if archive.NameToInfo.get("mimetype", _NONE).file_size in range(1, 80) else b""
            )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, KeyError, EOFError):
        return _broken_zip(data)
    if b"application/epub" in mimetype:
        return Kind.EPUB
    if b"opendocument.spreadsheet" in mimetype:
        return Kind.SHEET
    if b"opendocument" in mimetype:
        return Kind.ODF
    return next((kind for name, kind in _ZIPS if name in names), Kind.ARCHIVE)


_NONE = zipfile.ZipInfo()


def _broken_zip(data: bytes) -> Kind:
    """A zip without a readable directory still shows the names of its files."""
    return next((kind for name, kind in _ZIPS if name.encode() in data), Kind.ARCHIVE)


def _bare(head: bytes) -> bytes:
    """The first bytes as ASCII writes them, where they are UTF-16."""
    if head.startswith(b"\xff\xfe") or head[1:2] == b"\0":
        return head.removeprefix(b"\xff\xfe")[::2]
    if head.startswith(b"\xfe\xff") or head[:1] == b"\0":
        return head.removeprefix(b"\xfe\xff")[1::2]
    return head.removeprefix(b"\xef\xbb\xbf")


def _is_mail(head: bytes) -> bool:
    """A block of headers, with one that only a mail program writes: a letter may begin with From and Subject as well."""
    at, names = 0, set()
    while (header := _HEADER.match(head, at)) is not None:
        names.add(header[1].lower())
        at = header.end()
    ended = len(head) >= HEAD - 1 or head[at : at + 2].startswith((b"\n", b"\r\n")) or at == len(head)
    return ended and bool(names & {b"message-id", b"mime-version", b"received"}) and bool(names & {b"from", b"subject", b"to"})
