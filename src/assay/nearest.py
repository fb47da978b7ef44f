"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is most like `name`; None when none is."""
    import difflib  # noqa: PLC0415  # only for who mistyped a name

    near = difflib.get_close_matches(name, names, n=1)
    return near[0] if near else None
