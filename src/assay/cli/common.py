"""What the commands share: the target, the source, the consoles."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from assay.cli.console import err
from assay.cli.flags import ReadFlags
from assay.documents import Document, read
from assay.errors import ConfigurationError, nearest

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes: an extraction failed; wrong usage or configuration; interrupted. 0 is all good."""

_FORMS = "a JSON Schema file (schema.json), a class in a module (module:Class) or in a file (path.py:Class)"

SchemaFlag = Annotated[str, typer.Option("--schema", "-s", metavar="SCHEMA", help=f"What to extract: {_FORMS}.")]


def load_target(spec: str) -> Any:
    """The target that a `--schema` names: a `Path` for a JSON file, else the class (or any type) that is imported."""
    if spec.endswith(".json"):
        return existing(Path(spec), "--schema")
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise ConfigurationError(f"--schema {spec!r} is not a schema: give {_FORMS}")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_path(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = nearest(part, dir(found))
            hint = f": did you mean {near!r}?" if near else ""
            raise ConfigurationError(f"--schema {spec}: {place} has no {name!r}{hint}")
        found = getattr(found, part)
    return found


def schema_file(target: Any, spec: str) -> Path | None:
    """The file that a `--schema` was read from."""
    if isinstance(target, Path):
        return target
    place = spec.rpartition(":")[0]
    file = place if place.endswith(".py") else getattr(sys.modules.get(place), "__file__", None)
    return Path(file) if file else None


def read_source(name: str, flags: ReadFlags) -> Document:
    """The document that a file is, or the standard input for `-`."""
    if name != "-":
        return read(existing(Path(name), "the source"), flags.pages, encoding=flags.encoding, ocr=flags.ocr)
    if sys.stdin.isatty():
        err.print("[dim]Type or paste the text, then press Ctrl-D.[/]")
    data = sys.stdin.buffer.read()
    return read(data, flags.pages, encoding=flags.encoding, ocr=flags.ocr, name="the standard input")


def busy(what: str, *, quiet: bool) -> AbstractContextManager[object]:
    """A spinner on a terminal's stderr."""
    return nullcontext() if quiet else err.status(what)


def write_page(path: Path, html: str) -> None:
    """Write a page; a missing folder or a full disk is a `ConfigurationError`."""
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}") from None


def existing(path: Path, what: str) -> Path:
    """The path, if the file exists."""
    if path.is_file():
        return path
    kind = "is a folder" if path.is_dir() else "does not exist"
    raise ConfigurationError(f"{what} {path} {kind}")


def _from_file(path: Path) -> ModuleType:
    existing(path, "--schema")
    sys.path.insert(0, str(path.parent.resolve()))  # as `python path.py` does
    return _importing(lambda: _run_file(path), str(path))


def _from_path(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    return _importing(lambda: importlib.import_module(name), name)


def _run_file(path: Path) -> ModuleType:
    loader = SourceFileLoader(f"schema_{path.stem}", str(path))  # a name that shadows no other module
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = sys.modules[loader.name] = importlib.util.module_from_spec(spec)  # pydantic looks annotations up there
    loader.exec_module(module)
    return module


def _importing(load: Callable[[], ModuleType], place: str) -> ModuleType:
    try:
        return load()
    except (Exception, SystemExit) as error:  # a border: the user's module may raise anything
        raise ConfigurationError(f"--schema: {place} cannot be imported: {type(error).__name__}: {error}") from error
