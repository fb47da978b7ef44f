"""Which prompt a small local model answers best: validity at the first try, after re-asks, field accuracy, copied values.

    python tests/benchmarks/bench_prompts.py [--model local/NAME] [--style template] [--retries 2] [--show]

Thirty short documents in ten schemas; a difference of one or two documents is noise. Nothing is fetched but the model.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

from prompt_cases import CASES, Case

import assay
from assay.outcome import Outcome
from assay.types import PromptStyle


@dataclass(frozen=True, slots=True)
class Score:
    valid: int
    first: int
    right: int
    fields: int
    copied: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    def __str__(self) -> str:
        count = len(CASES)
        return (
            f"valid at first try {self.first}/{count}, after re-asks {self.valid}/{count}, "
            f"fields right {100 * self.right / self.fields:.1f} %, copied {self.copied}, "
            f"tokens {self.prompt_tokens // count} + {self.completion_tokens // count}, {self.seconds / count:.2f} s a document"
        )


def measure(model: str, style: str | None, retries: int, *, show: bool) -> Score:
    began = time.perf_counter()
    outcomes = []
    extractors: dict[type, assay.Extractor[Any]] = {}
    for case in CASES:
        if case.target not in extractors:
            extractors[case.target] = assay.Extractor(case.target, model=model, prompt_style=style, retries=retries)
        outcome = extractors[case.target].run(case.text)
        outcomes.append(outcome)
        if show:
            say(f"{right(case, outcome)}/{len(case.gold)}  {case.text}\n     {outcome.data if outcome.ok else outcome.error}")
    for extractor in extractors.values():
        extractor.close()
    usages = [outcome.usage for outcome in outcomes]
    return Score(
        valid=sum(outcome.ok for outcome in outcomes),
        first=sum(outcome.ok and len(outcome.attempts) == 1 for outcome in outcomes),
        right=sum(right(case, outcome) for case, outcome in zip(CASES, outcomes, strict=True)),
        fields=sum(len(case.gold) for case in CASES),
        copied=sum("<" in str(outcome.data) for outcome in outcomes),
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        seconds=time.perf_counter() - began,
    )


def right(case: Case, outcome: Outcome[Any]) -> int:
    """How many top-level fields are as the gold has them, but for case and white space."""
    data = outcome.data if isinstance(outcome.data, dict) else {}
    return sum(name in data and folded(data[name]) == folded(gold) for name, gold in case.gold.items())


def folded(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, list):
        return [folded(item) for item in value]
    if isinstance(value, dict):
        return {key: folded(item) for key, item in value.items()}
    return value


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="local/smollm2-135m")
    options.add_argument("--style", choices=[*PromptStyle, "all"], help="all: one after the other; without it, the model's own")
    options.add_argument("--retries", type=int, default=2)
    options.add_argument("--show", action="store_true", help="every answer")
    given = options.parse_args()
    for style in PromptStyle if given.style == "all" else [given.style]:
        say(f"{given.model}, {style or 'default style'}: {measure(given.model, style, given.retries, show=given.show)}")


if __name__ == "__main__":
    main()
