"""Which pages: `"1-3,7"`, `5`, `range(1, 4)`, or a list of numbers, counted from 1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeAlias

from assay.errors import ConfigurationError

Pages: TypeAlias = str | int | Iterable[int] | None

MOST = 2000
"""Pages of one document that are read."""
_RANGE = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


def numbers(pages: Pages) -> tuple[int, ...] | None:
    """The numbers, in order and each once; None: all pages. Raises `ConfigurationError`."""
    if pages is None:
        return None
    found = _numbers(pages)
    if not found or min(found) < 1:
        raise _wrong(pages)
    if len(found) > MOST:
        raise ConfigurationError(f"pages must list at most {MOST} pages; got {len(found)}")
    return tuple(sorted(found))


def _numbers(pages: Any) -> set[int]:
    if isinstance(pages, bool):
        raise _wrong(pages)
    if isinstance(pages, int):
        return {pages}
    if isinstance(pages, str):
        return set(chain.from_iterable(_range(part, pages) for part in pages.split(",")))
    try:
        found = list(pages)
    except TypeError:
        raise _wrong(pages) from None
    if not all(isinstance(page, int) and not isinstance(page, bool) for page in found):
        raise _wrong(pages)
    return set(found)


def _range(part: str, pages: str) -> Iterable[int]:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise _wrong(pages)
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise _wrong(pages)
    return range(first, min(last, first + MOST) + 1)


def _wrong(pages: object) -> ConfigurationError:
    return ConfigurationError(f"pages must be numbers from 1 on, like '1-3,7'; got {pages!r}")


def chosen(wanted: tuple[int, ...] | None, count: int, what: str, name: str) -> tuple[int, ...]:
    """The wanted pages (slides, sheets) out of this many. Raises `ConfigurationError` for one that does not exist."""
    if wanted is None:
        if count > MOST:
            raise ConfigurationError(f"{name} has {count} {what}s, more than {MOST}: choose some with pages='1-{MOST}'")
        return tuple(range(1, count + 1))
    if wanted[-1] > count:
        raise ConfigurationError(f"{name} has {count} {what}{'s' * (count != 1)}; pages asks for {wanted[-1]}")
    return wanted
