"""All benchmarks, by one command: this package beside its peers and beside the floor, on one local server.

    python tests/benchmarks/run.py                 everything: about half an hour
    python tests/benchmarks/run.py --quick         fewer rounds and rows: some minutes
    python tests/benchmarks/run.py --only calls    one section (or several: --only calls,many)
    python tests/benchmarks/run.py --python PATH   with the packages of an environment that is there already

The first run makes an environment with the peers, tests/benchmarks/.env-peers, from the user's package index; nothing else needs a
network. Tables and plots go to tests/benchmarks/out. Every contestant is a process of its own; all are asked in turn, round after
round, and ratios are taken round by round, so that a busy machine meets all alike. What is shown is the median, and in brackets
the least and the most: two figures whose spreads overlap are not told apart by this run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import peers
import plot
import ready
from arena import ENV, HERE, Arena, Results
from prepared import serving

OUT = HERE / "out"

SYNC = {
    "httpx": "httpx + validate",
    "pyreqwest": "pyreqwest + validate",
    "assay": "assay",
    "assay_httpx": "assay over httpx",
    "groq": "groq SDK + validate",
    "openai": "openai SDK + validate",
    "instructor_groq": "Instructor, groq",
    "instructor": "Instructor, openai",
    "pydantic_ai": "pydantic-ai",
}
ASYNC = {
    "aiohttp": "aiohttp + validate",
    "pyreqwest": "pyreqwest + validate",
    "assay": "assay",
    "httpx": "httpx + validate",
    "groq": "AsyncGroq + validate",
    "instructor": "Instructor, openai",
    "pydantic_ai": "pydantic-ai",
}
SLOW = ("httpx", "groq", "instructor", "pydantic_ai")
"""Of the awaited ones: asked in one round only, or they would take the most of the time."""


@dataclass(frozen=True)
class Setting:
    python: Path
    quick: bool

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 7

    def told(self, fields: int, *, width: int = 0, latency: int = 0) -> dict[str, float]:
        """What a contestant is asked for: see `contest`."""
        return {"fields": fields, "width": width, "latency": latency, "cpu": 0.15 if self.quick else 0.4, "wall": 3.0}


# -- sections: each gives its Markdown ---------------------------------------------------------------------------------------


def getting_ready(setting: Setting) -> str:
    found = ready.measure(setting.python, setting.rounds + 2)
    header = f"| until one can ask, less bare Python | CPU, `{ready.BASE}` = 1 | memory | ms of CPU | ms by the clock | MB |"
    lines = [header, "|---|---|---|---|---|---|"]
    base = found[ready.BASE]
    for name, result in found.items():
        if result.failed:
            lines.append(f"| {name} | {result.failed} | | | | |")
            continue
        ratios = " | ".join(spread(result.ratios(base, key)) for key in ("cpu", "mb"))
        figures = f"{result.median('cpu') * 1e3:.0f} | {result.median('wall') * 1e3:.0f} | {result.median('mb'):.1f}"
        lines.append(f"| {name} | {ratios} | {figures} |")
    return "\n".join(lines)


def one_by_one(setting: Setting) -> str:
    parts, groups = [], {}
    with serving() as url, Arena(setting.python, url) as arena:
        for fields in (5, 50, 500):
            results = arena.measure(list(SYNC), setting.told(fields), setting.rounds)
            parts.append(table(f"{fields} fields, one call after the other", results, SYNC, "httpx"))
            groups[f"{fields} fields"] = ratios_of(results, SYNC, "httpx")
    (OUT / "calls.svg").write_text(plot.bars("CPU of a call, httpx + validate = 1", groups, "httpx + validate"))
    return "\n\n".join([*parts, "![CPU of a call](calls.svg)"])


def many_at_once(setting: Setting) -> str:
    parts, groups = [], {}
    with serving() as url, Arena(setting.python, url) as arena:
        for latency in (0, 200):
            for width in (64, 256):
                told = setting.told(5, width=width, latency=latency)
                results = arena.measure(list(ASYNC), told, setting.rounds, slow=SLOW)
                title = f"{width} at once, server answers after {latency} ms"
                parts.append(table(title, results, ASYNC, "aiohttp"))
                groups[title] = ratios_of(results, ASYNC, "aiohttp")
    (OUT / "many.svg").write_text(plot.bars("CPU of a call, aiohttp + validate = 1", groups, "aiohttp + validate"))
    return "\n\n".join([*parts, "![CPU of a call](many.svg)"])


def against_width(setting: Setting) -> str:
    names = ("assay", "aiohttp", "pyreqwest", "groq", "instructor")
    widths = (1, 8, 64, 256, 512) if setting.quick else (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    lines = ["| at once | " + " | ".join(ASYNC[name] for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    series: dict[str, list[tuple[float, float]]] = {ASYNC[name]: [] for name in names}
    with serving() as url, Arena(setting.python, url) as arena:
        for width in widths:
            results = arena.measure(names, setting.told(5, width=width), setting.rounds, slow=SLOW)
            cells = []
            for name, result in results.items():
                cells.append(result.failed or spread([one["cpu"] * 1e6 for one in result.rounds], ".0f"))
                if not result.failed:
                    series[ASYNC[name]].append((width, result.median("cpu") * 1e6))
            lines.append(f"| {width} | " + " | ".join(cells) + " |")
    drawn = {name: points for name, points in series.items() if points}
    (OUT / "width.svg").write_text(plot.lines("CPU of a call", drawn, "calls at once", "microseconds"))
    return "\n".join(["Microseconds of CPU for one call:", "", *lines, "", "![CPU against calls at once](width.svg)"])


def against_rows(setting: Setting) -> str:
    lines = ["| rows through `amap`, 64 at once | us of CPU for one | peak MB |", "|---|---|---|"]
    with serving() as url:
        for rows in (1000, 10_000) if setting.quick else (1000, 10_000, 100_000):
            with Arena(setting.python, url) as arena:
                found = arena.contestant("assay").ask({"rows": rows})
            lines.append(f"| {rows} | {found['cpu'] * 1e6:.0f} | {found['mb']:.1f} |")
    return "\n".join(lines)


def script(name: str, *full: str, quick: tuple[str, ...] = ()) -> Callable[[Setting], str]:
    """A benchmark that prints its own tables."""

    def section(setting: Setting) -> str:
        command = [str(setting.python), str(HERE / name), *(quick if setting.quick else full)]
        done = subprocess.run(command, capture_output=True, text=True, env=ENV, check=False)
        ended = f"\n{name} ended with {done.returncode}: {done.stderr.strip()[-400:]}" if done.returncode else ""
        return f"```text\n{done.stdout.strip()}{ended}\n```"

    return section


SECTIONS: dict[str, tuple[str, Callable[[Setting], str]]] = {
    "ready": ("Until one can ask", getting_ready),
    "calls": ("One call after the other", one_by_one),
    "many": ("Many at once", many_at_once),
    "width": ("Cost against calls at once", against_width),
    "rows": ("Cost against rows", against_rows),
    "flow": ("The extraction alone", script("bench_flow.py")),
    "reask": ("Three re-asks, in bytes", script("bench_reask.py")),
    "streaming": (
        "Streaming",
        script("bench_streaming.py", quick=("--rounds", "1", "--sizes", "4", "32")),
    ),
    "decode": ("Reading JSON", script("bench_decode.py")),
    "schema": ("Schemas", script("bench_schema.py")),
    "client": ("The client", script("bench_client.py", quick=("--rounds", "1"))),
    "batch": ("Batch with its journal", script("bench_batch.py", "--only", "speed", quick=("--quick", "--only", "speed"))),
    "growth": ("Batch against rows", script("bench_batch.py", "--only", "growth", quick=("--quick", "--only", "growth"))),
}


# -- tables -----------------------------------------------------------------------------------------------------------------


def spread(values: list[float], form: str = ".2f") -> str:
    """The median, and the least and the most."""
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    if len(ordered) == 1:
        return f"{middle:{form}}"
    return f"{middle:{form}} ({ordered[0]:{form}}-{ordered[-1]:{form}})"


def ratios_of(results: Mapping[str, Results], labels: Mapping[str, str], base: str) -> dict[str, float]:
    floor = results[base].median("cpu")
    return {labels[name]: result.median("cpu") / floor for name, result in results.items() if not result.failed}


def table(title: str, results: Mapping[str, Results], labels: Mapping[str, str], base: str) -> str:
    lines = [f"| {title} | CPU, {labels[base]} = 1 | time | us of CPU | us by the clock |", "|---|---|---|---|---|"]
    for name, result in results.items():
        if result.failed:
            lines.append(f"| {labels[name]} | {result.failed} | | | |")
            continue
        ratios = " | ".join(spread(result.ratios(results[base], key)) for key in ("cpu", "wall"))
        lines.append(f"| {labels[name]} | {ratios} | {result.median('cpu') * 1e6:.0f} | {result.median('wall') * 1e6:.0f} |")
    return "\n".join(lines)


# -- the run ------------------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and rows")
    parser.add_argument("--only", default=",".join(SECTIONS), metavar="NAMES", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--python", type=Path, help="the Python of an environment with the peers")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    OUT.mkdir(exist_ok=True)
    setting = Setting(given.python or peers.environment(), given.quick)
    report = [f"# Benchmarks\n\n{_circumstances(setting)}"]
    for name in chosen:
        title, measure = SECTIONS[name]
        started = time.monotonic()
        part = f"## {title}\n\n{measure(setting)}"
        print(f"{part}\n\n({name}: {time.monotonic() - started:.0f} s)\n", flush=True)
        report.append(part)
        (OUT / "benchmarks.md").write_text("\n\n".join(report) + "\n")
    print(f"written to {OUT.relative_to(peers.ROOT)}/benchmarks.md, plots beside it")


def _circumstances(setting: Setting) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return (
        f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} processors; load at the start {load}"
        f"{': busy, so times by the clock say little here, and differences below the spread nothing' if busy else ''}. "
        f"{peers.versions(setting.python)}.\n\n"
        "Medians; in brackets the least and the most of the rounds, or nothing where there was one round. Ratios are taken round by "
        "round. CPU is that of the whole process, the transport's threads included; the server's is not in it."
    )


if __name__ == "__main__":
    main()
