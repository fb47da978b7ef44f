"""What an answer's values have to do with its source: the evidence of a good answer, and what to ask when it is missing.

Nothing is asked if all values are there. Those that are not are asked for again, in one question about parts; what has to be shown by
a quote, or still stands nowhere and must, is asked for in one question about quotes, last. `ask` keeps a value that stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from assay import decode
from assay.data import paths
from assay.engine import prompt
from assay.engine.judge import Verdict
from assay.engine.prompt import Source
from assay.engine.questions import PARTS_LIMIT, ask_parts, call_for
from assay.engine.task import Question, Task
from assay.errors import DecodeError
from assay.ground import Evidence
from assay.types import JSON, JSONObject, Problem, Reply

T = TypeVar("T")


@dataclass(slots=True)
class Grounding(Generic[T]):
    """What one extraction has found and asked so far."""

    task: Task[T]
    source: Source
    good: Verdict[T] | None = None
    """The last answer that was valid, whether all of it stood in the source or not."""
    quotes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _asked: set[tuple[str, str]] = field(default_factory=set)
    """Paths and values that were asked for again: the same value is not asked a second time."""
    _quoted: bool = False
    _known: tuple[tuple[str, Mapping[str, Sequence[str]]], Evidence] | None = None

    @property
    def keeps(self) -> bool:
        """Whether there is a valid answer that is kept, whatever comes of the questions about it."""
        return self.good is not None and self.task.ground != "require"

    @property
    def _inner(self) -> str:
        """Where in what a model writes the value is."""
        return "" if self.task.target.wrapper is None else f"/{self.task.target.wrapper}"

    def evidence(self, verdict: Verdict[T]) -> Evidence:
        """Where the values of a good answer are in the source. Looked up on demand."""
        if self._known is not None and self._known[0] == (verdict.text, self.quotes):
            return self._known[1]
        target = self.task.target
        found = Evidence(
            verdict.text,
            prompt.text_of(self.source),
            target.json_schema,
            wrapper=target.wrapper,
            repairs=verdict.repairs,
            quotes=self.quotes,
            parts=prompt.begins(self.source),
        )
        self._known = ((verdict.text, self.quotes), found)
        return found

    def doubts(self, verdict: Verdict[T]) -> tuple[Problem, ...]:
        """The values of a valid answer that are to stand in the source and do not."""
        self.good = verdict
        if self.task.ground == "off" and not self.task.marked:
            return ()
        evidence = self.evidence(verdict)
        data = json.loads(verdict.text)
        return tuple(
            Problem(self._inner + path, paths.get(data, path), _want(evidence.nearest(path)), "ungrounded")
            for path in evidence.ungrounded
            if self.task.ground != "off" or evidence.rule(path) != ""
        )

    def question(self, verdict: Verdict[T], last: Question) -> Question | None:
        """What to ask about the doubts of a verdict; None when there is nothing left to ask."""
        rules = self.evidence(verdict)
        inner = self._inner
        quoted = {problem.path for problem in verdict.problems if rules.rule(problem.path.removeprefix(inner)) == "quote"}
        fresh = [p for p in verdict.problems if p.path not in quoted and (p.path, repr(p.said)) not in self._asked]
        if fresh and len(fresh) <= PARTS_LIMIT and (self.task.ground == "require" or not self._asked):
            self._asked |= {(problem.path, repr(problem.said)) for problem in fresh}
            data = verdict.data if verdict.data is not None else self.task.target.wrap(json.loads(verdict.text))
            about = replace(verdict, data=data, problems=tuple(fresh))
            return ask_parts(self.task, self.source, about, [p.path for p in fresh], last.call.mode, last.call.params)
        if self._quoted or not (quoted or self.task.ground == "require"):
            return None
        self._quoted = True
        return self._ask_quotes(verdict, last)

    def _ask_quotes(self, verdict: Verdict[T], last: Question) -> Question:
        wanted = {problem.path: problem.said for problem in verdict.problems[:PARTS_LIMIT]}
        messages = self.task.prompt.ask_parts(self.source, prompt.quotes(wanted))
        passages = {"type": "array", "items": {"type": "string"}}
        schema: JSONObject = {
            "type": "object",
            "properties": dict.fromkeys(wanted, passages),
            "required": list(wanted),
            "additionalProperties": False,
        }
        call = call_for(self.task, messages, schema, last.call.mode, last.call.params)
        return Question(call, "quotes", paths=tuple(wanted))

    def take_quotes(self, question: Question, reply: Reply) -> None:
        """Keep the passages of a reply to a question about quotes; what cannot be read shows nothing."""
        try:
            answer = decode.read(reply.text).value
        except DecodeError:
            return
        if isinstance(answer, dict):
            self.quotes = {path.removeprefix(self._inner): _passages(_under(answer, path)) for path in question.paths}


def _under(answer: JSONObject, path: str) -> JSON:
    return answer.get(path, answer.get(path[1:], paths.get(answer, path)))


def _passages(given: JSON) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    return tuple(quote for quote in given if isinstance(quote, str)) if isinstance(given, list) else ()


def _want(nearest: str | None) -> str:
    return "what it says, or null" + (f" (nearest: {prompt.compact(nearest)})" if nearest else "")
