"""What to ask next: after a bad answer, the smallest question that can repair it.

- After an answer that ended too early, see `assay.engine.cut`.
- When most of the value is good, only the failing parts are asked for, in a question that stands alone.
- Else the whole question is asked again with the problems.
- The same problems again change the question: first a worked example is added, then the next mode is taken.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from assay.data import paths as data_paths
from assay.engine import prompt
from assay.engine.cut import after_cut
from assay.engine.judge import Verdict
from assay.engine.prompt import Source
from assay.engine.questions import PARTS_LIMIT, Next, ask_parts, other_mode
from assay.engine.task import Question, Task
from assay.target.problems import by_validator
from assay.types import JSON, Bound, Reply

PARTS_SHARE = 0.5
"""Share of an answer's leaves that may be wrong for the rest to be worth keeping."""
EXAMPLE_LIMIT = 600
"""Characters of a worked example in a re-ask: the question itself has the whole schema already."""

_UNREADABLE = {"json", "ambiguous", "empty", "refusal", "server", "truncated"}


def first(task: Task[Any], source: Source, bound: Bound | None = None) -> Question:
    return Question(task.call(task.prompt.ask(source), task.modes.best, task.modes.learnt.taken(task.params), bound))


def after(
    task: Task[Any], source: Source, question: Question, verdict: Verdict[Any], reply: Reply, bound: Bound, stuck: int
) -> Next:
    """The next question. `stuck` counts how often in a row the same problems came back."""
    if verdict.cut:
        return after_cut(task, source, question, verdict, reply, bound, stuck)
    problems = verdict.problems
    fits = all(map(by_validator, problems))  # then the mode is not at fault
    mode, note = other_mode(task, question.call.mode, 0 if fits else stuck)
    if (paths := _parts(verdict)) is not None:
        return Next(ask_parts(task, source, verdict, paths, mode, question.call.params, example=stuck > 0), note)
    example = _small(task.target.example()) if stuck > 0 else None
    shown = None if {p.kind for p in problems} - _UNREADABLE else prompt.clip(reply.text.strip()) or None
    messages = task.prompt.ask_again(source, prompt.complaint(problems, shown=shown, example=example))
    return Next(Question(task.call(messages, mode, question.call.params)), note)


def _small(example: JSON) -> JSON:
    """A worked example, unless it is so large that it would cost more than it helps."""
    return example if len(prompt.compact(example)) <= EXAMPLE_LIMIT else None


def _parts(verdict: Verdict[Any]) -> tuple[str, ...] | None:
    """The failing parts, when the rest of the value is worth keeping."""
    paths = tuple(dict.fromkeys(problem.path for problem in verdict.problems))
    if not paths or "" in paths or verdict.data is None or any(p.kind in _UNREADABLE - {"ambiguous"} for p in verdict.problems):
        return None
    enough = ceil(len(paths) / PARTS_SHARE) - sum(p.kind == "missing" for p in verdict.problems)
    return paths if len(paths) <= PARTS_LIMIT and data_paths.count(verdict.data, max(enough, 0)) >= enough else None
