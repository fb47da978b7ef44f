"""Numbers and dates as values, or copied as they are printed: how many are right with the same model and documents.

    python tests/benchmarks/bench_written.py --model local/smollm2-135m --documents 34 [--sentences FOLDER]

Made-up invoices and notices in five languages (`printed.py`), and sentences with one amount or date out of FOLDER (`amounts.jsonl`,
`dates.jsonl`: `{"text", "value", "lang"}`). Each document is asked in both forms in turn. A number is right when it is the same, a
date when it is the same day. Calls and tokens count all attempts.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from printed import invoices, notices
from pydantic import BaseModel

import assay

Case = tuple[type[BaseModel], str, dict[str, Any]]
FORMS = ("typed", "as_written")


class Amount(BaseModel):
    """The amount of money in a sentence."""

    amount: float


class Day(BaseModel):
    """The date in a sentence."""

    day: date


def sentences(folder: Path, count: int) -> Iterator[Case]:
    """Sentences with one value, amounts and dates in turn."""
    for name, type_, key in (("amounts", Amount, "amount"), ("dates", Day, "day")):
        rows = map(json.loads, (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        alone = [row for row in rows if len(row["value"]) == 1 and row["lang"] in ("en", "de", "fr", "es")]
        yield from ((type_, row["text"], {key: row["value"][0]}) for row in alone[: count // 2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--documents", type=int, default=34, help="of each kind")
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--retries", type=int, default=2)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    kinds: dict[str, list[Case]] = {"invoices": list(invoices(given.documents)), "notices": list(notices(given.documents))}
    if given.sentences:
        kinds["sentences"] = list(sentences(given.sentences, given.documents))
    tallies = {(kind, form): Counter[str]() for kind in kinds for form in FORMS}
    for row in zip_longest(*([(kind, case) for case in cases] for kinds_ in [kinds] for kind, cases in kinds_.items())):
        for kind, case in filter(None, row):
            for form in FORMS:
                ask(given, case, form, tallies[kind, form])
        report(tallies)


def ask(given: argparse.Namespace, case: Case, form: str, tally: Counter[str]) -> None:
    type_, text, gold = case
    outcome = assay.Extractor(type_, model=given.model, values=form, retries=given.retries, max_tokens=300).run(text)
    value = outcome.value.model_dump(mode="json") if outcome.ok else {}
    for name, right in gold.items():
        sort = "dates" if type_.model_fields[name].annotation is date else "texts" if isinstance(right, str) else "numbers"
        tally[sort] += 1
        tally[f"{sort} right"] += value.get(name) == right
    tally["documents"] += 1
    tally["valid"] += outcome.ok
    tally["calls"] += len(outcome.attempts)
    tally["tokens"] += outcome.usage.total_tokens
    if given.show:
        print(form, repr(text), value or outcome.problems, gold, flush=True)


def report(tallies: dict[tuple[str, str], Counter[str]]) -> None:
    print()
    sums = {form: sum((tally for (_, of), tally in tallies.items() if of == form), Counter[str]()) for form in FORMS}
    for (kind, form), tally in chain(tallies.items(), ((("all", form), tally) for form, tally in sums.items())):
        if documents := tally["documents"]:
            shares = [f"{sort} {tally[f'{sort} right']}/{tally[sort]}" for sort in ("numbers", "dates", "texts") if tally[sort]]
            costs = f"{tally['calls'] / documents:.2f} calls, {tally['tokens'] / documents:.0f} tokens"
            print(f"{kind:10} {form:11} valid {tally['valid']}/{documents}  {'  '.join(shares)}  {costs}", flush=True)


if __name__ == "__main__":
    main()
