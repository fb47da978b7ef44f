"""Contestants side by side: each in a process that stays, asked in turn, round after round, so that noise meets all alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ENV = {**os.environ, "PYTHONPATH": str(HERE.parent.parent / "src")}

Figures = dict[str, float]


@dataclass
class Results:
    """The rounds of one contestant; `failed` says why there are none."""

    rounds: list[Figures] = field(default_factory=list)
    failed: str = ""

    def median(self, key: str) -> float:
        return statistics.median(one[key] for one in self.rounds)

    def ratios(self, base: Results, key: str) -> list[float]:
        """To another contestant's figure, round by round."""
        return [mine[key] / other[key] for mine, other in zip(self.rounds, base.rounds, strict=False)]


class Contestant:
    def __init__(self, python: Path, name: str, url: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the contestant runs
        command = [str(python), str(HERE / "contest.py"), name, url]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=ENV
        )

    def ask(self, told: dict[str, Any]) -> Figures:
        """Raises `ChildProcessError` with its last words when it cannot."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            last = (self._errors.read().strip().splitlines() or ["it ended"])[-1]
            raise ChildProcessError("not installed" if "No module named" in last else last[:100])
        return dict(json.loads(answer))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()


class Arena:
    """Contestants by name, started when first asked."""

    def __init__(self, python: Path, url: str) -> None:
        self._python, self._url = python, url
        self._contestants: dict[str, Contestant] = {}

    def measure(self, names: Sequence[str], told: dict[str, Any], rounds: int, slow: Sequence[str] = ()) -> dict[str, Results]:
        """The figures of each. The `slow` ones are warmed up with less, and asked in the first round only."""
        results = {name: Results() for name in names}
        for turn in range(-1, rounds):  # the first is to warm up
            for name, result in results.items():
                if result.failed or (name in slow and turn > 0):
                    continue
                warming = {"cpu": 0.05, "width": min(told["width"], 4) if name in slow else told["width"]}
                try:
                    figures = self.contestant(name).ask({**told, **(warming if turn < 0 else {})})
                except ChildProcessError as error:
                    result.failed = str(error)
                else:
                    if turn >= 0:
                        result.rounds.append(figures)
        return results

    def contestant(self, name: str) -> Contestant:
        if name not in self._contestants:
            self._contestants[name] = Contestant(self._python, name, self._url)
        return self._contestants[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for contestant in self._contestants.values():
            contestant.close()
