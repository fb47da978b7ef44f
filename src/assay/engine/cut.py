"""What to ask after an answer that ended before its value did: what is whole is kept, and the rest asked for.

- A list is continued after its last complete item; in the same question goes all that the answer had not come to.
- An answer that ran away gets no more room: the question says what ran on, or asks for that part alone.
- One that met the token limit gets more room (and less reasoning). One that ended for another reason is asked for once more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from assay.data import paths
from assay.data.pointer import Token, join, look, split
from assay.engine import prompt
from assay.engine.bounds import ran_away
from assay.engine.judge import Verdict, merged, part_of
from assay.engine.prompt import Source
from assay.engine.questions import PARTS_LIMIT, Next, ask_parts, call_for, forms, in_mode, other_mode, schema_of
from assay.engine.task import Question, Task
from assay.schema.navigate import at, govern
from assay.schema.passes import undo
from assay.schema.words import wanted
from assay.types import JSON, Bound, Problem, Reply, frozen

FEWEST = 20
"""Items that a cut list may have however short the text is."""
REPEATS = 4
"""Equal items in a row with which a cut list counts as a loop."""
FIRST_ROOM = 1024
"""Answer tokens to double from when neither the user nor the server said how many there were."""

Way = tuple[Token, ...]


@frozen
class _Cut:
    """An answer that ended early."""

    data: JSON
    """All that is there by now, in the form of the whole value; what was being written included."""
    way: Way
    """To what was being written."""
    rest: tuple[str, ...]
    """What it had been asked for and had not come to."""


def after_cut(
    task: Task[Any], source: Source, question: Question, verdict: Verdict[Any], reply: Reply, bound: Bound, stuck: int
) -> Next:
    """The next question. `stuck` counts how often in a row the same problems came back."""
    cut, away = _unfinished(question, verdict.data), ran_away(bound, reply)
    following = None
    if cut is not None:
        following = _continued(task, source, question, cut, away=away)
        if following is None and (away or question.kind == "parts"):
            following = _the_rest(task, source, question, cut, prompt.ENDLESS if away else prompt.UNCUT)
    if following is None and not away and _met_limit(question, reply):
        following = _roomier(task, source, question, reply)
    following = following or _once_more(task, source, question, cut, reply, away=away, stuck=stuck)
    return replace(following, question=replace(following.question, complains=True), tight=following.tight or away)


# -- where it ended -----------------------------------------------------------------------------------------------------


def _unfinished(question: Question, answer: JSON) -> _Cut | None:
    """Where an answer ended; None when that cannot be said."""
    path = "" if question.kind == "whole" else _begun(question, answer)
    if answer is None or path is None:
        return None
    data = merged(question, answer)
    asked = question.rest if question.kind == "more" else question.paths
    way = (*split(path), *_to_the_end(paths.get(data, path)))
    missing = tuple(other for other in asked if other != path and part_of(question, answer, other) is paths.MISSING)
    return _Cut(data, way, missing)


def _begun(question: Question, answer: JSON) -> str | None:
    """Of what was asked for, the part in which the answer ended."""
    asked = question.rest if question.kind == "more" else question.paths
    last = next(reversed(answer), None) if isinstance(answer, dict) else None
    named = [path for path in asked if last in (path, path[1:], split(path)[-1])]
    if question.kind == "more" and (last == "items" or not named):
        return question.paths[0]
    there = named or [path for path in asked if part_of(question, answer, path) is not paths.MISSING]
    return there[-1] if there else None


def _to_the_end(data: JSON) -> Way:
    """The way to where a text ended: the last child of the last child."""
    way: list[Token] = []
    while data and isinstance(data, list | dict):
        key: Any = len(data) - 1 if isinstance(data, list) else next(reversed(data))
        way.append(key)
        data = data[key]
    return tuple(way)


def _open_list(cut: _Cut, least: int) -> Way | None:
    """The outermost list on the way that has so many items, the unfinished one included."""
    for depth in range(len(cut.way)):
        here = look(cut.data, cut.way[:depth])
        if isinstance(here, list) and len(here) >= least:
            return cut.way[:depth]
    return None


def _not_reached(task: Task[Any], cut: _Cut, way: Way) -> tuple[str, ...]:
    """What the answer had been asked for and had not come to; and the fields missing in the objects above a place."""
    root, found = task.target.json_schema, list(cut.rest)
    for depth in range(len(way)):
        here = look(cut.data, way[:depth])
        if isinstance(here, dict):
            schema = govern(at(root, way[:depth], cut.data), here, root)
            found += [join((*way[:depth], key)) for key in schema.get("properties", {}) if key not in here]
    return tuple(dict.fromkeys(found))


# -- what is asked --------------------------------------------------------------------------------------------------------


def _continued(task: Task[Any], source: Source, question: Question, cut: _Cut, *, away: bool) -> Next | None:
    """Asks for the items after the last complete one of the list that was cut, and for all behind it; None when no list was."""
    way = _open_list(cut, 2)
    if way is None:
        return None
    path, complete = join(way), look(cut.data, way)[:-1]
    before = paths.get(question.base, path)
    if isinstance(before, list) and len(complete) <= len(before):  # nothing new came whole
        return None
    if _goes_round(complete, source):
        return _the_rest(task, source, question, cut, prompt.ONCE)
    rest = _not_reached(task, cut, way)
    base = paths.put(cut.data, path, complete)
    told = {where: wanted(at(task.target.json_schema, split(where), base), task.target.json_schema) for where in rest}
    told |= dict(forms(task, base, rest))
    ran = join(cut.way[len(way) + 1 :]) or "it" if away else ""
    messages = task.prompt.ask_again(source, prompt.more_items(path, len(complete), complete[-1], told.items(), ran=ran))
    schema = schema_of(task, base, rest, {"items": task.target.slices.at(path, cut.data).schema})
    call = call_for(task, messages, schema, question.call.mode, question.call.params)
    said = "ran on without end" if away else "was cut off"
    note = f"the reply {said}: kept {len(complete)} complete items of {path or 'the list'} and asked for the rest"
    return Next(Question(call, "more", base, (path,), rest, undo=undo(schema, task.profile.dialect)), note)


def _goes_round(items: list[JSON], source: Source) -> bool:
    """Whether a small model is caught in a loop: the last items are all the same, or there are more than the text has words."""
    tail = items[-REPEATS:]
    looping = len(tail) == REPEATS and all(item == tail[0] for item in tail)
    return looping or len(items) > max(len(prompt.text_of(source).split()), FEWEST)


def _the_rest(task: Task[Any], source: Source, question: Question, cut: _Cut, want: str) -> Next | None:
    """Asks for the part in which the answer ended and for all behind it; None when nothing else of it is there, or came new.

    Of a list whose first item is not whole, the list is that part: how many items there were to be is not known.
    """
    way = _open_list(cut, 1) or cut.way
    part = join(way)
    base = paths.remove(cut.data, part) if way else None
    rest = (part, *_not_reached(task, cut, way))
    kept = [value for _, value in paths.leaves(base) if value not in ({}, [], None)]
    if not kept or len(rest) > PARTS_LIMIT or rest == question.paths:
        return None
    root = task.target.json_schema
    missing = [Problem(path, None, wanted(at(root, split(path), base), root), "missing") for path in rest[1:]]
    verdict = Verdict[Any](data=base, problems=(Problem(part, None, want, "truncated"), *missing))
    asked = ask_parts(task, source, verdict, rest, question.call.mode, question.call.params)
    note = (
        f"{part} ran on without end: kept the rest"
        if want != prompt.UNCUT
        else f"the reply was cut off in {part}: kept the rest"
    )
    return Next(asked, note, tight=want != prompt.UNCUT)


def _met_limit(question: Question, reply: Reply) -> bool:
    """Whether the token limit ended it."""
    most = question.call.params.max_tokens
    spent = reply.finish_reason is None and most is not None and reply.usage.completion_tokens >= most
    return reply.finish_reason == "length" or spent


def _roomier(task: Task[Any], source: Source, question: Question, reply: Reply) -> Next:
    call = question.call
    had = call.params.max_tokens or max(reply.usage.completion_tokens, FIRST_ROOM)
    effort = "low" if task.profile.reasoning else call.params.reasoning_effort
    params = replace(call.params, max_tokens=had * 2, reasoning_effort=effort)
    messages = task.prompt.ask(source) if question.kind == "whole" else call.messages
    note = f"the reply was cut off at {had} tokens: asked again with {had * 2}"
    return Next(replace(question, call=replace(call, messages=messages, params=params)), note)


def _once_more(
    task: Task[Any], source: Source, question: Question, cut: _Cut | None, reply: Reply, *, away: bool, stuck: int
) -> Next:
    """Asks the same, and says what was wrong with the answer."""
    where = join(cut.way) if cut is not None and away else ""
    problem = Problem(where, None, prompt.ENDLESS if away else prompt.UNCUT, "truncated")
    complaint = prompt.complaint([problem])
    messages = task.prompt.ask(source) if question.kind == "whole" else question.call.messages
    again = replace(question, call=replace(question.call, messages=prompt.louder(messages, complaint)))
    mode, _ = other_mode(task, question.call.mode, stuck + away)
    end = f"{where or 'the reply'} ran on without end" if away else f"the reply broke off (finish_reason {reply.finish_reason})"
    again = again if mode is question.call.mode else in_mode(task, again, mode)
    return Next(again, f"{end}: asked again{'' if mode is question.call.mode else f' in mode {mode}'}")
