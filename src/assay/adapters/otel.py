"""OpenTelemetry: a span for each extraction over one for each call of a model, and metrics. Needs `pip install "assay[otel]"`.

    from assay.adapters import otel
    otel.instrument()

Names follow the semantic conventions for generative AI (`open-telemetry/semantic-conventions-genai`, in development; v1.41.0 was
the last in the main repository); they stand in this file only. Texts, values and keys are in no span, event or metric: problems
and repairs are told by kind and place, errors by type, since an error's message quotes the document. What was asked and
answered is told only where `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` (or `content=`) says so.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from opentelemetry import _logs, metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from assay.engine import observe
from assay.engine.observe import About
from assay.errors import APIStatusError, ConfigurationError
from assay.outcome import Outcome
from assay.types import Call, Message, Reply

Content: TypeAlias = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]
"""Where texts go: nowhere, onto the spans, into log events."""

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
DETAILS = "gen_ai.client.inference.operation.details"
PROVIDERS = {
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
}
"""The conventions' names of providers where they are not ours."""
EMBEDDED = "local"


def instrument(
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
    logger_provider: _logs.LoggerProvider | None = None,
    content: Content | None = None,
    ungrounded: bool = False,
) -> None:
    """Report all extractions of this process from now on. Without providers, those that OpenTelemetry has set globally are used.

    `ungrounded` also counts the values that are not in the source: they must be searched for, which takes longer the longer the text
    and the more the values. `content` says where texts go; None: what the variable says, else nowhere. Raises `ConfigurationError` for any other value.
    """
    chosen = content or os.environ.get(VARIABLE) or "NO_CONTENT"
    if chosen not in get_args(Content):
        raise ConfigurationError(f"{VARIABLE} must be one of {', '.join(get_args(Content))}; got {chosen!r}")
    observe.watch(
        _Telemetry(
            trace.get_tracer("assay", tracer_provider=tracer_provider),
            metrics.get_meter("assay", meter_provider=meter_provider),
            _logs.get_logger("assay", logger_provider=logger_provider),
            in_span=chosen in ("SPAN_ONLY", "SPAN_AND_EVENT"),
            in_event=chosen in ("EVENT_ONLY", "SPAN_AND_EVENT"),
            grounds=ungrounded,
        )
    )


def uninstrument() -> None:
    """Stop reporting."""
    observe.watch(None)


class _Telemetry:
    def __init__(
        self, tracer: trace.Tracer, meter: metrics.Meter, logger: _logs.Logger, *, in_span: bool, in_event: bool, grounds: bool
    ) -> None:
        self.tracer, self.logger = tracer, logger
        self.in_span, self.in_event, self.grounds = in_span, in_event, grounds
        self.duration = meter.create_histogram("gen_ai.client.inference.duration", "s", "How long a model call took")
        self.input_tokens = meter.create_counter("gen_ai.client.inference.usage.input_tokens", "{token}", "Prompt tokens")
        self.output_tokens = meter.create_counter("gen_ai.client.inference.usage.output_tokens", "{token}", "Answer tokens")
        self.cost = meter.create_counter("assay.extraction.cost", "USD", "The cost of extractions whose price is known")
        self.extractions = meter.create_histogram(
            "assay.extraction.duration", "s", "How long an extraction took, re-asks included"
        )
        self.reasks = meter.create_counter("assay.extraction.reasks", "{request}", "Questions asked again")
        self.repairs = meter.create_counter(
            "assay.extraction.repairs", "{repair}", "Repairs that were needed to read an answer"
        )
        self.ungrounded = meter.create_counter(
            "assay.extraction.ungrounded", "{value}", "Values that were not found in the source"
        )

    def extraction(self, about: About) -> _Extraction:
        return _Extraction(self, _names(about))


@dataclass(frozen=True, slots=True)
class _Names:
    """What all spans and metrics of one extractor share, built once."""

    extraction: str
    chat: str
    kind: SpanKind
    target: dict[str, Any]
    model: dict[str, Any]


@lru_cache(maxsize=256)
def _names(about: About) -> _Names:
    common = {"gen_ai.request.model": about.model, "gen_ai.provider.name": PROVIDERS.get(about.provider, about.provider)}
    server = urlsplit(about.url)
    place: dict[str, Any] = {"server.address": server.hostname} if server.hostname else {}
    if server.hostname and server.port:
        place["server.port"] = server.port
    return _Names(
        f"extract {about.target}",
        f"chat {about.model}",
        SpanKind.INTERNAL if about.provider == EMBEDDED else SpanKind.CLIENT,
        {"assay.target": about.target, **common},
        {"gen_ai.operation.name": "chat", **common, **place},
    )


class _Extraction:
    def __init__(self, telemetry: _Telemetry, names: _Names) -> None:
        self._telemetry, self._names = telemetry, names
        self._began = time.monotonic()
        self._span = telemetry.tracer.start_span(names.extraction, kind=SpanKind.INTERNAL, attributes=names.target)

    def asks(self, call: Call) -> _Chat:
        return _Chat(self._telemetry, self._names, self._span, call)

    def ended(self, outcome: Outcome[Any] | None, error: BaseException | None) -> None:
        span, telemetry = self._span, self._telemetry
        failure = error if outcome is None else outcome.error
        labels = self._names.target if failure is None else {**self._names.target, **_error(failure)}
        if outcome is not None:
            self._tell(outcome, labels)
        if failure is not None:
            _failed(span, failure)
        telemetry.extractions.record(time.monotonic() - self._began, labels)
        span.end()

    def _tell(self, outcome: Outcome[Any], labels: dict[str, Any]) -> None:
        span, telemetry, usage = self._span, self._telemetry, outcome.usage
        span.set_attributes(
            {
                "assay.attempts": len(outcome.attempts),
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
            }
        )
        if usage.cost is not None:
            span.set_attribute("assay.cost", usage.cost)
            telemetry.cost.add(usage.cost, labels)
        for number, attempt in enumerate(outcome.attempts, 1):
            for problem in attempt.problems:
                where = {"assay.attempt": number, "assay.problem.kind": problem.kind, "assay.problem.path": problem.path}
                span.add_event("assay.problem", where)
        for repair in outcome.repairs:
            span.add_event("assay.repair", {"assay.repair.kind": repair.kind, "assay.repair.path": repair.path})
            telemetry.repairs.add(1, {**labels, "assay.repair.kind": repair.kind})
        if len(outcome.attempts) > 1:
            telemetry.reasks.add(len(outcome.attempts) - 1, labels)
        if telemetry.grounds and (ungrounded := outcome.ungrounded):
            span.set_attribute("assay.ungrounded", list(ungrounded))
            telemetry.ungrounded.add(len(ungrounded), labels)


class _Chat:
    """One call of the model, with its repeats and waits."""

    def __init__(self, telemetry: _Telemetry, names: _Names, parent: Span, call: Call) -> None:
        self._telemetry, self._call, self._labels = telemetry, call, names.model
        self._began = time.monotonic()
        params = call.params
        asked = {**names.model, "gen_ai.output.type": "json", "assay.mode": call.mode.value}
        for name, value in (("max_tokens", params.max_tokens), ("temperature", params.temperature), ("seed", params.seed)):
            if value is not None:
                asked[f"gen_ai.request.{name}"] = value
        self._span = telemetry.tracer.start_span(names.chat, set_span_in_context(parent), names.kind, asked)

    def sent(self, number: int) -> None:
        if number > 1:
            self._span.add_event("assay.repeat", {"assay.request": number})

    def waited(self, seconds: float) -> None:
        self._span.add_event("assay.wait", {"assay.seconds": seconds})

    def ended(self, reply: Reply | None, error: BaseException | None) -> None:
        span, telemetry = self._span, self._telemetry
        if reply is not None:
            self._answered(reply)
        if error is not None:
            _failed(span, error)
        telemetry.duration.record(
            time.monotonic() - self._began, self._labels if error is None else {**self._labels, **_error(error)}
        )
        span.end()

    def _answered(self, reply: Reply) -> None:
        span, telemetry, usage = self._span, self._telemetry, reply.usage
        told: dict[str, Any] = {
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
        }
        for name, value in (
            ("response.id", reply.request_id),
            ("response.model", reply.model),
            ("response.finish_reasons", [reply.finish_reason] if reply.finish_reason else None),
            ("usage.cache_read.input_tokens", usage.cached_tokens),
            ("usage.reasoning.output_tokens", usage.reasoning_tokens),
        ):
            if value:
                told[f"gen_ai.{name}"] = value
        span.set_attributes(told)
        telemetry.input_tokens.add(usage.prompt_tokens, self._labels)
        telemetry.output_tokens.add(usage.completion_tokens, self._labels)
        if telemetry.in_span or telemetry.in_event:
            self._content(reply)

    def _content(self, reply: Reply) -> None:
        """What was asked and answered: only for those who have asked for it."""
        texts = {
            "gen_ai.input.messages": _written(self._call.messages),
            "gen_ai.output.messages": _written((Message("assistant", reply.text),)),
        }
        if self._telemetry.in_span:
            self._span.set_attributes(texts)
        if self._telemetry.in_event:
            self._telemetry.logger.emit(
                event_name=DETAILS, context=set_span_in_context(self._span), attributes={**self._labels, **texts}
            )


def _written(messages: tuple[Message, ...]) -> str:
    parts = [{"role": message.role, "parts": [{"type": "text", "content": message.content}]} for message in messages]
    return json.dumps(parts, ensure_ascii=False)


def _failed(span: Span, error: BaseException) -> None:
    """The type alone: a message may quote the document."""
    span.set_status(Status(StatusCode.ERROR))
    span.set_attributes(_error(error))


def _error(error: BaseException | None) -> dict[str, str]:
    if error is None:
        return {}
    return {"error.type": str(error.status_code) if isinstance(error, APIStatusError) else type(error).__name__}
