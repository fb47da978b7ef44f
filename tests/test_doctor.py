"""What `doctor` finds out about servers that keep, ignore or refuse what they are asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

import assay
from assay import doctor
from servers import Received, Server, answer, completion, completion_body, error, streamed

PROSE = "They have five apples together."
GOOD = json.dumps({"zq_sum": 5, "zq_unit": "zq_apples"})
MODELS = {"object": "list", "data": [{"id": "m", "context_window": 8192}]}


def able(request: Received) -> list[Any]:
    """A server that keeps everything it is asked."""
    if request.path.endswith("/models"):
        return [answer(200, MODELS)]
    body = request.json
    if body.get("stream"):
        return streamed("one two three four five")
    if body.get("logprobs"):
        data = completion_body("hi")
        data["choices"][0]["logprobs"] = {"content": []}
        return [answer(200, data)]
    if "tools" in body:
        call = {"id": "1", "type": "function", "function": {"name": "probe", "arguments": GOOD}}
        return [completion(None, message={"role": "assistant", "content": None, "tool_calls": [call]})]
    kind = body.get("response_format", {}).get("type")
    if "zq_day" in str(body.get("response_format")):
        return [completion('{"zq_name": "Ann", "zq_day": "2024-03-05"}')]
    text = {"json_schema": GOOD, "json_object": '{"sum": 5}'}.get(kind, "ready")
    return [completion(text, {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "99"})]


def deaf(request: Received) -> list[Any]:
    """A server that takes every key and minds none."""
    if request.path.endswith("/models"):
        return [answer(404, error("no such path"))]
    return [completion(f"<think>hm</think>{PROSE}", usage=None)]


def lazy(request: Received) -> list[Any]:
    """A server that ends an object as soon as its schema lets it."""
    if request.method == "POST" and "zq_day" in str(request.json.get("response_format")):
        return [completion('{"zq_name": "Ann"}')]
    return able(request)


def narrow(request: Received) -> list[Any]:
    """A server that refuses what it does not know."""
    if request.method == "GET" or request.json.keys() & {"response_format", "tools", "logprobs", "stream"}:
        return [answer(400, error("unsupported parameter"))]
    return [completion("ready")]


def look(steps: Any) -> tuple[doctor.Report, dict[str, str], int]:
    with Server(steps) as server:
        report = doctor.probe(model="m", base_url=server.base_url)
    return report, {finding.subject: finding.verdict for finding in report.findings}, len(server.received)


def test_a_server_that_does_all_of_it() -> None:
    report, found, requests = look(able)
    assert {found["mode json_schema"], found["mode tools"], found["mode json"]} == {"honoured"}
    assert (found["streaming"], found["logprobs"], found["usage"]) == ("yes", "honoured", "yes")
    assert found["rate-limit headers"] == "yes"
    assert report.limits is not None
    assert report.limits.limit_requests == 100
    assert report.context_tokens == 8192
    assert report.advised_mode is assay.Mode.JSON_SCHEMA
    assert found["optional fields"] == "yes"
    assert requests <= 9, "a handful of tiny calls"


def test_a_server_that_leaves_out_what_may_be_left_out() -> None:
    report, found, _ = look(lazy)
    assert found["optional fields"] == "no"
    assert "nullable" in next(f.detail for f in report.findings if f.subject == "optional fields")


def test_a_server_that_ignores_what_it_is_asked() -> None:
    report, found, _ = look(deaf)
    assert {found["mode json_schema"], found["mode tools"], found["mode json"]} == {"ignored"}
    assert (found["streaming"], found["logprobs"], found["usage"], found["reasoning"]) == ("no", "ignored", "no", "yes")
    assert report.context_tokens is None
    assert report.advised_mode is assay.Mode.TEXT


def test_a_server_that_refuses() -> None:
    report, found, _ = look(narrow)
    refused = ("mode json_schema", "mode tools", "mode json", "streaming", "logprobs")
    assert {found[subject] for subject in refused} == {"refused"}
    assert "unsupported parameter" in next(f.detail for f in report.findings if f.subject == "mode json")


def test_a_key_that_is_refused_is_the_answer() -> None:
    with Server([answer(401, error("no"))]) as server, pytest.raises(assay.AuthenticationError):
        doctor.probe(model="m", base_url=server.base_url)
    assert len(server.received) == 1
