"""Files as people have them: packed, with or without a byte order mark, in other encodings than UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from assay.batch.formats.record import ReadOptions
from assay.errors import ConfigurationError

PACKED = (".gz", ".bz2", ".zst")
LONGEST = 100_000_000
"""Bytes of one document, or of one line: more than any model reads."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 4096
ESCAPED = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not of the encoding."""


def kind_of(path: Path) -> str:
    """The ending of a file's name that says its format: `.csv` of `a.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def encoding_of(path: Path, options: ReadOptions) -> str:
    """The encoding of a text file. Raises `ConfigurationError` where it plainly cannot be read as UTF-8."""
    if options.encoding is not None:
        return known(options.encoding)
    with opened(path) as file:
        head = file.read(_LOOKED_AT)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name != "utf-8-sig":
                options.say(f"{path} is {name.upper()}, by its byte order mark")
            return name
    for start, name in ((0, "utf-16-be"), (1, "utf-16-le")):
        if head[start::2].count(0) > len(head) // 4:
            raise ConfigurationError(f"{path} is not UTF-8, probably UTF-16: --encoding {name} reads it so")
    return "utf-8-sig"


def known(encoding: str) -> str:
    """The name of an encoding as Python has it."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise ConfigurationError(
            f"--encoding must be the name of an encoding that Python knows, such as utf-8, cp1252, utf-16; got {encoding!r}"
        ) from None


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked. Raises `ConfigurationError` where it cannot be read, is not a file, or is broken."""
    try:
        if not path.is_file():
            raise ConfigurationError(f"{path} is not a regular file" if path.exists() else f"there is no file {path}")
        with _unpacked(path) as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConfigurationError(f"{path} is broken: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None


def _unpacked(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".gz":
            return cast("IO[bytes]", gzip.open(path))
        case ".bz2":
            return cast("IO[bytes]", bz2.open(path))
        case ".zst":
            return _zstd(path)
    return path.open("rb")


def _zstd(path: Path) -> IO[bytes]:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415  # new in 3.14
        else:
            from backports import zstd  # noqa: PLC0415  # the extra `zst`
    except ImportError:
        raise ConfigurationError(f'{path}: .zst needs backports.zstd before Python 3.14: pip install "assay[zst]"') from None

    class File(zstd.ZstdFile):  # type: ignore[misc,unused-ignore]  # its errors in the words of other packers
        def _told(self, call: Any, *given: Any) -> Any:
            try:
                return call(*given)
            except zstd.ZstdError as error:
                raise EOFError(str(error)) from None

        def read(self, size: int | None = -1) -> bytes:
            return cast("bytes", self._told(super().read, size))

        def readline(self, size: int | None = -1) -> bytes:
            return cast("bytes", self._told(super().readline, size))

        def read1(self, size: int | None = -1) -> bytes:
            return cast("bytes", self._told(super().read1, size))

    return cast("IO[bytes]", File(path))


def lines(file: IO[bytes], encoding: str) -> Generator[bytes, None, None]:
    """The lines of a file in UTF-8, whatever it is in; bytes that are not of the encoding stay as they are.

    Of a longer line, `LONGEST` bytes and one more are returned, and the rest is skipped.
    """
    if encoding not in ("utf-8", "utf-8-sig"):
        with texts(file, encoding, newline="\n") as found:
            for text in found:
                yield text.encode("utf-8", "surrogateescape")
        return
    mark = codecs.BOM_UTF8
    while line := file.readline(LONGEST + 1):
        yield line.removeprefix(mark)
        mark = b""
        while len(line) > LONGEST:
            line = file.readline(LONGEST + 1)


@contextmanager
def texts(file: IO[bytes], encoding: str, newline: str) -> Iterator[io.TextIOWrapper]:
    """A file as text; bytes that are not of the encoding are found by `ESCAPED`."""
    wrapper = io.TextIOWrapper(cast("Any", file), encoding=encoding, errors="surrogateescape", newline=newline)
    try:
        yield wrapper
    finally:
        wrapper.detach()  # the file is its opener's to close


def not_of(raw: bytes, encoding: str | None) -> str:
    """Why bytes are not text: which, where, and what they probably are."""
    if encoding is not None:
        return f"not {encoding}"
    try:
        raw.decode()
    except UnicodeDecodeError as broken:
        where = f"byte 0x{raw[broken.start]:02x} at byte {broken.start + 1} of the line"
        return f"not UTF-8: {where}{guess(raw)}"
    return "not UTF-8"


def guess(raw: bytes) -> str:
    """What bytes that are not UTF-8 probably are, and how to say so; empty when there is no guess."""
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "; probably cp1252: --encoding cp1252 reads it so"
