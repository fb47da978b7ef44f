"""A whole chat completion: a 200 answer to a `Reply`, and the parts that a streamed one shares with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from pydantic_core import to_json

from assay.errors import APIError, APIResponseError
from assay.types import JSON, JSONObject, Reply, Usage
from assay.wire.body import AS_REASONING, MOST_COST, amount, an_object, answer_in, count, objects, read_object, text_or_none
from assay.wire.errors import inner_error, request_id
from assay.wire.headers import rate_limits

_FINISH = {
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "safety": "content_filter",
}
"""What servers say, in lower case, in place of OpenAI's words."""


def decode(body: bytes, headers: Mapping[str, str], requests: int = 1, latency: float = 0.0) -> Reply:
    """See `assay.wire.port.Wire.decode`."""
    data = read_object(body)
    if data.get("error"):
        raise inner_error(data, headers)
    message, finish = _choice(data, headers)
    calls = message.get("tool_calls")
    text = "\n".join(map(tool_arguments, calls)) if calls and isinstance(calls, list) else content_text(message.get("content"))
    reasoning = text_or_none(message.get("reasoning") or message.get("reasoning_content"))
    misplaced = None if text.strip() or finish == "length" else answer_in(reasoning)
    return Reply(
        text=misplaced or text,
        finish_reason=finish,
        usage=read_usage(data),
        model=text_or_none(data.get("model")),
        request_id=request_id(headers) or text_or_none(groq_extra(data).get("id")),
        reasoning=reasoning,
        refusal=text_or_none(message.get("refusal")),
        limits=rate_limits(headers),
        requests=requests,
        latency=latency,
        notes=(AS_REASONING,) if misplaced else (),
        tokens=tuple(token_logprobs(choice)) if (choice := data["choices"][0]).get("logprobs") else (),
    )


def _choice(data: JSONObject, headers: Mapping[str, str]) -> tuple[JSONObject, str | None]:
    """The first choice's message and why it ended. There is one only: `n` is 1."""
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise APIResponseError("the answer has no choices", code="no_choices", body=data)
    finish = finish_of(choices[0])
    if (failure := choice_error(choices[0], finish, headers)) is not None:
        raise failure
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise APIResponseError("the answer's choice has no message", code="no_choices", body=data)
    return message, finish


def token_logprobs(choice: JSONObject) -> Iterator[tuple[str, float]]:
    """The tokens of a choice with the logarithms of their probabilities; none where one of them is not of the form."""
    told = (choice.get("logprobs") or {}).get("content") if isinstance(choice.get("logprobs"), dict) else None
    for token in told if isinstance(told, list) else ():
        match token:
            case {"token": str(text), "logprob": int() | float() as logarithm} if isfinite(logarithm) and logarithm <= 0:
                yield text, float(logarithm)


def finish_of(choice: JSONObject) -> str | None:
    """Why a choice ended, in OpenAI's words where there is one for it."""
    word = text_or_none(choice.get("finish_reason"))
    return None if word is None else _FINISH.get(word.lower(), word)


def choice_error(choice: JSONObject, finish: str | None, headers: Mapping[str, str]) -> APIError | None:
    """The error of a provider behind the server, which reports it inside a choice (OpenRouter, Mistral)."""
    if choice.get("error"):
        return inner_error(choice, headers)
    if finish == "error":
        return APIResponseError(
            "the server ended the answer with an error (finish_reason error)",
            code="answer_failed",
            body=choice,
            request_id=request_id(headers),
        )
    return None


def content_text(content: JSON) -> str:
    """Text of a message's content: text, nothing, or a list of parts (Mistral)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_or_none(part.get("text")) or "" for part in objects(content))
    return "" if content is None else to_json(content).decode()


def tool_arguments(call: JSON) -> str:
    """A tool call's arguments: JSON text, or with some servers the object itself."""
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return content_text(arguments) if not isinstance(arguments, list) else to_json(arguments).decode()


def groq_extra(data: JSONObject) -> JSONObject:
    return an_object(data.get("x_groq"))


def read_usage(data: JSONObject) -> Usage:
    """The `usage` of an answer or chunk (in Groq's chunks it stands in `x_groq`); zeros when it has none."""
    usage = data.get("usage") or groq_extra(data).get("usage")
    if not isinstance(usage, dict):
        return Usage()
    given, made = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=count(given.get("cached_tokens")) if isinstance(given, dict) else 0,
        cache_write_tokens=count(given.get("cache_write_tokens")) if isinstance(given, dict) else 0,
        reasoning_tokens=count(made.get("reasoning_tokens")) if isinstance(made, dict) else 0,
        total_tokens=count(usage.get("total_tokens")) or prompt + completion,
        cost=amount(usage["cost"], MOST_COST) if "cost" in usage else None,
    )
