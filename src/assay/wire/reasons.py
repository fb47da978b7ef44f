"""Why a server refused, in our own words: its status, codes and sentences become a `Reason`, here and nowhere else.

Known bodies: OpenAI's and those like it (`code`, `type`, `param`), Anthropic's (`type` alone), Google's (`status`, `details`), and the
sentences of vLLM, SGLang, TGI, llama.cpp, LM Studio, Ollama, Mistral, OpenRouter, Together, Fireworks, Cerebras, DeepSeek, xAI, Bedrock.

A message is clipped before it is searched, and every pattern takes linear time.
"""

from __future__ import annotations

import re

from assay.errors import Reason
from assay.types import JSON, JSONObject

FAILS_EVERY_ROW = frozenset(
    {
        Reason.BAD_KEY,
        Reason.NO_PERMISSION,
        Reason.NO_CREDIT,
        Reason.MODEL_NOT_FOUND,
        Reason.NOT_FOUND,
        Reason.MODE_REFUSED,
        Reason.SCHEMA_REFUSED,
        Reason.NO_TEMPERATURE,
        Reason.TOKEN_LIMIT,
    }
)
"""The server would answer the same for any document."""
FAILS_ONE_ROW = frozenset(
    {Reason.CONTEXT_TOO_LONG, Reason.REQUEST_TOO_LARGE, Reason.CONTENT_FILTER, Reason.GENERATION_REJECTED}
)
"""Another document may succeed."""

GENERATION_CODES = frozenset({"json_validate_failed", "tool_use_failed"})
"""A 400 with one of these rejects what the model wrote, not the request."""

CLIP = 2000
"""Characters of a server's message that are looked at."""
HEAD = 100
"""Characters in which a message names its subject; what follows may repeat the whole request."""

_BY_CODE: dict[str, Reason] = {
    **dict.fromkeys(GENERATION_CODES, Reason.GENERATION_REJECTED),
    **dict.fromkeys(("invalid_api_key", "API_KEY_INVALID", "authentication_error", "UNAUTHENTICATED"), Reason.BAD_KEY),
    **dict.fromkeys(("permission_error", "permission_denied", "PERMISSION_DENIED"), Reason.NO_PERMISSION),
    **dict.fromkeys(
        (
            "insufficient_quota",
            "insufficient_balance",
            "insufficient_credits",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "blocked_api_access",  # Groq: the organisation's spend limit
        ),
        Reason.NO_CREDIT,
    ),
    **dict.fromkeys(
        ("model_not_found", "model_decommissioned", "unsupported_model", "DeploymentNotFound", "invalid_model"),
        Reason.MODEL_NOT_FOUND,
    ),
    **dict.fromkeys(
        ("context_length_exceeded", "exceed_context_size_error", "string_above_max_length"), Reason.CONTEXT_TOO_LONG
    ),
    **dict.fromkeys(
        (
            "content_filter",
            "content_policy_violation",
            "ResponsibleAIPolicyViolation",
            "data_inspection_failed",
            "invalid_prompt",
            "moderation_blocked",
        ),
        Reason.CONTENT_FILTER,
    ),
    **dict.fromkeys(
        ("capacity_exceeded", "overloaded_error", "model_overloaded", "server_overloaded", "UNAVAILABLE"), Reason.OVERLOADED
    ),
    **dict.fromkeys(("invalid_json_schema", "invalid_function_parameters", "schema_refused"), Reason.SCHEMA_REFUSED),
    "request_too_large": Reason.REQUEST_TOO_LARGE,
}
"""Of a body's `code`, `type`, `status`, or the `reason` of one of its details."""

_BY_STATUS: dict[int, Reason] = {
    401: Reason.BAD_KEY,
    402: Reason.NO_CREDIT,
    403: Reason.NO_PERMISSION,
    404: Reason.NOT_FOUND,
    413: Reason.REQUEST_TOO_LARGE,
    429: Reason.RATE_LIMIT,
    498: Reason.OVERLOADED,
    503: Reason.OVERLOADED,
    529: Reason.OVERLOADED,
}
_ABOUT_THE_REQUEST = frozenset({400, 403, 404, 413, 415, 422, 451, 500, 501})
"""Statuses whose message may say that something in the request is not taken."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_CREDIT = _words(
    "credit balance is too low", "insufficient (?:balance|credits|funds)", "spend(?:ing)? limit", "billing hard limit"
)
_DAILY = _words(r"per day\b", "per-day", r"\((?:TPD|RPD)\)", "PerDay", "daily (?:limit|quota)")
_MODEL = _words(
    r"model\b.{1,200}?(?:not found|not exist|decommissioned|no longer (?:supported|available)|is not available)",
    r"^model: \S",  # Anthropic's whole sentence
    r"no such model",
    r"(?:invalid|unknown) model",
    "is not a valid model",
    r"models/\S{1,200} is not found",
)
_CONTEXT = _words(
    "context (?:length|window|size|limit)",
    "(?:maximum|max) (?:prompt|input|context|allowed) length",
    "(?:prompt|input) is too long",
    "too many (?:input )?tokens",
    "reduce the length of the (?:messages|input|prompt)",
    "input token count",
    r"tokens \+ `max_new_tokens",
    "context the overflows",
    "longer than the (?:maximum )?model",
    "exceeds? the (?:available )?context",
)
_FILTER = _words(
    "content (?:management|policy|filter)",
    r"safety system",
    r"flagged",
    "content exists risk",
    "violat(?:es|ing|ion) .{0,40}polic",
)
_MODE = _words(
    "response.?format",
    r"json.?schema",
    "json.?object",
    "json mode",
    "structured",
    r"tool",
    "function.?call",
    "grammar",
    r"\bschema",
    "output_config",
    "output_format",
    "response.?mime",
    "response_?(?:json)?_?schema",
    r"text\.format",
    "guided",
)
_SCHEMA = _words(
    "invalid .{0,20}schema",
    "schema .{0,80}(?:invalid|too |contains|exceeds|produces|must |is not valid)",
    "input_schema",
    r"format\.schema",
    "schema .{0,20}keyword",
    "unsupported .{0,20}(?:schema|keyword)",
    "too complex",
    "too many (?:states|optional|propert|param|branch|union|strict)",
    "grammar is too large",
    "nesting",
    "optional param",
    "union type",
    "strict tools",
    "(?:parse|compile|convert|initiali[sz]e).{0,20}(?:grammar|schema)",
    "(?:grammar|schema).{0,20}(?:parse|compil|conver|initiali[sz]|fail)",
    "features not supported",
    "additionalproperties",
    "in generationconfig",
    r"at 'generation_?config\.response",
)
_UNSUPPORTED = _words(
    "not support",
    "n't support",
    "unsupported",
    "not available",
    "unavailable",
    "not (?:implemented|enabled|allowed|permitted)",
    "unknown (?:parameter|field|name|argument)",
    "unrecognized",
    "must be (?:one of|['\"`])",
    "not (?:be )?compatible",
    "cannot be combined",
    "can(?:no|')t be used",
    "incompatible",
    "no endpoints found",
    "invalid value",
    "invalid type",
    "expected one of",
)

_ANSWER = _words("max_?(?:completion_?|output_?|new_?)?tokens", "maximum tokens", "completion tokens")
_ROOM = (
    re.compile(r"\(\d{1,9} > (?P<all>\d{1,9}) - (?P<prompt>\d{1,9})\)"),  # vLLM
    re.compile(r"(?P<prompt>\d{1,9}) \+ \d{1,9} > (?P<all>\d{1,9})"),  # Anthropic: prompt and answer together
    re.compile(r"less than or equal to `?(?P<all>\d{1,9})"),  # Groq, Cohere
    re.compile(r"at most (?P<all>\d{1,9})"),  # OpenAI
    re.compile(r"max_tokens: \d{1,9} > (?P<all>\d{1,9})"),  # Anthropic
    re.compile(r"\[1, ?(?P<all>\d{1,9})\]"),  # DeepSeek
    re.compile(r"to (?P<above>\d{1,9}) \(exclusive\)"),  # Gemini
    re.compile(r"limit of (?P<all>\d{1,9})"),  # Bedrock
)
"""How servers say how many tokens an answer may have."""


def reason_of(status: int | None, inner: JSONObject, message: str) -> tuple[Reason | None, int | None]:
    """Why the server said no, and with `Reason.TOKEN_LIMIT` how many tokens an answer may have, when it says so.

    `status` is None for an error inside a stream that names none; `inner` is the body's error object. (None, None): not known.
    """
    said = message[:CLIP]
    words = _own_words(inner)
    for word in words:
        if (known := _BY_CODE.get(word)) is not None:
            return known, None
    if status is None or status in _ABOUT_THE_REQUEST:
        found = _about_the_request(said, _named(inner), status)
        if found[0] is not None:
            return found
    if status == 429 and (_DAILY.search(said) or any(_DAILY.search(word) for word in words)):
        return Reason.DAILY_QUOTA, None
    if status is not None and status not in _BY_STATUS and status >= 500:
        return Reason.SERVER_ERROR, None
    return (_BY_STATUS.get(status), None) if status is not None else (None, None)


def _about_the_request(said: str, param: str, status: int | None) -> tuple[Reason | None, int | None]:
    """What a message says about a part of the request; the telling words first, the vague ones last."""
    if _CREDIT.search(said):
        return Reason.NO_CREDIT, None
    if _MODEL.search(said) and not said.startswith("max"):
        return Reason.MODEL_NOT_FOUND, None
    if (_ANSWER.search(said) or _ANSWER.search(param)) and (room := _room(said)) is not None:
        return Reason.TOKEN_LIMIT, room
    if _CONTEXT.search(said):
        return Reason.CONTEXT_TOO_LONG, None
    if status == 413:
        return None, None
    if param == "temperature" or "temperature" in said[:HEAD].lower():
        return Reason.NO_TEMPERATURE, None
    if _MODE.search(said) or _MODE.search(param):
        about_mode = not _SCHEMA.search(said) and (_UNSUPPORTED.search(said) or "schema" not in said.lower())
        return (Reason.MODE_REFUSED if about_mode else Reason.SCHEMA_REFUSED), None
    if _FILTER.search(said):
        return Reason.CONTENT_FILTER, None
    return None, None


def _room(said: str) -> int | None:
    """How many tokens an answer may have, as a message says it."""
    for pattern in _ROOM:
        if found := pattern.search(said):
            numbers = {name: int(number) for name, number in found.groupdict().items()}
            room = numbers["above"] - 1 if "above" in numbers else numbers["all"] - numbers.get("prompt", 0)
            return room if room > 0 else None
    return None


def _own_words(inner: JSONObject) -> list[str]:
    """The words that a body has for machines: `code`, `type`, `status`, those of an inner error, of details and their violations."""
    words = [inner.get("code"), inner.get("type"), inner.get("status")]
    for name in ("innererror", "details", "metadata"):
        for part in _parts(inner.get(name)):
            words += [part.get("code"), part.get("error_code"), part.get("reason"), part.get("error_type")]
            words += [violation.get("quotaId") for violation in _parts(part.get("violations"))]
    return [word for word in words if isinstance(word, str)]


def _parts(value: JSON) -> list[JSONObject]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items[:20] if isinstance(item, dict)]


def _named(inner: JSONObject) -> str:
    param = inner.get("param")
    return param[:CLIP] if isinstance(param, str) else ""
