"""The resources of the API: which calls it has. What each sends and reads is in `operations`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, Unpack, overload

from assay.errors import Headers
from assay.groq import media, operations
from assay.groq.action import Action
from assay.groq.calls import (
    Awaited,
    AwaitedRaw,
    AwaitedStreamed,
    Direct,
    P,
    Raw,
    Resource,
    Streamed,
    W_co,
    endpoint,
    variant,
)
from assay.groq.chat_types import ChatCompletion, ChatCompletionChunk
from assay.groq.params import ChatParams
from assay.groq.responses import APIResponse, AsyncAPIResponse
from assay.groq.settings import ClientSettings, complete
from assay.groq.streams import AsyncStream, Stream
from assay.groq.verbs import verb
from assay.wire.request import USER_AGENT

if TYPE_CHECKING:
    import httpx

Whole_co = TypeVar("Whole_co", covariant=True)
Streaming_co = TypeVar("Streaming_co", covariant=True)


class Create(Protocol[Whole_co, Streaming_co]):
    """`chat.completions.create`: `stream` decides which of the two comes."""

    @overload
    def __call__(self, *, stream: Literal[True], **params: Unpack[ChatParams]) -> Streaming_co: ...
    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]) -> Whole_co: ...
    @overload
    def __call__(self, *, stream: bool | None, **params: Unpack[ChatParams]) -> Whole_co | Streaming_co: ...


class create_endpoint(endpoint[Any, Any]):  # noqa: N801
    """`endpoint`, with `Create` in the place of the function's own signature."""

    @overload  # type: ignore[override]  # narrower: the same bound method, seen as a Create
    def __get__(
        self, resource: Resource[Direct], owner: object = None
    ) -> Create[ChatCompletion, Stream[ChatCompletionChunk]]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaited], owner: object = None
    ) -> Create[Coroutine[Any, Any, ChatCompletion], Coroutine[Any, Any, AsyncStream[ChatCompletionChunk]]]: ...
    @overload
    def __get__(
        self, resource: Resource[Raw], owner: object = None
    ) -> Create[APIResponse[ChatCompletion], APIResponse[Stream[ChatCompletionChunk]]]: ...
    @overload
    def __get__(
        self, resource: Resource[AwaitedRaw], owner: object = None
    ) -> Create[
        Coroutine[Any, Any, AsyncAPIResponse[ChatCompletion]],
        Coroutine[Any, Any, AsyncAPIResponse[AsyncStream[ChatCompletionChunk]]],
    ]: ...
    @overload
    def __get__(
        self, resource: Resource[Streamed], owner: object = None
    ) -> Create[
        AbstractContextManager[APIResponse[ChatCompletion]], AbstractContextManager[APIResponse[Stream[ChatCompletionChunk]]]
    ]: ...
    @overload
    def __get__(
        self, resource: Resource[AwaitedStreamed], owner: object = None
    ) -> Create[
        AbstractAsyncContextManager[AsyncAPIResponse[ChatCompletion]],
        AbstractAsyncContextManager[AsyncAPIResponse[AsyncStream[ChatCompletionChunk]]],
    ]: ...
    def __get__(self, resource: Any, owner: object = None) -> Any:
        return super().__get__(resource, owner)


class content_endpoint(Generic[P]):  # noqa: N801
    """A call whose answer is the response itself, with its `read`, `text`, `iter_bytes` and `write_to_file`."""

    def __init__(self, describe: Callable[P, Action[bytes]]) -> None:
        self.describe = describe

    @overload
    def __get__(self, resource: Resource[Direct | Raw], owner: object = None) -> Callable[P, APIResponse[bytes]]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaited | AwaitedRaw], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, AsyncAPIResponse[bytes]]]: ...
    @overload
    def __get__(
        self, resource: Resource[Streamed], owner: object = None
    ) -> Callable[P, AbstractContextManager[APIResponse[bytes]]]: ...
    @overload
    def __get__(
        self, resource: Resource[AwaitedStreamed], owner: object = None
    ) -> Callable[P, AbstractAsyncContextManager[AsyncAPIResponse[bytes]]]: ...
    def __get__(self, resource: Resource[Any], owner: object = None) -> Any:
        return getattr(resource.way, "raw", resource.way).bind(self.describe)


class Completions(Resource[W_co]):
    create = create_endpoint(operations.create_completion)
    with_raw_response: variant[Completions[Raw], Completions[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Completions[Streamed], Completions[AwaitedStreamed]] = variant("streamed")


class Chat(Resource[W_co]):
    @cached_property
    def completions(self) -> Completions[W_co]:
        return Completions(self.way)

    with_raw_response: variant[Chat[Raw], Chat[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Chat[Streamed], Chat[AwaitedStreamed]] = variant("streamed")


class Models(Resource[W_co]):
    list = endpoint(operations.list_models)
    retrieve = endpoint(operations.retrieve_model)
    delete = endpoint(operations.delete_model)
    with_raw_response: variant[Models[Raw], Models[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Models[Streamed], Models[AwaitedStreamed]] = variant("streamed")


class Files(Resource[W_co]):
    create = endpoint(operations.create_file)
    list = endpoint(operations.list_files)
    retrieve = endpoint(operations.retrieve_file)
    info = retrieve
    delete = endpoint(operations.delete_file)
    content = content_endpoint(operations.file_content)
    with_raw_response: variant[Files[Raw], Files[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Files[Streamed], Files[AwaitedStreamed]] = variant("streamed")


class Batches(Resource[W_co]):
    create = endpoint(operations.create_batch)
    retrieve = endpoint(operations.retrieve_batch)
    list = endpoint(operations.list_batches)
    cancel = endpoint(operations.cancel_batch)
    with_raw_response: variant[Batches[Raw], Batches[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Batches[Streamed], Batches[AwaitedStreamed]] = variant("streamed")


class Transcriptions(Resource[W_co]):
    create = endpoint(media.create_transcription)
    with_raw_response: variant[Transcriptions[Raw], Transcriptions[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Transcriptions[Streamed], Transcriptions[AwaitedStreamed]] = variant("streamed")


class Translations(Resource[W_co]):
    create = endpoint(media.create_translation)
    with_raw_response: variant[Translations[Raw], Translations[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Translations[Streamed], Translations[AwaitedStreamed]] = variant("streamed")


class Speech(Resource[W_co]):
    create = content_endpoint(media.create_speech)
    with_raw_response: variant[Speech[Raw], Speech[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Speech[Streamed], Speech[AwaitedStreamed]] = variant("streamed")


class Audio(Resource[W_co]):
    @cached_property
    def transcriptions(self) -> Transcriptions[W_co]:
        return Transcriptions(self.way)

    @cached_property
    def translations(self) -> Translations[W_co]:
        return Translations(self.way)

    @cached_property
    def speech(self) -> Speech[W_co]:
        return Speech(self.way)

    with_raw_response: variant[Audio[Raw], Audio[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Audio[Streamed], Audio[AwaitedStreamed]] = variant("streamed")


class Embeddings(Resource[W_co]):
    create = endpoint(media.create_embedding)
    with_raw_response: variant[Embeddings[Raw], Embeddings[AwaitedRaw]] = variant("raw")
    with_streaming_response: variant[Embeddings[Streamed], Embeddings[AwaitedStreamed]] = variant("streamed")


class API(Resource[W_co]):
    """All resources, and calls that they do not have."""

    get = endpoint(verb("GET"))
    post = endpoint(verb("POST"))
    put = endpoint(verb("PUT"))
    patch = endpoint(verb("PATCH"))
    delete = endpoint(verb("DELETE"))

    @cached_property
    def chat(self) -> Chat[W_co]:
        return Chat(self.way)

    @cached_property
    def models(self) -> Models[W_co]:
        return Models(self.way)

    @cached_property
    def files(self) -> Files[W_co]:
        return Files(self.way)

    @cached_property
    def batches(self) -> Batches[W_co]:
        return Batches(self.way)

    @cached_property
    def audio(self) -> Audio[W_co]:
        return Audio(self.way)

    @cached_property
    def embeddings(self) -> Embeddings[W_co]:
        return Embeddings(self.way)

    @property
    def settings(self) -> ClientSettings:
        return self.way.driver.settings

    @property
    def api_key(self) -> str:
        return self.settings.api_key

    @property
    def base_url(self) -> str:
        """With its version path: `https://api.groq.com/openai/v1`."""
        return self.settings.base_url

    @base_url.setter
    def base_url(self, url: object) -> None:
        self.way.driver.settings = replace(self.settings, base_url=complete(str(url)))

    @property
    def timeout(self) -> float | httpx.Timeout | None:
        return self.settings.timeout

    @property
    def default_headers(self) -> Mapping[str, str]:
        """What every request carries, but for the key; found whatever the case of a name."""
        return Headers({"accept": "application/json", "user-agent": USER_AGENT, **self.settings.headers})

    @property
    def default_query(self) -> Mapping[str, object]:
        return self.settings.query

    def is_closed(self) -> bool:
        return self.way.driver.closed

    @property
    def max_retries(self) -> int:
        return self.settings.max_retries
