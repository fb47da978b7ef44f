"""The values that all modules share: small and frozen.

Nothing here does anything. A request in neutral form is a `Call`, what came back is a `Reply`, what was
wrong with it are `Problem`s, what was repaired in it are `Repair`s. No vendor's request or response shape
appears: that is the business of `assay.wire`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias, TypeVar, dataclass_transform

JSON: TypeAlias = Any
"""Any JSON value. Python's type system has no useful closed form of it; every use of this alias is JSON data."""

JSONObject: TypeAlias = dict[str, Any]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots that type checkers take for a frozen one: for values that only our own rooms see.

    Frozen at run time too, they would take four times as long to make, since every assignment is then looked at, those that make
    them included; a row of a batch makes some twenty. It can be hashed, compared and copied with changes.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Secret(str):
    """A key, which says `[key]` where it is looked at: in a traceback that shows variables, a debugger, a log of settings.

    A string in all else, so that it can be sent; `f"{key}"` is a plain one.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "[key]"

    @classmethod
    def of(cls, key: Any) -> Any:
        """A key as a secret, also one of pydantic's `SecretStr`; anything that is not a text stays as it is."""
        if hasattr(key, "get_secret_value"):
            key = key.get_secret_value()
        return cls(key) if isinstance(key, str) else key


class Mode(StrEnum):
    """How the server is asked to keep to the schema. The schema is in the system prompt in every mode."""

    JSON_SCHEMA = "json_schema"
    """`response_format: json_schema`: the server constrains decoding, or checks against the schema."""
    TOOLS = "tools"
    """One forced tool call whose parameters are the schema."""
    JSON = "json"
    """`response_format: json_object`: the server promises JSON, the prompt says which."""
    TEXT = "text"
    """No `response_format`: the prompt alone asks for JSON."""


class PromptStyle(StrEnum):
    """How the schema is written in the system prompt."""

    SCHEMA = "schema"
    """The JSON Schema, trimmed of what a model has no use for."""
    TEMPLATE = "template"
    """A compact object with a type where each value goes: `{"name": string, "tags": [string]}`."""
    FIELDS = "fields"
    """One line per field: path, type, description."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is text or a list of content parts as the chat API takes them."""

    role: str
    content: JSON
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Other keys of the message as they were given: `name`, `tool_calls`, `tool_call_id`."""


IMAGE_TOKENS = 1500
"""Tokens that an image is reckoned with before a server says what it took."""


def images_of(messages: Iterable[Message]) -> tuple[int, int]:
    """How many parts of messages are images within the message, and the characters that they take: no tokens, as text is."""
    lists = [message.content for message in messages if isinstance(message.content, list)]
    if not lists:
        return 0, 0
    urls = [
        url
        for content in lists
        for part in content
        if isinstance(part, dict)
        and isinstance(part.get("image_url"), dict)
        and isinstance(url := part["image_url"].get("url"), str)
        if url.startswith("data:")
    ]
    return len(urls), sum(map(len, urls))


@dataclass(frozen=True, slots=True)
class Params:
    """Sampling settings of one request; None leaves the server's default."""

    temperature: float | None = 0.0
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning_effort: str | None = None
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Further keys for the request body, passed to the server untouched."""
    logprobs: bool = False
    """Whether the probabilities of the answer's tokens are asked for, where a protocol has them."""
    prompt_cache: bool = False
    """Whether the end of the system prompt is marked for the server's cache, where a protocol has such marks (Anthropic's)."""


@frozen
class Bound:
    """What an answer can hold that is made out of a source: a model that writes beyond it is caught in a loop."""

    characters: int | None
    """Of the answer's text; None when the source has images or other parts whose text is not known."""
    words: int
    """Of the source: a list that copies from it has no more equal items than these."""
    source: str
    """In which whatever an answer repeats may stand."""
    text: int | None = None
    """Characters of one text in it; None: no bound of its own."""

    @property
    def known(self) -> bool:
        """Whether the answer's text has a bound."""
        return self.characters is not None


RUNAWAY = "runaway"
"""The `finish_reason` of a reply that was broken off because it ran beyond its call's bound, or in circles."""


@frozen
class Call:
    """A request to a language model in neutral form. A wire encodes it, a backend sends it."""

    messages: tuple[Message, ...]
    mode: Mode
    name: str
    """The target's name, `[A-Za-z0-9_-]{1,64}`: the schema's or the tool's name on the wire."""
    schema: JSONObject | None = None
    """The JSON Schema that the server is to enforce, already in the form this server takes.
    Given in the modes `json_schema` and `tools`, and to a grammar-constrained local engine."""
    strict: bool = False
    """Whether `schema` is in the strict form (all required, closed objects) and is to be enforced exactly."""
    params: Params = Params()
    bound: Bound | None = None
    """Where a streamed answer is broken off; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, or the sum over several: usages add with `+`.

    `cost` is in US dollars, None when no price is known for a part of the sum.
    `cached_tokens` (read from the server's cache) and `cache_write_tokens` (put into it) are part of `prompt_tokens`,
    `reasoning_tokens` are part of `completion_tokens`.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    cost: float | None = None
    cache_write_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        if not isinstance(other, Usage):
            return NotImplemented
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.total_tokens + other.total_tokens,
            _add_cost(self, other),
            self.cache_write_tokens + other.cache_write_tokens,
        )


def _add_cost(a: Usage, b: Usage) -> float | None:
    """An empty usage costs nothing; a sum with an unpriced part has no price."""
    if a.total_tokens == 0 and a.cost is None:
        return b.cost
    if b.total_tokens == 0 and b.cost is None:
        return a.cost
    if a.cost is None or b.cost is None:
        return None
    return a.cost + b.cost


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a server's rate-limit headers said: counts left, and seconds until each refills. None: not said."""

    limit_requests: int | None = None
    limit_tokens: int | None = None
    remaining_requests: int | None = None
    remaining_tokens: int | None = None
    reset_requests: float | None = None
    reset_tokens: float | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A server's 4xx that is an answer in its own way: the generation was rejected, not the request.

    `code` is the server's (`json_validate_failed`, `tool_use_failed`); what the model had written is the `Reply.text`.
    """

    code: str
    message: str
    status: int = 400


@frozen
class Reply:
    """What came back for a `Call`."""

    text: str
    """The model's text: message content, tool arguments in tools mode, `failed_generation` of a refused one."""
    finish_reason: str | None = None
    """`stop`, `length`, `tool_calls`, `content_filter`, or the server's own word where it means none of these; None when it said none;
    or our own, `RUNAWAY`.
    """
    usage: Usage = Usage()
    model: str | None = None
    request_id: str | None = None
    latency: float = 0.0
    """Seconds from the first byte sent to the last byte read, transport retries and their waits included."""
    requests: int = 1
    """HTTP requests that it took, transport retries included."""
    reasoning: str | None = None
    refusal: str | None = None
    """The model's own refusal text (OpenAI's `message.refusal`)."""
    rejected: Rejection | None = None
    """Set when the server rejected the generation; then `text` holds what it had generated."""
    limits: RateLimits | None = None
    notes: tuple[str, ...] = ()
    """What is worth knowing about how it was received, for `Outcome.notes`."""
    tokens: tuple[tuple[str, float], ...] = ()
    """The text in pieces, each with the natural logarithm of its probability, where they were asked for and told."""


@frozen
class Delta:
    """A piece of a streamed reply."""

    text: str = ""
    reasoning: str = ""
    restart: bool = False
    """The connection broke and the request was sent again: discard what came before, the text starts again."""


ProblemKind: TypeAlias = Literal[
    "json",  # no JSON value could be read
    "ambiguous",  # several readings contradict each other
    "truncated",  # cut off by the token limit or by the connection
    "empty",  # nothing came
    "refusal",  # the model declined
    "missing",  # a required value is not there
    "extra",  # a key that the schema does not allow
    "type",  # a value of another type
    "value",  # right type, not allowed: pattern, bounds, enum, format, a validator's ValueError
    "ungrounded",  # a value that stands nowhere in the source
    "server",  # the server rejected the generation and showed none
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a reply."""

    path: str
    """JSON Pointer (RFC 6901) into the reply's JSON value; "" is the whole value."""
    said: JSON
    """What the reply has at `path`; None with kind `missing`."""
    want: str
    """What is wanted there, in words: `an integer`, `one of "a", "b"`, `at most 5`."""
    kind: ProblemKind
    code: str = field(default="", repr=False, compare=False)
    """pydantic's name of the error that it was; of a validator's, `value_error`, `assertion_error` or its own. Else empty."""

    def __str__(self) -> str:
        return f"{self.path or '(whole)'}: {self.kind}: want {self.want}"


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair on the way from text to value."""

    path: str
    """JSON Pointer to the value concerned; "" is the whole text."""
    kind: str
    """`fence`, `prose`, `think`, `trailing comma`, `quote`, `literal`, `closed after truncation`, `coerced` ..."""
    before: str
    after: str


Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top on a page, in points (1/72 inch) from its lower left corner."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document: a page, a sheet, a slide, an attachment."""

    kind: str
    """`page`, `sheet`, `slide`, `mail`, `attachment`, `chapter`."""
    number: int
    """Counted from 1."""
    name: str = ""
    """What the document calls it: a page's own label, a sheet's or an attachment's name."""
    start: int = 0
    """The part is `document.text[start:end]`."""
    end: int = 0
    box: Box | None = None
    """Of a span's place: what the span covers on the page; None where the format has no boxes."""
    until: int | None = None
    """Of a span's place: the number of the part in which the span ends, when that is a later one."""

    def __str__(self) -> str:
        name = f" ({self.name})" if self.name and self.name != str(self.number) else ""
        return f"{self.kind} {self.number}{name}" + (f" to {self.until}" if self.until is not None else "")


Match: TypeAlias = Literal["exact", "folded", "value", "words", "near", "quote"]
"""How a place agrees with the value: `exact`, the same characters; `folded`, equal but for case, width, composition, the shapes of
quotes and dashes, white space and invisible signs; `value`, another print of the same number or date; `words`, the same words in
another order; `near`, except for a small difference; `quote`, what the model quoted for it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value of the answer stands in the source text: `source[start:end]`, in characters (code points)."""

    path: str
    """JSON Pointer (RFC 6901) of the value. A value may have several spans."""
    start: int
    end: int
    match: Match
    piece: int | None = None
    """Of a long document that was asked about in pieces: which one gave the value, counted from 1."""
    place: Place | None = None
    """The page (sheet, slide ...) of a document that was read from a file; None where the source has no such parts."""
    message: int | None = None
    """Of a source that is chat messages: the position of the one that it stands in. `start` and `end` count through
    `Outcome.source`, which holds the texts of all."""

    def utf16(self, source: str) -> tuple[int, int]:
        """`start` and `end` in UTF-16 code units, as JavaScript, Java and C# count."""
        first = len(source[: self.start].encode("utf-16-le", "surrogatepass")) // 2
        return first, first + len(source[self.start : self.end].encode("utf-16-le", "surrogatepass")) // 2


Dialect = Literal["plain", "nullable", "strict", "llama.cpp", "anthropic", "gemini"]
"""The forms of a JSON Schema that servers take: see `assay.schema.passes`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about a model on a server, from its provider row: all that the engine may know about it."""

    modes: tuple[Mode, ...] = (Mode.JSON, Mode.TEXT)
    """Modes that it has, strongest first."""
    prompt_style: PromptStyle = PromptStyle.SCHEMA
    worked_example: bool = False
    """Whether a worked example is shown even when the user gave none (tiny models need one)."""
    strict: bool = False
    """Whether `json_schema` is enforced exactly, in the strict form."""
    exact: bool = False
    """Whether `json_schema` is of use only for what the dialect says exactly: `auto` leaves it out for other targets."""
    max_tokens: int | None = None
    """The answer's length asked for when the user gives none."""
    reasoning: bool = False
    """Whether the model takes `reasoning_effort`."""
    temperature: bool = True
    """Whether the model takes a `temperature`."""
    dialect: Dialect = "plain"
    """Which form of a JSON Schema its constrained decoding takes: see `assay.schema.passes`."""
    context_tokens: int | None = None
    """Tokens that prompt and answer have together; None: not known."""
    images: int = 0
    """Images that one request may have; 0: not a vision model."""
    image_bytes: int = 4_000_000
    """Of all images of a request together."""
    values: Literal["typed", "as_written"] = "typed"
    """What numbers, dates and times are on the wire when the user does not say: see `assay.schema.as_written`."""
    stream_modes: tuple[Mode, ...] = (Mode.TEXT,)
    """Modes in which it can stream, strongest first."""
