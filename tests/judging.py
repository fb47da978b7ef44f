"""Judging one reply, as the loop does, without a loop."""

from __future__ import annotations

from typing import Any

from assay.coerce import Coercer
from assay.engine import Modes, Task, WireSchema
from assay.engine.judge import Verdict, judge
from assay.engine.prompt import Prompt
from assay.engine.task import Question
from assay.target import target
from assay.types import Mode, Params, Profile, Reply


def job(type_: Any, *, strict: bool = False) -> Task[Any]:
    compiled = target(type_)
    return Task(
        target=compiled,
        prompt=Prompt(()),
        profile=Profile(),
        modes=Modes((Mode.JSON,)),
        model="test",
        wire={Mode.JSON: WireSchema()},
        coercer=Coercer(compiled.json_schema, compiled.marks, strict=strict, name=compiled.name, wrapper=compiled.wrapper),
        strict=strict,
    )


def said(type_: Any, reply: str | Reply, *, strict: bool = False) -> Verdict[Any]:
    """The verdict on a reply to the whole question."""
    task = job(type_, strict=strict)
    question = Question(task.call((), Mode.JSON, Params()))
    return judge(task, question, reply if isinstance(reply, Reply) else Reply(reply))
