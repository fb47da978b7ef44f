"""Is the answer good? A reply to a question becomes a verdict: the value, or what is wrong with it."""

from __future__ import annotations

from math import isfinite
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json

from assay import decode
from assay.coerce import Coerced
from assay.coerce.conventions import Conventions
from assay.coerce.keys import object_in
from assay.coerce.written import convert
from assay.data import paths
from assay.data.pointer import split
from assay.engine import prompt
from assay.engine.task import Limits, Question, Task
from assay.errors import DecodeError
from assay.schema.navigate import at, govern
from assay.schema.not_stated import taken_out
from assay.target.build import written
from assay.target.problems import Invalid
from assay.types import JSON, RUNAWAY, Problem, Repair, Reply, frozen

T = TypeVar("T")


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


def judge(task: Task[T], question: Question, reply: Reply, conventions: Conventions | None = None) -> Verdict[T]:
    """Read, merge, coerce and validate a reply. `conventions` are the document's own for numbers and dates."""
    whole = question.kind == "whole"
    undo = task.wire[question.call.mode].undo if whole else question.undo
    exact = undo is None or "null" not in reply.text  # a null may stand for what is left out
    if whole and exact and reply.rejected is None and (verdict := _at_once(task, question, reply.text)) is not None:
        return verdict
    if (problem := _nothing(reply)) is not None:
        return Verdict(problems=(problem,), cut=problem.kind == "truncated")
    try:
        reading = (task.target.reader if whole else task.target.reader.parts)(reply.text)
    except DecodeError as error:
        cut = error.problems[0].kind == "truncated" or reply.finish_reason in ("length", RUNAWAY)
        return Verdict(problems=(_CUT,) if cut else error.problems, cut=cut)
    repairs = reading.repairs
    data = task.target.wrap(reading.value) if whole else _opened(question, reading.value)
    if undo is not None:
        data = undo(data)
    if reading.truncated or (reply.finish_reason in ("length", RUNAWAY) and repairs):
        return Verdict(data=data, problems=(_CUT,), repairs=repairs, cut=True)
    data = merged(question, data)
    wrong = _echoed(question, data) or (_ended(question.limits, data) if question.limits is not None else ())
    if wrong:
        return Verdict(data=data, problems=wrong, repairs=repairs)
    if "not_stated" in reply.text:
        data, told = taken_out(data, task.target.json_schema)
        repairs += told
    if conventions is not None and (task.as_written or not task.strict):
        turned = convert(data, task.target.json_schema, conventions, copied=task.as_written and whole)
        data, repairs = turned.value, repairs + turned.repairs
    return validate(
        task, data, repairs, frozenset(split(path)[0] for path in question.paths) if question.kind == "parts" else None
    )


def _at_once(task: Task[T], question: Question, text: str) -> Verdict[T] | None:
    """The verdict on a text that is plain JSON, of one meaning, and fits as it is; None for any other."""
    target = task.target
    if target.has_validators or target.reader.infinite or decode.has_endless_number(text):
        return None
    try:
        value = target.parse(text, context=task.context)
    except Invalid:
        return None
    if not decode.plain(text) or (question.limits is not None and _ended(question.limits, from_json(text))):
        return None
    if target.annotation is None and task.coercer(whole := target.wrap(value)) != Coerced(whole):
        return None  # a JSON Schema keeps keys that it does not know: those of a wrapper may be among them
    if question.complains and _echoed(question, from_json(text)):
        return None
    return Verdict(value, _bare(task, text))


_CUT = Problem("", None, prompt.UNCUT, "truncated")


def _nothing(reply: Reply) -> Problem | None:
    """The problem of a reply that has no text to read."""
    if reply.refusal:
        return Problem("", reply.refusal, prompt.WILLING, "refusal")
    if reply.text.strip():
        return None
    if reply.finish_reason == "length":
        return _CUT
    if reply.rejected is not None:
        return Problem("", None, prompt.some_json(reply.rejected.message), "server")
    return Problem("", None, prompt.some_json(f"the reply was empty (finish_reason {reply.finish_reason})"), "empty")


def validate(task: Task[T], data: JSON, repairs: tuple[Repair, ...], keys: frozenset[str] | None = None) -> Verdict[T]:
    """Coerce and validate what was read. What the schema has no place for is left out, recorded, and the rest tried again.

    `keys` are those of the data that hold something new, when the rest was coerced before.
    """
    coerced = task.coercer(data) if keys is None else task.coercer.anew(data, keys)
    data, repairs = coerced.value, repairs + coerced.repairs
    if coerced.problems:
        return Verdict(data=data, problems=coerced.problems, repairs=repairs)
    try:
        text = written(data)
        if (b"Infinity" in text or b"NaN" in text) and not task.target.reader.infinite:
            _refuse_infinite(data)
        value = task.target.validate(data, text, strict=task.strict, context=task.context)
    except Invalid as invalid:
        surplus = [problem for problem in invalid.problems if _is_surplus(task, problem, data)]
        if surplus:
            return validate(task, *_without(data, repairs, surplus))
        return Verdict(data=data, problems=tuple(_about_keys(problem, data) for problem in invalid.problems), repairs=repairs)
    return Verdict(value, _bare(task, text.decode()), data, repairs=repairs)


def _about_keys(problem: Problem, data: JSON) -> Problem:
    """A problem of a key as one of the object that has it: under the key itself, no answer could take it away or rename it."""
    named = problem.want.startswith("a key that")
    if not problem.path or not (named or problem.kind == "extra"):
        return problem
    above, _, _ = problem.path.rpartition("/")
    key = prompt.compact(split(problem.path)[-1])
    want = f"in place of the key {key} {problem.want}" if named else f"no key {key}: it is not a field of the answer"
    return Problem(above, paths.get(data, above), want, problem.kind)


def _refuse_infinite(data: JSON) -> None:
    """A number beyond all floats, where the schema says nothing of it either."""
    found = [Problem(path, str(value), "a finite number", "value") for path, value in paths.leaves(data) if _is_infinite(value)]
    if found:
        raise Invalid(tuple(found))


def _is_infinite(value: JSON) -> bool:
    return isinstance(value, float) and not isfinite(value)


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
    dropped = tuple(Repair(problem.path, "dropped", to_json(problem.said).decode(), "") for problem in surplus)
    return paths.without(data, [problem.path for problem in surplus]), repairs + dropped


def _bare(task: Task[Any], text: str) -> str:
    """The value as JSON text, without the object that wraps it on the wire; NaN and infinities as pydantic writes them: null."""
    wrapper, infinite = task.target.wrapper, task.target.reader.infinite
    if wrapper is None and not infinite:
        return text
    data = from_json(text)
    return to_json(data if wrapper is None else data[wrapper], inf_nan_mode="null").decode()


def merged(question: Question, answer: JSON) -> JSON:
    """The whole value with what an answer brings put into it. Of `more`, an item given twice at the seam is taken once."""
    if question.kind == "whole":
        return answer
    more = question.kind == "more"
    data = _with_items(question, answer) if more else question.base
    for path in question.rest if more else question.paths:
        part = part_of(question, answer, path)
        if part is paths.MISSING:
            continue
        try:
            data = paths.put(data, path, part)
        except KeyError:  # the place is gone: the validator says so
            continue
    return data


def _opened(question: Question, answer: JSON) -> JSON:
    """What holds the parts or items: the answer, or the one object in it, as in a tool call that was written out as text."""
    for _ in range(_WRAPPERS):
        if not isinstance(answer, dict) or "items" in answer:
            break
        if any(part_of(question, answer, path) is not paths.MISSING for path in (*question.paths, *question.rest)):
            break
        inner = [found for value in answer.values() if (found := object_in(value)) is not None]
        if len(inner) != 1:
            break
        (answer,) = inner
    return answer


_WRAPPERS = 4
"""Objects within objects that are looked into."""


def part_of(question: Question, answer: JSON, path: str) -> JSON:
    """One part in an answer: under its path, under its bare name, nested as in the whole, or all of the answer."""
    if not isinstance(answer, dict):
        return answer if question.paths == (path,) and question.kind == "parts" else paths.MISSING
    for key in (path, path[1:], split(path)[-1]):
        if key in answer and not (question.kind == "more" and key == "items"):
            return answer[key]
    return paths.get(answer, path)


def _with_items(question: Question, answer: JSON) -> JSON:
    """The base with the list continued."""
    (path,) = question.paths
    have = paths.get(question.base, path)
    items = answer.get("items", paths.get(answer, path)) if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        return question.base
    while items and items[0] == have[-1]:
        items = items[1:]
    return paths.put(question.base, path, have + items)


def _echoed(question: Question, data: JSON) -> tuple[Problem, ...]:
    """The texts of an answer that are our own words about the one before."""
    if not question.complains:
        return ()
    return tuple(
        Problem(path, None, prompt.WORDS_OF_THE_DOCUMENT, "missing")  # shown back to it they would be copied again
        for path, value in paths.walk(data)
        if isinstance(value, str) and any(words in value for words in prompt.OWN_WORDS)
    )


def _ended(limits: Limits, data: JSON) -> tuple[Problem, ...]:
    """The texts and lists of an answer that are just as long as the server lets them be: it ended them, the model did not."""
    return tuple(
        Problem(path, value if isinstance(value, str) else None, prompt.ENDLESS, "value")
        for path, value in paths.walk(data)
        if (isinstance(value, str) and len(value) == limits.characters)
        or (isinstance(value, list) and len(value) == limits.items)
    )
