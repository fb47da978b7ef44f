"""What nobody foresees, by the thousand and the same at every run: replies, headers, schemas and journals of no sense.

Whatever comes in, what comes out is a value or one of our own errors, and it takes time in proportion to what came in.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import string
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import assay
from assay.backends.limits import RateLimiter
from assay.batch import journal_path, run
from assay.cli import main
from assay.errors import APIError, APIStatusError, AssayError
from assay.wire.errors import status_error
from assay.wire.events import Events
from assay.wire.headers import rate_limits, should_retry, wait_asked
from assay.wire.openai_chat import ChatCompletions
from servers import Server, completion, completion_body

some = settings(max_examples=100, suppress_health_check=list(HealthCheck))

SECONDS = 1.0
"""Of CPU for each 100 kB, on a machine of our own; the tests allow `SLACK` times as much, for others are at work."""
SLACK = 4


class Order(BaseModel):
    name: str = Field(pattern=r"^\w+$")
    total: float | None = None
    placed: Literal["shop", "web"] | int | None = None
    lines: list[dict[str, int]] = []


FRAGMENTS = (
    *(
        '"',
        "'",
        "{",
        "[",
        "}",
        "{'a':",
        '{"a":',
        "[[",
        "```",
        "```json\n",
        " ",
        "\n",
        "\t",
        "\\",
        "\\u",
        "\\ud800",
        "//",
        "/*",
        "#",
    ),
    *(
        "1",
        "1,",
        "1.",
        "-",
        "1e9",
        "$1,000.",
        "0x",
        "EUR ",
        "1 000 ",
        "NaN",
        "null",
        "true,",
        "a",
        "a:",
        "a.",
        "(",
        "<",
        "<a>",
        "<think>",
    ),
    *(
        '"a": 1,',
        '"name": "x", ',
        '{"name": "x"}',
        '{"lines": [',
        "...",
        ",",
        ",,",
        ":",
        "*",
        "**a**",
        "| a ",
        "é",
        "\u2028",
        "\x00",
        "…",
    ),
    *(
        "in 1 day ",
        "1/2/",
        "12:",
        "2020-01-01",
        "per cent ",
        "max_tokens must be ",
        "Limit 1",
        "on tokens per minute ",
        "try again in 1",
    ),
)
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), max_size=14).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**40), 10**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=14,
)
NAMES = st.sampled_from(
    ["choices", "message", "content", "error", "usage", "delta", "tool_calls", "function", "arguments", "code", "type"]
)
BODIES = st.one_of(
    st.binary(max_size=80),
    TEXTS.map(str.encode),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.recursive(
        JSON, lambda inner: st.dictionaries(NAMES, inner, max_size=5) | st.lists(inner, max_size=2), max_leaves=12
    ).map(lambda value: json.dumps(value).encode()),
    st.tuples(st.sampled_from(["usage", "choices", "model", "x_groq", "error", "id"]), JSON).map(
        lambda pair: json.dumps(completion_body("{}", **{pair[0]: pair[1]})).encode()
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("retry-after", "retry-after-ms", "x-should-retry", "content-type", "x-request-id"),
            *(f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset") for kind in ("requests", "tokens")),
        ]
    ),
    st.one_of(
        TEXTS, st.text(string.digits + ".-smh ", max_size=40), st.just("Fri, 31 Dec 9999 23:59:59 GMT"), st.just("9" * 500)
    ),
)


def taking(work: Callable[[], Any]) -> float:
    """Seconds of CPU."""
    started = time.process_time()
    work()
    return time.process_time() - started


def saying(text: str) -> Any:
    """A client whose model says this."""
    create = lambda **_: completion_body(text)  # noqa: E731
    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))


# -- replies -----------------------------------------------------------------------------------------------------------


@some
@given(BODIES, HEADERS)
@example(b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1e999}}', {})
def test_any_body_is_a_reply_or_an_error_of_ours(body: bytes, headers: dict[str, str]) -> None:
    for read in (lambda: ChatCompletions().decode(body, headers), lambda: _streamed(body, headers)):
        with contextlib.suppress(APIError):
            read()


def _streamed(body: bytes, headers: dict[str, str]) -> None:
    collected = ChatCompletions().collector(headers)
    for _ in collected.feed(body):
        pass
    collected.reply(1, 0.0)
    for _ in Events(headers).feed(b"data: " + body + b"\n\n"):
        pass


@some
@given(TEXTS)
@example('{"name": ' + "9" * 5000 + "}")
@example('{"total": 1e999, "name": "x"}')
@example("[" * 5000)
def test_any_answer_ends_in_an_outcome(text: str) -> None:
    for target in (Order, list[int], assay.JSONSchema({"type": "object", "additionalProperties": {"type": "number"}})):
        outcome = assay.Extractor(target, client=saying(text), model="m", retries=1).run("x")
        assert outcome.ok or isinstance(outcome.error, AssayError)
        str(outcome.error), repr(outcome), outcome.spans  # noqa: B018  # what is shown of it


SIZE = 25_000
"""Characters: a quarter of 100 kB, so that the whole ends soon."""


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=ascii)
@pytest.mark.parametrize("frame", ["{}", '{{"name": "{}"}}', '{{"total": {}}}', '{{"name": {}', "```\n{}\n```"], ids=ascii)
def test_an_answer_takes_time_in_proportion(fragment: str, frame: str) -> None:
    text = frame.format(fragment * (SIZE // len(fragment)))
    extractor = assay.Extractor(Order, client=saying(text), model="m", retries=0)
    assert taking(lambda: extractor.run("x")) < SECONDS * SLACK * SIZE / 100_000


# -- headers and refusals ------------------------------------------------------------------------------------------------


@some
@given(st.sampled_from([400, 401, 413, 429, 498, 503]), HEADERS, BODIES)
def test_any_refusal_is_an_error_whose_wait_can_be_waited(status: int, headers: dict[str, str], body: bytes) -> None:
    error = status_error(status, headers, body)
    assert isinstance(error, APIStatusError)
    wait = wait_asked(headers, error.message)
    assert wait is None or (wait > 0 and math.isfinite(wait))
    should_retry(headers)
    limiter = RateLimiter(rpm=100)
    for _ in range(3):
        assert math.isfinite(limiter.reserve(10))
        limiter.refuse(10, error, rate_limits(headers))
        assert all(math.isfinite(capacity) and capacity > 0 for capacity in limiter.known().values())
        limiter.holding()


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=ascii)
def test_a_refusal_takes_time_in_proportion(fragment: str) -> None:
    text = fragment * (SIZE // len(fragment))
    body = json.dumps({"error": {"message": text, "code": text, "failed_generation": text}}).encode()
    headers = {"retry-after": text, "x-ratelimit-reset-tokens": text, "content-type": text}

    def work() -> None:
        error = status_error(429, headers, body)
        RateLimiter().refuse(1, error, rate_limits(headers))
        status_error(502, headers, text.encode())

    assert taking(work) < SECONDS * SLACK * SIZE * 4 / 100_000


# -- schemas -----------------------------------------------------------------------------------------------------------


KEYWORDS = st.sampled_from(
    [
        *(
            "type",
            "properties",
            "items",
            "anyOf",
            "allOf",
            "oneOf",
            "not",
            "enum",
            "const",
            "$ref",
            "$defs",
            "$id",
            "$anchor",
            "required",
        ),
        *(
            "pattern",
            "format",
            "multipleOf",
            "minimum",
            "minLength",
            "maxItems",
            "additionalProperties",
            "patternProperties",
            "if",
            "then",
        ),
        *(
            "prefixItems",
            "dependentSchemas",
            "$schema",
            "default",
            "title",
            "description",
            "$dynamicRef",
            "unevaluatedProperties",
        ),
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            "object",
            "array",
            "string",
            "number",
            "#",
            "#/$defs/a",
            "#/%24defs/a",
            "http://x.invalid/y",
            "(",
            "date",
            "iri",
            0,
            1,
            -1,
            1e308,
        ]
    ),
    st.booleans(),
    st.none(),
    st.lists(st.sampled_from(["a", "string", "object"]), max_size=2),
)
SCHEMAS = st.recursive(
    st.dictionaries(KEYWORDS, VALUES, max_size=4),
    lambda inner: st.dictionaries(
        KEYWORDS,
        inner | st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "$ref"]), inner, max_size=2),
        max_size=4,
    ),
    max_leaves=8,
)


@some
@given(SCHEMAS, JSON)
@example({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, 1)
@example({"type": "number", "multipleOf": 0.1}, 10**399)
def test_any_schema_is_a_target_or_a_schema_error(schema: dict[str, Any], value: Any) -> None:
    try:
        extractor = assay.Extractor(schema, client=saying(json.dumps(value)), model="m", retries=0)
    except AssayError:
        return
    outcome = extractor.run("x")
    assert outcome.ok or isinstance(outcome.error, AssayError)


# -- journals ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a batch, beside its journal."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": f"text {at}"}) + "\n" for at in range(3)))
    with Server([completion('{"value": "x"}')], [completion("no")]) as server:
        run(assay.Extractor(str, model="m", base_url=server.base_url, retries=0), folder / "in.jsonl", folder / "out.jsonl")
    return folder / "out.jsonl"


@settings(some, max_examples=60)
@given(
    st.sampled_from(["body", "detail", "kind", "state", "asks", "cost", "prompt_tokens"]),
    st.one_of(TEXTS, JSON.map(json.dumps), st.binary(max_size=9)),
)
@example("body", "[]")
@example("body", '{"value": NaN}')
@example("asks", "many")
def test_any_journal_is_reported_or_refused(batch: Path, column: str, value: str | bytes) -> None:
    journal = journal_path(batch)
    kept = journal.read_bytes()
    with sqlite3.connect(journal) as db:
        db.execute(f"UPDATE answers SET {column} = ?", (value,))
    db.close()
    argv, page = ["assay", "report", str(batch), "-o", str(batch.with_suffix(".html"))], batch.with_suffix(".html")
    try:
        page.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", argv)
            main()
    except SystemExit as end:
        assert end.code in {0, 1, 2}
        assert end.code or "<script" not in page.read_text()
    finally:
        for left in batch.parent.glob(f"{journal.name}*"):
            left.unlink()
        journal.write_bytes(kept)
