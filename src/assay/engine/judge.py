"""Is the answer good? A reply to a question becomes a verdict: the value, or what is wrong with it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json

from assay import decode
from assay.data import paths
from assay.data.pointer import split
from assay.engine import prompt
from assay.engine.task import Question, Task
from assay.errors import DecodeError
from assay.schema.navigate import at, govern
from assay.target.build import written
from assay.target.problems import Invalid
from assay.types import JSON, Problem, Repair, Reply, frozen

T = TypeVar("T")

BUDGET_EATEN = "max completion tokens reached"
"""What Groq puts into `failed_generation`, in place of text, when the token limit ended the answer."""


@frozen
class Verdict(Generic[T]):
    """`value` counts when there are no problems."""

    value: T | None = None
    text: str = "null"
    """The value as JSON text."""
    data: JSON = None
    """What was read, as JSON data, when something could be; parts merged in."""
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    cut: bool = False
    """The reply ended before its value did."""


def judge(task: Task[T], question: Question, reply: Reply) -> Verdict[T]:
    """Read, merge, coerce and validate a reply."""
    undo = task.wire[question.call.mode].undo if question.kind == "whole" else question.undo
    exact = undo is None or "null" not in reply.text  # a null may stand for what is left out
    if question.kind == "whole" and exact and not task.target.has_validators and reply.rejected is None:
        try:
            value = task.target.parse(reply.text, context=task.context)
        except Invalid:
            pass
        else:
            return Verdict(value, _bare(task, reply.text))
    if (problem := _nothing(reply)) is not None:
        return Verdict(problems=(problem,), cut=problem.kind == "truncated")
    try:
        reading = decode.read(reply.text, task.target.json_schema if question.kind == "whole" else None)
    except DecodeError as error:
        return Verdict(problems=error.problems)
    data, repairs = _arguments(reading.value, task.target.name), reading.repairs
    if question.kind == "whole":
        data = task.target.wrap(data)
    if undo is not None:
        data = undo(data)
    if reading.truncated or (reply.finish_reason == "length" and repairs):
        return Verdict(data=data, problems=(_CUT,), repairs=repairs, cut=True)
    match question.kind:
        case "whole":
            return validate(task, data, repairs)
        case "parts":
            return validate(task, _with_parts(question, data), repairs, frozenset(split(path)[0] for path in question.paths))
        case "more":
            return validate(task, with_items(question, data), repairs)


_CUT = Problem("", None, prompt.UNCUT, "truncated")


def _nothing(reply: Reply) -> Problem | None:
    """The problem of a reply that has no text to read."""
    if reply.refusal:
        return Problem("", reply.refusal, prompt.WILLING, "refusal")
    if reply.rejected is not None and BUDGET_EATEN in reply.text:
        return _CUT
    if reply.text.strip():
        return None
    if reply.finish_reason == "length":
        return _CUT
    if reply.rejected is not None:
        return Problem("", None, prompt.some_json(reply.rejected.message), "server")
    return Problem("", None, prompt.some_json(f"the reply was empty (finish_reason {reply.finish_reason})"), "empty")


def _arguments(value: JSON, name: str) -> JSON:
    """The arguments of a tool call that a model wrote out as text, as `failed_generation` often shows it."""
    if isinstance(value, list) and len(value) == 1:
        inner = _arguments(value[0], name)
        return value if inner is value[0] else inner
    if isinstance(value, dict) and value.get("name") == name:
        for key in ("arguments", "parameters"):
            if isinstance(value.get(key), dict) and len(value) <= 3:
                return value[key]
    return value


def validate(task: Task[T], data: JSON, repairs: tuple[Repair, ...], keys: frozenset[str] | None = None) -> Verdict[T]:
    """Coerce and validate what was read. What the schema has no place for is left out, recorded, and the rest tried again.

    `keys` are those of the data that hold something new, when the rest was coerced before.
    """
    if not task.strict:
        coerced = task.coercer(data) if keys is None else task.coercer.anew(data, keys)
        data, repairs = coerced.value, repairs + coerced.repairs
        if coerced.problems:
            return Verdict(data=data, problems=coerced.problems, repairs=repairs)
    try:
        text = written(data)
        value = task.target.validate(data, text, strict=task.strict, context=task.context)
    except Invalid as invalid:
        surplus = [problem for problem in invalid.problems if _is_surplus(task, problem, data)]
        if surplus:
            return validate(task, *_without(data, repairs, surplus))
        return Verdict(data=data, problems=invalid.problems, repairs=repairs)
    return Verdict(value, _bare(task, text.decode()), data, repairs=repairs)


def _is_surplus(task: Task[Any], problem: Problem, data: JSON) -> bool:
    """A null where the schema has none is how a model leaves a field out; a key that is not allowed is dropped unless `strict`."""
    extra, null = problem.kind == "extra" and not task.strict, problem.kind == "type" and problem.said is None
    if not (extra or null) or not problem.path:
        return False
    above, _, _ = problem.path.rpartition("/")
    parent = paths.get(data, above)
    if not isinstance(parent, dict) or paths.get(data, problem.path) is paths.MISSING:
        return False
    root = task.target.json_schema
    schema = govern(at(root, split(above), data), parent, root)
    return extra or split(problem.path)[-1] in schema.get("properties", ())


def _without(data: JSON, repairs: tuple[Repair, ...], surplus: list[Problem]) -> tuple[JSON, tuple[Repair, ...]]:
    for problem in surplus:
        repairs += (Repair(problem.path, "dropped", to_json(problem.said).decode(), ""),)
        data = paths.remove(data, problem.path)
    return data, repairs


def _bare(task: Task[Any], text: str) -> str:
    """The value as JSON text, without the object that wraps it on the wire."""
    wrapper = task.target.wrapper
    return text if wrapper is None else written(from_json(text)[wrapper]).decode()


def _with_parts(question: Question, answer: JSON) -> JSON:
    data = question.base
    for path in question.paths:
        part = _part(answer, path, alone=len(question.paths) == 1)
        if part is paths.MISSING:
            continue
        try:
            data = paths.put(data, path, part)
        except KeyError:  # the place is gone: the validator says so
            continue
    return data


def _part(answer: JSON, path: str, *, alone: bool) -> JSON:
    """One part in an answer: under its path, under its bare name, nested as in the whole, or all of the answer."""
    if isinstance(answer, dict):
        for key in (path, path[1:], split(path)[-1]):
            if key in answer:
                return answer[key]
        return paths.get(answer, path)
    return answer if alone else paths.MISSING


def with_items(question: Question, answer: JSON) -> JSON:
    """The base with the list continued; an item given twice at the seam is taken once."""
    (path,) = question.paths
    have = paths.get(question.base, path)
    items = answer.get("items", paths.get(answer, path)) if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        return question.base
    while items and items[0] == have[-1]:
        items = items[1:]
    return paths.put(question.base, path, have + items)
