"""Why a server said no: sentences and bodies as they were seen, each with what it means."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.backends.retry import retryable
from assay.errors import APIStatusError, AuthenticationError, InternalServerError, RateLimitError, Reason
from assay.wire.errors import inner_error, status_error
from assay.wire.reasons import FAILS_EVERY_ROW, FAILS_ONE_ROW, reason_of


def of(answered: int, message: str, **more: Any) -> APIStatusError:
    return status_error(answered, {}, json.dumps({"error": {"message": message, **more}}).encode())


TOO_LONG = [
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5011 tokens.",  # vLLM, OpenAI, DeepSeek
    "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens.",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",  # Mistral
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens.",  # OpenRouter
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens",  # Together, TGI
    "The prompt is too long: 200000, model maximum context length: 131071",  # Fireworks
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",  # Gemini
    "Trying to keep the first 5000 tokens when context the overflows. The model is loaded with a context of only 4096 tokens",
    "the request exceeds the available context size (4096 tokens), try increasing it",  # llama.cpp
    "prompt is too long: 210000 tokens > 200000 maximum",  # Anthropic
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",  # SGLang
    "This model's maximum prompt length is 131072 but the request contains 170000 tokens.",  # xAI
    "Input is too long for requested model.",  # Bedrock
    "Please reduce the length of the messages or completion. Current length is 8200 while limit is 8192",  # Groq, Cerebras
]


@pytest.mark.parametrize("message", TOO_LONG)
@pytest.mark.parametrize("status", [400, 422])
def test_a_document_that_is_too_long_is_to_blame_itself(message: str, status: int) -> None:
    assert of(status, message).reason is Reason.CONTEXT_TOO_LONG
    assert Reason.CONTEXT_TOO_LONG in FAILS_ONE_ROW


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("`max_completion_tokens` must be less than or equal to `16384`", 16384),
        (
            "`max_tokens` must be less than or equal to `8192`, the maximum is less than the `context_window` for this model",
            8192,
        ),
        (
            "max_tokens is too large: 50000. This model supports at most 16384 completion tokens, whereas you provided 50000.",
            16384,
        ),
        ("max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens for claude-x", 64000),
        ("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length", 11760),
        ("it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive).", 65536),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens (5000 > 4096 - 100).", 3996),
        ("The maximum tokens you requested exceeds the model limit of 4096.", 4096),
    ],
)
def test_how_many_answer_tokens_there_may_be(message: str, limit: int) -> None:
    error = of(400, message)
    assert (error.reason, error.token_limit) == (Reason.TOKEN_LIMIT, limit)


@pytest.mark.parametrize(
    ("status", "message", "more", "reason"),
    [
        (400, "This model does not support response format `json_schema`.", {}, Reason.MODE_REFUSED),
        (
            400,
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
            {},
            Reason.MODE_REFUSED,
        ),
        (400, "This response_format type is unavailable now", {}, Reason.MODE_REFUSED),
        (400, "'response_format.type' must be 'json_schema' or 'text'", {}, Reason.MODE_REFUSED),
        (404, "No endpoints found that support tool use.", {}, Reason.MODE_REFUSED),
        (400, "json mode cannot be combined with tool/function calling", {"param": "response_format"}, Reason.MODE_REFUSED),
        (400, "output_config.format: Extra inputs are not permitted", {}, Reason.MODE_REFUSED),
        (501, "grammar sampling is not implemented", {}, Reason.MODE_REFUSED),
        (400, "Invalid schema for response_format 'Big': 'required' is required to be supplied", {}, Reason.SCHEMA_REFUSED),
        (400, "The provided JSON schema contains features not supported by xgrammar.", {}, Reason.SCHEMA_REFUSED),
        (400, "Schema is too complex for compilation", {}, Reason.SCHEMA_REFUSED),
        (400, "The compiled grammar is too large", {}, Reason.SCHEMA_REFUSED),
        (400, "tools.0.custom.input_schema.type: Field required", {}, Reason.SCHEMA_REFUSED),
        (
            400,
            "Unknown name \"pattern\" at 'generation_config.response_schema'",
            {"status": "INVALID_ARGUMENT"},
            Reason.SCHEMA_REFUSED,
        ),
        (500, "Failed to parse grammar", {}, Reason.SCHEMA_REFUSED),
        (400, "no", {"code": "invalid_json_schema"}, Reason.SCHEMA_REFUSED),
        (400, "temperature: Extra inputs are not permitted", {}, Reason.NO_TEMPERATURE),
        (
            400,
            "Unsupported value: 'temperature' does not support 0 with this model.",
            {"param": "temperature"},
            Reason.NO_TEMPERATURE,
        ),
        (400, "blocked", {"innererror": {"code": "ResponsibleAIPolicyViolation"}}, Reason.CONTENT_FILTER),
        (400, "The response was filtered due to Azure's content management policy.", {}, Reason.CONTENT_FILTER),
        (403, "Your input was flagged", {"metadata": {"reasons": ["violence"]}}, Reason.CONTENT_FILTER),
        (400, "Content Exists Risk", {}, Reason.CONTENT_FILTER),
        (401, "no", {}, Reason.BAD_KEY),
        (402, "Insufficient Balance", {}, Reason.NO_CREDIT),
        (429, "You exceeded your current quota", {"code": "insufficient_quota"}, Reason.NO_CREDIT),
        (429, "no", {"type": "insufficient_quota"}, Reason.NO_CREDIT),
        (400, "Your credit balance is too low to access the API.", {"type": "invalid_request_error"}, Reason.NO_CREDIT),
        (400, "no", {"code": "billing_hard_limit_reached"}, Reason.NO_CREDIT),
        (429, "Rate limit reached on tokens per day (TPD): Limit 100000", {}, Reason.DAILY_QUOTA),
        (429, "Rate limit exceeded: free-models-per-day", {"code": 429}, Reason.DAILY_QUOTA),
        (429, "Rate limit reached on tokens per minute (TPM): Limit 6000", {}, Reason.RATE_LIMIT),
        (404, "The model `x` does not exist or you do not have access to it.", {}, Reason.MODEL_NOT_FOUND),
        (400, "The model `x` has been decommissioned and is no longer supported.", {}, Reason.MODEL_NOT_FOUND),
        (404, "model: claude-sonet-4-5", {"type": "not_found_error"}, Reason.MODEL_NOT_FOUND),
        (404, "models/gemini-3.6-flahs is not found for API version v1beta", {}, Reason.MODEL_NOT_FOUND),
        (404, "Not Found", {}, Reason.NOT_FOUND),
        (413, "Request too large for model `m` on tokens per minute (TPM): Limit 6000", {}, Reason.REQUEST_TOO_LARGE),
        (498, "no", {}, Reason.OVERLOADED),
        (529, "Overloaded", {"type": "overloaded_error"}, Reason.OVERLOADED),
        (502, "no", {}, Reason.SERVER_ERROR),
        (400, "'messages.0.role' is wrong", {}, None),
    ],
)
def test_what_a_refusal_means(status: int, message: str, more: dict[str, Any], reason: Reason | None) -> None:
    assert of(status, message, **more).reason is reason


def test_a_reason_is_every_rows_or_one_rows() -> None:
    assert not FAILS_EVERY_ROW & FAILS_ONE_ROW
    passing = {Reason.RATE_LIMIT, Reason.DAILY_QUOTA, Reason.OVERLOADED, Reason.SERVER_ERROR}
    assert set(Reason) == FAILS_EVERY_ROW | FAILS_ONE_ROW | passing


def gemini(status: int, state: str, *details: dict[str, Any]) -> bytes:
    return json.dumps({"error": {"code": status, "message": "no", "status": state, "details": details}}).encode()


def test_gemini_says_its_wait_and_its_bad_key_in_the_details() -> None:
    violation = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}
    busy = status_error(429, {}, gemini(429, "RESOURCE_EXHAUSTED", violation, {"retryDelay": "34.4s"}))
    assert isinstance(busy, RateLimitError)
    assert (busy.retry_after, busy.reason, busy.code) == (34.4, Reason.RATE_LIMIT, "rate_limit_exceeded")
    key = status_error(400, {}, gemini(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}))
    assert isinstance(key, AuthenticationError)
    assert (key.status_code, key.code) == (400, "invalid_api_key")


def test_a_quota_of_the_day_or_of_money_is_not_waited_for() -> None:
    violation = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}
    gone = status_error(429, {}, gemini(429, "RESOURCE_EXHAUSTED", violation, {"retryDelay": "34.4s"}))
    assert (gone.reason, gone.retry_after) == (Reason.DAILY_QUOTA, None)
    assert not retryable(gone)
    assert not retryable(of(429, "no", code="insufficient_quota"))
    assert retryable(of(429, "Rate limit reached"))


def test_anthropics_errors_have_a_type_alone() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    inside = inner_error(body, {})
    assert isinstance(inside, InternalServerError)
    assert (inside.status_code, inside.code, inside.type, inside.request_id) == (529, "overloaded", "overloaded_error", "req_1")
    long = {"type": "error", "error": {"type": "invalid_request_error", "message": TOO_LONG[9]}}
    assert status_error(400, {}, json.dumps(long).encode()).code == "context_length_exceeded"


HOSTILE = [
    "max_tokens " + "1" * 200_000,
    "max_tokens " * 50_000,
    "model " * 50_000,
    "schema " * 50_000,
    "(1 > 1 " * 50_000,
    "violating " * 50_000,
]


@pytest.mark.parametrize("message", HOSTILE)
def test_no_message_costs_more_than_its_head(message: str) -> None:
    started = time.process_time()
    for status in (400, 404, 429):
        status_error(status, {}, json.dumps({"error": {"message": message}}).encode())
    assert time.process_time() - started < 5  # not a measurement: a pattern that runs away takes minutes


@given(
    st.dictionaries(
        st.sampled_from(["code", "type", "param", "status", "details", "metadata", "innererror"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["reason", "violations", "code", "quotaId"]), inner)
            ),
        ),
    ),
    st.text(),
)
def test_no_error_object_crashes_the_reader(inner: dict[str, Any], message: str) -> None:
    for status in (None, 400, 429, 500):
        reason_of(status, inner, message)
