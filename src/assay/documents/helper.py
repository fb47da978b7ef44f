"""The kept process in which PDF, spreadsheets, pages of HTML and images are opened, with bounds on memory and time.

A 775-byte PDF can take 2.8 GB, a 4.8 kB spreadsheet can abort the process that opens it, and PDFium must not be used by two
threads. So the libraries of the extra `documents` run in one helper: a crash ends only the helper, and the next file gets a new one.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from typing import Any, BinaryIO

from assay.documents import frames
from assay.documents.document import Document, Wanted
from assay.errors import ConfigurationError
from assay.types import Place

SECONDS = 60.0
"""For one file."""
MEMORY = 2_000_000_000
"""Bytes of address space for one file (not on Windows)."""

_START = "import sys; sys.path[:] = {path!r}; from assay.documents.worker import main; main({memory})"


class Helper:
    """One process, started when it is first needed and after each that ended; one file at a time."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds, self._memory = seconds, memory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, verb: str, data: bytes, wanted: Wanted, **more: Any) -> tuple[dict[str, Any], list[bytes]]:
        """What the worker answers. Raises `ConfigurationError` when it cannot read the file, ended, or took too long."""
        head = {"verb": verb, "name": wanted.name, "pages": wanted.pages, "encoding": wanted.encoding, **more}
        with self._lock:
            process = self._process = self._running()
            late = threading.Timer(self._seconds, process.kill)
            late.start()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                frames.send(process.stdin, head, data)  # type: ignore[arg-type]  # a pipe is a BinaryIO
                answer, blobs = frames.receive(process.stdout)  # type: ignore[arg-type]
            except (OSError, EOFError, ValueError):
                raise ConfigurationError(self._why(wanted.name, in_time=late.is_alive())) from None
            except BaseException:  # interrupted: what the worker still sends belongs to nobody
                self._end()
                raise
            finally:
                late.cancel()
        if "error" in answer:
            raise ConfigurationError(answer["error"])
        return answer, blobs

    def close(self) -> None:
        with self._lock:
            self._end()

    def forget(self) -> None:
        """In a forked process: the helper is the parent's."""
        self.__init__(self._seconds, self._memory)  # type: ignore[misc]  # begins anew

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        start = _START.format(path=[os.path.abspath(place) for place in sys.path], memory=self._memory)  # noqa: PTH100
        return subprocess.Popen(  # noqa: S603  # our own interpreter, and a program that we wrote
            [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def _why(self, name: str, *, in_time: bool) -> str:
        self._end()
        if in_time:
            return f"{name} is broken or malicious: its reader took more than {self._memory / 1e9:.0f} GB of memory, or ended"
        return f"{name} could not be read within {self._seconds:.0f} s"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            _close(stream)  # type: ignore[arg-type]
        process.wait()


def _close(stream: BinaryIO | None) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError:  # what was not sent is of no use to a process that ended
        pass


HELPER = Helper()
atexit.register(HELPER.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HELPER.forget)


def read(format_: str, data: bytes, wanted: Wanted) -> Document:
    """The document that `formats/FORMAT.py` makes of some bytes, made in the helper."""
    head, (words,) = HELPER.ask("read", data, wanted, format=format_)
    return Document(
        head["text"],
        tuple(Place(*place) for place in head["places"]),
        tuple(head["notes"]),
        blank=tuple(head["blank"]),
        words=words,
        data=data if format_ in SHOWN else b"",
    )


def rows(format_: str, data: bytes, wanted: Wanted) -> tuple[str, list[list[str]]]:
    """The name of the first sheet that is shown, and its rows, all of one length."""
    head, _ = HELPER.ask("rows", data, wanted, format=format_)
    return head["sheet"], head["rows"]


SHOWN = ("pdf", "image")
"""Formats whose pages can be shown as images."""


def render(data: bytes, format_: str, wanted: Wanted, *, dpi: int, side: int, most_bytes: int) -> list[bytes]:
    """The wanted pages as JPEG images, `most_bytes` together at most."""
    _, images = HELPER.ask("render", data, wanted, format=format_, dpi=dpi, side=side, most_bytes=most_bytes)
    return images
