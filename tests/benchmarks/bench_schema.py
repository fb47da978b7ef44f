"""What a target costs: building it once, looking it up, reading a good reply beside pydantic alone, telling 500 problems.

Run: python tests/benchmarks/bench_schema.py
"""

# ruff: noqa: T201  # a script: it prints its tables

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, create_model

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from assay.schema.render import render
from assay.target.build import target
from assay.target.problems import Invalid
from assay.types import PromptStyle

ROUNDS = 7


class Line(BaseModel):
    sku: str
    quantity: int = Field(ge=1)
    price: float


class Order(BaseModel):
    name: str
    lines: list[Line]
    note: str | None = None


Wide: Any = create_model("Wide", **{f"field_{i}": (str if i % 2 else int, ...) for i in range(500)})  # type: ignore[call-overload]
LINES = [{"sku": "a", "quantity": 1, "price": 1.5}] * 5
WIDE = {f"field_{i}": "x" if i % 2 else i for i in range(500)}
CASES: list[tuple[str, Any, Any, Any]] = [
    ("5 lines", Order, {"name": "n", "lines": LINES}, {"name": "n", "lines": LINES}),
    ("500 fields", Wide, WIDE, WIDE),
    ("list, wrapped", list[Line], {"items": LINES}, LINES),
]


def best(work: Callable[[], object], times: int) -> float:
    """Microseconds of one call, the best of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        taken.append((time.perf_counter() - start) / times)
    return min(taken) * 1e6


def reading() -> None:
    print(f"{'reply':<16}{'build ms':>10}{'lookup us':>11}{'pydantic us':>13}{'parse us':>10}{'ratio':>7}{'validate us':>13}")
    for name, type_, data, bare in CASES:
        start = time.perf_counter()
        made = target(type_)
        built = (time.perf_counter() - start) * 1e3
        adapter, text, plain = TypeAdapter(type_), json.dumps(data), json.dumps(bare)
        alone = best(lambda a=adapter, p=plain: a.validate_json(p, strict=True), 1000)  # type: ignore[misc]
        parse = best(lambda m=made, t=text: m.parse(t), 1000)  # type: ignore[misc]
        validate = best(lambda m=made, d=data: m.validate(d), 300)  # type: ignore[misc]
        lookup = best(lambda t=type_: target(t), 10_000)  # type: ignore[misc]
        print(f"{name:<16}{built:>10.1f}{lookup:>11.2f}{alone:>13.1f}{parse:>10.1f}{parse / alone:>7.2f}{validate:>13.1f}")


def telling() -> None:
    for name, data in (
        ("one of 500 wrong", {**WIDE, "field_7": 3}),
        ("all 500 wrong", {key: [] for key in WIDE}),
        ("all missing", {}),
    ):
        print(f"{name:<18}{best(lambda d=data: _problems(d), 5) / 1e3:>8.2f} ms for {len(_problems(data))} problems")  # type: ignore[misc]


def _problems(data: Any) -> tuple[Any, ...]:
    try:
        target(Wide).validate(data)
    except Invalid as invalid:
        return invalid.problems
    return ()


def rendering() -> None:
    for style in PromptStyle:
        text = render(target(Wide).json_schema, style)
        taken = best(lambda s=style: render(target(Wide).json_schema, s), 1)  # type: ignore[misc]
        print(f"500 fields as {style:<10}{len(text):>7} characters, {taken / 1e3:.1f} ms once")


if __name__ == "__main__":
    reading()
    telling()
    rendering()
