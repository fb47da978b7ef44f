"""Where a run works: its files, which it shares with no one else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import from_json, to_json

from assay.batch.files import Owned, check_apart, check_ours, check_regular, mode_beside
from assay.batch.formats import STDIN, Rows
from assay.batch.formats.folder import shown
from assay.batch.journal import Journal
from assay.errors import ConfigurationError

JOURNAL, STATUS = ".journal", ".status"


@dataclass(frozen=True, slots=True)
class Place:
    """The files that a run writes. No path is a link."""

    output: Path
    errors: Path
    mode: int
    """Permissions for what is made, before the umask."""

    @property
    def journal(self) -> Path:
        return journal_path(self.output)

    @property
    def status(self) -> Path:
        return status_path(self.output)

    @property
    def all(self) -> frozenset[Path]:
        """All that a run may write, SQLite's own files included."""
        beside = (self.journal.with_name(self.journal.name + end) for end in ("-wal", "-shm", "-journal"))
        return frozenset({self.output, self.errors, self.journal, self.status, *beside})


def journal_path(output: Path) -> Path:
    """The path of an output's journal: beside the file itself, also when that is reached through a link."""
    output = output.resolve()
    return output.with_name(f"{output.name}{JOURNAL}")


def status_path(output: Path) -> Path:
    output = output.resolve()
    return output.with_name(f"{output.name}{STATUS}")


def place(
    given: str | Path | Rows, output: Path, errors: Path | None, read: Sequence[Path] = (), *, force: bool = False
) -> Place:
    """The files of a run, before any is made. `read` are files that it reads besides its input.

    Raises `ConfigurationError` where one would have two roles, or exists and is not ours; `force` overwrites the latter.
    """
    source = Path(given) if isinstance(given, str | Path) and str(given) != STDIN else None
    resolved = output.resolve()
    errors = (errors or output.with_name(f"{output.name}.errors.jsonl")).resolve()
    there = source is not None and source.is_file()
    found = Place(resolved, errors, mode_beside(source if there else None))
    for path in (found.output, found.errors):
        if not path.parent.is_dir():
            raise ConfigurationError(f"{path}: there is no folder {path.parent}")
    written = {"the output": found.output, "the errors file": found.errors, "the journal": found.journal}
    others = [("the input", source)] if source is not None else []
    check_apart(written, [*others, *(("a file that the run reads", path) for path in read)])
    for what, path in written.items():
        check_regular(path, what)
        if not force and path.exists() and not found.journal.exists():
            raise ConfigurationError(
                f"{path} exists and has no journal ({found.journal.name}), so no run wrote it: move it away, name another file, "
                "or use --force to overwrite it"
            )
    return found


def claim(journal: Journal, found: Place, *, force: bool) -> tuple[Owned, Owned]:
    """Output and errors file as this run's own. Raises `ConfigurationError` where one is there and no run of ours wrote it."""
    claimed: list[str] = from_json(journal.fact("claimed", "[]"))
    if not force:
        check_ours(found.output, known=True)
        check_ours(found.errors, known=shown(found.errors) in claimed)
    token = journal.fact("token") or secrets.token_hex(4)
    journal.remember(token=token, claimed=to_json(sorted({*claimed, shown(found.errors)})).decode())
    return Owned(found.output, found.mode, token), Owned(found.errors, found.mode, token)


def let_go(journal: Journal, errors: Path) -> None:
    """Give up the errors file if it does not exist: another file may take its name."""
    if not errors.exists():
        claimed = [name for name in from_json(journal.fact("claimed", "[]")) if name != shown(errors)]
        journal.remember(claimed=to_json(claimed).decode())
