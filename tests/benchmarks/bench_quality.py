"""How much valid and right data comes of the same model, server and documents: assay beside Instructor.

    python tests/benchmarks/bench_quality.py --model /path/to/model.gguf --sets FOLDER --documents 20

FOLDER holds pairs NAME.jsonl (`{"id", "text", "gold"}` a line) and NAME.schema.json. The model is served over HTTP by llama.cpp
in this process; assay and Instructor (JSON mode, max_retries=2, through the openai client) ask that server in turn, document by
document. `assay json` sends the same `response_format: json_object` as Instructor does; `assay auto` uses what a llama.cpp
server can do, as a user gets it. Valid: the value fits the schema at the end. Fields: of all leaves that gold has, the share that
the answer has too, equal but for case, white space and full stops at the end. Calls and tokens count all attempts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xllamacpp
from pydantic import BaseModel, create_model

import assay


@dataclass
class Score:
    documents: int = 0
    valid: int = 0
    fields: int = 0
    right: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def row(self) -> str:
        share = 100 * self.right / max(self.fields, 1)
        n = max(self.documents, 1)
        return (
            f"{self.valid}/{self.documents} valid  {share:5.1f} % of fields  {self.calls / n:.2f} calls  "
            f"{self.tokens / n:6.0f} tokens  {self.seconds / n:5.1f} s a document"
        )


@dataclass
class Answer:
    value: Any
    calls: int
    tokens: int
    problem: str = ""


Ask = Callable[[str], Answer]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--sets", required=True, type=Path)
    parser.add_argument("--names", default="ingredients,names,addresses")
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--answer-tokens", type=int, default=1000, help="max_tokens of every call, of all contestants")
    parser.add_argument("--only", default="", help="contestants whose name has this, all when empty")
    parser.add_argument("--style", default=None, help="assay's prompt_style")
    parser.add_argument("--show", action="store_true", help="print every value")
    given = parser.parse_args()
    server = serve(given.model)
    totals: dict[str, Score] = {}
    for name in given.names.split(","):
        schema = json.loads((given.sets / f"{name}.schema.json").read_text())
        rows = [json.loads(line) for line in (given.sets / f"{name}.jsonl").read_text().splitlines()]
        rows = rows[given.skip : given.skip + given.documents]
        for who, ask in contestants(schema, server.listening_address, given.style, given.answer_tokens).items():
            if given.only not in who:
                continue
            score = Score()
            for row in rows:
                total = totals.setdefault(who, Score())
                measure(ask, row, (score, total), show=given.show)
            print(f"{name:12} {who:12} {score.row()}", flush=True)
    for who, score in totals.items():
        print(f"{'all':12} {who:12} {score.row()}")


def serve(path: Path) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {"model"}
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = 0
    return xllamacpp.Server(params)


def contestants(schema: Any, url: str, style: str | None, tokens: int) -> dict[str, Ask]:
    base_url = f"{url}/v1"
    same: dict[str, Any] = {"model": "llamacpp/model", "prompt_style": style, "max_tokens": tokens}
    return {
        "assay auto": assay_asks(schema, base_url, **same),
        "assay json": assay_asks(schema, base_url, mode="json", **same),
        "instructor": instructor_asks(schema, base_url, tokens),
    }


def assay_asks(schema: Any, base_url: str, **options: Any) -> Ask:
    extractor: assay.Extractor[Any] = assay.Extractor(schema, base_url=base_url, timeout=300, **options)

    def ask(text: str) -> Answer:
        outcome = extractor.run(text)
        problem = "" if outcome.ok else f"{type(outcome.error).__name__}: {[str(p) for p in outcome.problems][:2]}"
        return Answer(outcome.value, len(outcome.attempts), outcome.usage.total_tokens, problem)

    return ask


def instructor_asks(schema: Any, base_url: str, tokens: int) -> Ask:
    import instructor
    import openai

    model = model_of(schema, "Answer")
    sdk = openai.OpenAI(base_url=base_url, api_key="none", timeout=300, max_retries=0)
    count = {"calls": 0, "tokens": 0}
    create = sdk.chat.completions.create

    def counted(*args: Any, **named: Any) -> Any:
        response = create(*args, **named)
        count["calls"] += 1
        count["tokens"] += response.usage.total_tokens
        return response

    sdk.chat.completions.create = counted  # type: ignore[method-assign]
    client = instructor.from_openai(sdk, mode=instructor.Mode.JSON)

    def ask(text: str) -> Answer:
        count.update(calls=0, tokens=0)
        messages: Any = [{"role": "user", "content": text}]
        try:
            value = client.chat.completions.create(
                model="model", response_model=model, messages=messages, max_retries=2, max_tokens=tokens, temperature=0
            )
            return Answer(value.model_dump(mode="json"), count["calls"], count["tokens"])
        except Exception as error:  # the peer's ways to fail are many
            return Answer(None, count["calls"], count["tokens"], type(error).__name__)

    return ask


def model_of(schema: Any, name: str) -> type[BaseModel]:
    """The pydantic model of a flat schema: Instructor takes no JSON Schema."""
    return create_model(
        name, __config__={"extra": "forbid"}, **{k: (type_of(v, k.title()), ...) for k, v in schema["properties"].items()}
    )


def type_of(schema: Any, name: str) -> Any:
    from typing import Literal

    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    kind = schema["type"]
    if isinstance(kind, list):
        return type_of({**schema, "type": next(k for k in kind if k != "null")}, name) | None
    if kind == "array":
        return list[type_of(schema["items"], name)]  # type: ignore[misc]
    if kind == "object":
        return model_of(schema, name)
    return {"string": str, "integer": int, "number": float, "boolean": bool}[kind]


def measure(ask: Ask, row: Any, scores: tuple[Score, ...], *, show: bool) -> None:
    began = time.perf_counter()
    answer = ask(row["text"])
    seconds = time.perf_counter() - began
    gold = dict(leaves(row["gold"]))
    got = dict(leaves(answer.value)) if answer.value is not None else {}
    right = sum(1 for path, value in gold.items() if path in got and alike(value, got[path]))
    if show:
        print(f"   {row['text'][:80]!r}\n      {answer.value} {answer.problem}\n      gold {row['gold']}")
    for score in scores:
        score.documents += 1
        score.valid += answer.value is not None
        score.fields += len(gold)
        score.right += right
        score.calls += answer.calls
        score.tokens += answer.tokens
        score.seconds += seconds


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{at}")
    else:
        yield path, value


def alike(a: Any, b: Any) -> bool:
    return plain(a) == plain(b)


def plain(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split()).casefold().rstrip(".,;")


if __name__ == "__main__":
    main()
