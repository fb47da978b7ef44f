"""Long documents in pieces: wall time of 29 pieces beside one whole call of the same latency, and what is found.

    python tests/benchmarks/bench_split.py [--latency 1.0]

The server reads facts off the prompt that it gets and nothing else (`tests/split/planted.py`).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "split")]

from planted import Contract, Planted, Reader, contract

import assay
from servers import Server


def run(document: Planted, latency: float, split: assay.Split | str) -> tuple[float, int, assay.Outcome[Contract]]:
    reader = Reader(latency=latency)
    with (
        Server(reader) as server,
        assay.Extractor(Contract, model="groq/m", api_key="k", base_url=server.base_url, split=split) as extractor,
    ):
        extractor.run(contract(20_000).text)  # connections, the event loop, jsonschema are there
        before, start = len(server.received), time.perf_counter()
        outcome = extractor.run(document.text)
        return time.perf_counter() - start, len(server.received) - before, outcome


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=1.0, help="seconds that each answer takes")
    latency = parser.parse_args().latency
    print(f"{'kB':>5} {'overlap':>8} {'requests':>9} {'seconds':>8} {'one call':>9}  right")
    for size in (20_000, 110_000, 400_000):
        document = contract(size, seed=size, twins=12)
        whole, _, _ = run(document, latency, "never")
        for share in (1, 2):
            piece = max(4000, size // 27)
            seconds, requests, outcome = run(document, latency, assay.Split(piece, share * piece // 10))
            right = outcome.ok and outcome.unwrap().model_dump() == document.gold
            print(f"{size // 1000:>5} {share:>7}x {requests:>9} {seconds:>8.2f} {whole:>9.2f}  {right}")


if __name__ == "__main__":
    main()
