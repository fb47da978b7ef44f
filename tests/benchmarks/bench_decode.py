"""What reading costs: milliseconds per million characters of valid and of malformed text, beside other parsers.

Run: python tests/benchmarks/bench_decode.py
"""

# ruff: noqa: T201  # a script: it prints its table

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic_core import from_json

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from assay.decode import read
from assay.errors import DecodeError

ROUNDS = 5


def rows(count: int) -> list[dict[str, object]]:
    return [
        {
            "id": i,
            "name": f"Person {i}",
            "note": "a line of text, with commas: and colons",
            "tags": ["x", "y"],
            "score": i / 7,
            "ok": True,
        }
        for i in range(count)
    ]


VALID = json.dumps(rows(7000))
TEXTS = {
    "valid": VALID,
    "fenced": f"Here it is:\n```json\n{VALID}\n```\n",
    "trailing comma": VALID[:-1] + ",]",
    "single quotes": VALID.replace('"', "'"),
    "python": str(rows(7000)),
    "unquoted keys": VALID.replace('"id"', "id").replace('"name"', "name").replace('"ok"', "ok"),
    "inner quotes": VALID.replace("with commas", 'with \\"commas\\"').replace('\\"', '"'),
    "comments": VALID.replace('"ok": true', '"ok": true // yes\n'),
    "cut in half": VALID[: len(VALID) // 2],
    "only quotes": '"' * 1_000_000,
    "only brackets": "[{" * 500_000,
    "open strings": '{"a": "b, ' * 100_000,
    "open comments": '["/*' * 250_000,
    "braces in strings": '["{"a"' * 160_000,
}


def cost(parse: Callable[[str], object], text: str) -> str:
    """Best of some rounds, in milliseconds per million characters; in brackets when the text was refused."""
    best, refused = float("inf"), False
    for _ in range(ROUNDS if len(text) < 2_000_000 else 3):
        start = time.perf_counter()
        try:
            parse(text)
        except (DecodeError, ValueError, RecursionError):
            refused = True
        best = min(best, time.perf_counter() - start)
        if best > 3:
            break
    figure = f"{best * 1e9 / len(text):.1f}"
    return f"({figure})" if refused else figure


def parsers() -> dict[str, Callable[[str], object]]:
    found: dict[str, Callable[[str], object]] = {"assay": read, "pydantic_core": from_json}
    try:
        found["json_repair"] = importlib.import_module("json_repair").loads
    except ImportError:
        print("json_repair is not installed: left out")
    return found


def main() -> None:
    columns = parsers()
    slow = {"only quotes", "only brackets", "open strings", "open comments", "braces in strings"}
    print("ms per million characters, best of rounds; (refused)")
    print(f"{'text':20}" + "".join(f"{name:>16}" for name in columns))
    for name, text in TEXTS.items():
        figures = [
            cost(parse, text) if column != "json_repair" or name not in slow else "-" for column, parse in columns.items()
        ]
        print(f"{name:20}" + "".join(f"{figure:>16}" for figure in figures))
    small = '{"name": "Ann", "age": 31}'
    print(f"{'26 characters, µs':20}" + "".join(f"{_micro(parse, small):>16}" for parse in columns.values()))


def _micro(parse: Callable[[str], object], text: str) -> str:
    start = time.perf_counter()
    for _ in range(10_000):
        parse(text)
    return f"{(time.perf_counter() - start) * 100:.2f}"


if __name__ == "__main__":
    main()
