"""JSON bodies, written and read: what every protocol's answers have in common."""

from __future__ import annotations

from pydantic_core import PydanticSerializationError, from_json, to_json

from assay.errors import APIResponseError, ConfigurationError
from assay.types import JSON, JSONObject
from assay.wire.errors import excerpt

BOM = b"\xef\xbb\xbf"
MOST_TOKENS, MOST_COST = 10**12, 1e9
"""What one answer may say that it took, in tokens and US dollars: sums of it stay within what files and databases can count."""


def to_body(body: JSON) -> bytes:
    """JSON bytes of a request body."""
    try:
        return to_json(body)
    except PydanticSerializationError as error:
        raise ConfigurationError(f"the request cannot be written as JSON: {error}") from None


def read_json(body: bytes) -> JSON:
    """A 200 answer's JSON. Raises `APIResponseError`, its `code` saying what the body is instead."""
    body = body.removeprefix(BOM)
    try:
        return from_json(body)
    except ValueError as error:
        raise _not_json(body, error) from None


def read_object(body: bytes) -> JSONObject:
    """A 200 answer's JSON object; like `read_json`."""
    data = read_json(body)
    if not isinstance(data, dict):
        raise APIResponseError(f"the answer is a JSON {type(data).__name__}, not an object", code="no_choices", body=data)
    return data


def _not_json(body: bytes, error: ValueError) -> APIResponseError:
    if not body.strip():
        return APIResponseError("the answer has no body", code="empty_body")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        return APIResponseError(f"the answer is not UTF-8: byte {wrong.start} is {body[wrong.start]:#04x}", code="invalid_utf8")
    if text.lstrip().startswith(("{", "[")):
        return APIResponseError(f"the answer's JSON is cut off or broken: {error}", code="invalid_json", body=text)
    return APIResponseError(f"the answer is not JSON: {excerpt(text)}", code="not_json", body=text)


def objects(value: JSON) -> list[JSONObject]:
    """The objects of a list; none of anything else: keys that servers fill with null or leave out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def an_object(value: JSON) -> JSONObject:
    """An object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def text_or_none(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def count(value: JSON) -> int:
    """A number of tokens; 0 for anything else."""
    if type(value) is int and 0 <= value <= MOST_TOKENS:  # nearly always: every answer has six
        return value
    return int(amount(value, MOST_TOKENS) or 0)


def amount(value: JSON, most: float) -> float | None:
    """A number that can be one; a negative, infinite or absurdly large one counts as not given."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most else None


def answer_in(reasoning: str | None) -> str | None:
    """The answer that a server took as reasoning: all of it is JSON, and there is nothing else."""
    begins = (reasoning or "").lstrip()[:3]
    return reasoning if begins.startswith(("{", "[")) or begins == "```" else None


AS_REASONING = "the answer came as reasoning content"
