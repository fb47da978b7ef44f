"""The forms of questions after the first: about parts, and in another mode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from assay.data import paths as data_paths
from assay.data.pointer import split
from assay.engine import prompt
from assay.engine.judge import Verdict
from assay.engine.prompt import Source
from assay.engine.task import Question, Task
from assay.schema.navigate import at, govern
from assay.schema.passes import form, undo
from assay.types import JSON, Call, JSONObject, Message, Mode, Params, Problem, frozen

PARTS_LIMIT = 40
"""Parts asked for in one question; with more than these the whole is asked for again."""
WINDOW = 2000
"""Characters of source from which on a question about parts shows only the text around the wrong values."""
AROUND = 300


@frozen
class Next:
    """What to ask next."""

    question: Question
    note: str = ""
    tight: bool = False
    """An answer ran away: this one and those after it are held short."""


def ask_parts(
    task: Task[Any],
    source: Source,
    verdict: Verdict[Any],
    paths: Sequence[str],
    mode: Mode,
    params: Params,
    *,
    example: bool = False,
) -> Question:
    """Asks for parts of an answer; `verdict` has the rest of it and what is wrong."""
    shown = {path: data_paths.get(task.target.example(), path) for path in paths} if example else {}
    shown = {path: value for path, value in shown.items() if value is not data_paths.MISSING}
    text = prompt.parts(verdict.problems, forms(task, verdict.data, paths), example=shown or None)
    messages = task.prompt.ask_parts(_window(source, verdict.problems), text)
    schema = schema_of(task, verdict.data, paths)
    call = call_for(task, messages, schema, mode, params)
    return Question(call, "parts", verdict.data, tuple(paths), undo=undo(schema, task.profile.dialect))


def forms(task: Task[Any], data: JSON, paths: Iterable[str]) -> list[tuple[str, str]]:
    """How those parts are written that have an inside."""
    slices = {path: task.target.slices.at(path, data) for path in paths}
    return [(path, part.form) for path, part in slices.items() if part.form]


def schema_of(task: Task[Any], data: JSON, paths: Iterable[str], given: JSONObject | None = None) -> JSONObject:
    """The schema of an answer that has parts under their paths, `given` properties before them."""
    parts = {path: task.target.slices.at(path, data).schema for path in paths}
    needed = [path for path in parts if is_required(task, data, path)]
    given = given or {}
    return {"type": "object", "properties": {**given, **parts}, "required": [*given, *needed]}


def is_required(task: Task[Any], data: JSON, path: str) -> bool:
    """Whether there must be something at a place. One of a list, or at the root, is where it is."""
    *above, last = split(path) or ("",)
    root = task.target.json_schema
    parent = govern(at(root, above, data), data_paths.get(data, path.rpartition("/")[0]), root)
    return last not in parent.get("properties", {}) or last in parent.get("required", ())


def call_for(task: Task[Any], messages: tuple[Message, ...], schema: JSONObject, mode: Mode, params: Params) -> Call:
    """A call with another schema than the target's, in the form that the server takes."""
    if mode not in (Mode.JSON_SCHEMA, Mode.TOOLS):
        return Call(messages, mode, task.target.name, params=params)
    wire, strict = form(schema, task.profile.dialect)
    return Call(messages, mode, task.target.name, wire, strict, params)


def in_mode(task: Task[Any], question: Question, mode: Mode) -> Question:
    """The same question in another mode."""
    call = question.call
    if question.kind == "whole":
        return replace(question, call=task.call(call.messages, mode, call.params))
    return replace(question, call=replace(call, mode=mode, schema=call.schema if mode is Mode.TOOLS else None))


def other_mode(task: Task[Any], mode: Mode, stuck: int) -> tuple[Mode, str]:
    """The mode of the next question, and a note: another one when a changed question in this one did not help."""
    below = task.modes.below(mode) if stuck > 1 else None
    return (mode, "") if below is None else (below, f"the same problems came back in mode {mode}: asked in mode {below}")


def _window(source: Source, problems: Sequence[Problem]) -> Source:
    """Of a long document, the text around each wrong value; all of it when one of them is not in it."""
    if not isinstance(source, str) or len(source) <= WINDOW:
        return source
    pieces: list[tuple[int, int]] = []
    for problem in problems:
        said = problem.said if isinstance(problem.said, str) else None
        at = source.find(said) if said and len(said) > 2 else -1
        if at < 0 or said is None:
            return source
        pieces.append((max(0, at - AROUND), at + len(said) + AROUND))
    return "\n…\n".join(source[start:end] for start, end in _joined(sorted(pieces)))


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined = pieces[:1]
    for start, end in pieces[1:]:
        if start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
