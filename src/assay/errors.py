"""Every exception that assay raises.

    AssayError
    ├── ConfigurationError            a setting is wrong or missing: model, key, option, file
    │   └── SourceError               one source cannot be read or is empty: others may work
    ├── SchemaError                   the target has no JSON Schema, or is not a valid one
    ├── DecodeError                   no JSON value, or several contradicting ones, in a text
    ├── ExtractionError               all attempts failed: carries the Outcome
    ├── BudgetExceeded                the next request would break the budget: it was not sent
    └── APIError                      the server failed or could not be reached
        ├── APIConnectionError        no complete answer arrived
        │   └── APITimeoutError       ... in time
        ├── APIResponseError          the answer is not what the API promises
        └── APIStatusError            an HTTP status of 400 or more
            ├── BadRequestError           400
            │   └── JSONValidateFailed    400 with `failed_generation`
            ├── AuthenticationError       401
            ├── PermissionDeniedError     403
            ├── NotFoundError             404
            ├── ConflictError             409
            ├── RequestTooLargeError      413
            ├── UnprocessableEntityError  422
            ├── RateLimitError            429
            └── InternalServerError       500 and above, and 498 (flex capacity)

The names below `APIError` are those of the groq and openai packages. All of them can be pickled, and none
shows a key: what they hold of a request is its method and URL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assay.outcome import Attempt, Outcome
from assay.types import JSON, Problem


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that was probably meant by `name`; None when none is similar."""
    import difflib  # noqa: PLC0415  # only for who mistyped a name

    near = difflib.get_close_matches(name, names, n=1)
    return near[0] if near else None


class Reason(StrEnum):
    """Why a server refused, whatever its own words for it: `APIError.reason`.

    `assay.wire.reasons` reads it from an answer, and says which of these every other request would get, too.
    """

    BAD_KEY = "bad_key"
    NO_PERMISSION = "no_permission"
    NO_CREDIT = "no_credit"
    """Nothing is left to pay with, or the account's own limit is reached: waiting does not help."""
    DAILY_QUOTA = "daily_quota"
    """A day's allowance is used up; `retry_after` says when there is more, if the server says so."""
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    MODEL_NOT_FOUND = "model_not_found"
    NOT_FOUND = "not_found"
    """The path does not exist: usually a wrong `base_url`."""
    MODE_REFUSED = "mode_refused"
    """The server or the model does not have the mode: no `response_format`, no tools."""
    SCHEMA_REFUSED = "schema_refused"
    """The server has the mode, but refuses this schema in it."""
    NO_TEMPERATURE = "no_temperature"
    TOKEN_LIMIT = "token_limit"  # noqa: S105  # no password
    """More answer tokens were asked for than are allowed, which is `APIError.token_limit`."""
    CONTEXT_TOO_LONG = "context_too_long"
    REQUEST_TOO_LARGE = "request_too_large"
    """This request alone is over a limit: of bytes, or of tokens per minute."""
    CONTENT_FILTER = "content_filter"
    GENERATION_REJECTED = "generation_rejected"
    """What the model wrote was rejected, not the request."""


class AssayError(Exception):
    """The base class of all errors of assay."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not pickle by default: rebuild from the state instead.
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(cls: type[AssayError], args: tuple[Any, ...], state: dict[str, Any]) -> AssayError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(AssayError, ValueError):
    """A setting is wrong or missing; the message says which one and what to do."""


class SourceError(ConfigurationError):
    """One source cannot be asked about: it is empty, unreadable, or not a text at all. Other sources may work."""


class SchemaError(AssayError, TypeError):
    """The target has no JSON Schema, or the JSON Schema is not valid. `path` names the field, when there is one."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class DecodeError(AssayError, ValueError):
    """No JSON value could be read from a text, or two readings contradict each other."""

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = (), text: str = "") -> None:
        super().__init__(message)
        self.problems = problems
        self.text = text


class ExtractionError(AssayError):
    """All attempts failed. The message says in one screen what was asked, what came and what was wrong."""

    def __init__(self, message: str, outcome: Outcome[Any], partial: JSON = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.partial = partial
        """Of a long document that was asked about in pieces: what the good pieces gave, merged, as JSON data; else None."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return self.outcome.attempts

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the last reply."""
        return self.outcome.attempts[-1].problems if self.outcome.attempts else ()


class BudgetExceeded(AssayError):
    """The next request would have cost more than the budget allows; it was not sent. `spent` and `limit` say how much."""

    def __init__(self, message: str, *, spent: float = 0, limit: float = 0) -> None:
        super().__init__(message)
        self.spent = spent
        self.limit = limit


class Headers(Mapping[str, str]):
    """Response headers: found whatever the case of a name, listed in lower case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The HTTP response behind an error: status, headers and the body's text."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    def json(self) -> JSON:
        return json.loads(self.text)


class APIError(AssayError):
    """The server refused, or could not be reached.

    `code`, `type` and `param` are the error object's own fields; `body` is the decoded response body (the inner error object
    for an error that came inside a stream); `requests` counts the HTTP requests made before giving up.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        type: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        body: JSON = None,
        response: ErrorResponse | None = None,
        requests: int = 1,
        retry_after: float | None = None,
        failed_generation: str | None = None,
        reason: Reason | None = None,
        token_limit: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.type = type
        self.param = param
        self.request_id = request_id
        self.body = body
        self.response = response
        self.requests = requests
        self.retry_after = retry_after
        """Seconds that the server asked to wait, if it did."""
        self.failed_generation = failed_generation
        """What the model had written when the server rejected it; None when the server showed nothing."""
        self.reason = reason
        """The reason in our own words; None when it is not known."""
        self.token_limit = token_limit
        """With `Reason.TOKEN_LIMIT`, the most tokens that the answer may have."""

    def later(self, **make: Callable[[], Any]) -> None:
        """Attributes that are made when somebody asks for them: values of another library's types, which takes time to load."""
        for name in make:
            self.__dict__.pop(name, None)
        self._later = make

    def __getattr__(self, name: str) -> Any:
        make = self.__dict__.get("_later", {}).get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = self.__dict__[name] = make()
        return value

    def add(self, note: str) -> None:
        """Add this to the message in brackets, unless it is empty."""
        if note:
            self.message = f"{self.message} ({note})"
            self.args = (self.message,)


class APIConnectionError(APIError):
    """No complete answer arrived: refused, reset, cut off, not found, TLS."""


class APITimeoutError(APIConnectionError):
    """No complete answer arrived in time; the message says which limit was reached."""


class APIResponseError(APIError):
    """The answer is not what the API promises: a gateway's page, no choices, a broken stream."""


class APIStatusError(APIError):
    """An HTTP status of 400 or more. Use `status_error` to get the right class for a status."""

    response: ErrorResponse

    def __init__(self, message: str, *, response: ErrorResponse, **fields: Any) -> None:
        super().__init__(message, response=response, **fields)
        self.status_code = response.status_code


class BadRequestError(APIStatusError):
    """400."""


class JSONValidateFailed(BadRequestError):
    """400 `json_validate_failed` or `tool_use_failed`: what the model wrote is in `failed_generation`."""


class AuthenticationError(APIStatusError):
    """401."""


class PermissionDeniedError(APIStatusError):
    """403."""


class NotFoundError(APIStatusError):
    """404."""


class ConflictError(APIStatusError):
    """409."""


class RequestTooLargeError(APIStatusError):
    """413: the body is too large, or the request alone is over a token limit; it never succeeds unchanged."""


class UnprocessableEntityError(APIStatusError):
    """422."""


class RateLimitError(APIStatusError):
    """429."""


class InternalServerError(APIStatusError):
    """500 and above; 498, Groq's flex tier without capacity."""
