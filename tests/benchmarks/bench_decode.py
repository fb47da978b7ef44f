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

from assay.coerce import Coercer
from assay.decode import plain, read
from assay.errors import DecodeError
from assay.types import JSON, JSONObject

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
    "brackets in prose": "[0, T] " * 140_000,
    "lists never closed": "[a b " * 200_000,
    "fences and blanks": ("```" + " " * 500) * 2_000,
    "repeated key": VALID[:-1] + ', {"id": 1, "id": 2}]',
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
    slow = {name for name, text in TEXTS.items() if '"note"' not in text and "'note'" not in text}
    print("ms per million characters, best of rounds; (refused)")
    print(f"{'text':20}" + "".join(f"{name:>16}" for name in columns))
    for name, text in TEXTS.items():
        figures = [
            cost(parse, text) if column != "json_repair" or name not in slow else "-" for column, parse in columns.items()
        ]
        print(f"{name:20}" + "".join(f"{figure:>16}" for figure in figures))
    small = '{"name": "Ann", "age": 31}'
    print(f"{'26 characters, µs':20}" + "".join(f"{_micro(parse, small):>16}" for parse in columns.values()))
    print(f"{'plain(), ms per M':20}{cost(plain, VALID):>16}    the look at a reply that pydantic has taken as it is")
    print("coercion, ms per million characters of what is coerced")
    for name, (schema, value) in VALUES.items():
        print(f"{name:20}{_coercion(schema, value):>16}")


VALUES: dict[str, tuple[JSONObject, JSON]] = {
    "surplus keys": (
        {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        {"a": 1} | {f"key {n}": n for n in range(60_000)},
    ),
    "blanks for numbers": ({"type": "array", "items": {"type": "number"}}, ["$" + " " * 390 + "x"] * 2_500),
    "digits for dates": ({"type": "array", "items": {"type": "string", "format": "date-time"}}, ["1" * 58 + ":"] * 16_000),
}


def _coercion(schema: JSONObject, value: JSON) -> str:
    coercer, size = Coercer(schema), len(json.dumps(value))
    start = time.perf_counter()
    coercer(value)
    return f"{(time.perf_counter() - start) * 1e9 / size:.1f}"


def _micro(parse: Callable[[str], object], text: str) -> str:
    start = time.perf_counter()
    for _ in range(10_000):
        parse(text)
    return f"{(time.perf_counter() - start) * 100:.2f}"


if __name__ == "__main__":
    main()
