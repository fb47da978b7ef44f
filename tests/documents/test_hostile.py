"""Files that lie, explode or are broken: an error that says so, and the process goes on."""

from __future__ import annotations

import base64
import os
import signal
import struct
import threading
import zlib
from email.message import EmailMessage

import makers
import pytest

import assay
from assay.documents import helper
from assay.documents.document import Wanted

SPACES = (
    "c-pJD_4baU-yBAPhKsFDjsXHKOH8wOGO~FIX0T*j3Q_hf&{33Wlx}#zSk+*acR}nZV?fIS1@D{2A%E{zXMH(w@`?4{>K~<cztWBNRo#vFztMz="
    "fq{W7@6-23hwuD0nD_7AZF?4=NZY&H$Dg*|41DnP#pm$XK!JvXyYJkJnOVzWGf!4Of*mNrbMMyYzvteF6<Gh>S(P9U6fvl%XJH1?3a$n~k|7Gr"
    "SpeZAA#+A$MrB52MrB52MrDSzOx`xL<L~<!wf!$o*5BQ&3>5ltf7|o@{_E}cG8)a*%>e)`j3sR"
)
"""1.2 GB of spaces, deflated three times."""


def explosive_pdf() -> bytes:
    data = base64.b85decode(SPACES)
    filters = b" ".join([b"/FlateDecode"] * 3)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>",
        b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(data), filters, data),
    ]
    return whole_pdf(objects)


def whole_pdf(objects: list[bytes]) -> bytes:
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, start,
    )  # fmt: skip


def bomb_png(side: int = 60_000) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def lying_zip(size: int) -> bytes:
    """A DOCX whose directory says that its document unpacks to so many bytes."""
    data = makers.archive({"word/document.xml": "<a/>"})
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
DEEP = "<w:sdt><w:sdtContent>" * 100_000


def looped_mail(depth: int = 30) -> bytes:
    mail = EmailMessage()
    mail.set_content("the first")
    for _ in range(depth):
        outer = EmailMessage()
        outer["Message-ID"], outer["Subject"] = "<1@a>", "fwd"
        outer.set_content("see below")
        outer.add_attachment(mail)
        mail = outer
    return mail.as_bytes()


REFUSED = {
    "a PDF that unpacks to a gigabyte": (explosive_pdf, "memory"),
    "a PDF with a password": (lambda: makers.pdf(makers.lines("x"), encrypt="secret"), "with a password"),
    "a PDF that is cut off at once": (lambda: b"%PDF-1.7\n1 0 obj", "broken PDF"),
    "a spreadsheet with one cell far away": (
        lambda: makers.xlsx(("a", [{"A1": "1"}, {"XFD1048576": "2"}])),
        "memory|million cells",
    ),
    "a broken spreadsheet": (lambda: makers.archive({"xl/workbook.xml": "<a"}), "broken spreadsheet"),
    "a DOCX with entities": (lambda: makers.archive({"word/document.xml": BILLION + "<a>&b;</a>"}), "declares entities"),
    "a DOCX that is nested without end": (lambda: makers.docx(DEEP), "not XML|nested deeper"),
    "a DOCX without its document": (lambda: b"PK\x03\x04word/document.xml", "is broken"),
    "a DOCX that unpacks to 600 MB": (lambda: lying_zip(600_000_000), "unpacks to 600 MB"),
    "a DOCX that lies about its size": (lambda: lying_zip(2), "is broken"),
    "an ODT that is not XML": (lambda: makers.odt("<text:p>"), "not XML"),
    "a PPTX without slides' list": (lambda: makers.archive({"ppt/presentation.xml": ""}), "not XML"),
    "an EPUB without its book": (
        lambda: makers.archive({"mimetype": "application/epub+zip", "META-INF/container.xml": "<a/>"}),
        "does not name a book",
    ),
    "a page nested without end": (lambda: b"<html>" + b"<div>" * 8000, "nested deeper"),
    "an image of 3.6 billion pixels": (bomb_png, "pixels"),
    "an image that is cut off": (lambda: makers.picture("x")[:3000], "broken image"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_an_error_that_says_why(what: str) -> None:
    make, says = REFUSED[what]
    with pytest.raises(assay.ConfigurationError, match=says):
        assay.read(make(), name="offer")


def test_html_that_never_closes_a_tag_is_read_at_once() -> None:
    assert assay.read(b"<html><p>hi" + b"<a " * 100_000).text == "hi"


def test_mails_in_mails_end() -> None:
    document = assay.read(looped_mail(), name="a.eml")
    assert len(document.places) == 6
    assert "more than 5 deep" in document.notes[-1]


def test_a_pdf_whose_pages_loop_or_lie_is_read_or_refused() -> None:
    lying = whole_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 1000000000>>"])
    with pytest.raises(assay.ConfigurationError):
        assay.read(lying)


def test_the_helper_comes_back_after_it_was_killed() -> None:
    one = makers.pdf(makers.lines("one"))
    assert assay.read(one).text == "one"
    process = helper.HELPER._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert assay.read(one).text == "one"


def test_a_file_that_takes_too_long_is_given_up() -> None:
    mine = helper.Helper(seconds=0.0)
    with pytest.raises(assay.ConfigurationError, match="within 0 s"):
        mine.ask("read", makers.pdf(makers.lines("one")), Wanted("slow.pdf"), format="pdf")
    mine.close()


def test_many_threads_share_the_helper() -> None:
    texts: list[str] = []

    def work(number: int) -> None:
        texts.append(assay.read(makers.pdf(makers.lines(f"number {number}"))).text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == [f"number {number}" for number in range(8)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_a_helper_of_its_own() -> None:
    one = makers.pdf(makers.lines("one"))
    assay.read(one)
    child = os.fork()
    if not child:
        os._exit(0 if assay.read(one).text == "one" else 1)
    assert assay.read(one).text == "one"
    assert os.waitpid(child, 0)[1] == 0
