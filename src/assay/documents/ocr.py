"""Pages that are images, read by tesseract: their text takes its place among the others, with the boxes of its words."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

from assay.data.places import pack, unpack
from assay.documents import helper
from assay.documents.document import Builder, Document, Wanted
from assay.documents.kind import Kind, kind_of
from assay.errors import ConfigurationError

PROGRAM = "tesseract"
DPI, SIDE = 200, 4000
"""How pages are drawn for it: more dots do not help."""
MOST_BYTES = 50_000_000
SECONDS = 120.0
"""For one page."""

Word = tuple[int, int, float, float, float, float]


def check(ocr: str | None) -> None:
    """Raise `ConfigurationError` for another program, or when it is not installed."""
    if ocr is None:
        return
    program, _, languages = ocr.partition(":")
    if program != PROGRAM or (languages and not languages.replace("+", "").replace("_", "").isalnum()):
        raise ConfigurationError(f"ocr must be 'tesseract', or 'tesseract:deu+eng' with languages; got {ocr!r}")
    if shutil.which(PROGRAM) is None:
        raise ConfigurationError("ocr='tesseract' needs the program tesseract, which is not installed (Debian: tesseract-ocr)")


def recognized(document: Document, ocr: str) -> Document:
    """The document with the text of the pages that are images. Raises `ConfigurationError`."""
    languages = ocr.partition(":")[2]
    builder = Builder()
    words: list[Word] = []
    known, blank = list(unpack(document.words)), []
    for place in document.places:
        text = document.text[place.start : place.end].rstrip("\n")
        found = _moved([word for word in known if place.start <= word[0] < place.end], -place.start)
        if place.number in document.blank:
            text, found = _read(document, place.number, languages)
            if not text:
                blank.append(place.number)
        words += _moved(found, builder.add(text, place.kind, place.number, place.name))
    read = [number for number in document.blank if number not in blank]
    note = (f"page{'s' * (len(read) > 1)} {', '.join(map(str, read))}: read by OCR",) if read else ()
    made = builder.document(notes=(*document.notes, *note), blank=blank, words=pack(words))
    return replace(made, name=document.name, data=document.data)


def _moved(words: list[Word], by: int) -> list[Word]:
    return [(first + by, last + by, *box) for first, last, *box in words]  # type: ignore[misc]  # four sides


def _read(document: Document, number: int, languages: str) -> tuple[str, list[Word]]:
    kind = "pdf" if kind_of(document.data, document.name) is Kind.PDF else "image"
    wanted = Wanted(document.name, (number,))
    (image,) = helper.render(document.data, kind, wanted, dpi=DPI, side=SIDE, most_bytes=MOST_BYTES)
    command = [PROGRAM, "stdin", "stdout", "--dpi", str(DPI), *(["-l", languages] if languages else []), "tsv"]
    try:
        done = subprocess.run(command, input=image, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603  # its own name
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"{document.name}: OCR of page {number} took more than {SECONDS:.0f} s") from None
    except OSError as error:
        raise ConfigurationError(f"{document.name}: tesseract cannot be started: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ConfigurationError(f"{document.name}: tesseract failed on page {number}: {said[-1] if said else done.returncode}")
    return _text(list(_rows(done.stdout.decode("utf-8", "replace"))), boxes=kind == "pdf")


def _rows(table: str) -> Iterator[dict[str, str]]:
    return iter(csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _text(rows: list[dict[str, str]], *, boxes: bool) -> tuple[str, list[Word]]:
    """The words of a page in lines, with their boxes in points; an empty line between paragraphs."""
    height = next((int(row["height"]) for row in rows if row["level"] == "1"), 0)
    parts: list[str] = []
    words: list[Word] = []
    length, line, paragraph = 0, None, None
    for row in rows:
        if row["level"] != "5" or not (text := (row["text"] or "").strip()):
            continue
        here = (row["block_num"], row["par_num"], row["line_num"])
        between = "" if line is None else " " if here == line else "\n" if here[:2] == paragraph else "\n\n"
        line, paragraph = here, here[:2]
        start = length + len(between)
        length = start + len(text)
        parts += (between, text)
        if boxes:
            left, top, wide, high = (int(row[name]) * 72 / DPI for name in ("left", "top", "width", "height"))
            bottom = height * 72 / DPI - top - high
            words.append((start, length, left, bottom, left + wide, bottom + high))
    return "".join(parts), words
