"""Plays the decision loop by hand: a task of a type, and answers to the calls that come of it."""

from __future__ import annotations

from typing import Any

from assay.coerce import Coercer
from assay.connect.compile import compose
from assay.engine import Modes, Task, WireSchema, ask_until_good
from assay.flow.effects import Sleep
from assay.ground import marked
from assay.options import Options
from assay.outcome import Outcome
from assay.target.build import target
from assay.types import Call, Mode, Params, Profile, Reply, Usage

TEXT = "Order 7, open: a pen at 1.50 and ink at 4."


def task(type_: Any, *, profile: Profile | None = None, **options: Any) -> Task[Any]:
    profile = profile or Profile(modes=(Mode.JSON, Mode.TEXT))
    given = Options.of(**options)
    compiled = target(type_)
    schema = WireSchema(compiled.json_schema, strict=profile.strict)
    return Task(
        target=compiled,
        prompt=compose(compiled, given, profile),
        profile=profile,
        modes=Modes(profile.modes),
        model="test",
        wire={Mode.JSON_SCHEMA: schema, Mode.TOOLS: schema, Mode.JSON: WireSchema(), Mode.TEXT: WireSchema()},
        coercer=Coercer(
            compiled.json_schema, compiled.marks, strict=given.strict, name=compiled.name, wrapper=compiled.wrapper
        ),
        strict=given.strict,
        context=given.context,
        params=Params(temperature=given.temperature, max_tokens=given.max_tokens),
        retries=given.retries,
        budget=given.budget,
        price=given.price,
        ground=given.ground,
        marked=marked(compiled.json_schema),
    )


def play(job: Task[Any], *answers: str | Reply | Exception, source: Any = TEXT) -> tuple[Outcome[Any], list[Call], list[float]]:
    """Run the loop with these answers; the outcome, the calls made, the waits asked for."""
    flow = ask_until_good(job, source)
    calls: list[Call] = []
    waits: list[float] = []
    queue = list(answers)
    step: Any = None
    while True:
        try:
            if step is None:
                step = next(flow)
            if isinstance(step, Sleep):
                waits.append(step.seconds)
                step = flow.send(None)  # type: ignore[arg-type]
                continue
            calls.append(step)
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                step = flow.throw(answer)
            else:
                usage = Usage(100, 10, total_tokens=110)
                step = flow.send(answer if isinstance(answer, Reply) else Reply(answer, "stop", usage))
        except StopIteration as stop:
            assert not queue, f"{len(queue)} answers were not asked for"
            return stop.value, calls, waits


def said(call: Call) -> str:
    return str(call.messages[-1].content)
