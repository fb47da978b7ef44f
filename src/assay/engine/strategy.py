"""What to ask next: after a bad answer, the smallest question that can mend it.

- A list that was cut off is continued after its last complete item.
- Another truncation gets more room (and less reasoning).
- When most of the value is good, only the failing parts are asked for, in a question that stands alone.
- Else the whole question is asked again with the problems.
- The same problems again change the question: first a worked example is added, then the next mode is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from assay.data import paths as data_paths
from assay.data.pointer import join
from assay.engine import prompt
from assay.engine.judge import Verdict
from assay.engine.prompt import Source
from assay.engine.task import Question, Task
from assay.schema.passes import form, undo
from assay.types import JSON, Call, JSONObject, Message, Mode, Params, Problem, Reply, frozen

PARTS_LIMIT = 40
"""Parts asked for in one question; with more than these the whole is asked for again."""
PARTS_SHARE = 0.5
"""Share of an answer's leaves that may be wrong for the rest to be worth keeping."""
FEWEST = 20
"""Items that a cut list may have however short the text is."""
REPEATS = 4
"""Equal items in a row with which a cut list counts as a loop."""
EXAMPLE_LIMIT = 600
"""Characters of a worked example in a re-ask: the question itself has the whole schema already."""
FIRST_ROOM = 1024
"""Answer tokens to double from when neither the user nor the server said how many there were."""
WINDOW = 2000
"""Characters of source from which on a question about parts shows only the text around the wrong values."""
AROUND = 300

_UNREADABLE = {"json", "ambiguous", "empty", "refusal", "server", "truncated"}


@frozen
class Next:
    question: Question
    note: str = ""


def first(task: Task[Any], source: Source) -> Question:
    return Question(task.call(task.prompt.ask(source), task.modes.best, task.params))


def after(task: Task[Any], source: Source, question: Question, verdict: Verdict[Any], reply: Reply, stuck: int) -> Next:
    """The next question. `stuck` counts how often in a row the same problems came back."""
    if verdict.cut:
        return _continued(task, source, question, verdict) or _roomier(task, source, question, reply)
    mode, note = _mode(task, question.call.mode, stuck)
    problems = verdict.problems
    if (paths := _parts(verdict)) is not None:
        return Next(_ask_parts(task, source, verdict, paths, mode, question.call.params, example=stuck > 0), note)
    example = _small(task.target.example()) if stuck > 0 else None
    shown = None if {p.kind for p in problems} - _UNREADABLE else prompt.clip(reply.text.strip()) or None
    messages = task.prompt.ask_again(source, prompt.complaint(problems, shown=shown, example=example))
    return Next(Question(task.call(messages, mode, question.call.params)), note)


def _small(example: JSON) -> JSON:
    """A worked example, unless it is so large that it would cost more than it helps."""
    return example if len(prompt.compact(example)) <= EXAMPLE_LIMIT else None


def _mode(task: Task[Any], mode: Mode, stuck: int) -> tuple[Mode, str]:
    """The mode of the next question: another one when a changed question in this one did not help."""
    below = task.modes.below(mode) if stuck > 1 else None
    return (mode, "") if below is None else (below, f"the same problems came back in mode {mode}: asked in mode {below}")


# -- truncation ----------------------------------------------------------------------------------------------------


def _continued(task: Task[Any], source: Source, question: Question, verdict: Verdict[Any]) -> Next | None:
    """Asks for the items after the last complete one of the list that was cut; None when no list was."""
    data, path = (question.base, question.paths[0]) if question.kind == "more" else (verdict.data, _cut_list(verdict.data))
    if question.kind == "parts" or path is None:
        return None
    if question.kind == "more":
        items = _items(verdict.data, path)
        complete = data_paths.get(data, path) + items[:-1]
        if len(items) < 2:  # nothing new came whole: more room, not another round
            return None
    else:
        complete = data_paths.get(data, path)[:-1]
    if _runs_away(complete, source):
        problem = Problem(path, None, prompt.ONCE, "truncated")
        messages = task.prompt.ask_again(source, prompt.complaint([problem]))
        call = task.call(messages, question.call.mode, question.call.params)
        return Next(Question(call), f"the list {path or 'of the answer'} repeated itself until it was cut off: asked again")
    base = data_paths.put(data, path, complete)
    messages = task.prompt.ask_again(source, prompt.more_items(path, len(complete), complete[-1]))
    schema = {"type": "object", "properties": {"items": task.target.slices.at(path, data).schema}, "required": ["items"]}
    call = _call(task, messages, schema, question.call.mode, question.call.params)
    note = f"the reply was cut off: kept {len(complete)} complete items of {path or 'the list'} and asked for the rest"
    return Next(Question(call, "more", base, (path,), undo(schema, task.profile.dialect)), note)


def _runs_away(items: list[JSON], source: Source) -> bool:
    """Whether a small model is caught in a loop: the last items are all the same, or there are more than the text has words."""
    tail = items[-REPEATS:]
    looping = len(tail) == REPEATS and all(item == tail[0] for item in tail)
    return looping or len(items) > max(len(prompt.text_of(source).split()), FEWEST)


def _items(answer: JSON, path: str) -> list[JSON]:
    items = answer.get("items", data_paths.get(answer, path)) if isinstance(answer, dict) else answer
    return items if isinstance(items, list) else []


def _cut_list(data: JSON) -> str | None:
    """The outermost list with a complete item on the way to where the text ended (the last child of the last child)."""
    steps: list[str | int] = []
    while data:
        if isinstance(data, list):
            if len(data) > 1:
                return join(steps)
            steps.append(len(data) - 1)
            data = data[-1]
        elif isinstance(data, dict):
            key = next(reversed(data))
            steps.append(key)
            data = data[key]
        else:
            return None
    return None


def _roomier(task: Task[Any], source: Source, question: Question, reply: Reply) -> Next:
    params = question.call.params
    had = params.max_tokens or reply.usage.completion_tokens or FIRST_ROOM
    effort = "low" if task.profile.reasoning else params.reasoning_effort
    params = replace(params, max_tokens=had * 2, reasoning_effort=effort)
    call = task.call(task.prompt.ask(source), question.call.mode, params)
    return Next(Question(call), f"the reply was cut off at {had} tokens: asked again with {had * 2}")


# -- parts ---------------------------------------------------------------------------------------------------------


def _parts(verdict: Verdict[Any]) -> tuple[str, ...] | None:
    """The failing parts, when the rest of the value is worth keeping."""
    paths = tuple(dict.fromkeys(problem.path for problem in verdict.problems))
    if not paths or "" in paths or verdict.data is None or any(p.kind in _UNREADABLE - {"ambiguous"} for p in verdict.problems):
        return None
    enough = ceil(len(paths) / PARTS_SHARE) - sum(p.kind == "missing" for p in verdict.problems)
    return paths if len(paths) <= PARTS_LIMIT and data_paths.count(verdict.data, max(enough, 0)) >= enough else None


def _ask_parts(
    task: Task[Any],
    source: Source,
    verdict: Verdict[Any],
    paths: Sequence[str],
    mode: Mode,
    params: Params,
    *,
    example: bool,
) -> Question:
    slices = {path: task.target.slices.at(path, verdict.data) for path in paths}
    forms = [(path, part.form) for path, part in slices.items() if part.form]
    shown = {path: data_paths.get(task.target.example(), path) for path in paths} if example else {}
    shown = {path: value for path, value in shown.items() if value is not data_paths.MISSING}
    text = prompt.parts(verdict.problems, forms, example=shown or None)
    messages = task.prompt.ask_parts(_window(source, verdict.problems), text)
    properties = {path: part.schema for path, part in slices.items()}
    schema: JSONObject = {"type": "object", "properties": properties, "required": list(paths)}
    return Question(
        _call(task, messages, schema, mode, params), "parts", verdict.data, tuple(paths), undo(schema, task.profile.dialect)
    )


def _call(task: Task[Any], messages: tuple[Message, ...], schema: JSONObject, mode: Mode, params: Params) -> Call:
    """A call with another schema than the target's, in the form that the server takes."""
    if mode not in (Mode.JSON_SCHEMA, Mode.TOOLS):
        return Call(messages, mode, task.target.name, params=params)
    wire, strict = form(schema, task.profile.dialect)
    return Call(messages, mode, task.target.name, wire, strict, params)


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
