"""Faults by name: what servers and models do on a bad day, to see how a pipeline copes."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from assay.data import paths
from assay.errors import APIConnectionError, ConfigurationError, nearest
from assay.flow import stage
from assay.flow.effects import Request, Response
from assay.testing.acts import Acting
from assay.testing.replies import changed
from assay.types import JSON

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, and when it strikes. Written as text: `rate_limit(after=2)`, `truncate(0.3)`, `fence`.

    `share` of the requests meet it (1.0: all), not before `after` requests went by, and `times` at most (None: without limit).
    """

    name: str
    value: Any = None
    """The argument of its own: seconds of `slow` and `rate_limit`, the share of the text that `truncate` keeps, the path of `wrong_value`."""
    after: int = 0
    times: int | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            near = nearest(self.name, KINDS)
            hint = f": did you mean {near!r}?" if near else ""
            raise ConfigurationError(f"a fault must be one of {', '.join(KINDS)}; got {self.name!r}{hint}")
        if not 0 < self.share <= 1:
            raise ConfigurationError(f"share must be above 0 and at most 1; got {self.share!r}")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """The fault that a text names. Raises `ConfigurationError`."""
        found = _CALL.match(text.strip())
        if found is None:
            raise ConfigurationError(f"a fault must be written like rate_limit(after=2) or fence; got {text!r}")
        given: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in (found["arguments"] or "").split(","))):
            key, equals, value = part.partition("=")
            name = key.strip() if equals else "value"
            if name not in ("value", "after", "times", "share") or name in given:
                raise ConfigurationError(f"{text!r}: a fault may have one value, and after=, times= and share=; got {part!r}")
            given[name] = _value(value if equals else key)
        return cls(found["name"], **given)


_CALL = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<arguments>[^()]*)\))?\Z")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip().strip("'\"")


# -- what each does ---------------------------------------------------------------------------------------------------------


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
    body = {"error": {"message": message, "type": code, "code": code}}
    return Response(status, {**_JSON, **(headers or {})}, json.dumps(body).encode())


def _rate_limit(fault: Fault) -> Response:
    wait = "0.05" if fault.value is None else str(fault.value)
    return _error(429, f"Rate limit reached. Please try again in {wait}s.", "rate_limit_exceeded", {"retry-after": wait})


def _too_large(_: Fault) -> Response:
    return _error(413, "Request too large for the model.", "request_too_large")


def _server_error(_: Fault) -> Response:
    return _error(503, "The server is overloaded.", "service_unavailable")


def _reset(_: Fault) -> Response:
    raise APIConnectionError("the connection was reset (a fault of the rehearsal)")


_ANSWERS: dict[str, Callable[[Fault], Response]] = {
    "rate_limit": _rate_limit,
    "too_large": _too_large,
    "overloaded": _server_error,
    "reset": _reset,
}
"""Faults that come in place of an answer."""


def _truncated(text: str, fault: Fault, _: random.Random) -> str:
    return text[: int(len(text) * (0.5 if fault.value is None else float(fault.value)))]


def _fenced(text: str, _: Fault, __: random.Random) -> str:
    return f"```json\n{text}\n```"


def _prose(text: str, _: Fault, __: random.Random) -> str:
    return f"Sure! Here is the JSON that you asked for:\n\n{text}\n\nLet me know if you need anything else."


def _thinking(text: str, _: Fault, __: random.Random) -> str:
    return f"<think>The document gives the values. I should answer with {{}} filled in.</think>\n{text}"


def _schema_ignored(_: str, __: Fault, random_: random.Random) -> str:
    return json.dumps({"result": random_.choice(["see the document", "n/a", "unknown"])})


def _wrong(text: str, fault: Fault, random_: random.Random) -> str:
    """Another value of the same type at a path: what no schema notices."""
    path = str(fault.value or "")
    try:
        data = json.loads(text)
        was = paths.get(data, path)
    except ValueError:
        return text
    if was is paths.MISSING:
        return text
    return json.dumps(paths.put(data, path, _another(was, random_)), ensure_ascii=False)


def _another(was: JSON, random_: random.Random) -> JSON:
    match was:
        case bool():
            return not was
        case int() | float():
            return was + random_.choice([1, 7, 1000])
        case str():
            return f"{was[::-1]}x"
        case list():
            return was[1:]
    return None


_CHANGES: dict[str, Callable[[str, Fault, random.Random], str]] = {
    "truncate": _truncated,
    "fence": _fenced,
    "prose": _prose,
    "think": _thinking,
    "ignore_schema": _schema_ignored,
    "wrong_value": _wrong,
}
"""Faults of the answer's text."""

KINDS = (*_ANSWERS, *_CHANGES, "slow")


# -- when each strikes ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Struck:
    """What a fault has done so far."""

    fault: Fault
    seen: int = 0
    times: int = 0

    def strikes(self, random_: random.Random) -> bool:
        self.seen += 1
        fault = self.fault
        if self.seen <= fault.after or (fault.times is not None and self.times >= fault.times):
            return False
        if fault.share < 1 and random_.random() >= fault.share:
            return False
        self.times += 1
        return True


@dataclass(slots=True)
class _BadDay:
    states: tuple[_Struck, ...]
    random: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pause(self, request: Request) -> float:
        return sum((1.0 if struck.value is None else float(struck.value)) for struck in self._struck({"slow"}))

    def before(self, request: Request, way: str) -> Response | None:
        struck = self._struck(_ANSWERS.keys())
        return _ANSWERS[struck[0].name](struck[0]) if struck else None

    def after(self, request: Request, response: Response) -> Response:
        if response.status != 200:
            return response
        for fault in self._struck(_CHANGES.keys()):
            response = changed(response, lambda text, fault=fault: _CHANGES[fault.name](text, fault, self.random))  # type: ignore[misc]
        return response

    def _struck(self, names: Any) -> list[Fault]:
        with self.lock:
            return [state.fault for state in self.states if state.fault.name in names and state.strikes(self.random)]


@contextmanager
def faults(*given: str | Fault, seed: int = 0) -> Iterator[None]:
    """As long as the block lasts, requests meet these faults, by name: `faults("rate_limit(after=2, times=1)", "fence(share=0.5)")`.

    `rate_limit(seconds)`, `too_large`, `overloaded` and `reset` come in place of an answer; `truncate(share)`, `fence`, `prose`,
    `think`, `ignore_schema` and `wrong_value(path)` change what the model said; `slow(seconds)` waits first. The same seed gives
    the same bad day, as long as requests come one after the other. Raises `ConfigurationError` for an unknown fault.
    """
    kinds = [fault if isinstance(fault, Fault) else Fault.parse(fault) for fault in given]
    day = _BadDay(tuple(_Struck(fault) for fault in kinds), random.Random(seed))  # noqa: S311  # a rehearsal, no secret
    with stage.put(Acting(day)):
        yield
