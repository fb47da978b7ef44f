"""The functions that need no object: `extract`, `aextract`, `@extractable`, `Extractable`."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, ClassVar, Self, TypeVar, Unpack, overload

from pydantic import BaseModel

from assay.connect.address import surroundings
from assay.connect.given import Given
from assay.extractor import SETTINGS, Extractor, settings_of
from assay.options import Options, OptionsDict, seal
from assay.streaming import Partial
from assay.target.build import Target, target

T = TypeVar("T")
M = TypeVar("M", bound=type[BaseModel])

_KEPT = 128
"""Extractors that the plain functions keep for the next call with the same target, options and environment."""


@overload
def extract(target: type[T], source: Given, **options: Unpack[OptionsDict]) -> T: ...
@overload
def extract(target: Any, source: Given, **options: Unpack[OptionsDict]) -> Any: ...
def extract(target: Any, source: Given, **options: Unpack[OptionsDict]) -> Any:
    """Extract a value of a type from a text.

    `target` is any type that pydantic knows, or a JSON Schema; `source` a text or chat messages; the options are those of
    `assay.Options`. What is compiled for a target and its options is kept for the next call with the same.

    Raises `ExtractionError` when no attempt gave a valid value, `APIError` when the server could not be used,
    `BudgetExceeded`, `SchemaError`, `ConfigurationError`.
    """
    seal(options)
    return _extractor(target, options).extract(source, context=options.get("context"))


@overload
async def aextract(target: type[T], source: Given, **options: Unpack[OptionsDict]) -> T: ...
@overload
async def aextract(target: Any, source: Given, **options: Unpack[OptionsDict]) -> Any: ...
async def aextract(target: Any, source: Given, **options: Unpack[OptionsDict]) -> Any:
    """`extract`, awaited."""
    seal(options)
    return await _extractor(target, options).aextract(source, context=options.get("context"))


def _extractor(type_: Any, given: OptionsDict) -> Extractor[Any]:
    # The context changes from call to call and nothing is compiled from it.
    options = settings_of(type_).updated({name: value for name, value in given.items() if name != "context"})
    try:
        return _kept(target(type_), options, surroundings())
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return Extractor.of(type_, options)


@functools.lru_cache(maxsize=_KEPT)
def _kept(compiled: Target[Any], options: Options, _surroundings: int) -> Extractor[Any]:
    return Extractor.of(compiled, options)  # type: ignore[arg-type]  # a Target stands for its type


# -- decorated models --------------------------------------------------------------------------------------------------


class Extractable(BaseModel):
    """A pydantic model that extracts itself: `class Invoice(assay.Extractable)`, then `Invoice.extract(text)`.

    Decorate it with `@assay.extractable(...)` to give it options.
    """

    __assay_options__: ClassVar[Options] = Options()

    @classmethod
    def extract(cls, source: Given, **options: Unpack[OptionsDict]) -> Self:
        """An instance out of a text; see `assay.extract`."""
        seal(options)
        value: Self = extract(cls, source, **options)
        return value

    @classmethod
    async def aextract(cls, source: Given, **options: Unpack[OptionsDict]) -> Self:
        """`extract`, awaited."""
        seal(options)
        value: Self = await aextract(cls, source, **options)
        return value

    @classmethod
    def stream(cls, source: Given, **options: Unpack[OptionsDict]) -> Generator[Partial[Self], None, None]:
        """Instances in the making; see `Extractor.stream`."""
        seal(options)
        return _extractor(cls, options).stream(source, context=options.get("context"))

    @classmethod
    def astream(cls, source: Given, **options: Unpack[OptionsDict]) -> AsyncGenerator[Partial[Self], None]:
        """`stream`, awaited."""
        seal(options)
        return _extractor(cls, options).astream(source, context=options.get("context"))


@overload
def extractable(cls: M, /) -> M: ...
@overload
def extractable(**options: Unpack[OptionsDict]) -> Callable[[M], M]: ...
def extractable(cls: M | None = None, /, **options: Unpack[OptionsDict]) -> M | Callable[[M], M]:
    """Give a pydantic model `extract`, `aextract`, `stream`, `astream`, and options that ride on the class.

    `@extractable` or `@extractable(model="groq/openai/gpt-oss-20b", instructions="...", retries=2)`.
    """
    seal(options)

    def decorate(model: M) -> M:
        setattr(model, SETTINGS, settings_of(model).updated(options))
        for name in ("extract", "aextract", "stream", "astream"):
            if not hasattr(model, name):
                setattr(model, name, Extractable.__dict__[name])
        return model

    return decorate if cls is None else decorate(cls)
