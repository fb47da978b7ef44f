"""Scans read by OCR: a program of its own, here one that says what tesseract would."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import makers
import pytest

import assay
from assay.types import Span

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
ROWS = [
    "1\t1\t0\t0\t0\t0\t0\t0\t1654\t2339\t-1\t",
    "5\t1\t1\t1\t1\t1\t200\t100\t300\t50\t96\tInvoice",
    "5\t1\t1\t1\t1\t2\t520\t100\t40\t50\t96\t7",
    "5\t1\t1\t1\t2\t1\t200\t200\t100\t50\t96\tEUR",
    '5\t1\t1\t1\t2\t2\t320\t200\t200\t50\t96\t"12.50',
    "5\t1\t2\t1\t1\t1\t200\t400\t200\t50\t96\tThanks",
]


@pytest.fixture
def tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of this name that takes an image and writes a table."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    table = "\n".join([HEAD, *ROWS])
    program.write_text(
        f"#!{sys.executable}\nimport sys\nassert sys.stdin.buffer.read(2) == b'\\xff\\xd8'\n"
        f"open({str(tmp_path / 'said')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\nprint({table!r})\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return tmp_path / "said"


def test_the_text_of_a_scan_takes_its_place_with_boxes(tesseract: Path) -> None:
    document = assay.read(makers.scanned("x", pages=2), ocr="tesseract:deu+eng")
    page = 'Invoice 7\nEUR "12.50\n\nThanks'
    assert document.text == f"{page}\n\n{page}"
    assert (document.blank, document.notes) == ((), ("pages 1, 2: read by OCR",))
    start = document.text.rindex("12.50")
    place = document.place(Span("", start, start + 5, "exact"))
    assert place is not None
    assert place.number == 2
    left, bottom, right, top = place.box  # type: ignore[misc]
    assert 115 < left < right < 190
    assert 740 < bottom < top < 842 - 70
    assert "-l deu+eng" in tesseract.read_text()


def test_pages_with_text_stay_as_they_are(tesseract: Path) -> None:
    document = assay.read(makers.pdf(makers.lines("a text")), ocr="tesseract")
    assert document.text == "a text"
    assert not tesseract.exists()


def test_a_program_that_fails_or_is_not_there_is_an_error(tesseract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = makers.picture("x")
    program = shutil.which("tesseract")
    assert program is not None
    Path(program).write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no language deu')\n")
    with pytest.raises(assay.ConfigurationError, match="tesseract failed on page 1: no language deu"):
        assay.read(scan, ocr="tesseract")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(assay.ConfigurationError, match="not installed"):
        assay.read(scan, ocr="tesseract")
    with pytest.raises(assay.ConfigurationError, match="ocr must be"):
        assay.read(scan, ocr="paddle")
