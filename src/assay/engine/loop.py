"""The loop: `ask_until_good` yields a `Call` (or a `Sleep` before it), is sent the `Reply`, and returns the `Outcome`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

from assay.coerce.conventions import Conventions
from assay.engine import bounds, prompt, strategy
from assay.engine.ground import Grounding
from assay.engine.judge import Verdict, judge
from assay.engine.prompt import Source
from assay.engine.questions import Next, in_mode
from assay.engine.report import failure
from assay.engine.task import Question, Task
from assay.errors import APIError, APITimeoutError, BudgetExceeded, ConfigurationError, Reason, SourceError
from assay.flow.effects import Sleep
from assay.flow.rounds import Rounds
from assay.outcome import Attempt, Outcome
from assay.types import IMAGE_TOKENS, Bound, Call, Mode, Reply, Usage, images_of

T = TypeVar("T")

Step: TypeAlias = Call | Sleep

CONTINUATIONS_LIMIT = 20
"""Rounds of continuing one list: each brings at least one new item, so this only bounds a server that repeats itself."""
STEPS_DOWN = 12
"""How often one extraction adapts to what a server refuses: more than there are modes and settings to give up."""
BYTES_PER_TOKEN_AT_LEAST = 3
"""Characters per token of a prompt, to estimate its tokens for a budget: rather too many than too few (English has about 4)."""
DEFAULT_ANSWER = 1024
"""Answer tokens assumed when no limit is set."""


@dataclass(slots=True)
class _Run(Generic[T]):
    """What one extraction has done so far."""

    task: Task[T]
    source: Source
    attempts: list[Attempt] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rounds: Rounds | None = None
    stuck: int = 0
    continued: int = 0
    stepped: int = 0
    signature: frozenset[tuple[str, str]] = frozenset()
    grounding: Grounding[T] = field(init=False)
    conventions: Conventions = field(init=False)
    tight: bool = False
    requests: int = 0

    def __post_init__(self) -> None:
        self.grounding = Grounding(self.task, self.source)
        self.conventions = Conventions(prompt.text_of(self.source), self.task.locale)

    def record(self, question: Question, reply: Reply, verdict: Verdict[T]) -> None:
        usage = reply.usage
        if self.task.price is not None and usage.cost is None:
            usage = replace(usage, cost=self.task.price.cost(usage))
        self.attempts.append(
            Attempt(
                question.call.messages,
                question.call.mode,
                reply.text,
                verdict.problems,
                verdict.repairs,
                reply.finish_reason,
                usage,
                reply.latency,
                reply.request_id,
                reply.requests,
                tokens=reply.tokens,
            )
        )
        self.requests += reply.requests
        signature = frozenset([(problem.path, problem.kind) for problem in verdict.problems])
        self.stuck = self.stuck + 1 if signature == self.signature else 0
        self.signature = signature

    def outcome(self, error: Exception | None, verdict: Verdict[T] | None = None) -> Outcome[T]:
        return Outcome(
            value=verdict.value if verdict is not None else None,
            error=error,
            attempts=tuple(self.attempts),
            repairs=verdict.repairs if verdict is not None else (),
            model=self.task.model,
            source=prompt.text_of(self.source),
            text=verdict.text if verdict is not None else "null",
            notes=tuple(self.notes),
            evidence=None if verdict is None else self.grounding.evidence(verdict),
            requests=self.requests,
        )

    def ended(self, why: Exception | None = None) -> Outcome[T]:
        """The end without an answer to the last question: with the valid answer before it, when that is to be kept."""
        if self.grounding.keeps:
            if why is not None:
                self.note(f"values that are not in the source were not asked for again: {prompt.clip(str(why))}")
            return self.outcome(None, self.grounding.good)
        return self.failed() if why is None else self.outcome(why)

    def failed(self) -> Outcome[T]:
        return failure(self.outcome(None), self.task.target.name)

    def note(self, text: str) -> None:
        if text:
            self.notes.append(text)
            if self.attempts:
                self.attempts[-1] = replace(self.attempts[-1], note=text)


def ask_until_good(task: Task[T], source: Source, begin: Question | None = None) -> Generator[Step, Reply, Outcome[T]]:
    """Extract the task's target from a source; never raises for what a server or a model does.

    `begin` is the first question, when something is known already and only parts of the whole are asked for.
    """
    if not prompt.text_of(source).strip() and isinstance(source, str):
        return _Run(task, source).outcome(SourceError("the source is empty: there is nothing to extract from"))
    run = _Run(task, source)
    bound = bounds.bound(task, source)
    question = begin or strategy.first(task, source, bound)
    while True:
        asked = bounds.held(task, question, bound, tight=run.tight)
        if task.budget is not None and (over := _over_budget(run, asked.call)) is not None:
            return run.ended(over)
        try:
            reply = yield asked.call
        except APIError as error:
            run.requests += error.requests
            changed = _stepped_down(run, replace(question, call=replace(question.call, params=asked.call.params)), error)
            if changed is None and not _held_shorter(run, asked, bound, error):
                return run.ended(_too_long(run, error) if error.reason is Reason.CONTEXT_TOO_LONG else error)
            question = changed or question
            continue
        if reply.notes:
            run.notes += [note for note in reply.notes if note not in run.notes]
        verdict = _judged(run, asked, reply)
        run.record(asked, reply, verdict)
        if not verdict.problems:
            return run.outcome(None, verdict)
        following = _next(run, question, verdict, reply, bound)
        if following is None:
            return run.ended()
        if following.question.kind == "more" and run.continued < CONTINUATIONS_LIMIT:
            run.continued += 1
        else:
            wait = _wait(run)
            if wait is None:
                return run.ended()
            if wait > 0:
                yield Sleep(wait)
        run.note(following.note)
        complains = question.complains or following.question.complains
        question, run.tight = replace(following.question, complains=complains), run.tight or following.tight


def _judged(run: _Run[T], question: Question, reply: Reply) -> Verdict[T]:
    """What is wrong with the answer; of a valid one, what does not stand in the source."""
    good = run.grounding.good
    if question.kind == "quotes" and good is not None:
        run.grounding.take_quotes(question, reply)
        verdict = good
    else:
        verdict = judge(run.task, question, reply, run.conventions)
    doubts = () if verdict.problems else run.grounding.doubts(verdict)
    return replace(verdict, problems=doubts) if doubts else verdict


def _next(run: _Run[Any], question: Question, verdict: Verdict[Any], reply: Reply, bound: Bound) -> Next | None:
    """What to ask after an answer that is not good; None when there is nothing that could make it better."""
    if all(problem.kind == "ungrounded" for problem in verdict.problems):
        about = run.grounding.question(verdict, question)
        return None if about is None else Next(about)
    if run.grounding.keeps or (reply.refusal is not None and reply.finish_reason == "content_filter"):
        return None  # what a filter stopped, it would stop again
    _learn(run, question.call.mode, verdict)
    return strategy.after(run.task, run.source, question, verdict, reply, bound, run.stuck)


def _wait(run: _Run[Any], error: APIError | None = None) -> float | None:
    """Seconds to wait before asking again, after an error or a bad answer; None when tenacity's rule of the retries says stop."""
    rule = run.task.retries
    run.rounds = run.rounds or Rounds(rule)
    return run.rounds.after(None if isinstance(rule, int) else error or run.failed().error)


def _held_shorter(run: _Run[Any], asked: Question, bound: Bound, error: APIError) -> bool:
    """After a time-out: whether the question is to be asked again, held shorter from now on.

    Without a temperature the same question would be answered the same and take as long.
    """
    late = isinstance(error, APITimeoutError) and error.code == "timeout" and asked.call.params.temperature == 0
    if not late or run.tight or bounds.held(run.task, asked, bound, tight=True).call == asked.call or _wait(run, error) is None:
        return False
    run.tight = True
    run.note(f"{error.message}: asked again for no more than its source can hold")
    return True


# -- what a server does not take -----------------------------------------------------------------------------------------


def _stepped_down(run: _Run[Any], question: Question, error: APIError) -> Question | None:
    """The question in a form that this server takes, when its error says that it refuses the mode or a setting."""
    run.stepped += 1
    if run.stepped > STEPS_DOWN:
        return None
    call, learnt = question.call, run.task.modes.learnt
    match error.reason:
        case Reason.TOKEN_LIMIT if error.token_limit is not None and (call.params.max_tokens or 0) > error.token_limit:
            run.note(f"the server allows at most {error.token_limit} answer tokens")
            params = replace(call.params, max_tokens=error.token_limit)
            return replace(question, call=replace(call, params=params))
        case Reason.NO_TEMPERATURE if call.params.temperature is not None:
            learnt.temperature = False
            run.note("the model does not accept a temperature: asked without one")
            return replace(question, call=replace(call, params=replace(call.params, temperature=None)))
        case Reason.MODE_REFUSED | Reason.SCHEMA_REFUSED if call.mode is not Mode.TEXT:
            return _in_a_weaker_mode(run, question, error)
    return None


def _in_a_weaker_mode(run: _Run[Any], question: Question, error: APIError) -> Question | None:
    call, task = question.call, run.task
    below = task.modes.below(call.mode)
    if below is None:
        return None
    of_this = error.reason is Reason.SCHEMA_REFUSED and call.schema is not None
    if not of_this:
        task.modes.lack(call.mode)
    elif question.kind == "whole":
        task.modes.drop(call.mode)
    refused = "this schema in it" if of_this else "it"
    run.note(f"stepped down from mode {call.mode} to {below}: the server refused {refused} ({prompt.clip(error.message)})")
    return in_mode(task, question, below)


def _learn(run: _Run[Any], mode: Mode, verdict: Verdict[Any]) -> None:
    """A reply that an enforced schema could not have let through shows that the server ignores the mode."""
    task = run.task
    broken = {problem.kind for problem in verdict.problems} & {"json", "missing", "type", "extra"}
    enforced = mode is Mode.JSON_SCHEMA and task.wire[mode].strict
    if enforced and broken and not verdict.cut and (below := task.modes.below(mode)) is not None:
        task.modes.lack(mode)
        run.note(f"stepped down from mode {mode} to {below}: the server does not enforce the schema")


def _too_long(run: _Run[Any], error: APIError) -> ConfigurationError:
    """The error for a source that the model cannot hold: nothing is cut silently."""
    length = len(prompt.text_of(run.source))
    wrong = ConfigurationError(
        f"the source is too long for {run.task.model}: {length} characters; the server says: {error.message}\n"
        "split the source, or use a model with a larger context"
    )
    wrong.__cause__ = error
    return wrong


# -- budget ------------------------------------------------------------------------------------------------------------


def _over_budget(run: _Run[Any], call: Call) -> BudgetExceeded | None:
    """The error to stop with when the next call could break the budget."""
    budget, price = run.task.budget, run.task.price
    assert budget is not None
    spent = sum((attempt.usage for attempt in run.attempts), Usage())
    images, pixels = images_of(call.messages)
    words = sum(len(str(message.content).encode()) for message in call.messages) - pixels
    prompt_tokens = words // BYTES_PER_TOKEN_AT_LEAST + images * IMAGE_TOKENS
    answer_tokens = call.params.max_tokens or DEFAULT_ANSWER
    if budget.tokens is not None and spent.total_tokens + prompt_tokens + answer_tokens > budget.tokens:
        return BudgetExceeded(
            f"the next request may take {prompt_tokens + answer_tokens} tokens; {spent.total_tokens} of {budget.tokens} are spent",
            spent=spent.total_tokens,
            limit=budget.tokens,
        )
    if budget.cost is None or price is None:
        return None
    next_cost = price.cost(Usage(prompt_tokens, answer_tokens))
    if (spent.cost or 0.0) + next_cost > budget.cost:
        return BudgetExceeded(
            f"the next request may cost ${next_cost:.6f}; ${spent.cost or 0.0:.6f} of ${budget.cost:.6f} are spent",
            spent=spent.cost or 0.0,
            limit=budget.cost,
        )
    return None
