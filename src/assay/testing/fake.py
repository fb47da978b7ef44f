"""A model that answers as it is told, for tests of code that extracts."""

from __future__ import annotations

import json
import random
import re
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import to_json

from assay.data import paths
from assay.data.pointer import split
from assay.errors import AssayError, ConfigurationError
from assay.flow.effects import Request, Response
from assay.testing.acts import AwaitedWholeIncoming, WholeIncoming
from assay.testing.made_up import made_up
from assay.types import JSON, JSONObject, Mode, Profile

Answers: TypeAlias = Callable[[str], Any] | Sequence[Any] | Mapping[str, Any] | None
"""Where answers come from: a function of the text, one after the other, by the text, or made up from the schema."""

_DOCUMENT = re.compile(r"<(document(?:-\d+)?)>\n(?P<text>.*)\n</\1>", re.DOTALL)


class NoAnswerError(AssayError):
    """A fake model was asked for something that it has no answer for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a fake model was asked."""

    text: str
    """The document, out of its frame."""
    messages: tuple[JSONObject, ...]
    schema: JSONObject | None
    body: JSONObject
    """The whole request as it would go over the wire."""


class FakeModel:
    """A model that needs no server: `Extractor(Invoice, model=FakeModel({...}))`.

    `answers` is a function from the text to a value, a sequence of values used one after the other, a mapping from texts
    to values, or None: then the answer is made up from the schema, valid, and the same for the same `seed` and text. A value
    is anything that JSON can say, a pydantic model or dataclass included; a `str` is the model's exact reply, so that
    a test can try broken JSON. To a question about parts of an answer, functions and mappings give those parts of their value.

    Every question is kept in `asked`. One without an answer is a `NoAnswerError`. It may be used from many threads.
    """

    profile = Profile(modes=(Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT), stream_modes=(Mode.JSON_SCHEMA, Mode.JSON, Mode.TEXT))

    def __init__(self, answers: Answers = None, *, name: str = "fake", seed: int = 0) -> None:
        if isinstance(answers, str | bytes):
            raise ConfigurationError("answers must be a function, a list, a mapping or None; for one answer write [answer]")
        self.name = name
        self.asked: list[Question] = []
        self._answers, self._seed = answers, seed
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<FakeModel {self.name}, asked {len(self.asked)} times>"

    def transport(self) -> FakeTransport:
        return FakeTransport(self)

    def async_transport(self) -> AwaitedFakeTransport:
        return AwaitedFakeTransport(self)

    def answer(self, request: Request) -> Response:
        """The answer to a request of chat completions, as a server would give it."""
        body: JSONObject = json.loads(request.body)
        question = Question(_text(body), tuple(body["messages"]), _schema(body), body)
        with self._lock:
            self.asked.append(question)
            said = self._said(question, len(self.asked))
        return _stream(said, body, self.name) if body.get("stream") else _whole(said, body, self.name)

    def _said(self, question: Question, number: int) -> str:
        answers = self._answers
        if answers is None:
            if question.schema is None:
                raise NoAnswerError(
                    "an answer is made up from the schema, which mode json and text do not send: use mode json_schema"
                )
            rolled = random.Random(self._seed ^ zlib.crc32(question.text.encode(errors="replace")))  # noqa: S311  # made-up data
            return _written(made_up(question.schema, rolled))
        if isinstance(answers, Mapping):
            if question.text not in answers:
                raise NoAnswerError(f"the fake model has no answer to the text {question.text[:80]!r}; it has {len(answers)}")
            return _written(_part(answers[question.text], question))
        if callable(answers):
            return _written(_part(answers(question.text), question))
        if number > len(answers):
            raise NoAnswerError(
                f"the fake model has {len(answers)} answers, and this is question {number}: {question.text[:80]!r}"
            )
        return _written(answers[number - 1])


def _text(body: JSONObject) -> str:
    """The document of the last message that has one; of a conversation the text of the last message."""
    texts = [_content(message.get("content")) for message in body["messages"] if message.get("role") != "system"]
    for text in reversed(texts):
        if (found := _DOCUMENT.search(text)) is not None:
            return found["text"]
    return texts[-1] if texts else ""


def _content(content: JSON) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


def _schema(body: JSONObject) -> JSONObject | None:
    form = (body.get("response_format") or {}).get("json_schema") or {}
    tools = body.get("tools") or [{}]
    found: JSONObject | None = form.get("schema") or tools[0].get("function", {}).get("parameters")
    return found


def _part(value: Any, question: Question) -> Any:
    """What of a value is asked for: all of it, or the parts under the paths that the schema names."""
    names = list((question.schema or {}).get("properties", ()))
    if isinstance(value, str) or not names or not all(name.startswith("/") for name in names):
        return value
    whole = json.loads(_written(value))
    return {name: None if (part := paths.get(whole, name)) is paths.MISSING else part for name in names if split(name)}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value, by_alias=True).decode()


# -- as chat completions say it ---------------------------------------------------------------------------------------------


def _usage(said: str, body: JSONObject) -> JSONObject:
    """Tokens, counted as four characters each."""
    prompt = sum(len(_content(message.get("content"))) for message in body["messages"]) // 4
    return {"prompt_tokens": prompt, "completion_tokens": -(-len(said) // 4), "total_tokens": prompt + -(-len(said) // 4)}


def _whole(said: str, body: JSONObject, name: str) -> Response:
    choice: JSONObject = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    answer: JSONObject = {
        "id": "fake",
        "object": "chat.completion",
        "model": name,
        "choices": [choice],
        "usage": _usage(said, body),
    }
    return Response(200, {"content-type": "application/json"}, json.dumps(answer).encode())


def _stream(said: str, body: JSONObject, name: str) -> Response:
    head = {"id": "fake", "object": "chat.completion.chunk", "model": name}
    size = 12
    deltas: list[tuple[JSONObject, str | None]] = [
        ({"content": said[at : at + size]}, None) for at in range(0, len(said), size)
    ]
    events: list[JSONObject] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in [*deltas, ({}, "stop")]
    ]
    events.append({**head, "choices": [], "usage": _usage(said, body)})
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return Response(200, {"content-type": "text/event-stream"}, f"{text}data: [DONE]\n\n".encode())


class FakeTransport:
    """A fake model as a blocking transport."""

    def __init__(self, model: FakeModel) -> None:
        self._model = model

    def send(self, request: Request) -> Response:
        return self._model.answer(request)

    def open(self, request: Request) -> WholeIncoming:
        return WholeIncoming(self._model.answer(request))

    def close(self) -> None:
        """Nothing is open."""


class AwaitedFakeTransport:
    """A fake model as an awaited transport."""

    def __init__(self, model: FakeModel) -> None:
        self._model = model

    async def send(self, request: Request) -> Response:
        return self._model.answer(request)

    async def open(self, request: Request) -> AwaitedWholeIncoming:
        return AwaitedWholeIncoming(self._model.answer(request))

    async def aclose(self) -> None:
        """Nothing is open."""
