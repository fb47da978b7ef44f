"""What runs in the helper process: reads requests from the standard input, answers on what was the standard output."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from assay.documents import frames
from assay.documents.document import Document, Wanted
from assay.errors import ConfigurationError


def main(memory: int) -> None:
    """Answer until the other side is gone."""
    _bound(memory)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    while True:
        try:
            head, (data,) = frames.receive(requests)
        except EOFError:
            return
        try:
            answer, blobs = _answer(head, data)
        except ConfigurationError as error:
            answer, blobs = {"error": str(error)}, []
        except MemoryError:
            answer, blobs = {"error": f"{head['name']} takes more than {memory / 1e9:.0f} GB of memory to read"}, []
        except RecursionError:
            answer, blobs = {"error": f"{head['name']} is nested too deep to be read"}, []
        except Exception as error:  # noqa: BLE001  # a border: whatever a library makes of a broken file
            answer, blobs = {"error": f"{head['name']} is broken: {type(error).__name__}: {error}"}, []
        frames.send(answers, answer, *blobs)


def _bound(memory: int) -> None:
    """No more address space than this. Windows has no such bound."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    module = importlib.import_module(f"assay.documents.formats.{head['format']}")
    pages = head["pages"]
    wanted = Wanted(head["name"], None if pages is None else tuple(pages), head["encoding"])
    if head["verb"] == "read":
        return _packed(module.read(data, wanted))
    if head["verb"] == "rows":
        sheet, rows = module.rows(data, wanted)
        return {"sheet": sheet, "rows": rows}, []
    return {}, module.render(data, wanted, dpi=head["dpi"], side=head["side"], most_bytes=head["most_bytes"])


def _packed(document: Document) -> tuple[dict[str, Any], list[bytes]]:
    places = [(place.kind, place.number, place.name, place.start, place.end) for place in document.places]
    return {"text": document.text, "places": places, "notes": document.notes, "blank": document.blank}, [document.words]
