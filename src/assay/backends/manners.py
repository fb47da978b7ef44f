"""How client objects of different makes are called: which function to call, and how to read its answer as JSON.

No package is imported: a client is recognized by its functions. OpenAI's, Groq's and their like have
`chat.completions.create`, Anthropic's `messages.create`, Google's genai `models.generate_content`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from pydantic_core import from_json

from assay.backends.foreign_values import fitting, plain
from assay.errors import ConfigurationError
from assay.flow.effects import Request
from assay.flow.urls import shown
from assay.types import JSON, JSONObject

Create = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Manner:
    path: str
    """The part of a URL that identifies the requests it can make."""
    functions: tuple[str, ...]
    """Of the client: for whole answers, and for streamed ones where that is another."""
    arguments: Callable[[JSONObject, str], JSONObject]
    """The keyword arguments for a request's body and its URL."""
    answer: Callable[[Any], JSON] = plain
    provider: str | None = None
    """Whose clients these are, where only one's are."""

    def of(self, client: object) -> dict[str, Create] | None:
        """The functions of a client; None when it does not have them."""
        found = {name: _attribute(client, name) for name in self.functions}
        return found if all(map(callable, found.values())) else None

    def call(self, functions: Mapping[str, Create], request: Request) -> tuple[Create, JSONObject]:
        """The function for a request, and what it is given. Raises `ConfigurationError` for a request that the client cannot make."""
        if self.path not in request.url:
            raise ConfigurationError(f"a client object can only be asked for completions, not for {shown(request.url)}")
        streams = "streamGenerateContent" in request.url
        create = functions[self.functions[-1 if streams else 0]]
        return create, fitting(create, self.arguments(from_json(request.body), request.url))


def _same(body: JSONObject, _: str) -> JSONObject:
    return body


def _content(body: JSONObject, url: str) -> JSONObject:
    """Genai takes everything except the content as its configuration, and the model's name separately."""
    name = unquote(url.partition("/models/")[2].partition(":")[0])
    contents, settings = body.pop("contents"), body.pop("generationConfig", {})
    return {"model": name, "contents": contents, "config": {**settings, **body}}


def _by_alias(answer: Any) -> JSON:
    """Genai's objects as its API writes them."""
    dump = getattr(answer, "model_dump", None)
    return plain(answer) if dump is None else dump(mode="json", by_alias=True, exclude_none=True)


CHAT = Manner("/chat/completions", ("chat.completions.create",), _same)
MESSAGES = Manner("/messages", ("messages.create",), _same, provider="anthropic")
CONTENT = Manner(
    "/models/", ("models.generate_content", "models.generate_content_stream"), _content, _by_alias, provider="google"
)


def manner_of(client: object) -> Manner:
    """How a client is called. Raises `ConfigurationError` when it is not a known kind of client."""
    for manner in (CHAT, MESSAGES, CONTENT):
        if manner.of(client) is not None:
            return manner
    raise ConfigurationError(f"a {type(client).__name__} is not a client: it has no {CHAT.functions[0]} (or {_others()})")


def _others() -> str:
    return ", ".join(manner.functions[0] for manner in (MESSAGES, CONTENT))


def lookalike(functions: Mapping[str, Create], base_url: object = None) -> SimpleNamespace:
    """A client that has these functions, by their dotted names."""
    client = SimpleNamespace(base_url=base_url)
    for name, function in functions.items():
        *way, last = name.split(".")
        at = client
        for step in way:
            if not hasattr(at, step):
                setattr(at, step, SimpleNamespace())
            at = getattr(at, step)
        setattr(at, last, function)
    return client


def _attribute(client: object, dotted: str) -> Any:
    for step in dotted.split("."):
        client = getattr(client, step, None)
    return client
