"""Real schemas through all that is done with one: verdicts beside plain jsonschema, forms that keep their dialect's rules, time.

    python tests/benchmarks/bench_schemas.py FOLDER... [--every N] [--only TEXT]

FOLDERs hold what nobody ships with this project: files of MaskBench (`{"schema": ..., "tests": [{"data": ..., "valid": ...}]}`),
of the JSON Schema Test Suite (a list of such, its draft in the folder's name), or plain schemas (SchemaStore). Printed: exceptions
that are not ours, verdicts that differ from plain jsonschema, forms that break a rule of their dialect, and the slowest ten.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import validators
from jsonschema_specifications import REGISTRY

from assay import JSONSchema
from assay.coerce import Coercer
from assay.errors import SchemaError
from assay.schema.keywords import references, walk
from assay.schema.passes import form, from_strict
from assay.schema.render import render
from assay.target.build import Target, target
from assay.target.lint import lint
from assay.target.problems import Invalid
from assay.types import Dialect, PromptStyle

PATIENCE = 20
"""Seconds for one schema and its instances."""
SHOWN = 60
DIALECTS: tuple[Dialect, ...] = ("plain", "nullable", "strict", "llama.cpp", "anthropic", "gemini")


@dataclass
class Tally:
    schemas: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    strict: int = 0
    instances: int = 0
    wrong: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    slow: list[tuple[float, str]] = field(default_factory=list)


def cases(folder: Path) -> Iterator[tuple[str, Any, list[Any], str | None]]:
    """Name, schema, instances and draft."""
    for path in sorted(folder.rglob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list):
            draft = next((part for part in path.parts if part.startswith("draft")), "draft2020-12")
            for group in (g for g in found if isinstance(g, dict) and "schema" in g):
                yield f"{draft}/{path.stem}: {group['description']}", group["schema"], group["tests"], draft
        elif isinstance(found, dict) and "tests" in found and "schema" in found:
            yield path.stem, found["schema"], found["tests"], None
        elif isinstance(found, dict):
            yield path.stem, found, [], None


_DRAFTS = {
    "draft3": "http://json-schema.org/draft-03/schema#",
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth schema")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _stop)
    for folder in options.folders:
        tally = Tally()
        for at, (name, schema, tests, draft) in enumerate(cases(folder)):
            if options.only in name and at % options.every == 0:
                signal.alarm(PATIENCE)
                try:
                    one(tally, name, schema, tests, draft)
                except TimeoutError:
                    tally.broken.append(
                        f"{name}: stopped after {PATIENCE} s: {''.join(traceback.format_exc().splitlines(True)[-5:])}"
                    )
                signal.alarm(0)
        report(folder, tally)


def _stop(*_: object) -> None:
    raise TimeoutError


def one(tally: Tally, name: str, schema: Any, tests: list[Any], draft: str | None) -> None:
    if not isinstance(schema, dict):
        return
    if draft in _DRAFTS and "$schema" not in schema:
        schema = {"$schema": _DRAFTS[draft], **schema}
    tally.schemas += 1
    size = len(json.dumps(schema))
    started = time.process_time()
    try:
        made = target(JSONSchema(schema))
        everything(tally, name, made)
    except SchemaError as error:
        tally.refused[re.sub(r"^.*?: |'.*?'|/\S+|\d+", "", str(error))[:60]] += 1
        if draft is not None and "$ref" in json.dumps(schema):
            return
        if draft is not None or _plain(schema) is not None:
            tally.broken.append(f"{name}: refused: {str(error)[:200]}")
        return
    except TimeoutError:
        raise
    except Exception:  # what this looks for
        tally.raised.append(f"{name}: {''.join(traceback.format_exc().splitlines(keepends=True)[-3:])}")
        return
    spent = time.process_time() - started
    if spent > max(1.0, size / 100_000):
        tally.broken.append(f"{name}: {spent:.1f} s for {size} bytes")
    tally.slow.append((spent, f"{name} ({size} bytes)"))
    plain = _plain(schema)
    for test in tests:
        verdict(tally, name, made, plain, test["data"])


def _plain(schema: Any) -> Any:
    """The validator of plain jsonschema; None when it does not take the schema."""
    named = str(schema.get("$schema", "")).replace("https://json-schema.org/draft-0", "http://json-schema.org/draft-0")
    draft = validators.validator_for({"$schema": named}, default=validators.Draft202012Validator)
    try:
        draft.check_schema(schema)
    except Exception:  # noqa: BLE001  # it raises much
        return None
    return draft(
        {**schema, "$schema": str(draft.META_SCHEMA["$schema"])}, registry=REGISTRY, format_checker=draft.FORMAT_CHECKER
    )


def everything(tally: Tally, name: str, made: Target[Any]) -> None:
    schema = made.json_schema
    for style in PromptStyle:
        text = render(schema, style)
        if len(text) > 8 * len(json.dumps(schema)) + 4000:
            tally.broken.append(f"{name}: the prompt in style {style} is {len(text)} characters long")
    lint(made)
    example = made.worked_example()
    if len(str(example)) > 100_000:
        tally.broken.append(f"{name}: the example is {len(str(example))} characters long")
    for dialect in DIALECTS:
        sent, exact = form(schema, dialect)
        tally.strict += exact and dialect == "strict"
        text = json.dumps(sent, allow_nan=False)
        if len(text) > 8 * len(json.dumps(schema)) + 4000:
            tally.broken.append(f"{name}: the form {dialect} is {len(text)} characters long")
        for _, ref in references(sent):
            if not ref.startswith("#/$defs/") or ref.removeprefix("#/$defs/") not in sent.get("$defs", {}):
                tally.broken.append(f"{name}: {dialect} has a dangling {ref}")
        if dialect in ("strict", "llama.cpp") and (exact or dialect == "llama.cpp"):
            closed(tally, name, dialect, sent, strict=exact)


_STRICT = {"type", "description", "enum", "const", "$ref", "$defs", "anyOf", "items", "properties", "required", "additionalProperties",
           "pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}  # fmt: skip


def closed(tally: Tally, name: str, dialect: str, sent: Any, *, strict: bool) -> None:
    for way, part in walk(sent):
        place = "/".join(map(str, way))
        if part.get("additionalProperties") is False and part.get("properties") == {}:
            tally.broken.append(f"{name}: {dialect} has an empty closed object at {place}")
        if strict and (surplus := part.keys() - _STRICT):
            tally.broken.append(f"{name}: {dialect} has {surplus} at {place}")
        if strict and not part.keys() & {"type", "anyOf", "$ref", "enum", "const"}:
            tally.broken.append(f"{name}: {dialect} is untyped at {place}: {str(part)[:80]}")
        if strict and "properties" in part and set(part["required"]) != set(part["properties"]):
            tally.broken.append(f"{name}: {dialect} leaves keys out at {place}")
        if strict and any(isinstance(part.get(key), bool) for key in ("exclusiveMinimum", "exclusiveMaximum")):
            tally.broken.append(f"{name}: {dialect} has draft 4's bounds at {place}")
        if strict and not way and ("anyOf" in part or part.get("type") != "object"):
            tally.broken.append(f"{name}: {dialect} has no object at its root")


def verdict(tally: Tally, name: str, made: Target[Any], plain: Any, data: Any) -> None:
    tally.instances += 1
    started = time.process_time()
    try:
        made.validate(data if made.wrapper is None else {made.wrapper: data})
        ours = True
    except Invalid as invalid:
        assert invalid.problems, name
        ours = False
    except TimeoutError:
        raise
    except Exception:  # what this looks for
        tally.raised.append(f"{name}: {''.join(traceback.format_exc().splitlines(keepends=True)[-3:])}")
        return
    try:
        Coercer(made.json_schema)(made.wrap(data))
        from_strict(made.wrap(data), made.json_schema)
    except TimeoutError:
        raise
    except Exception:  # what this looks for
        tally.raised.append(f"{name}: coercion: {''.join(traceback.format_exc().splitlines(keepends=True)[-3:])}")
    size = len(json.dumps(data))
    if time.process_time() - started > max(1.0, size / 100_000):
        tally.broken.append(f"{name}: {time.process_time() - started:.1f} s to check {size} bytes")
    if plain is None:
        return
    try:
        theirs = plain.is_valid(data)
    except Exception as error:  # noqa: BLE001  # not ours to mend
        tally.refused[f"plain jsonschema raised {type(error).__name__}"] += 1
        return
    if ours is not theirs:
        tally.wrong.append(f"{name}: ours {ours}, plain jsonschema {theirs}: {json.dumps(data)[:120]}")


def report(folder: Path, tally: Tally) -> None:
    print(f"\n{folder}: {tally.schemas} schemas ({tally.strict} with a strict form), {tally.instances} instances")
    for title, lines in (("exceptions", tally.raised), ("verdicts that differ", tally.wrong), ("broken", tally.broken)):
        print(f"  {title}: {len(lines)}")
        for line in lines[:SHOWN]:
            print("   ", line.replace("\n", "\n      "))
    print("  refused:", dict(tally.refused.most_common(20)))
    print("  slowest:")
    for spent, name in sorted(tally.slow, reverse=True)[:10]:
        print(f"    {spent:.2f} s {name}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
