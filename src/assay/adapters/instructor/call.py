"""One call in Instructor's form, as a flow of assay's engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from instructor.core.hooks import Hooks
from instructor.dsl.partial import PartialBase
from instructor.mode import Mode
from instructor.v2.validation import model_declares_async_validators
from pydantic import BaseModel
from tenacity import AsyncRetrying, Retrying

from assay.adapters.instructor import messages as wording
from assay.adapters.instructor.errors import exhausted
from assay.adapters.instructor.recorder import AsyncRecordedTransport, RecordedTransport, Recorder, spy, with_usage
from assay.adapters.instructor.retries import Referee
from assay.backends import chat, foreign
from assay.backends.manners import lookalike, manner_of
from assay.connect.compile import compile_task
from assay.connect.conduct import conduct
from assay.connect.connection import Connection, connect
from assay.engine import Task
from assay.errors import APIError, ConfigurationError, ExtractionError
from assay.flow.effects import AsyncTransport, Flow, Transport
from assay.flow.relay import relay_emitted
from assay.options import Options
from assay.outcome import Outcome
from assay.streaming import Items, Showing, View, plan, to_the_end
from assay.target.build import Target, target
from assay.types import Call, Message, Params, Reply

MaxRetries: TypeAlias = int | Retrying | AsyncRetrying

_KEPT = 128
"""Targets and models that a client keeps compiled: more than a program has, fewer than one that makes new ones at each call."""


class Door:
    """Where an Instructor's calls go: a client object, or a model that assay reaches itself. Compiles each target once."""

    def __init__(self, client: Any, options: Options, mode: Mode | None) -> None:
        """`client`: None to reach `options.model` directly."""
        self._manner = None if client is None else manner_of(client)
        self._functions = (self._manner and self._manner.of(client)) or {}  # as they are now: the client may be patched later
        self.mode = _mode(mode)
        self._options = options.updated({"mode": self.mode, "temperature": None})
        self._connection = functools.lru_cache(_KEPT)(self._connect)
        self._task = functools.lru_cache(_KEPT)(self._compile)

    def own(self, **kwargs: Any) -> Any:
        """The client's own function, for calls without a `response_model`."""
        if self._manner is None:
            raise ConfigurationError(
                "a plain completion needs a client: give a response_model, or make a client with from_groq"
            )
        return self._functions[self._manner.functions[0]](**kwargs)

    def recorded(self, recorder: Recorder) -> Any:
        """The client, wrapped so that what goes through it is recorded; None without one."""
        return (
            lookalike({name: spy(function, recorder) for name, function in self._functions.items()})
            if self._functions
            else None
        )

    def _connect(self, model: str | None) -> Connection:
        named = self._options.model
        if model and self._manner is None and isinstance(named, str):  # the provider was named once, for all calls
            prefix = named.partition("/")[0]
            model = model if "/" not in named or model.startswith(f"{prefix}/") else f"{prefix}/{model}"
        return connect(replace(self._options, model=model or named))

    def _compile(self, whole: Target[Any], model: str | None, strict: bool) -> Task[Any]:
        if model_declares_async_validators(whole.annotation):
            raise ConfigurationError(
                f"{whole.name} has async validators, which would be skipped: make them plain functions, or await the checks "
                "yourself with the returned value"
            )
        return compile_task(whole, replace(self._options, strict=strict), self._connection(model))

    def begin(
        self,
        response_model: Any,
        messages: str | Sequence[Mapping[str, Any]] | None,
        hooks: Hooks,
        *,
        max_retries: MaxRetries,
        context: Mapping[str, Any] | None = None,
        strict: bool = False,
        **kwargs: Any,
    ) -> Asking:
        """A call, read and compiled. Raises `SchemaError` for what cannot be a target, `ConfigurationError`, `TypeError`.

        `max_retries`: attempts after the first one, or a tenacity object. `context`: for templates in the messages and for
        validators. `strict`: no coercion. `token_budget`: no attempt begins with so many tokens spent.
        """
        if messages is None:
            raise TypeError("messages is missing: give a list of chat messages")
        if context is not None and kwargs.get("validation_context") is not None:
            raise ConfigurationError("context and validation_context mean the same: give only one of them")
        context = context if context is not None else kwargs.pop("validation_context", None)
        kwargs.pop("validation_context", None)
        source = _settings(kwargs) + wording.read(
            messages, context, autodetect_images=bool(kwargs.pop("autodetect_images", False))
        )
        budget = kwargs.pop("token_budget", None)
        if any(kwargs.pop(name, None) is not None for name in ("cache", "cache_ttl", "cache_namespace")):
            raise ConfigurationError("this adapter has no cache yet: leave cache out and keep the values yourself")
        whole = target(_without_partial(response_model))
        model = kwargs.pop("model", None)
        referee = Referee(max_retries, hooks, whole.name, budget)
        task = self._task(whole, model, strict)
        task = replace(task, context=context, retries=referee.retrying(), params=_params(task.params, kwargs))
        return Asking(self, task, source, self._connection(model), Recorder(hooks), referee, budget)


@dataclass(frozen=True, slots=True)
class Asking:
    """One call under way."""

    door: Door
    task: Task[Any]
    source: tuple[Message, ...]
    connection: Connection
    recorder: Recorder
    referee: Referee
    budget: int | None

    def transport(self) -> Transport:
        client = self.door.recorded(self.recorder)
        if client is None:
            return RecordedTransport(self.connection.transport(), self.recorder)
        return foreign.ForeignTransport(client)

    def async_transport(self) -> AsyncTransport:
        client = self.door.recorded(self.recorder)
        if client is None:
            return AsyncRecordedTransport(self.connection.async_transport(), self.recorder)
        return foreign.AsyncForeignTransport(client)

    def whole(self) -> Flow[Outcome[Any]]:
        return conduct(self.task, self.source, self._asking(self._complete))

    def partials(self) -> Flow[None]:
        """Emits the values in the making, the validated one last."""
        return relay_emitted(self._partials(), lambda partial: [] if partial.value is None else [partial.value])

    def items(self) -> Flow[None]:
        """Emits the items of a list."""
        return relay_emitted(self._partials(), Items(self.task.target, self.task.context, strict=self.task.strict).of)

    def _partials(self) -> Flow[None]:
        planned = plan(self.task, "step_down", chosen=self.door.mode != "auto")
        target = self.task.target
        shown = {"wrapper": target.wrapper, "context": self.task.context, "strict": self.task.strict}
        watch = Showing(View(target.annotation, unfinished=True, **shown))  # as Instructor shows them
        send: Callable[[Call], Flow[Reply]] = self._complete
        if planned.streamed:
            send = lambda call: watch.over(chat.stream(self.connection.endpoint, call))  # noqa: E731  # of the same kind as the other
        return to_the_end(watch, conduct(planned.task, self.source, self._asking(send)), planned.note)

    def _asking(self, send: Callable[[Call], Flow[Reply]]) -> Callable[[Call], Flow[Reply]]:
        """`send`, which tells the user's rule about each request before it is sent."""

        def told(call: Call) -> Flow[Reply]:
            self.referee.begin()
            return (yield from send(call))

        return told

    def _complete(self, call: Call) -> Flow[Reply]:
        whole = replace(self.connection.endpoint, watched=())  # so that there is a completion to hand out
        return chat.complete(whole, call)

    def value_of(self, outcome: Outcome[Any]) -> Any:
        """The value with its completion at hand, or the error in the form that Instructor's users expect."""
        if outcome.error is not None:
            raise self.error_of(outcome.error)
        self.recorder.succeeded(outcome)
        if len(outcome.attempts) > 1 and self.recorder.completions:
            self.recorder.completions[-1] = with_usage(self.recorder.completions[-1], outcome.usage)
        value = outcome.value
        if isinstance(value, BaseModel):
            object.__setattr__(value, "_raw_response", self.completion)
            object.__setattr__(value, "_total_usage", outcome.usage)
        return value

    @property
    def completion(self) -> Any:
        """The last completion, as the client returned it."""
        return self.recorder.completions[-1] if self.recorder.completions else None

    def error_of(self, error: Exception) -> Exception:
        """An extraction's failure in Instructor's form; a client's own exception as the client raised it."""
        if isinstance(error, ExtractionError):
            record = self.recorder
            budget = self.budget if self.referee.over_budget else None
            return exhausted(error, self.task.target.name, record.completions, record.create_kwargs, budget)
        if isinstance(error, APIError) and self.recorder.error is not None:
            return self.recorder.error
        if isinstance(error, APIError):
            self.recorder.failed(error)
        return error


def _without_partial(response_model: Any) -> Any:
    """`Partial[M]` means `M`: what is partial is said by the way it is asked for."""
    if isinstance(response_model, type) and issubclass(response_model, PartialBase):
        return getattr(response_model, "_original_model", response_model)
    return response_model


def _mode(mode: Mode | None) -> str:
    """The mode by its name: Instructor has one for each vendor and mode."""
    if (
        mode is None or mode.name.startswith("RESPONSES") or mode is Mode.ANTHROPIC_JSON
    ):  # there the prompt alone asked for JSON
        return "auto"
    if "SCHEMA" in mode.name or "STRUCTURED" in mode.name:
        return "json_schema"
    if "TOOLS" in mode.name or mode is Mode.FUNCTIONS:
        return "tools"
    return "text" if mode is Mode.MD_JSON else "json"


def _settings(kwargs: dict[str, Any]) -> tuple[Message, ...]:
    """What the vendors' clients take besides the messages: Anthropic's `system`, genai's `config`. Gives the system message."""
    config = kwargs.pop("config", None) or kwargs.pop("generation_config", None)
    given = config if isinstance(config, Mapping) else vars(config) if config is not None else {}
    names = {"max_output_tokens": "max_tokens", "stop_sequences": "stop", "temperature": "temperature", "seed": "seed"}
    kwargs |= {name: given[theirs] for theirs, name in names.items() if given.get(theirs) is not None}
    if isinstance(stop := kwargs.pop("stop_sequences", None), list | tuple):
        kwargs["stop"] = stop
    system = kwargs.pop("system", None) or given.get("system_instruction")
    if isinstance(system, list | tuple):
        system = "\n\n".join(str(block.get("text", "")) if isinstance(block, Mapping) else str(block) for block in system)
    return (Message("system", str(system)),) if system else ()


def _params(params: Params, kwargs: dict[str, Any]) -> Params:
    """The parameters of one call; what assay has no name for goes to the client as it is."""
    given = dict(kwargs)
    given.pop("stream", None)
    stop = given.pop("stop", None)
    limit = given.pop("max_completion_tokens", None) or given.pop("max_tokens", None)
    return Params(
        temperature=given.pop("temperature", params.temperature),
        max_tokens=limit or params.max_tokens,
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        seed=given.pop("seed", None),
        reasoning_effort=given.pop("reasoning_effort", None),
        extra=given,
    )
