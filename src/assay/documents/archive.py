"""The zip archives that office documents are: opened with a bound on what they unpack to, their XML read without entities."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from posixpath import dirname, join, normpath
from xml.etree import ElementTree as ET

from assay.errors import ConfigurationError

UNPACKED = 500_000_000
"""Bytes that a document may unpack to."""
DEEPEST = 500
"""Elements inside each other, at most: what reads them calls itself for each."""

Element = ET.Element


class Archive:
    """An opened archive of a document."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name
        self.names = frozenset(archive.namelist())

    def xml(self, part: str) -> Element:
        """The root of a part. Raises `ConfigurationError` when it is missing or broken."""
        try:
            data = self._archive.read(part)
        except KeyError:
            raise ConfigurationError(f"{self._name} is broken: it has no {part}") from None
        except RuntimeError:
            raise ConfigurationError(f"{self._name} has a password: save it without one") from None
        # A document type is where entities are declared, and no office program writes one. Without it there are none to expand.
        if b"<!DOCTYPE" in data[:4096] and b"<!ENTITY" in data:
            raise ConfigurationError(f"{self._name} is not safe to read: {part} declares entities")
        return _parsed(data, f"{self._name} is broken: {part}")

    def bytes(self, part: str) -> bytes:
        return self._archive.read(part)

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """From the ids of a part's relations to their kind and the part they lead to."""
        rels = join(dirname(part), "_rels", f"{part.rpartition('/')[2]}.rels")
        if rels not in self.names:
            return {}
        return {
            relation.get("Id", ""): (relation.get("Type", "").rpartition("/")[2], _target(part, relation.get("Target", "")))
            for relation in self.xml(rels)
            if relation.get("TargetMode") != "External"
        }


def _parsed(data: bytes, what: str) -> Element:
    depth = 0
    try:
        # Entities are refused above; what else is known of hostile XML is bounded here and by the size of what was unpacked.
        events = ET.iterparse(BytesIO(data), ("start", "end"))  # noqa: S314
        for event, _ in events:
            depth += 1 if event == "start" else -1
            if depth > DEEPEST:
                raise ConfigurationError(f"{what} is nested deeper than {DEEPEST} elements")
    except ET.ParseError as error:
        raise ConfigurationError(f"{what} is not XML: {error}") from None
    root: Element = events.root  # type: ignore[attr-defined]  # there once all was read
    return root


def _target(part: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else normpath(join(dirname(part), target))


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Archive]:
    """The archive of a document. Raises `ConfigurationError` for a broken one, and for one that unpacks to too much."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > UNPACKED:
                raise ConfigurationError(f"{name} unpacks to {size / 1e6:.0f} MB: at most {UNPACKED / 1e6:.0f} MB are read")
            yield Archive(archive, name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise ConfigurationError(f"{name} is broken: {error}") from None


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """An attribute, whatever its namespace."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)
