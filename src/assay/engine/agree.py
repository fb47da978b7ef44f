"""Whether a model says the same again: doubtful values asked for once more, several times, each time anew.

For servers that tell no probabilities of their tokens. Only the values in question are asked for, as parts, at a temperature at which
a model that is not sure says different things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from assay.data import paths as data_paths
from assay.data.pointer import join
from assay.engine import prompt
from assay.engine.judge import judge
from assay.engine.prompt import Source
from assay.engine.questions import call_for, forms, schema_of
from assay.engine.task import Question, Task
from assay.outcome import Outcome
from assay.schema.passes import undo
from assay.types import Call, Reply

TEMPERATURE = 0.7


def doubtful(outcome: Outcome[Any]) -> tuple[str, ...]:
    """The scalars of a value that there is reason to doubt: such as stand nowhere in the source, were mended, or were asked for again."""
    there = dict(data_paths.leaves(outcome.data))
    suspected = [*outcome.ungrounded, *(repair.path for repair in outcome.repairs)]
    suspected += [problem.path for attempt in outcome.attempts for problem in attempt.problems]
    return tuple(dict.fromkeys(path for path in suspected if path in there))


def agreement(
    task: Task[Any], source: Source, outcome: Outcome[Any], paths: Sequence[str], samples: int
) -> Generator[Call, Reply, dict[str, float]]:
    """By path, the share of `samples` further answers that give the same value again."""
    if not paths:
        return {}
    wrapper = "" if task.target.wrapper is None else join((task.target.wrapper,))
    base = task.target.wrap(outcome.data)
    inside = [wrapper + path for path in paths]
    schema = schema_of(task, base, inside)
    text = prompt.once_more(inside, forms(task, base, inside))
    params = replace(task.params, temperature=TEMPERATURE, logprobs=False)
    mode = outcome.attempts[-1].mode if outcome.attempts else task.modes.best
    call = call_for(task, task.prompt.ask_parts(source, text), schema, mode, params)
    question = Question(call, "parts", base, tuple(inside), undo=undo(schema, task.profile.dialect))
    same: Counter[str] = Counter()
    for _ in range(samples):
        verdict = judge(task, question, (yield call))
        for path in inside:
            same[path] += data_paths.get(verdict.data, path) == data_paths.get(base, path) if verdict.data is not None else 0
    return {path: same[wrapper + path] / samples for path in paths}
