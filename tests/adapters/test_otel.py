"""OpenTelemetry, seen through the SDK's in-memory exporters: what is told of an extraction, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

import assay
from assay.adapters import otel
from assay.testing import FakeModel, faults
from servers import Server, said

SECRET = "CANARY-OF-THE-DOCUMENT"
KEY = "a-key-that-nobody-may-see"


class Person(BaseModel):
    name: str
    age: int


class Told:
    """What was exported."""

    def __init__(self) -> None:
        self.spans_out, self.logs_out, self.reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
        self.tracer_provider, self.logger_provider = TracerProvider(), LoggerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.spans_out))
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self.logs_out))
        self.meter_provider = MeterProvider([self.reader])

    def instrument(self, content: Any = None, *, ungrounded: bool = False) -> None:
        otel.instrument(
            tracer_provider=self.tracer_provider,
            meter_provider=self.meter_provider,
            logger_provider=self.logger_provider,
            content=content,
            ungrounded=ungrounded,
        )

    @property
    def spans(self) -> dict[str, list[ReadableSpan]]:
        found: dict[str, list[ReadableSpan]] = {}
        for span in self.spans_out.get_finished_spans():
            found.setdefault(span.name, []).append(span)
        return found

    @property
    def metrics(self) -> dict[str, float]:
        data = self.reader.get_metrics_data()
        return {
            metric.name: sum(getattr(point, "value", None) or getattr(point, "count", 0) for point in metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def everything(self) -> str:
        spans = "".join(span.to_json() for span in self.spans_out.get_finished_spans())
        logs = "".join(str(log.log_record.attributes) for log in self.logs_out.get_finished_logs())
        return spans + logs + str(self.reader.get_metrics_data())


@pytest.fixture
def told() -> Iterator[Told]:
    watcher = Told()
    watcher.instrument()
    yield watcher
    otel.uninstrument()


def test_a_span_for_the_extraction_over_one_for_each_attempt(told: Told) -> None:
    model = FakeModel(['{"name": "Ada", "age": "old"}', '{"/age": 36}'])
    assert assay.Extractor(Person, model=model).run("Ada is 36.").ok
    (extraction,) = told.spans["extract Person"]
    chats = told.spans["chat fake"]
    assert len(chats) == 2
    assert extraction.context is not None
    assert all(chat.parent and chat.parent.span_id == extraction.context.span_id for chat in chats)
    attributes = extraction.attributes or {}
    assert attributes["assay.attempts"] == 2
    assert [(event.name, (event.attributes or {})["assay.problem.path"]) for event in extraction.events] == [
        ("assay.problem", "/age")
    ]
    assert told.metrics["assay.extraction.reasks"] == 1
    assert told.metrics["gen_ai.client.inference.duration"] == 2


def test_attributes_are_those_of_the_conventions(told: Told) -> None:
    with Server(said('{"name": "Ada", "age": 36}')) as server:
        assay.extract(Person, "Ada is 36.", model="m", base_url=server.base_url, max_tokens=99)
        (chat,) = told.spans["chat m"]
        attributes = dict(chat.attributes or {})
        assert chat.kind is SpanKind.CLIENT
        assert attributes["server.port"] == server.port
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.response.finish_reasons": ("stop",),
        "server.address": "127.0.0.1",
    }
    assert {name: attributes.get(name) for name in expected} == expected


def test_repeats_and_waits_are_events(told: Told) -> None:
    with faults("rate_limit(0.01, times=1)"):
        assert assay.Extractor(Person, model=FakeModel(seed=1)).run("x").ok
    (chat,) = told.spans["chat fake"]
    assert [event.name for event in chat.events] == ["assay.wait", "assay.repeat"]


def test_failures_are_told_by_type_alone(told: Told) -> None:
    text = f"{SECRET} is here"
    assert not assay.Extractor(Person, model=FakeModel(lambda t: {"name": t}), retries=0).run(text).ok
    with faults("overloaded"):
        assert not assay.Extractor(Person, model=FakeModel(), max_retries=0).run(text).ok
    types = [(span.attributes or {}).get("error.type") for span in told.spans["extract Person"]]
    assert types == ["ExtractionError", "503"]
    assert all(span.status.status_code is StatusCode.ERROR for span in told.spans["extract Person"])
    assert SECRET not in told.everything()


def test_neither_texts_nor_keys_are_told(told: Told) -> None:
    with Server(said(f'{{"name": "{SECRET}", "age": 36}}')) as server:
        assay.extract(Person, SECRET, model="m", base_url=server.base_url, api_key=KEY, instructions=SECRET)
    assert told.spans
    assert SECRET not in told.everything()
    assert KEY not in told.everything()


@pytest.mark.parametrize(
    ("content", "in_spans", "in_logs"),
    [("NO_CONTENT", False, False), ("SPAN_ONLY", True, False), ("EVENT_ONLY", False, True), ("SPAN_AND_EVENT", True, True)],
)
def test_content_only_where_asked_for(
    content: str, in_spans: bool, in_logs: bool, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(otel.VARIABLE, content)
    told.instrument()
    assay.Extractor(Person, model=FakeModel(seed=1)).run(SECRET)
    spans = "".join(span.to_json() for span in told.spans_out.get_finished_spans())
    logs = [log.log_record for log in told.logs_out.get_finished_logs()]
    assert (SECRET in spans) is in_spans
    assert (SECRET in str([log.attributes for log in logs])) is in_logs
    assert {log.event_name for log in logs} == ({otel.DETAILS} if in_logs else set())


def test_a_wrong_word_for_content_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(otel.VARIABLE, "true")
    with pytest.raises(assay.ConfigurationError, match="SPAN_ONLY"):
        otel.instrument()


def test_streams_maps_and_awaited_calls(told: Told) -> None:
    with assay.Extractor(Person, model=FakeModel(seed=1)) as extractor:
        list(extractor.stream("a"))
        list(extractor.map(["b", "c"]))
        asyncio.run(extractor.arun("d"))
    assert len(told.spans["extract Person"]) == len(told.spans["chat fake"]) == 4


def test_a_stream_that_is_left_ends_its_spans(told: Told) -> None:
    with assay.Extractor(Person, model=FakeModel([{"name": "Ada", "age": 3}])) as extractor:
        stream = extractor.stream("a")
        next(stream)
        stream.close()
    assert {name: len(spans) for name, spans in told.spans.items()} == {"extract Person": 1, "chat fake": 1}


def test_the_users_own_span_is_the_parent(told: Told) -> None:
    with told.tracer_provider.get_tracer("user").start_as_current_span("request") as span:
        assay.Extractor(Person, model=FakeModel(seed=1)).run("a")
    (extraction,) = told.spans["extract Person"]
    assert extraction.parent is not None
    assert extraction.parent.span_id == span.get_span_context().span_id


def test_nothing_is_told_after_uninstrument(told: Told) -> None:
    otel.uninstrument()
    assay.Extractor(Person, model=FakeModel(seed=1)).run("a")
    assert told.spans == {}


def test_values_that_stand_nowhere_are_counted_when_asked_for(told: Told) -> None:
    model = FakeModel(lambda _: {"name": "Zoe", "age": 36})
    assay.Extractor(Person, model=model).run("Ada is 36.")
    told.instrument(ungrounded=True)
    assay.Extractor(Person, model=model).run("Ada is 36.")
    first, second = told.spans["extract Person"]
    assert "assay.ungrounded" not in (first.attributes or {})
    assert (second.attributes or {})["assay.ungrounded"] == ("/name",)
    assert told.metrics["assay.extraction.ungrounded"] == 1
