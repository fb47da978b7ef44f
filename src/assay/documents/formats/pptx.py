"""PPTX: a place for each slide, with its tables, groups and speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator

from assay.documents.archive import Archive, Element, attribute, local, opened
from assay.documents.document import Builder, Document, Wanted
from assay.documents.pages import chosen


def read(data: bytes, wanted: Wanted) -> Document:
    builder, notes = Builder(), []
    with opened(data, wanted.name) as archive:
        slides = _slides(archive)
        for number in chosen(wanted.pages, len(slides), "slide", wanted.name):
            part = slides[number - 1]
            root = archive.xml(part)
            if wanted.pages is None and attribute(root, "show") in ("0", "false"):
                notes.append(f"the hidden slide {number} was left out: pages='{number}' reads it")
                continue
            builder.add("\n".join([*_texts(root), *_spoken(archive, part)]), "slide", number)
    return builder.document(notes=notes)


def _slides(archive: Archive) -> list[str]:
    """The slides in the order in which they are shown."""
    main = "ppt/presentation.xml"
    related = archive.related(main)
    ids = archive.xml(main).iterfind("{*}sldIdLst/{*}sldId")
    parts = [related.get(_relation(slide), ("", ""))[1] for slide in ids]
    return [part for part in parts if part in archive.names]


def _relation(element: Element) -> str:
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


def _spoken(archive: Archive, slide: str) -> Iterator[str]:
    for kind, part in archive.related(slide).values():
        if kind == "notesSlide" and part in archive.names:
            bodies = [shape for shape in archive.xml(part).iter() if local(shape) == "sp" and _is_body(shape)]
            for shape in bodies:
                yield from _texts(shape)


def _is_body(shape: Element) -> bool:
    """The notes themselves: beside them stand the slide's number and the date."""
    placeholder = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
    return placeholder is not None and attribute(placeholder, "type") == "body"


def _texts(parent: Element) -> Iterator[str]:
    for element in parent:
        match local(element):
            case "tbl":
                for row in element.iterfind("{*}tr"):
                    yield " | ".join(" ".join(" ".join(_texts(cell)).split()) for cell in row.iterfind("{*}tc"))
            case "p":
                if (text := "".join(_runs(element))).strip():
                    yield text
            case "AlternateContent":  # the same twice: for new programs and for old ones
                yield from _texts(element[0]) if len(element) else ()
            case _:
                yield from _texts(element)


def _runs(paragraph: Element) -> Iterator[str]:
    for element in paragraph.iter():
        match local(element):
            case "t":
                yield element.text or ""
            case "br":
                yield "\n"
            case "tab":
                yield "\t"
