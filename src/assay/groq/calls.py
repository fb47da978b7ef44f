"""The six ways to make a call, and the one way to write it down.

A call of the API is written once, as a function from its parameters to an `Action` (see `operations`). A resource lists
such functions as `endpoint`s, and is generic in how it performs them:

    client.models.list()                                  Direct            ModelList
    await client.models.list()                            Awaited           ModelList
    client.models.with_raw_response.list()                Raw               APIResponse[ModelList]
    await client.models.with_raw_response.list()          AwaitedRaw        AsyncAPIResponse[ModelList]
    with client.models.with_streaming_response.list()     Streamed          APIResponse[ModelList], body unread
    async with ... .with_streaming_response.list()        AwaitedStreamed   AsyncAPIResponse[ModelList], body unread

The overloads of `endpoint.__get__` tell a type checker which is which.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from functools import cached_property
from inspect import signature
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from assay.groq.action import Action
from assay.groq.driver import AsyncDriver, Driver
from assay.groq.responses import APIResponse, AsyncAPIResponse

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Way(Protocol):
    """How a resource performs its calls."""

    @property
    def driver(self) -> Driver | AsyncDriver: ...
    def bind(self, describe: Callable[P, Action[Any]]) -> Callable[P, Any]: ...


W_co = TypeVar("W_co", bound=Way, covariant=True)


def _like(describe: Callable[..., Any]) -> Callable[[F], F]:
    """Gives a bound call the name, the text and the parameters of its description: for `help` and for code that inspects it."""

    def dress(call: F) -> F:
        call.__name__, call.__qualname__, call.__doc__ = describe.__name__, describe.__qualname__, describe.__doc__
        call.__signature__ = signature(describe)  # type: ignore[attr-defined]  # what inspect looks for
        return call

    return dress


class Direct:
    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    @cached_property
    def raw(self) -> Raw:
        return Raw(self.driver)

    @cached_property
    def streamed(self) -> Streamed:
        return Streamed(self.driver)

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, T]:
        @_like(describe)
        def call(*args: P.args, **params: P.kwargs) -> T:
            return self.driver.perform(describe(*args, **params))

        return call


class Raw:
    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, APIResponse[T]]:
        @_like(describe)
        def call(*args: P.args, **params: P.kwargs) -> APIResponse[T]:
            return self.driver.send(describe(*args, **params))

        return call


class Streamed:
    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, AbstractContextManager[APIResponse[T]]]:
        @contextmanager
        @_like(describe)
        def call(*args: P.args, **params: P.kwargs) -> Generator[APIResponse[T], None, None]:
            with self.driver.open(describe(*args, **params)) as response:
                yield response

        return call


class Awaited:
    def __init__(self, driver: AsyncDriver) -> None:
        self.driver = driver

    @cached_property
    def raw(self) -> AwaitedRaw:
        return AwaitedRaw(self.driver)

    @cached_property
    def streamed(self) -> AwaitedStreamed:
        return AwaitedStreamed(self.driver)

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @_like(describe)
        async def call(*args: P.args, **params: P.kwargs) -> T:
            return await self.driver.perform(describe(*args, **params))

        return call


class AwaitedRaw:
    def __init__(self, driver: AsyncDriver) -> None:
        self.driver = driver

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, Coroutine[Any, Any, AsyncAPIResponse[T]]]:
        @_like(describe)
        async def call(*args: P.args, **params: P.kwargs) -> AsyncAPIResponse[T]:
            return await self.driver.send(describe(*args, **params))

        return call


class AwaitedStreamed:
    def __init__(self, driver: AsyncDriver) -> None:
        self.driver = driver

    def bind(self, describe: Callable[P, Action[T]]) -> Callable[P, AbstractAsyncContextManager[AsyncAPIResponse[T]]]:
        @asynccontextmanager
        @_like(describe)
        async def call(*args: P.args, **params: P.kwargs) -> AsyncGenerator[AsyncAPIResponse[T], None]:
            async with await self.driver.open(describe(*args, **params)) as response:
                yield response

        return call


class Resource(Generic[W_co]):
    """A part of the API whose calls are made in the way `W`."""

    def __init__(self, way: W_co) -> None:
        self.way = way


class endpoint(Generic[P, T]):  # noqa: N801  # reads as what it makes: a method
    """A call of a resource. The bound method stays in the resource, where it may be replaced (instructor does)."""

    def __init__(self, describe: Callable[P, Action[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, resource: Resource[Direct], owner: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Awaited], owner: object = None) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, resource: Resource[Raw], owner: object = None) -> Callable[P, APIResponse[T]]: ...
    @overload
    def __get__(
        self, resource: Resource[AwaitedRaw], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, AsyncAPIResponse[T]]]: ...
    @overload
    def __get__(
        self, resource: Resource[Streamed], owner: object = None
    ) -> Callable[P, AbstractContextManager[APIResponse[T]]]: ...
    @overload
    def __get__(
        self, resource: Resource[AwaitedStreamed], owner: object = None
    ) -> Callable[P, AbstractAsyncContextManager[AsyncAPIResponse[T]]]: ...
    @overload
    def __get__(self, resource: None, owner: object = None) -> endpoint[P, T]: ...
    def __get__(self, resource: Resource[Any] | None, owner: object = None) -> Any:
        if resource is None:
            return self
        method = resource.__dict__[self.name] = resource.way.bind(self.describe)
        return method


S_co = TypeVar("S_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)


class variant(Generic[S_co, A_co]):  # noqa: N801
    """A resource with another way, as a property of it: `S` of a direct one, `A` of an awaited one."""

    def __init__(self, way: str, resource: type[Resource[Any]] | None = None) -> None:
        self.way = way
        self.resource = resource

    @overload
    def __get__(self, resource: Resource[Direct], owner: object = None) -> S_co: ...
    @overload
    def __get__(self, resource: Resource[Awaited], owner: object = None) -> A_co: ...
    def __get__(self, resource: Resource[Any], owner: object = None) -> Any:
        kind = self.resource or type(resource)
        return kind(getattr(resource.way, self.way))
