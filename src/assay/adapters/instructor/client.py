"""`Instructor` and `AsyncInstructor` over assay's engine, and the functions that make them."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeAlias, get_args, get_origin

from instructor.core.client import AsyncInstructor as InstalledAsyncInstructor
from instructor.core.client import Instructor as InstalledInstructor
from instructor.core.hooks import Hooks
from instructor.mode import Mode

from assay.adapters.instructor.call import Asking, Door
from assay.backends import foreign
from assay.backends.manners import manner_of
from assay.connect import providers
from assay.errors import AssayError, ConfigurationError
from assay.flow import drive
from assay.options import Options
from assay.types import Secret
from assay.wire.openai_chat import ChatCompletions

Messages: TypeAlias = str | Sequence[Mapping[str, Any]]

RETRIES = 3
"""Instructor's default of `max_retries`: attempts after the first one."""
PATCHED_RETRIES = 1
"""The same of a patched client."""
_NO_MODEL = "model-of-each-call"
"""Stands for the model's name where only the calls give it."""


class Instructor(InstalledInstructor):
    """A blocking client: Instructor's calls, answered by assay's engine. Made by `from_groq` and its like.

    The keywords of all calls are those of `Door.begin`: `max_retries`, `context`, `strict`, `token_budget`, `hooks`; any other is
    a parameter of the client's own `create`. They raise `RetriesExhaustedError`, and what the client raises.
    """

    def __init__(self, client: Any, door: Door, mode: Mode | None = None, hooks: Hooks | None = None, **defaults: Any) -> None:
        super().__init__(client, door.own, mode or Mode.JSON, hooks=hooks, **defaults)
        self._door = door

    def create(self, response_model: Any, messages: Messages | None = None, **options: Any) -> Any:  # type: ignore[override]  # answers all overloads
        """The value; with `stream=True` a generator of what comes; with `response_model=None` the client's own answer."""
        options = self.handle_kwargs(options)
        if response_model is None:
            return self._door.own(messages=messages, **options)
        if options.pop("stream", False):
            return _streamed(self, response_model)(messages, response_model, **options)
        return self._ask(response_model, messages, options)[0]

    def create_with_completion(self, messages: Messages, response_model: Any, **options: Any) -> tuple[Any, Any]:  # type: ignore[override]
        """The value, of any type, and the completion that it was read from."""
        return self._ask(response_model, messages, self.handle_kwargs(options))

    def create_partial(self, messages: Messages, response_model: Any, **options: Any) -> Generator[Any, None, None]:  # type: ignore[override]
        """The value in the making, while its text comes; the last is the validated one."""
        asking = _begin(self, self._door, response_model, messages, self.handle_kwargs(options))
        return _raising(asking, drive.stream(asking.partials(), asking.transport()))

    def create_iterable(self, messages: Messages, response_model: Any, **options: Any) -> Generator[Any, None, None]:  # type: ignore[override]
        """The items of a list of `response_model`, each as soon as it is whole and valid."""
        asking = _begin(self, self._door, _many(response_model), messages, self.handle_kwargs(options))
        return _raising(asking, drive.stream(asking.items(), asking.transport()))

    def _ask(self, response_model: Any, messages: Messages | None, options: dict[str, Any]) -> tuple[Any, Any]:
        asking = _begin(self, self._door, response_model, messages, options)
        outcome = drive.run(asking.whole(), asking.transport())
        return asking.value_of(outcome), asking.completion


class AsyncInstructor(InstalledAsyncInstructor):
    """`Instructor`, awaited."""

    def __init__(self, client: Any, door: Door, mode: Mode | None = None, hooks: Hooks | None = None, **defaults: Any) -> None:
        super().__init__(client, door.own, mode or Mode.JSON, hooks=hooks, **defaults)
        self._door = door

    async def create(self, response_model: Any, messages: Messages | None = None, **options: Any) -> Any:  # type: ignore[override]
        """The value; with `stream=True`, and for `Iterable[M]`, an async generator of what comes."""
        options = self.handle_kwargs(options)
        if response_model is None:
            return await self._door.own(messages=messages, **options)
        if options.pop("stream", False) or get_origin(response_model) is Iterable:
            return _streamed(self, response_model)(messages, response_model, **options)
        return (await self._ask(response_model, messages, options))[0]

    async def create_with_completion(self, messages: Messages, response_model: Any, **options: Any) -> tuple[Any, Any]:  # type: ignore[override]
        """The value, of any type, and the completion that it was read from."""
        return await self._ask(response_model, messages, self.handle_kwargs(options))

    def create_partial(self, messages: Messages, response_model: Any, **options: Any) -> AsyncGenerator[Any, None]:  # type: ignore[override]
        """The value in the making, while its text comes; the last is the validated one."""
        asking = _begin(self, self._door, response_model, messages, self.handle_kwargs(options))
        return _araising(asking, drive.astream(asking.partials(), asking.async_transport()))

    def create_iterable(self, messages: Messages, response_model: Any, **options: Any) -> AsyncGenerator[Any, None]:  # type: ignore[override]
        """The items of a list of `response_model`, each as soon as it is whole and valid."""
        asking = _begin(self, self._door, _many(response_model), messages, self.handle_kwargs(options))
        return _araising(asking, drive.astream(asking.items(), asking.async_transport()))

    async def _ask(self, response_model: Any, messages: Messages | None, options: dict[str, Any]) -> tuple[Any, Any]:
        asking = _begin(self, self._door, response_model, messages, options)
        outcome = await drive.arun(asking.whole(), asking.async_transport())
        return asking.value_of(outcome), asking.completion


def _begin(
    client: InstalledInstructor, door: Door, response_model: Any, messages: Messages | None, options: dict[str, Any]
) -> Asking:
    own = options.pop("hooks", None)
    hooks = client.hooks if own is None else client.hooks + own
    return door.begin(response_model, messages, hooks, **{"max_retries": RETRIES, **options})


def _streamed(client: Instructor | AsyncInstructor, response_model: Any) -> Callable[..., Any]:
    """How a streamed `create` is answered: lists by their items, anything else by its parts."""
    return client.create_iterable if get_origin(response_model) in (Iterable, list) else client.create_partial


def _many(response_model: Any) -> Any:
    """The list of what `create_iterable` is given, which may be one already."""
    return list[get_args(response_model)[0] if get_origin(response_model) in (Iterable, list) else response_model]  # type: ignore[misc]  # a value


def _raising(asking: Asking, values: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """The same values; an error in Instructor's form."""
    try:
        yield from values
    except AssayError as error:
        raise asking.error_of(error) from None


async def _araising(asking: Asking, values: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    try:
        async for value in values:
            yield value
    except AssayError as error:
        raise asking.error_of(error) from None
    finally:
        await values.aclose()


# -- ways in -----------------------------------------------------------------------------------------------------------


def from_groq(
    client: Any, mode: Mode | None = None, model: str | None = None, *, hooks: Hooks | None = None, **defaults: Any
) -> Any:
    """An `Instructor` (or `AsyncInstructor`) over a client: assay's, the vendors', or any with `chat.completions.create`.

    `mode`: None takes the strongest that the server has. `defaults` are given to every call.
    """
    functions = manner_of(client).of(client) or {}
    door = Door(client, Options(client=client, model=model), mode)
    kind = AsyncInstructor if any(map(foreign.is_awaited, functions.values())) else Instructor
    return kind(client, door, mode, hooks, **defaults)


from_openai = from_groq


def from_anthropic(
    client: Any = None, mode: Mode | None = None, beta: bool = False, *, hooks: Hooks | None = None, **defaults: Any
) -> Any:
    """The same over a client of the anthropic package, or any with `messages.create`; without one assay asks Anthropic itself.

    `beta` is accepted and makes no difference. Without a client `async_client=True` gives an `AsyncInstructor`.
    """
    del beta  # structured outputs are beyond it
    if client is None:
        return from_provider(f"anthropic/{defaults.get('model', _NO_MODEL)}", mode=mode, hooks=hooks, **defaults)
    return from_groq(client, mode, hooks=hooks, **defaults)


def from_genai(
    client: Any = None, mode: Mode | None = None, use_async: bool = False, *, hooks: Hooks | None = None, **defaults: Any
) -> Any:
    """The same over a client of Google's genai package, or any with `models.generate_content`; without one assay asks Gemini itself."""
    if client is None:
        model = f"google/{defaults.get('model', _NO_MODEL)}"
        return from_provider(model, use_async, mode, hooks=hooks, **defaults)
    return from_groq(client.aio if use_async else client, mode, hooks=hooks, **defaults)


def from_litellm(completion: Callable[..., Any], mode: Mode | None = None, model: str | None = None, **defaults: Any) -> Any:
    """The same over a bare function with the signature of `chat.completions.create`."""
    return from_groq(_client_of(completion), mode, model, **defaults)


def from_provider(
    model: str,
    async_client: bool = False,
    mode: Mode | None = None,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    timeout: float | None = None,
    hooks: Hooks | None = None,
    **defaults: Any,
) -> Any:
    """An `Instructor` for `"provider/model"`, without any vendor's package."""
    api_key = Secret.of(api_key)
    prefix, _, name = model.partition("/")
    row = providers.BY_NAME.get(prefix)
    # The prefix says whose API it is, not how the server calls the model; where it says the protocol too, it is needed.
    if base_url is not None and row is not None and name and isinstance(row.wire, ChatCompletions):
        model = name
    given = {"model": model, "api_key": api_key, "base_url": base_url, "timeout": timeout}
    door = Door(None, Options.of(**{name: value for name, value in given.items() if value is not None}), mode)
    return (AsyncInstructor if async_client else Instructor)(None, door, mode, hooks, **defaults)


def patch(client: Any = None, create: Callable[..., Any] | None = None, mode: Mode | None = None, provider: Any = None) -> Any:
    """Teach a client's own `chat.completions.create` (or a function like it) about `response_model`; gives the same client."""
    del provider  # read from the client's address
    if client is None and create is None:
        raise ConfigurationError("nothing to patch: give a client, or its create function as create=")
    patched = _patched(from_groq(client if create is None else _client_of(create), mode))
    if client is None:
        return patched
    client.chat.completions.create = patched
    return client


def _patched(instructor: Any) -> Callable[..., Any]:
    own = instructor.create_fn

    @functools.wraps(own)
    def create(response_model: Any = None, **options: Any) -> Any:
        if response_model is None:
            return own(**options)
        return instructor.create(response_model, **{"max_retries": PATCHED_RETRIES, **options})

    @functools.wraps(own)
    async def acreate(response_model: Any = None, **options: Any) -> Any:
        if response_model is None:
            return await own(**options)
        return await instructor.create(response_model, **{"max_retries": PATCHED_RETRIES, **options})

    return acreate if isinstance(instructor, AsyncInstructor) else create


def _client_of(create: Callable[..., Any]) -> Any:
    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)), base_url=None)
