"""A streamed chat completion: its chunks as they come, deltas out of them, and the whole `Reply` at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.errors import APIResponseError
from assay.types import JSON, Delta, JSONObject, Reply, Usage
from assay.wire.body import AS_REASONING, answer_in, text_or_none
from assay.wire.events import Events
from assay.wire.headers import rate_limits
from assay.wire.openai_answer import (
    choice_error,
    content_text,
    finish_of,
    groq_extra,
    read_usage,
    token_logprobs,
    tool_arguments,
)


class ChatChunks:
    """The chunks of one stream, as plain JSON objects. All who read chat completions read their streams through this."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.finish: str | None = None
        """Why the answer ended, once the server has said so."""
        self._events = Events(headers)

    @property
    def done(self) -> bool:
        """Whether the stream has said that it is over."""
        return self._events.done

    @property
    def request_id(self) -> str | None:
        return self._events.request_id

    def feed(self, piece: bytes) -> Iterator[JSONObject]:
        """The chunks that `piece` completes. Raises an `APIError` for an error in the stream, after the chunks before it."""
        for chunk in self._events.feed(piece):
            extra = groq_extra(chunk)
            if extra.get("error"):
                raise APIResponseError(f"the server stopped the stream: {extra['error']}", code="stream_stopped", body=chunk)
            if self._events.request_id is None:
                self._events.request_id = text_or_none(extra.get("id"))
            if (choice := first_choice(chunk)) is not None:
                self.finish = finish_of(choice) or self.finish
                if (failure := choice_error(choice, self.finish, self._events.headers)) is not None:
                    raise failure
            yield chunk

    def end(self) -> None:
        """Raises `APIResponseError` when the stream ended before the answer did."""
        if not self.done and self.finish is None:
            raise self._events.cut()


def first_choice(chunk: JSONObject) -> JSONObject | None:
    """None in the first or last chunk, which may carry usage alone."""
    choices = chunk.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


class ChatCollector:
    """See `assay.wire.port.Collector`."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._chunks = ChatChunks(headers)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._tools: dict[int, list[str]] = {}
        self._usage = Usage()
        self._model: str | None = None
        self._chosen = False
        self._tokens: list[tuple[str, float]] = []

    @property
    def done(self) -> bool:
        return self._chunks.done

    def feed(self, piece: bytes) -> Iterator[Delta]:
        for chunk in self._chunks.feed(piece):
            self._model = self._model or text_or_none(chunk.get("model"))
            usage = read_usage(chunk)
            if usage.total_tokens:
                self._usage = usage
            if (choice := first_choice(chunk)) is None:
                continue
            self._chosen = True
            if "logprobs" in choice:
                self._tokens += token_logprobs(choice)
            delta = choice.get("delta")
            if isinstance(delta, dict) and (added := self._delta(delta)) is not None:
                yield added

    def reply(self, requests: int = 1, latency: float = 0.0) -> Reply:
        self._chunks.end()
        if not self._chosen:
            raise APIResponseError("the stream had no choices", code="no_choices", request_id=self._chunks.request_id)
        text = "\n".join("".join(parts) for _, parts in sorted(self._tools.items())) or "".join(self._text)
        reasoning = "".join(self._reasoning) or None
        misplaced = None if text.strip() or self._chunks.finish == "length" else answer_in(reasoning)
        return Reply(
            text=misplaced or text,
            finish_reason=self._chunks.finish,
            usage=self._usage,
            model=self._model,
            request_id=self._chunks.request_id,
            reasoning=reasoning,
            refusal="".join(self._refusal) or None,
            limits=rate_limits(self._headers),
            requests=requests,
            latency=latency,
            notes=(AS_REASONING,) if misplaced else (),
            tokens=tuple(self._tokens),
        )

    def _delta(self, delta: JSONObject) -> Delta | None:
        text = content_text(delta.get("content"))
        reasoning = text_or_none(delta.get("reasoning") or delta.get("reasoning_content")) or ""
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        self._refusal.append(text_or_none(delta.get("refusal")) or "")
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            text += self._tool(call)
        return Delta(text, reasoning) if text or reasoning else None

    def _tool(self, call: JSON) -> str:
        """Collect a piece of a tool call; its text when it belongs to the first call, which is what is being streamed."""
        index = call.get("index") if isinstance(call, dict) else None
        parts = self._tools.setdefault(index if isinstance(index, int) else 0, [])
        piece = tool_arguments(call)
        if piece:
            parts.append(piece)
        return piece if self._tools[min(self._tools)] is parts else ""
