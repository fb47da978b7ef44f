"""The options of an extraction: one frozen value, the same names at every door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from assay.errors import ConfigurationError, nearest
from assay.prices import Price
from assay.types import Mode, PromptStyle

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, Retrying

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


class OptionsDict(TypedDict, total=False):
    """The keyword arguments that `extract`, `Extractor`, `extractable` and the command line share."""

    model: object
    base_url: str | None
    api_key: str | None
    client: object
    mode: Mode | str
    instructions: str | None
    examples: Iterable[tuple[str, Any]]
    context: Any
    prompt_style: PromptStyle | str | None
    strict: bool
    temperature: float | None
    max_tokens: int | None
    retries: int | Retrying | AsyncRetrying
    max_retries: int
    timeout: float
    budget: Budget | float | None
    price: Price | None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one extraction, checked. `Options.of` builds one from keyword arguments."""

    model: object = None
    """`"provider/name"`, a name with `base_url`, or a client object; None picks the default."""
    base_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
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
    """No coercion: only what the schema says to the letter."""
    temperature: float | None = 0.0
    max_tokens: int | None = None
    retries: int | Retrying | AsyncRetrying = DEFAULT_RETRIES
    """Re-asks after the first request, or a tenacity object whose `stop` and `wait` are honoured."""
    max_retries: int = DEFAULT_MAX_RETRIES
    """The transport's own retries of one request."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds for one request, connect to last byte."""
    budget: Budget | None = None
    price: Price | None = None
    """What the model's tokens cost; None: the table's price, when there is one."""

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


def _mode(_: str, value: Any) -> Any:
    if value is None or value == "auto":
        return "auto"
    try:
        return Mode(value)
    except ValueError:
        raise ConfigurationError(f"mode {value!r} is none: use auto, {', '.join(Mode)}") from None


def _style(_: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        return PromptStyle(value)
    except ValueError:
        raise ConfigurationError(f"prompt_style {value!r} is none: use {', '.join(PromptStyle)}") from None


def _examples(_: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError("examples is a list of (text, value) pairs")
    pairs = tuple(value)
    for at, pair in enumerate(pairs):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ConfigurationError(f"examples[{at}] is not a (text, value) pair: {type(pair).__name__}")
        if not isinstance(pair[0], str):
            raise ConfigurationError(f"examples[{at}]: the text is a {type(pair[0]).__name__}, not a str")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _count(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{name} is a number of times, 0 or more; got {value!r}")
    return value


def _retries(name: str, value: Any) -> Any:
    if hasattr(value, "stop") and hasattr(value, "wait"):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{name} is a number of re-asks, 0 or more, or a tenacity Retrying; got {value!r}")
    return value


def _positive(name: str, value: Any) -> Any:
    if value is None and name == "max_tokens":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"{name} is a number above 0; got {value!r}")
    return value


def _budget(_: str, value: Any) -> Any:
    if value is None or isinstance(value, Budget):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ConfigurationError(f"budget is a Budget(tokens=..., cost=...) or US dollars; got {value!r}")
    return Budget(cost=float(value))


def _temperature(name: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise ConfigurationError(f"{name} lies between 0 and 2; got {value!r}")
    return float(value)


_CHECKS = {
    "mode": _mode,
    "prompt_style": _style,
    "examples": _examples,
    "retries": _retries,
    "max_retries": _count,
    "timeout": _positive,
    "max_tokens": _positive,
    "budget": _budget,
    "temperature": _temperature,
}
