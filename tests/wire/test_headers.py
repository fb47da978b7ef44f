"""How long a refusing server asks to wait, and what is left of its limits, from headers and messages."""

from __future__ import annotations

import json
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.types import RateLimits
from assay.wire.headers import LONGEST, duration, rate_limits, should_retry, wait_asked

ERRORS = Path(__file__).parents[3] / "shared" / "data" / "groq" / "errors.jsonl"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m59.56s", 179.56),
        ("7.66s", 7.66),
        ("172ms", 0.172),
        ("1h2m3s", 3723.0),
        ("1m0.363142857s", 60.363142857),
        ("10.332999999s", 10.332999999),
        ("26ms", 0.026),
        ("500µs", 0.0005),
        ("24h0m0s", 86400.0),
        ("0s", 0.0),
        ("20", 20.0),
        ("7.5", 7.5),
        ("", None),
        ("s", None),
        ("-10s", None),
        ("5 minutes", None),
        ("1e9", None),
        ("nan", None),
    ],
)
def test_a_duration(text: str, seconds: float | None) -> None:
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    headers = dict.fromkeys(("retry-after", "retry-after-ms", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"), text)
    wait = wait_asked(headers, text)
    assert wait is None or wait > 0


LEFT = {"x-ratelimit-remaining-requests": "14370", "x-ratelimit-reset-requests": "3m0s"}
"""A day's requests, most of which are left: not what held the request up."""


@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"retry-after": "20"}, "", 20.0),
        ({"retry-after": "7.66"}, "", 7.66),
        ({"retry-after": "0"}, "", None),
        ({"retry-after": "-10"}, "", None),
        ({"retry-after": ""}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "Fri, 99 Foo 2026 25:00:00 GMT"}, "", None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", None),
        ({"retry-after": "999999999"}, "", 999999999.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, "", 1.5),
        ({"x-ratelimit-reset-tokens": "7.66s"}, "", 7.66),
        ({"x-ratelimit-reset-tokens": "26ms", "x-ratelimit-reset-requests": "2m59.56s"}, "", 0.026),
        (
            {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m", "x-ratelimit-reset-tokens": "1s"},
            "",
            120.0,
        ),
        ({}, "Please try again in 1m0.363142857s. Visit", 60.363142857),
        ({}, "Please try again in 9m38.016s.", 578.016),
        ({}, "please try again in 644ms", 0.644),
        ({"retry-after": "3"}, "Please try again in 9s", 3.0),
        ({"x-ratelimit-reset-tokens": "1s"}, "Please try again in 9m38.016s.", 578.016),
        (LEFT, "", None),
        (LEFT | {"retry-after": "0"}, "", None),
        (LEFT | {"retry-after": "soon", "x-ratelimit-reset-tokens": "9s"}, "", None),
        (LEFT | {"x-ratelimit-reset-tokens": "9s"}, "", 9.0),
        ({"retry-after": "0"}, "Please try again in 9s", 9.0),
        ({"x-ratelimit-reset-requests": "9" * 400 + "s"}, "", LONGEST),
        ({"retry-after": "9" * 400}, "", None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, "", LONGEST),
        ({}, "no idea", None),
        ({}, "", None),
    ],
)
def test_the_wait_that_is_asked(headers: dict[str, str], message: str, wait: float | None) -> None:
    assert wait_asked(headers, message) == (None if wait is None else pytest.approx(wait))


def test_a_date_in_the_future_is_waited_for() -> None:
    wait = wait_asked({"retry-after": formatdate(time() + 90, usegmt=True)})
    assert wait is not None
    assert 80 < wait <= 90


def test_limits_are_read() -> None:
    headers = {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    assert rate_limits(headers) == RateLimits(14400, 18000, 14370, 17997, 179.56, 7.66)
    assert rate_limits({"x-ratelimit-remaining-tokens": "many"}) == RateLimits()
    assert rate_limits({"content-type": "x"}) is None


def test_the_servers_word_on_retrying() -> None:
    words = [
        should_retry(headers)
        for headers in ({"x-should-retry": "true"}, {"x-should-retry": " False"}, {"x-should-retry": "?"}, {})
    ]
    assert words == [True, False, None, None]


@pytest.mark.skipif(not ERRORS.exists(), reason="the quoted errors are not here")
def test_the_waits_that_real_messages_name() -> None:
    quoted = [json.loads(line) for line in ERRORS.read_text().splitlines()]
    assert len(quoted) > 10
    for one in quoted:
        wait = wait_asked({}, one["message"] or "")
        assert wait == (None if one.get("wait_s") is None else pytest.approx(one["wait_s"])), one["message"]
