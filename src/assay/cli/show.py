"""How values, attempts and problems look in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import yaml
from pydantic_core import to_jsonable_python
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.pretty import Pretty
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from assay.cli.console import harmless, to_json
from assay.data.paths import get
from assay.outcome import Attempt, Outcome
from assay.types import JSON, Message, Problem, Repair, Usage

THEME = "ansi_dark"
"""The terminal's own colours, readable on dark and light."""


class Format(StrEnum):
    JSON = "json"
    YAML = "yaml"
    TABLE = "table"


def plain(value: Any) -> JSON:
    """A validated value as JSON data, under the names that the schema gives (aliases)."""
    return to_jsonable_python(value, by_alias=True)


def result(console: Console, value: JSON, form: Format) -> None:
    """Write a result. Colours only appear on a terminal, so a pipe gets clean JSON or YAML."""
    match form:
        case Format.JSON:
            write(console, to_json(value), "json")
        case Format.YAML:
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
            if harmless(text) != text:
                text = yaml.safe_dump(value, sort_keys=False, width=100)  # all that is not ASCII escaped: the value is the same
            write(console, text.removesuffix("...\n").rstrip("\n"), "yaml")
        case Format.TABLE:
            console.print(table(value))


def write(console: Console, text: str, language: str) -> None:
    """Source text, coloured on a terminal and never wrapped."""
    console.print(code(text, language), soft_wrap=True)


def code(text: str, language: str) -> Text:
    highlighted = Syntax(text, language, theme=THEME, background_color="default").highlight(text)
    highlighted.rstrip()
    return highlighted


def table(value: JSON) -> Table:
    """One row per leaf of a value."""
    rows = Table("field", "value", box=box.SIMPLE_HEAD, header_style="bold")
    for path, leaf in leaves(value):
        rows.add_row(Text(path or "value", style="cyan"), _leaf(leaf))
    return rows


def leaves(value: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Each scalar, or empty container, of a JSON value with its place, as Python would write it: `items[0].name`."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{at}]")
    else:
        yield path, value


def _leaf(value: JSON) -> Text:
    if value is None:
        return Text("null", style="dim")
    return Text(value if isinstance(value, str) else json.dumps(value))


def trace(outcome: Outcome[Any]) -> Group:
    """Every attempt of an extraction: what was sent, what came back, what was wrong with it."""
    count = len(outcome.attempts)
    blocks = [block for at, attempt in enumerate(outcome.attempts, 1) for block in _attempt(attempt, at, count)]
    notes = [Text(f"note: {note}", style="yellow") for note in outcome.notes]
    return Group(*blocks, *notes, Rule(style="dim"))


def _attempt(attempt: Attempt, at: int, count: int) -> Iterator[RenderableType]:
    facts = [f"attempt {at} of {count}", attempt.mode, f"{attempt.latency:.2f} s", usage(attempt.usage)]
    facts += [f"{attempt.requests} requests"] * (attempt.requests > 1)
    facts += [fact for fact in (attempt.finish_reason, attempt.request_id) if fact]
    yield Rule(Text(" · ".join(facts)), align="left", style="dim")
    yield messages(attempt.messages)
    yield _part("reply", Text(attempt.reply or "(nothing)"), "green" if not attempt.problems else "red")
    if attempt.repairs:
        yield _part("repaired", Group(*[repair_line(repair) for repair in attempt.repairs]), "yellow")
    if attempt.problems:
        yield _part("wrong", Group(*[problem_line(problem) for problem in attempt.problems]), "red")
    if attempt.note:
        yield _part("then", Text(attempt.note), "yellow")


def messages(asked: Iterable[Message]) -> Group:
    """The messages of a request, each under its role."""
    return Group(*[_part(message.role, Text(_content(message)), "blue") for message in asked])


def _part(title: str, body: RenderableType, colour: str) -> RenderableType:
    return Group(Text(title, style=f"bold {colour}"), Padding(body, (0, 0, 0, 2)))


def _content(message: Message) -> str:
    return message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False, indent=1)


def problem_line(problem: Problem) -> Text:
    said = "" if problem.kind == "missing" else f", said {json.dumps(problem.said, ensure_ascii=False, default=str)}"
    return Text(f"{problem.path or '(whole)'}  {problem.kind}: want {problem.want}{said}")


def repair_line(repair: Repair) -> Text:
    return Text(f"{repair.path or '(whole)'}  {repair.kind}: {repair.before!r} -> {repair.after!r}")


def usage(spent: Usage) -> str:
    cost = "" if not spent.cost else f", ${spent.cost:.6f}"
    return f"{spent.prompt_tokens} + {spent.completion_tokens} tokens{cost}"


def summary(outcome: Outcome[Any]) -> Text:
    """One line: the model, the attempts, the repairs, the tokens and time."""
    attempts = len(outcome.attempts)
    seconds = sum(attempt.latency for attempt in outcome.attempts)
    asked = f"{attempts} attempt{'s' * (attempts != 1)}"
    if outcome.requests > attempts:
        asked += f" ({outcome.requests} requests)"
    facts = [outcome.model, asked, usage(outcome.usage), f"{seconds:.2f} s"]
    if outcome.repairs:
        facts.append(f"repaired: {', '.join(sorted({repair.kind for repair in outcome.repairs}))}")
    return Text(" · ".join([*facts, *outcome.notes]), style="dim")


def ungrounded(outcome: Outcome[Any]) -> Text:
    """The first values that are not in the text."""
    paths, data = outcome.ungrounded, outcome.data
    lines = [f"  {path or '(the value)'}  {_clipped(get(data, path))}" for path in paths[:MOST_UNGROUNDED]]
    if len(paths) > MOST_UNGROUNDED:
        lines.append(f"  ... and {len(paths) - MOST_UNGROUNDED} more")
    return Text("\n".join([f"not in the text: {len(paths)} value{'s' * (len(paths) != 1)}", *lines]), style="yellow")


MOST_UNGROUNDED, LONGEST_VALUE = 20, 100


def _clipped(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def value(found: Any) -> RenderableType:
    """A Python value as its repr, a field a line."""
    return Pretty(found, expand_all=True)
