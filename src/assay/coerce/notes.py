"""What was changed and what was left in doubt while a value was looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from assay.data.pointer import join
from assay.types import JSON, Problem, ProblemKind, Repair

Path: TypeAlias = tuple[str | int, ...]

shown = json.JSONEncoder(ensure_ascii=False).encode
"""A value as JSON text, for repairs and problems."""


class Notes:
    """What was done and what was left alone during one call."""

    def __init__(self, depth: int = 0, opened: int = 0) -> None:
        self.depth = depth
        """How many trials of union branches this one is inside of."""
        self.opened = opened
        """How many wrappers."""
        self.repairs: list[Repair] = []
        self.problems: list[Problem] = []

    def noted(self, path: Path, kind: str, before: str, after: str) -> None:
        self.repairs.append(Repair(join(path), kind, before, after))

    def changed(self, path: Path, before: JSON, after: JSON) -> JSON:
        self.noted(path, "coerced", shown(before), shown(after))
        return after

    def doubt(self, path: Path, said: JSON, meanings: tuple[str, ...]) -> JSON:
        want = f"one meaning: {said!r} can be read as {' or as '.join(meanings)}"
        return self.problem(path, said, want, "ambiguous")

    def problem(self, path: Path, said: JSON, want: str, kind: ProblemKind = "type") -> JSON:
        self.problems.append(Problem(join(path), said, want, kind))
        return said

    def add(self, other: Notes) -> None:
        self.repairs += other.repairs
        self.problems += other.problems


Mend: TypeAlias = Callable[[JSON, Path, Notes], JSON]
