"""Response headers that say how long to wait and what is left of a rate limit.

Sources: Groq's documentation of rate limits (`x-ratelimit-*` with Go durations such as `2m59.56s`, `172ms`), RFC 9110 10.2.3
(`retry-after`: seconds or a date), OpenAI's `retry-after-ms`, Anthropic's `anthropic-ratelimit-*` with moments; for limits that have no header, the 429's message.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import mktime_tz, parsedate_tz

from assay.types import RateLimits

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "d": 86400.0}
_PART = r"\d+(?:\.\d+)?(?:ms|us|µs|ns|h|m|s|d)"
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)")
_DURATION = re.compile(rf"(?:{_PART})+")
_NAMES = frozenset(
    f"x-ratelimit-{what}-{resource}" for what in ("limit", "remaining", "reset") for resource in ("requests", "tokens")
)
_ANTHROPIC = frozenset(f"anthropic-ratelimit-{resource}-limit" for resource in ("requests", "tokens", "input-tokens"))
LONGEST = 1e9
"""Seconds, 31 years: a longer wait is this long, so that it can be added to any clock."""
_EPOCH = 1e9
"""More seconds than anyone waits: it is a time since 1970, as some gateways write it."""
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_IN_MESSAGE = re.compile(rf"try again in ((?:{_PART})+)", re.IGNORECASE)


def duration(text: str) -> float | None:
    """Seconds in a Go duration (`1m0.363s`, `547ms`) or a bare number of seconds; None when it is neither."""
    text = text.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    return min(sum(float(number) * _UNITS[unit] for number, unit in _PARTS.findall(text)), LONGEST)


def wait_asked(headers: Mapping[str, str], message: str = "") -> float | None:
    """Seconds that a refusing server asks to wait, from whichever place says so; None when there is nothing usable.

    In order: `retry-after-ms`, `retry-after` (seconds or a date), the message (`Please try again in 1m0.36s`), and, where there is
    no `retry-after` at all, the `x-ratelimit-reset-*` of what is used up. A wait that is zero, negative or unreadable counts as not given.
    """
    for wait in (_milliseconds(headers), _retry_after(headers), _in_message(message)):
        if wait is not None and wait > 0:
            return wait
    return None if "retry-after" in headers or "retry-after-ms" in headers else _reset(headers)


def rate_limits(headers: Mapping[str, str]) -> RateLimits | None:
    """The `x-ratelimit-*` headers, or Anthropic's; None when there are none."""
    if _NAMES.isdisjoint(headers):
        return None if _ANTHROPIC.isdisjoint(headers) else _anthropic(headers)
    return RateLimits(
        limit_requests=_count(headers.get("x-ratelimit-limit-requests")),
        limit_tokens=_count(headers.get("x-ratelimit-limit-tokens")),
        remaining_requests=_count(headers.get("x-ratelimit-remaining-requests")),
        remaining_tokens=_count(headers.get("x-ratelimit-remaining-tokens")),
        reset_requests=duration(headers.get("x-ratelimit-reset-requests", "")),
        reset_tokens=duration(headers.get("x-ratelimit-reset-tokens", "")),
    )


def _anthropic(headers: Mapping[str, str]) -> RateLimits:
    """`anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`; what has no sum is the prompts'."""
    tokens = "tokens" if "anthropic-ratelimit-tokens-limit" in headers else "input-tokens"

    def of(resource: str, what: str) -> str:
        return headers.get(f"anthropic-ratelimit-{resource}-{what}", "")

    return RateLimits(
        limit_requests=_count(of("requests", "limit")),
        limit_tokens=_count(of(tokens, "limit")),
        remaining_requests=_count(of("requests", "remaining")),
        remaining_tokens=_count(of(tokens, "remaining")),
        reset_requests=_until(of("requests", "reset")),
        reset_tokens=_until(of(tokens, "reset")),
    )


def _until(moment: str) -> float | None:
    """Seconds until a moment in RFC 3339, 0 when it is past; None when it is not a time."""
    try:
        return min(max(0.0, datetime.fromisoformat(moment).timestamp() - time.time()), LONGEST)
    except (ValueError, OverflowError):
        return None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """The server's own word on whether a retry makes sense (`x-should-retry`); None when it gives none."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def _milliseconds(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after-ms", "").strip()
    return float(text) / 1000 if _NUMBER.fullmatch(text) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if (seconds := duration(text)) is not None:
        return seconds - time.time() if seconds > _EPOCH else seconds
    try:
        date = parsedate_tz(text)
        return None if date is None else min(mktime_tz(date) - time.time(), LONGEST)
    except (ValueError, OverflowError, IndexError, TypeError):  # a date that no calendar has
        return None


def _in_message(message: str) -> float | None:
    found = _IN_MESSAGE.search(message)
    return duration(found[1]) if found else None


def _reset(headers: Mapping[str, str]) -> float | None:
    """The longest reset among the limits that are used up, or among those that may be.

    Where something is left of both, the request needed more tokens than that: they are waited for. Requests of which some are left
    are not: a day's come back within hours.
    """
    limits = rate_limits(headers)
    if limits is None:
        return None
    pairs = ((limits.remaining_requests, limits.reset_requests), (limits.remaining_tokens, limits.reset_tokens))
    used_up = [reset for left, reset in pairs if reset is not None and left == 0]
    if used_up:
        return max(used_up)
    return limits.reset_requests if limits.reset_tokens is None and limits.remaining_requests is None else limits.reset_tokens


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 else None
