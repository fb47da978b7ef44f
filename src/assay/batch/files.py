"""The files that a run writes: whose they are, who may read them, and how they grow or are replaced whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path
from typing import IO

from assay.batch.errors import StorageError
from assay.errors import ConfigurationError
from assay.types import JSON

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BEGINNINGS = (b'{"id":', b"id,value", b"id\tvalue", b"PAR1")
"""Of the files that we write."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A file that this run may write. `path` is not a link."""

    path: Path
    mode: int = 0o666
    """Permissions of it when it is made, before the umask."""
    token: str = ""
    """Files named by the journal, which nobody else owns."""

    @property
    def part(self) -> Path:
        """Where it is written until it is whole."""
        return self.path.with_name(f".{self.path.name}.{self.token}.part")


# -- whose a file is ---------------------------------------------------------------------------------------------------


def check_apart(written: Mapping[str, Path], read: Iterable[tuple[str, Path]]) -> None:
    """Raise `ConfigurationError` where one file has two roles, whatever its spelling, also through links."""
    for (what, path), (other, its) in chain(
        combinations(written.items(), 2), ((ours, theirs) for ours in written.items() for theirs in read)
    ):
        if _same(path, its):
            raise ConfigurationError(f"{path} is {other} and would be {what}: name another file")


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return one.resolve() == other.resolve()


def check_regular(path: Path, what: str) -> None:
    """Raise `ConfigurationError` for what exists and cannot be overwritten: a folder, a pipe, a device."""
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{path} is not a regular file, so it cannot be {what}: name another file")


def check_ours(path: Path, *, known: bool) -> None:
    """Raise `ConfigurationError` for an existing file that no run of ours wrote. `known`: the journal says one did."""
    if not path.exists():
        return
    if known:
        try:
            with path.open("rb") as file:
                begins = file.read(16)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
        if not begins or begins.startswith(_BEGINNINGS):
            return
    raise ConfigurationError(
        f"{path} exists and was not written by an earlier run: move it away, name another file, or use --force to overwrite it"
    )


def mode_beside(source: Path | None) -> int:
    """Permissions for files with texts of `source`: only those who may read it may read them."""
    try:
        return 0o666 if source is None else stat.S_IMODE(source.stat().st_mode) & 0o666 | 0o600
    except OSError:
        return 0o600


# -- how it is written -------------------------------------------------------------------------------------------------


class Growing:
    """A file that grows by whole rows."""

    misfit: Callable[[JSON], str] | None = None

    def __init__(self, owned: Owned) -> None:
        self.owned = owned
        self._fd: int | None = None

    @property
    def stale(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        """Append all of it or nothing."""
        path = self.owned.path
        with storage(path):
            if self._fd is None:
                self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK, self.owned.mode)
            before = os.fstat(self._fd).st_size
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except OSError:
                os.ftruncate(self._fd, before)
                raise

    def replace(self, chunks: Iterable[bytes]) -> None:
        self.close()
        with replacing(self.owned) as file:
            file.writelines(chunks)

    def remove(self) -> None:
        """There is nothing to write."""
        self.close()
        with storage(self.owned.path):
            self.owned.path.unlink(missing_ok=True)

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            with storage(self.owned.path):
                os.fsync(fd)
                os.close(fd)


@contextmanager
def replacing(owned: Owned, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file that replaces the owned one once it is complete; it keeps the permissions.

    `durable`: when it is on the disk, so that it survives a power cut.
    """
    path, part = owned.path, owned.part
    with storage(path):
        part.unlink(missing_ok=True)  # of a run that was killed
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, owned.mode)
        try:
            with os.fdopen(fd, "wb", buffering=1024 * 1024) as file:
                if path.exists():
                    os.chmod(part, stat.S_IMODE(path.stat().st_mode))  # noqa: PTH101  # with the other calls of os
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            _move(part, path, durable=durable)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _move(part: Path, path: Path, *, durable: bool) -> None:
    part.replace(path)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name must survive a power cut, too
    finally:
        os.close(folder)


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """What the disk says, in our words."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from None
