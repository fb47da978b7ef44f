"""Where values stand in a text: how many get their own place, and what it costs; beside langextract when it is installed.

    python tests/benchmarks/bench_ground.py FOLDER

FOLDER holds JSON Lines of `{"text", "value", "spans": [{"path", "start", "end"}]}`: recipes, recipes_by_type, diseases, papers (places to
the letter), amounts, dates (places by meaning), as many of them as there are. Exact: F1 of places that are to the character those of
gold, a repeated value at its own place. Halves: of the even and the odd rows. Absent: the share of the next document's values, none of
whose words is in this one, that get a place anyway. Time: CPU of 500 values, a tenth of them absent, in 1 MB, beside 500 `str.find`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from assay.data.paths import leaves
from assay.ground import Evidence

Row = dict[str, Any]
Place = tuple[str, int, int]
Locate = Callable[[Any, str], list[Place]]


def with_assay(value: Any, text: str) -> list[Place]:
    return [(span.path, span.start, span.end) for span in Evidence(json.dumps(value), text, {}).spans]


def with_langextract() -> Locate | None:
    try:
        from langextract import data, resolver
    except ImportError:
        return None

    def locate(value: Any, text: str) -> list[Place]:
        wanted = [(path, leaf) for path, leaf in leaves(value) if isinstance(leaf, str) and leaf]
        made = [data.Extraction(extraction_class="x", extraction_text=leaf, attributes={"path": path}) for path, leaf in wanted]
        found = resolver.Resolver().align(made, text, 0)
        return [
            (str(one.attributes["path"]), one.char_interval.start_pos, one.char_interval.end_pos)
            for one in found
            if one.char_interval is not None and one.attributes
        ]

    return locate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    contestants = {"assay": with_assay, "langextract": with_langextract()}
    for who, locate in contestants.items():
        if locate is None:
            print(f"{who}: not installed")
            continue
        for name in ("recipes", "recipes_by_type", "diseases", "papers"):
            if rows := read(folder / f"{name}.jsonl"):
                halves = ", ".join(f"{f1(half, locate):.3f}" for half in (rows[::2], rows[1::2]))
                print(
                    f"{who:12} {name:16} exact {f1(rows, locate):.3f} (halves {halves})  absent {100 * absent(rows, locate):.1f} %"
                )
        for name in ("amounts", "dates"):
            if rows := read(folder / f"{name}.jsonl"):
                recall, precision = by_meaning(rows, locate, whole=name == "dates")
                print(f"{who:12} {name:16} found {recall:.2f}  of those given right {precision:.2f}")
    speed(folder)


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def gold_of(row: Row) -> set[Place]:
    return {(span["path"], span["start"], span["end"]) for span in row["spans"]}


def f1(rows: Iterable[Row], locate: Locate) -> float:
    agreed = both = 0
    for row in rows:
        mine, gold = set(locate(row["value"], row["text"])), gold_of(row)
        agreed, both = agreed + len(mine & gold), both + len(mine) + len(gold)
    return 2 * agreed / both


def absent(rows: list[Row], locate: Locate) -> float:
    asked = given = 0
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        text = row["text"].casefold()
        values = sorted({value for _, value in leaves(other["value"]) if isinstance(value, str)})
        strange = [value for value in values if not any(word in text for word in (value.casefold(), *value.casefold().split()))]
        asked, given = asked + len(strange), given + len({path for path, _, _ in locate(strange, row["text"])})
    return given / max(asked, 1)


def by_meaning(rows: Iterable[Row], locate: Locate, *, whole: bool) -> tuple[float, float]:
    wanted = given = right = 0
    for row in rows:
        gold = {path: (start, end) for path, start, end in gold_of(row)}
        mine = locate(row["value"], row["text"])
        wanted, given = wanted + len(gold), given + len(mine)
        for path, start, end in mine:
            first, last = gold[path]
            right += (start, end) == (first, last) if whole else start < last and first < end
    return right / wanted, right / max(given, 1)


def speed(folder: Path) -> None:
    rows = [row for name in ("diseases", "papers", "recipes") for row in read(folder / f"{name}.jsonl")]
    if not rows:
        return
    values = sorted({value for row in rows for value in texts(row["value"])})
    source = ("\n".join(row["text"] for row in rows) * 5)[:1_000_000]
    rng = random.Random(3)
    asked = [*rng.sample(values, 450), *(value[::-1] + "q" for value in rng.sample(values, 50))]
    find = cpu(lambda: [source.find(value) for value in asked])
    took = cpu(lambda: with_assay(asked, source))
    print(f"500 values in {len(source):,} characters: {took:.2f} s, 500 str.find {find:.3f} s: {took / find:.0f} times")


def texts(value: Any) -> Iterator[str]:
    yield from (leaf for _, leaf in leaves(value) if isinstance(leaf, str) and leaf)


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU, the least of three."""
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


if __name__ == "__main__":
    main()
