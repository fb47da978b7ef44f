"""What a server really does, asked with a handful of tiny requests: modes honoured, ignored or refused, and the rest.

    report = assay.doctor.probe(model="groq/openai/gpt-oss-20b")

Every probe is one flow over the same backend that extractions use. A mode counts as honoured only when the answer has something that
only the mode can have caused: the prompt of each probe does not say it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias, Unpack

from pydantic_core import from_json, to_json

from assay.backends.chat import complete, stream
from assay.backends.exchange import exchange
from assay.connect import findings
from assay.connect.connection import Connection, connect
from assay.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
)
from assay.flow import drive
from assay.flow.effects import Flow
from assay.flow.relay import relay_emitted
from assay.flow.urls import shown
from assay.options import Options, OptionsDict
from assay.types import JSON, Call, Delta, JSONObject, Message, Mode, Params, RateLimits, Reply, Usage
from assay.wire.openai_chat import ChatCompletions

Verdict: TypeAlias = Literal["honoured", "ignored", "refused", "yes", "no", "unclear"]

ANSWER_ROOM = 400
"""Answer tokens of each probe: enough for a reasoning model to come to its point."""

_KEY = "zq_sum"
_SCHEMA: JSONObject = {
    "type": "object",
    "properties": {_KEY: {"type": "integer"}, "zq_unit": {"type": "string", "enum": ["zq_apples"]}},
    "required": [_KEY, "zq_unit"],
    "additionalProperties": False,
}
_OPTIONAL: JSONObject = {
    "type": "object",
    "properties": {"zq_name": {"type": "string"}, "zq_day": {"type": "string"}},
    "required": ["zq_name"],
    "additionalProperties": False,
}
_STATED = "Ann came on 2024-03-05. Give her name as zq_name and the day on which she came as zq_day."
_QUESTION = "Ann has two apples and Bob has three. How many have they together?"
_FATAL = (AuthenticationError, PermissionDeniedError, NotFoundError)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `subject` (`mode json`), the verdict, and the evidence."""

    subject: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a server does."""

    model: str
    base_url: str
    findings: tuple[Finding, ...] = ()
    usage: Usage = field(default_factory=Usage)
    """The usage of the probes."""
    limits: RateLimits | None = None
    context_tokens: int | None = None
    advised_mode: Mode = Mode.TEXT
    """The strongest mode that was honoured."""
    modes: tuple[Mode, ...] = (Mode.TEXT,)
    """All that were honoured, strongest first, and `text`."""

    def save(self) -> Path:
        """Keep what was found, with today's date: `auto` goes by it from now on. The file it is in."""
        today = datetime.now(UTC).date().isoformat()
        return findings.save(findings.Found(shown(self.base_url), self.model, today, self.modes))


def probe(**options: Unpack[OptionsDict]) -> Report:
    """Probe a server. The options name it, as for `extract`.

    Raises `ConfigurationError` when they do not, and an `APIError` when the server or the model cannot be used at all.
    """
    connection = connect(Options.of(**options))
    try:
        return drive.run(_probe(connection), connection.transport())
    finally:
        connection.close()


def _probe(connection: Connection) -> Flow[Report]:
    replies: list[Reply] = []
    found = [(yield from _plain(connection, replies))]
    for mode, judge in _MODES:
        found.append((yield from _mode(connection, mode, judge, replies)))
    if Finding("mode json_schema", "honoured") in map(_bare, found):
        found.append((yield from _optional(connection, replies)))
    found.append((yield from _streams(connection, replies)))
    found.append((yield from _logprobs(connection)))
    found += _seen(replies)
    honoured = [mode for mode, _ in _MODES if Finding(f"mode {mode}", "honoured") in [_bare(f) for f in found]]
    return Report(
        model=connection.model,
        base_url=shown(connection.endpoint.base_url),
        findings=tuple(found),
        usage=sum((reply.usage for reply in replies), Usage()),
        limits=next((reply.limits for reply in reversed(replies) if reply.limits is not None), None),
        context_tokens=(yield from _context(connection)),
        advised_mode=honoured[0] if honoured else Mode.TEXT,
        modes=(*honoured, Mode.TEXT),
    )


def _bare(finding: Finding) -> Finding:
    return Finding(finding.subject, finding.verdict)


# -- the probes ------------------------------------------------------------------------------------------------------


def _call(
    mode: Mode, text: str, *, schema: JSONObject | None = None, strict: bool = False, extra: JSONObject | None = None
) -> Call:
    params = Params(temperature=0.0, max_tokens=ANSWER_ROOM, extra=extra or {})
    return Call((Message("user", text),), mode, "probe", schema, strict, params)


def _fitting(connection: Connection, call: Call) -> Call:
    """The call without a temperature, where the model takes none."""
    return call if connection.profile.temperature else replace(call, params=replace(call.params, temperature=None))


def _plain(connection: Connection, replies: list[Reply]) -> Flow[Finding]:
    """The first request: when it fails nothing else can be asked, and its error is the answer."""
    reply = yield from complete(connection.endpoint, _fitting(connection, _call(Mode.TEXT, "Answer with the one word: ready")))
    replies.append(reply)
    return Finding("answers", "yes" if reply.text.strip() else "no", f"{reply.latency:.2f} s, said {reply.text.strip()[:40]!r}")


def _mode(connection: Connection, mode: Mode, judge: Callable[[str], Verdict], replies: list[Reply]) -> Flow[Finding]:
    schema = _SCHEMA if mode in (Mode.JSON_SCHEMA, Mode.TOOLS) else None
    text = f"{_QUESTION} (json)" if mode is Mode.JSON else _QUESTION  # the word that some servers insist on
    strict = mode is Mode.JSON_SCHEMA and connection.profile.strict
    try:
        reply = yield from complete(connection.endpoint, _fitting(connection, _call(mode, text, schema=schema, strict=strict)))
    except ConfigurationError as error:  # its protocol has no such mode
        return Finding(f"mode {mode}", "refused", str(error))
    except APIError as error:
        return _refused(f"mode {mode}", error)
    replies.append(reply)
    if reply.rejected is not None:
        return Finding(f"mode {mode}", "unclear", f"{reply.rejected.code}: {reply.rejected.message}")
    if not reply.text.strip():
        return Finding(f"mode {mode}", "unclear", f"an empty answer, finish_reason {reply.finish_reason}")
    return Finding(f"mode {mode}", judge(reply.text), f"answered {reply.text.strip()[:60]!r}")


def _optional(connection: Connection, replies: list[Reply]) -> Flow[Finding]:
    """Whether a field that may be left out comes when the text states it: where decoding is constrained, it may not."""
    subject = "optional fields"
    try:
        reply = yield from complete(
            connection.endpoint, _fitting(connection, _call(Mode.JSON_SCHEMA, _STATED, schema=_OPTIONAL))
        )
    except APIError as error:
        return _refused(subject, error)
    replies.append(reply)
    data = _json(reply.text)
    if not isinstance(data, dict):
        return Finding(subject, "unclear", f"answered {reply.text.strip()[:60]!r}")
    if "zq_day" in data:
        return Finding(subject, "yes", "given if the text states them")
    return Finding(subject, "no", "left out although the text states them: they must be sent as required and nullable")


def _refused(subject: str, error: APIError) -> Finding:
    if isinstance(error, (*_FATAL, APIConnectionError)):
        raise error
    status = f"{error.status_code} " if isinstance(error, APIStatusError) else ""
    return Finding(subject, "refused", f"{status}{error.message[:160]}")


def _is_json(text: str) -> Verdict:
    return "honoured" if isinstance(_json(text), dict) else "ignored"


def _keeps_schema(text: str) -> Verdict:
    data = _json(text)
    kept = isinstance(data, dict) and data.keys() == _SCHEMA["properties"].keys() and data["zq_unit"] == "zq_apples"
    return "honoured" if kept and type(data[_KEY]) is int else "ignored"


def _json(text: str) -> JSON:
    try:
        return from_json(text)
    except ValueError:
        return None


_MODES: tuple[tuple[Mode, Callable[[str], Verdict]], ...] = (
    (Mode.JSON_SCHEMA, _keeps_schema),
    (Mode.TOOLS, _keeps_schema),
    (Mode.JSON, _is_json),
)


def _streams(connection: Connection, replies: list[Reply]) -> Flow[Finding]:
    """Whether an answer comes in pieces, and whether its usage is told."""
    pieces: list[Delta] = []

    def take(delta: Delta) -> tuple[()]:
        pieces.append(delta)
        return ()

    try:
        question = _call(Mode.TEXT, "Count from one to five in words.")
        reply = yield from relay_emitted(stream(connection.endpoint, _fitting(connection, question)), take)
    except APIError as error:
        return _refused("streaming", error)
    replies.append(reply)
    told = "usage told" if reply.usage.total_tokens else "no usage told"
    return Finding("streaming", "yes" if len(pieces) > 1 else "no", f"{len(pieces)} pieces, {told}")


def _logprobs(connection: Connection) -> Flow[Finding]:
    endpoint = connection.endpoint
    if not isinstance(endpoint.wire, ChatCompletions):
        return Finding("logprobs", "unclear", "looked for in chat completions alone")
    body: JSONObject = {"model": endpoint.model, "messages": [{"role": "user", "content": "Say hi."}], "max_tokens": 5}
    request = endpoint.request("/chat/completions", to_json({**body, "logprobs": True}))
    try:
        response = yield from exchange(request, endpoint.retry)
    except APIError as error:
        return _refused("logprobs", error)
    data = _json(response.body.decode(errors="replace"))
    choices = data.get("choices") if isinstance(data, dict) else None
    given = bool(choices) and isinstance(choices, list) and bool(choices[0].get("logprobs"))
    return Finding("logprobs", "honoured" if given else "ignored")


def _context(connection: Connection) -> Flow[int | None]:
    """The context length, when the model list tells: `context_window` (Groq), `max_model_len` (vLLM), `context_length`."""
    request = connection.endpoint.request("/models", b"")
    request = type(request)("GET", request.url, request.headers, b"", request.timeout)
    try:
        response = yield from exchange(request, connection.endpoint.retry)
    except APIError:
        return None
    listed = _json(response.body.decode(errors="replace"))
    rows = listed.get("data") if isinstance(listed, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("id") == connection.model:
            sizes = [row.get(key) for key in ("context_window", "max_model_len", "context_length")]
            return next((size for size in sizes if isinstance(size, int)), None)
    return None


def _seen(replies: list[Reply]) -> list[Finding]:
    """Further findings from the same replies."""
    used = any(reply.usage.total_tokens for reply in replies)
    tagged = any("<think>" in reply.text for reply in replies)
    reasoned = any(reply.reasoning for reply in replies)
    limited = any(reply.limits is not None for reply in replies)
    return [
        Finding("usage", "yes" if used else "no"),
        Finding(
            "reasoning", "yes" if tagged or reasoned else "no", "in <think> tags" if tagged else "apart" if reasoned else ""
        ),
        Finding("rate-limit headers", "yes" if limited else "no"),
    ]
