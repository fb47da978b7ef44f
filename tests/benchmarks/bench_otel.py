"""What watching costs an extraction: switched off (one look at a variable), and with spans and metrics by the SDK.

python tests/benchmarks/bench_otel.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel

import assay
from assay.adapters import otel
from assay.testing import FakeModel


class Person(BaseModel):
    name: str
    age: int


def cpu(work: Callable[[], object], times: int = 2000) -> float:
    """Microseconds of CPU a call."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


def main() -> None:
    extractor = assay.Extractor(Person, model=FakeModel(lambda _: '{"name": "Ada", "age": 36}'))
    off, on = [], []
    for _ in range(9):
        otel.uninstrument()
        off.append(cpu(lambda: extractor.run("Ada is 36.")))
        otel.instrument(tracer_provider=TracerProvider(), meter_provider=MeterProvider())
        on.append(cpu(lambda: extractor.run("Ada is 36.")))
    looks = 1_000_000
    began = time.process_time()
    for _ in range(looks):
        if assay.engine.observe.observer is None:
            pass
    look = (time.process_time() - began) / looks * 1e6
    more = [b - a for a, b in zip(off, on, strict=True)]
    print(
        f"off: {look:.2f} us for the look; on: {statistics.median(more):.0f} us more a call ({min(more):.0f} to {max(more):.0f})"
    )


if __name__ == "__main__":
    main()
