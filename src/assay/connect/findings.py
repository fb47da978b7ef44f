"""What `assay doctor --save` found out: which modes a model on a server keeps to. `auto` goes by it from then on.

One JSON file, `ASSAY_FINDINGS` or `findings.json` in the user's folder for settings, with the server, the model and the date of each finding.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from assay.errors import ConfigurationError
from assay.flow.urls import shown
from assay.types import Mode


@dataclass(frozen=True, slots=True)
class Found:
    """What one probing found."""

    server: str
    """The base URL, without what is secret in it."""
    model: str
    date: str
    """Of the probing: `2026-11-25`."""
    modes: tuple[Mode, ...]
    """Those that were honoured, strongest first, and `text`."""


def place() -> Path:
    """The file."""
    given = os.environ.get("ASSAY_FINDINGS")
    return Path(given) if given else user_config_path("assay") / "findings.json"


def save(found: Found) -> Path:
    """Keep a finding, in the place of an earlier one about the same model there. Raises `ConfigurationError` when it cannot be written."""
    path = place()
    others = [other for other in _all(path) if (other.server, other.model) != (found.server, found.model)]
    rows = [{"server": f.server, "model": f.model, "date": f.date, "modes": list(f.modes)} for f in (*others, found)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"the findings cannot be kept in {path}: {error.strerror or error}") from None
    return path


def known(base_url: str, model: str) -> Found | None:
    """What was found out about a model on a server; None when nothing was."""
    server = shown(base_url)
    return next((found for found in _all(place()) if (found.server, found.model) == (server, model)), None)


def _all(path: Path) -> tuple[Found, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> tuple[Found, ...]:
    """The findings in a file as it is; what is none is passed over."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(found for row in rows if (found := _found(row)) is not None) if isinstance(rows, list) else ()


def _found(row: Any) -> Found | None:
    match row:
        case {"server": str(server), "model": str(model), "date": str(date), "modes": list(modes)}:
            kept = tuple(mode for mode in Mode if mode in modes)
            return Found(server, model, date, kept) if kept else None
    return None
