"""Plain text: a byte order mark, UTF-8, or UTF-16 by its zeros; anything else only when the user says what it is."""

from __future__ import annotations

import re

from assay.documents.document import Document, Wanted
from assay.errors import ConfigurationError, nearest

_ODD = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd\ue000-\uf8ff]")
"""Characters that are rare in texts: control characters (except escape sequences), U+FFFD, private use."""
ODD_SHARE = 0.2
"""With this many of them or more, it is not a text."""
GUESS_FROM = 64
"""Bytes from which on a guess at an encoding is worth naming."""
_ENCODINGS = ("cp1252", "latin_1", "shift_jis", "gb18030", "big5", "euc_kr", "cp1251", "mac_roman", "utf_16", "iso8859_15")


def read(data: bytes, wanted: Wanted) -> Document:
    if wanted.pages is not None:
        raise ConfigurationError(f"{wanted.name} is a text and has no pages: leave pages out")
    return Document(decode(data, wanted))


def decode(data: bytes, wanted: Wanted) -> str:
    """The text of some bytes. Raises `ConfigurationError` for bytes that are not text, or whose encoding must be named."""
    name = wanted.name
    if wanted.encoding is not None:
        return _as_said(data, wanted.encoding, name)
    try:
        text = data.decode(_marked(data))
    except UnicodeDecodeError as error:
        raise ConfigurationError(_not_utf8(data, error.start, name)) from None
    if "\0" in text:
        raise ConfigurationError(f"{name} is binary data, not text: byte {data.find(0) + 1} is zero")
    if is_garbage(text):
        raise ConfigurationError(f"{name} is binary data, not text: most of it is control characters")
    return text


def is_garbage(text: str) -> bool:
    """Whether a fifth of a text or more are characters that are not found in texts."""
    return len(_ODD.findall(text)) > ODD_SHARE * len(text)


def _as_said(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        near = nearest(encoding, _ENCODINGS)
        hint = f": did you mean {near!r}?" if near else ""
        raise ConfigurationError(
            f"encoding must be the name of an encoding, for example cp1252; got {encoding!r}{hint}"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not {encoding}: byte {error.start + 1} is 0x{data[error.start]:02x}") from None
    except ValueError as error:  # a codec that is none of texts
        raise ConfigurationError(f"{name} cannot be read with the encoding {encoding!r}: {error}") from None


def _marked(data: bytes) -> str:
    """The encoding that a byte order mark names, or the zeros of UTF-16; else UTF-8."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    sample = data[:2000]
    even, odd = sample[::2], sample[1::2]
    if len(sample) >= 4 and odd.count(0) > 0.6 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(sample) >= 4 and even.count(0) > 0.6 * len(even) and not odd.count(0):
        return "utf-16-be"
    return "utf-8-sig"


def _not_utf8(data: bytes, at: int, name: str) -> str:
    if data.count(0):
        return f"{name} is binary data of a kind that assay does not know; it reads {READ}"
    said = f"{name} is not UTF-8 text: byte {at} is 0x{data[at]:02x}"
    guess = _guess(data)
    if guess is None:
        return f"{said}. Name its encoding: encoding='cp1252' (--encoding cp1252), for example"
    return f"{said}. It may be {guess}: then give encoding='{guess}' (--encoding {guess})"


READ = "texts, PDF, DOCX, PPTX, ODT, XLSX, XLS, ODS, HTML, EPUB, mail (EML) and images"


def _guess(data: bytes) -> str | None:
    """A guess is only named, never used: from few bytes it is often wrong."""
    try:
        from charset_normalizer import from_bytes  # noqa: PLC0415  # comes with instructor; only for bytes that are not UTF-8
    except ImportError:
        return None
    best = from_bytes(data[:20_000]).best() if len(data) >= GUESS_FROM else None
    return best.encoding if best is not None else None
