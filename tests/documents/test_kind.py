"""What kind of file some bytes are; and that what is not text is never read as text, by whatever door it comes."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import assay
from assay.documents.kind import Kind, kind_of
from servers import Server, said


def zipped(*names: str, mimetype: str = "") -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<x/>")
    return packed.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
KINDS = [
    (b"%PDF-1.4\n1 0 obj\n", "a.txt", Kind.PDF),
    (b"@PJL SET\n%PDF-1.4\n1 0 obj endobj", "", Kind.PDF),
    (zipped("word/document.xml"), "a.txt", Kind.DOCX),
    (zipped("ppt/presentation.xml"), "", Kind.PPTX),
    (zipped("xl/workbook.xml"), "", Kind.SHEET),
    (zipped(mimetype="application/vnd.oasis.opendocument.text"), "", Kind.ODF),
    (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "", Kind.SHEET),
    (zipped(mimetype="application/epub+zip"), "", Kind.EPUB),
    (zipped("a.txt"), "", Kind.ARCHIVE),
    (b"PK\x03\x04 cut off", "letter.docx", Kind.ARCHIVE),
    (OLE + "WordDocument".encode("utf-16-le"), "", Kind.DOC),
    (OLE + "Workbook".encode("utf-16-le"), "", Kind.SHEET),
    (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", Kind.LOCKED),
    (OLE + "__properties_version1.0".encode("utf-16-le"), "", Kind.MSG),
    (b"\x89PNG\r\n\x1a\n", "", Kind.IMAGE),
    (b"RIFF1234WEBP", "", Kind.IMAGE),
    (b"RIFF1234WAVE", "", Kind.AUDIO),
    (b"{\\rtf1 hello}", "", Kind.RTF),
    (b"<!DOCTYPE html><p>hi", "", Kind.HTML),
    (b"\xef\xbb\xbf <!-- x -->\n<html>", "", Kind.HTML),
    ("<html><p>hi".encode("utf-16"), "", Kind.HTML),
    (b"<html><p>hi", "a.txt", Kind.TEXT),
    (b"<p>hi", "a.html", Kind.HTML),
    (b"From: a@b.example\r\nMessage-ID: <1@b>\r\nSubject: hi\r\n\r\nbody", "", Kind.MAIL),
    (b"From: Petra\nSubject: my lamp\n\nIt broke.", "", Kind.TEXT),
    (b"From: Petra\n\nIt broke.", "a.eml", Kind.MAIL),
    (b"hello", "", Kind.TEXT),
    (b"", "", Kind.TEXT),
]


@pytest.mark.parametrize(("data", "name", "kind"), KINDS)
def test_a_kind_is_told_by_the_bytes_and_only_then_by_the_name(data: bytes, name: str, kind: Kind) -> None:
    assert kind_of(data, name) is kind


TEXTS = [
    ("grüße".encode(), "grüße"),
    ("grüße".encode("utf-8-sig"), "grüße"),
    ("grüße".encode("utf-16"), "grüße"),
    ("plain text of utf-16 without a mark".encode("utf-16-le"), "plain text of utf-16 without a mark"),
    ("plain text of utf-16 without a mark".encode("utf-16-be"), "plain text of utf-16 without a mark"),
    ("grüße".encode("utf-32"), "grüße"),
    (b"\x1b[1mbold\x1b[0m", "\x1b[1mbold\x1b[0m"),
]


@pytest.mark.parametrize(("data", "text"), TEXTS)
def test_a_text_is_read_in_its_encoding(data: bytes, text: str) -> None:
    assert assay.read(data).text == text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (OLE + "WordDocument".encode("utf-16-le"), "save it as DOCX"),
        (b"PK\x03\x04 cut off", "an archive"),
        (b"\x7fELF\x02", "a program"),
        (bytes(range(256)) * 4, "binary data"),
        (b"nearly \0 a text", "binary data, not text: byte 8 is zero"),
        (b"\x01\x02\x03\x04\x05ab", "control characters"),
        ("Müller, Straße".encode("cp1252"), "is not UTF-8 text: byte 1 is 0xfc"),
    ],
)
def test_what_is_no_text_is_an_error_that_names_the_kind(data: bytes, says: str) -> None:
    with pytest.raises(assay.ConfigurationError, match=says):
        assay.read(data, name="offer.bin")


def test_the_guess_at_an_encoding_is_named_and_never_used() -> None:
    text = "これは日本語の文章です。請求書の金額は一万二千円です。支払期限は来月末日です。" * 3
    data = text.encode("shift_jis")
    with pytest.raises(assay.ConfigurationError, match="--encoding"):
        assay.read(data)
    assert assay.read(data, encoding="shift_jis").text == text
    with pytest.raises(assay.ConfigurationError, match="encoding must be the name of an encoding.*shift_jis"):
        assay.read(data, encoding="shift-jos")
    with pytest.raises(assay.ConfigurationError, match="is not ascii"):
        assay.read(data, encoding="ascii")


@pytest.mark.parametrize("pages", ["0", "3-1", "a", "", [], [0], -1, True, 1.5, ["1"], "1-", ","])
def test_pages_that_are_none_are_refused(pages: object) -> None:
    with pytest.raises(assay.ConfigurationError, match="pages must be"):
        assay.read(b"text", pages=pages)  # type: ignore[arg-type]


def test_a_str_that_is_a_file_is_never_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("offer.pdf").write_bytes(b"%PDF-1.4\nendobj")
    with Server(said('{"items": []}')) as server, assay.Extractor(list[str], model="m", base_url=server.base_url) as extractor:
        for source in ("offer.pdf", "%PDF-1.4\n1 0 obj", "PK\x03\x04\x14\0"):
            outcome = extractor.run(source)
            assert isinstance(outcome.error, assay.ConfigurationError), source
            assert "pathlib.Path" in str(outcome.error)
        for broken in (Path("nowhere.txt"), tmp_path, Path("letter.bin")):
            if broken.name == "letter.bin":
                broken.write_bytes(bytes(20))
            assert isinstance(extractor.run(broken).error, assay.ConfigurationError)
        assert server.received == []
        Path("letter.md").write_text("a letter")
        assert extractor.run(Path("letter.md")).ok
        assert [outcome.ok for outcome in extractor.map([Path("letter.md"), Path("nowhere.txt"), assay.read("letter.md")])] == [
            True, False, True,
        ]  # fmt: skip
    assert "a letter" in server.received[0].json["messages"][-1]["content"]
