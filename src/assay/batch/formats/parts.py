"""Several files that are one input: read one after the other, their rows named by the file where they have no name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.batch.formats.folder import shown
from assay.batch.formats.record import ReadOptions, Records, Source

MIXED = "mixed"
"""The type of a column that has several."""


def joined(paths: list[Path], read: Callable[[Path, ReadOptions, str], Source], options: ReadOptions) -> Source:
    """One source of several. Raises what `read` raises, for any of them."""
    names = _names(paths)
    sources = [read(path, options, name) for path, name in zip(paths, names, strict=True)]
    types: dict[str, str] = {}
    for source in sources:
        for name, kind in source.types.items():
            types[name] = kind if types.get(name, kind) == kind else MIXED

    def records() -> Records:
        for source in sources:
            yield from source.records()

    def count() -> int | None:
        counts = [source.count() for source in sources]
        return None if None in counts else sum(count or 0 for count in counts)

    return Source(records=records, count=count, types=types)


def _names(paths: list[Path]) -> list[str]:
    """What rows of each are told by: the file's name, with its folder where two have the same."""
    names = [shown(Path(path.name)) for path in paths]
    return names if len(set(names)) == len(names) else [shown(path) for path in paths]
