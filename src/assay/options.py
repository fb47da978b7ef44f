"""The options of an extraction: one frozen value, with the same names everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from assay.errors import ConfigurationError, nearest
from assay.prices import Price
from assay.types import Mode, PromptStyle, Secret

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, Retrying

Ground: TypeAlias = Literal["off", "ask", "require"]

DEFAULT_RETRIES = 2
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What one extraction (or, in a batch, the whole run) may spend. None: no limit."""

    tokens: int | None = None
    """Prompt and completion tokens together."""
    cost: float | None = None
    """US dollars."""


@dataclass(frozen=True, slots=True)
class Split:
    """How a document that is too long for the model is asked about in pieces."""

    size: int | None = None
    """Characters of a piece, what it shares with the one before included. None: what the model's context has room for, and no
    pieces at all for a document that fits."""
    overlap: int | None = None
    """Characters that a piece shares with the one before, at most: longer than any item. None: a tenth of `size`."""
    passes: int = 1
    """How often each piece is asked: from the second time on only for what was not found before."""
    key: str | None = None
    """The field that tells the items of lists apart: those with the same value in it are one, wherever they stand."""
    conflict: Literal["first", "last", "most", "error"] = "first"
    """Which of several single values counts, of those that stand in the text; all are in `Outcome.conflicts`."""

    def __post_init__(self) -> None:
        for name, value, least in (("size", self.size, 1), ("overlap", self.overlap, 0), ("passes", self.passes, 1)):
            if (value is not None or name == "passes") and (
                isinstance(value, bool) or not isinstance(value, int) or value < least
            ):
                raise ConfigurationError(f"Split: {name} must be a whole number, {least} or more; got {value!r}")
        if self.size is not None and self.overlap is not None and self.overlap * 2 > self.size:
            raise ConfigurationError(f"Split: overlap must be at most half of size; got {self.overlap} of {self.size}")
        if self.conflict not in (rules := ("first", "last", "most", "error")):
            raise ConfigurationError(f"Split: conflict must be one of {', '.join(rules)}; got {self.conflict!r}")
        if self.key is not None and not isinstance(self.key, str):
            raise ConfigurationError(f"Split: key must be the name of a field; got {self.key!r}")

    @property
    def shared(self) -> int:
        """Characters that pieces of a known size share."""
        return (self.size or 0) // 10 if self.overlap is None else self.overlap


def seal(given: Any) -> None:
    """Make the key among options that were given a `Secret`: done first at every entry point, because a traceback may show its variables."""
    if "api_key" in given:
        given["api_key"] = Secret.of(given["api_key"])
    if isinstance(given.get("headers"), Mapping):
        given["headers"] = {name: Secret.of(value) for name, value in given["headers"].items()}


class OptionsDict(TypedDict, total=False):
    """The keyword arguments that `extract`, `Extractor`, `extractable` and the command line share."""

    model: object
    base_url: str | None
    api_key: str | None
    headers: Mapping[str, str] | None
    client: object
    mode: Mode | str
    instructions: str | None
    examples: Iterable[tuple[str, Any]]
    context: Any
    prompt_style: PromptStyle | str | None
    strict: bool
    temperature: float | None
    max_tokens: int | None
    logprobs: bool
    retries: int | Retrying | AsyncRetrying
    max_retries: int
    timeout: float
    budget: Budget | float | None
    price: Price | None
    split: Literal["auto", "never"] | int | Split
    context_tokens: int | None
    vision: Literal["auto", "never", "always"]
    ground: Ground
    prompt_cache: bool
    values: Literal["typed", "as_written"] | None
    locale: str | None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one extraction, checked. `Options.of` builds one from keyword arguments."""

    model: object = None
    """`"provider/name"`, a name with `base_url`, or a client object; None picks the default. A list is a chain: what one cannot answer
    the next is asked."""
    base_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Extra headers for every request, such as gateways need; their values are kept as secret as the key."""
    client: object = field(default=None, repr=False)
    """A client object to send through (the model's name is then `model`), or an `httpx.Client`/`AsyncClient`."""
    mode: Mode | Literal["auto"] = "auto"
    instructions: str | None = None
    examples: tuple[tuple[str, Any], ...] = ()
    """Pairs of a source text and the value it should give; checked against the type before anything is sent."""
    context: Any = None
    """pydantic's validation context."""
    prompt_style: PromptStyle | None = None
    """None: the provider row's."""
    strict: bool = False
    """No coercion: values must match the schema exactly."""
    temperature: float | None = 0.0
    max_tokens: int | None = None
    logprobs: bool = False
    """Whether the probabilities of the answer's tokens are asked for: `outcome.confidence`."""
    retries: int | Retrying | AsyncRetrying = DEFAULT_RETRIES
    """Re-asks after the first request, or a tenacity object whose `stop` and `wait` are honoured."""
    max_retries: int = DEFAULT_MAX_RETRIES
    """The transport's own retries of one request."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds for one request, connect to last byte."""
    budget: Budget | None = None
    price: Price | None = None
    """What the model's tokens cost; None: the table's price, when there is one."""
    split: Literal["never"] | Split = Split()
    """Whether a long document is asked about in pieces: `"auto"` (when it does not fit), `"never"`, characters of a piece, a `Split`."""
    context_tokens: int | None = None
    """What the model can hold, prompt and answer together; None: the table's, or what the server's errors say."""
    vision: Literal["auto", "never", "always"] = "auto"
    """Whether pages go to the model as images: those without text when it is known to see, none, or all."""
    ground: Ground = "off"
    """Whether values that do not stand in the source are asked for again: `ask` once, `require` until they do or the
    extraction fails. Where each value stands is known in every setting."""
    prompt_cache: bool = False
    """Mark the end of the system prompt for the server's cache, where the protocol has such marks: Anthropic's. Others cache unasked."""

    values: Literal["typed", "as_written"] | None = None
    """What goes over the wire for numbers, dates and times: the value, or the text as the document prints it. None: the provider row's."""
    locale: str | None = None
    """The conventions of the documents' numbers and dates (`de`, `en_US`); None: each document's own."""

    @property
    def links(self) -> tuple[Options, ...]:
        """The options for each model of a chain; for a single model these alone."""
        models = self.model if isinstance(self.model, tuple) else (self.model,)
        return (self,) if len(models) == 1 else tuple(replace(self, model=model) for model in models)

    @classmethod
    def of(cls, **given: Any) -> Options:
        return cls().updated(given)

    def updated(self, given: Mapping[str, Any]) -> Options:
        """A copy with other settings. An unknown name is a `TypeError`, a wrong value a `ConfigurationError`."""
        if not given:
            return self
        return replace(self, **{name: _CHECKS.get(name, _same)(name, value) for name, value in given.items() if _known(name)})


def _known(name: str) -> bool:
    names = [f.name for f in fields(Options)]
    if name in names:
        return True
    near = nearest(name, names)
    hint = f": did you mean {near!r}?" if near else f"; the options are {', '.join(names)}"
    raise TypeError(f"unknown option {name!r}{hint}")


def _same(_: str, value: Any) -> Any:
    return value


def _model(_: str, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    if not value or any(model is None or isinstance(model, list | tuple) for model in value):
        raise ConfigurationError(f"model must be a name, a client, or a list of these; got {value!r}")
    return value[0] if len(value) == 1 else tuple(value)


def _mode(_: str, value: Any) -> Any:
    if value is None or value == "auto":
        return "auto"
    try:
        return Mode(value)
    except ValueError:
        raise ConfigurationError(f"mode must be one of auto, {', '.join(Mode)}; got {value!r}") from None


def _style(_: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        return PromptStyle(value)
    except ValueError:
        raise ConfigurationError(f"prompt_style must be one of {', '.join(PromptStyle)}; got {value!r}") from None


def _examples(_: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError("examples must be a list of (text, value) pairs")
    pairs = tuple(value)
    for at, pair in enumerate(pairs):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ConfigurationError(f"examples[{at}] is not a (text, value) pair: {type(pair).__name__}")
        if not isinstance(pair[0], str):
            raise ConfigurationError(f"examples[{at}]: the text is a {type(pair[0]).__name__}, not a str")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _count(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{name} must be a whole number, 0 or more; got {value!r}")
    return value


def _retries(name: str, value: Any) -> Any:
    if hasattr(value, "stop") and hasattr(value, "wait"):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{name} must be a whole number, 0 or more, or a tenacity Retrying; got {value!r}")
    return value


def _positive(name: str, value: Any) -> Any:
    if value is None and name == "max_tokens":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"{name} must be a number above 0; got {value!r}")
    return value


def _budget(_: str, value: Any) -> Any:
    if value is None or isinstance(value, Budget):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ConfigurationError(f"budget must be a Budget(tokens=..., cost=...) or US dollars; got {value!r}")
    return Budget(cost=float(value))


def _temperature(name: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise ConfigurationError(f"{name} must be between 0 and 2; got {value!r}")
    return float(value)


def _split(name: str, value: Any) -> Any:
    if value is None or value == "auto":
        return Split()
    if value == "never" or isinstance(value, Split):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be 'auto', 'never', a number of characters per piece, or a Split; got {value!r}")
    return Split(value)


def _vision(name: str, value: Any) -> Any:
    if value not in (choices := ("auto", "never", "always")):
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
    return value


def _tokens(name: str, value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"{name} must be a whole number of tokens above 0; got {value!r}")
    return value


def _values(name: str, value: Any) -> Any:
    return None if value is None else _one_of("typed", "as_written")(name, value)


def _locale(name: str, value: Any) -> Any:
    if value is not None and (not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z]{2,3}([-_][a-zA-Z]{2})?", value)):
        raise ConfigurationError(f"{name} must be a language, with or without a country (de, en_US); got {value!r}")
    return value


def _one_of(*allowed: str) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if value not in allowed:
            raise ConfigurationError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
        return value

    return check


def _key(_: str, value: Any) -> Any:
    return Secret.of(value)


def _headers(_: str, value: Any) -> Any:
    pairs = value.items() if isinstance(value, Mapping) else value or ()
    if not all(isinstance(part, str) for pair in pairs for part in pair):
        raise ConfigurationError("headers must be a mapping of names to texts")
    return tuple((name, Secret(text)) for name, text in pairs)


_CHECKS = {
    "headers": _headers,
    "api_key": _key,
    "model": _model,
    "ground": _one_of("off", "ask", "require"),
    "values": _values,
    "locale": _locale,
    "mode": _mode,
    "prompt_style": _style,
    "examples": _examples,
    "retries": _retries,
    "max_retries": _count,
    "timeout": _positive,
    "max_tokens": _positive,
    "budget": _budget,
    "temperature": _temperature,
    "split": _split,
    "context_tokens": _tokens,
    "vision": _vision,
}
