"""A folder of documents: a row is a file, named by its path in the folder.

Hidden files and folders are skipped, and so is what the run itself writes. A file that is not a regular file, is too large or cannot be read as a
document is a failed row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from assay.batch.formats.record import ReadOptions, Record, Records, Source, document_record
from assay.errors import ConfigurationError


def source(root: Path, options: ReadOptions) -> Source:
    if next(files(root, options), None) is None:
        raise ConfigurationError(f"{root} has no documents (hidden files do not count)")

    def records() -> Records:
        for number, path in enumerate(files(root, options), 1):
            yield _record(number, path, root, options)

    return Source(records=records, count=lambda: sum(1 for _ in files(root, options)))


def files(root: Path, options: ReadOptions) -> Iterator[Path]:
    """The input files below a folder, in a stable order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.resolve() not in options.own and not of_a_run(path):
                yield path


def of_a_run(path: Path) -> bool:
    """Whether a file is what a run, this one or another, wrote beside its output: the journal, the errors file."""
    name = path.name
    for end in (".errors.jsonl", ".status", *(f".journal{more}" for more in ("", "-wal", "-shm", "-journal"))):
        if name.endswith(end) and path.with_name(f"{name.removesuffix(end)}.journal").is_file():
            return True
    return False


def _record(number: int, path: Path, root: Path, options: ReadOptions) -> Record:
    name = shown(path.relative_to(root))
    if not path.is_file():  # a pipe or a device would hold up the run, or never end
        return Record(number, name, f"\0{name}\0no file", fault=f"{name} is not a regular file")
    return document_record(number, path, name, name, {}, options)


def shown(path: Path) -> str:
    r"""A path as text: bytes of it that are not UTF-8 are written as `\xe9`."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
