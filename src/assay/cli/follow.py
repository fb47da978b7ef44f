"""How a batch reports its progress: a live display on a terminal, plain lines elsewhere, or JSON lines for a log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from assay.batch import Progress, Reporter, Summary, events
from assay.batch.progress import Silent
from assay.types import Usage

LINE_EVERY, LOG_EVERY = 10.0, 5.0
"""Seconds between lines where there is no terminal, and in a log."""


def follower(console: Console, output: Path, *, quiet: bool, log_json: bool) -> Reporter:
    if log_json:
        return JSONLog(console)
    if quiet:
        return Silent()
    return Live(console, output) if console.is_terminal else Lines(console, output)


class Lines:
    """A line now and then, and the summary."""

    every = LINE_EVERY

    def __init__(self, console: Console, output: Path) -> None:
        self._console, self._output = console, output
        self._next = time.monotonic() + self.every

    def say(self, message: str) -> None:
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def tick(self, progress: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every
            self.say(line(progress))

    def end(self, summary: Summary) -> None:
        for text in told(summary, self._output):
            self.say(text)


class Live(Lines):
    """A bar and one line of figures, redrawn in place."""

    def __init__(self, console: Console, output: Path) -> None:
        super().__init__(console, output)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bars = Bars(*columns, console=console, transient=True)
        self._bar = self._bars.add_task("", total=None)
        self._bars.start()

    def tick(self, progress: Progress) -> None:
        finished = progress.done + progress.failed + progress.kept + progress.reused
        self._bars.update(self._bar, completed=finished, total=progress.total, description=figures(progress))

    def end(self, summary: Summary) -> None:
        self.close()
        super().end(summary)

    def close(self) -> None:
        self._bars.stop()


class JSONLog:
    """Everything as JSON lines: `{"event": "progress", ...}`, and one for each row that is finished."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0
        self._rows = _Rows(self._write)
        self._level = events.log.level
        events.log.addHandler(self._rows)
        events.log.setLevel(logging.INFO)

    def say(self, message: str) -> None:
        self._write("note", {"message": message})

    def tick(self, progress: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LOG_EVERY
            self._write("progress", asdict(progress))

    def end(self, summary: Summary) -> None:
        events.log.removeHandler(self._rows)
        events.log.setLevel(self._level)
        self._write("summary", asdict(summary))

    def _write(self, event: str, fields: Mapping[str, object]) -> None:
        text = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=str)
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Rows(logging.Handler):
    """Hands the events of rows on."""

    def __init__(self, write: Callable[[str, Mapping[str, object]], None]) -> None:
        super().__init__(logging.INFO)
        self._hand_on = write

    def emit(self, record: logging.LogRecord) -> None:
        event: Mapping[str, object] | None = getattr(record, "assay", None)
        if event is not None:
            self._hand_on("row", event)


# -- words -----------------------------------------------------------------------------------------------------------


def line(progress: Progress) -> str:
    of = f" of {progress.total:,}" if progress.total is not None else ""
    return f"{progress.done + progress.kept + progress.reused:,}{of} done, {figures(progress)}"


def figures(progress: Progress) -> str:
    parts = [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{progress.rows_per_second:,.1f} rows/s", f"{progress.tokens_per_second:,.0f} tokens/s"]
    parts += [f"${progress.usage.cost:.4f}"] if progress.usage.cost else []
    parts += [f"{progress.under_way} at once"]
    if progress.held is not None and progress.held[1] >= 0.1:
        parts.append(f"held by {progress.held[0]} ({duration(progress.held[1])})")
    if progress.left is not None:
        parts.append(f"{duration(progress.left)} left")
    return ", ".join(parts)


def told(summary: Summary, output: Path) -> list[str]:
    """The summary in lines."""
    speed = f"{summary.asked / summary.seconds:,.1f} rows/s" if summary.asked and summary.seconds else "nothing was asked"
    lines = [f"{output}: {summary.done:,} rows done, {summary.failed:,} failed, in {duration(summary.seconds)} ({speed})"]
    if summary.failures:
        lines.append(f"failed: {counts(summary.failures)}; see the errors file. --retry-failed asks them again")
    if summary.kept or summary.reused:
        lines.append(f"not asked again: {summary.kept:,} finished before, {summary.reused:,} with the text of another row")
    if summary.requests:
        again = f", {summary.repeats:,} refused or not answered" if summary.repeats else ""
        lines.append(f"asked: {summary.requests:,} requests, {summary.reasks:,} of them re-asks{again}; {spent(summary.usage)}")
    if summary.second is not None and summary.second_rows:
        lines.append(f"of these the second model: {summary.second_rows:,} rows; {spent(summary.second)}")
    if summary.waiting:
        lines.append(f"with the provider: {summary.waiting:,} rows")
    if summary.spent != summary.usage and summary.spent.total_tokens:
        lines.append(f"all runs together: {spent(summary.spent)}")
    if summary.repairs:
        lines.append(f"repairs: {counts(summary.repairs)}")
    if summary.stop is not None:
        lines.append(f"stopped: {summary.stop.message}")
        lines.append("nothing is lost: the same command goes on from here")
    return lines


def counts(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())


def spent(usage: Usage) -> str:
    money = "no price known" if usage.cost is None else f"${usage.cost:.4f}"
    return f"{usage.prompt_tokens:,} prompt + {usage.completion_tokens:,} answer tokens, {money}"


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
