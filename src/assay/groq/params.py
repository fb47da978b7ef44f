"""What may be asked for: the parameters of chat completions, once, for every form of `create`.

Source: Groq's API reference. A parameter that is not given is not sent; None is sent as null, as the groq package does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

from assay.errors import nearest
from assay.groq.chat_types import ChatCompletionMessage
from assay.types import JSON

if TYPE_CHECKING:
    import httpx


class NotGiven:
    """The type of `NOT_GIVEN`, which stands for a parameter that is not given."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


class Omit(NotGiven):
    """The type of `omit`: a header, or a parameter, that is not to be sent."""

    def __repr__(self) -> str:
        return "omit"


NOT_GIVEN = not_given = NotGiven()
omit = Omit()


class CallOptions(TypedDict, total=False):
    """What every call takes besides its parameters."""

    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, object] | None
    extra_body: Mapping[str, JSON] | None
    """Merged into the JSON body, over the parameters."""
    timeout: float | httpx.Timeout | NotGiven | None
    """Seconds, from connecting to the last byte; of an `httpx.Timeout` each part bounds its own phase."""


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class ImageURL(TypedDict, total=False):
    url: Required[str]
    """An address, or `data:image/jpeg;base64,...`."""
    detail: Literal["auto", "low", "high"]


class ImagePart(TypedDict):
    type: Literal["image_url"]
    image_url: ImageURL


class PartDocument(TypedDict, total=False):
    data: Required[dict[str, object]]
    id: str | None


class DocumentPart(TypedDict):
    type: Literal["document"]
    document: PartDocument


ContentPart: TypeAlias = TextPart | ImagePart | DocumentPart


class SystemMessage(TypedDict, total=False):
    role: Required[Literal["system", "developer"]]
    content: Required[str | Iterable[TextPart]]
    name: str


class UserMessage(TypedDict, total=False):
    role: Required[Literal["user"]]
    content: Required[str | Iterable[ContentPart]]
    name: str


class CalledFunction(TypedDict):
    name: str
    arguments: str


class ToolCall(TypedDict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(TypedDict, total=False):
    role: Required[Literal["assistant"]]
    content: str | Iterable[TextPart] | None
    reasoning: str | None
    tool_calls: Iterable[ToolCall]
    function_call: CalledFunction
    name: str


class ToolMessage(TypedDict):
    role: Literal["tool"]
    tool_call_id: str
    content: str | Iterable[ContentPart]


class FunctionMessage(TypedDict):
    role: Literal["function"]
    name: str
    content: str | None


ChatMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


class FunctionDefinition(TypedDict, total=False):
    name: Required[str]
    """`[A-Za-z0-9_-]{1,64}`."""
    description: str
    parameters: dict[str, object]
    """A JSON Schema."""
    strict: bool | None


class Tool(TypedDict, total=False):
    type: Required[str]
    """`function`, or a tool of the server: `browser_search`, `code_interpreter`."""
    function: FunctionDefinition


class FunctionName(TypedDict):
    name: str


class NamedToolChoice(TypedDict):
    type: Literal["function"]
    function: FunctionName


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedToolChoice


class TextFormat(TypedDict):
    type: Literal["text"]


class JSONObjectFormat(TypedDict):
    type: Literal["json_object"]


class JSONSchemaSpec(TypedDict, total=False):
    name: Required[str]
    description: str
    schema: dict[str, object]
    strict: bool | None


class JSONSchemaFormat(TypedDict):
    type: Literal["json_schema"]
    json_schema: JSONSchemaSpec


ResponseFormat: TypeAlias = TextFormat | JSONObjectFormat | JSONSchemaFormat


class TextSource(TypedDict):
    type: Literal["text"]
    text: str


class JSONSource(TypedDict):
    type: Literal["json"]
    data: dict[str, object]


class Document(TypedDict, total=False):
    source: Required[TextSource | JSONSource]
    id: str | None


class CompoundModels(TypedDict, total=False):
    answering_model: str | None
    reasoning_model: str | None


class WolframSettings(TypedDict, total=False):
    authorization: str | None


class CompoundTools(TypedDict, total=False):
    enabled_tools: Iterable[str] | None
    wolfram_settings: WolframSettings | None


class CompoundCustom(TypedDict, total=False):
    models: CompoundModels | None
    tools: CompoundTools | None


class SearchSettings(TypedDict, total=False):
    country: str | None
    include_domains: Iterable[str] | None
    exclude_domains: Iterable[str] | None
    include_images: bool | None


class ChatParams(CallOptions, total=False):
    """The parameters of `chat.completions.create` except `stream`."""

    messages: Required[Iterable[ChatMessage | ChatCompletionMessage]]
    """A message of an answer may be sent back as it is."""
    model: Required[str]
    max_completion_tokens: int | None
    """Reasoning counts too."""
    max_tokens: int | None
    """The old name of `max_completion_tokens`."""
    temperature: float | None
    """0 to 2; Groq reads 0 as 1e-8."""
    top_p: float | None
    seed: int | None
    stop: str | Iterable[str] | None
    """Up to 4 texts at which to stop; they are not part of the answer."""
    response_format: ResponseFormat | None
    tools: Iterable[Tool] | None
    """At most 128."""
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool | None
    disable_tool_validation: bool
    """Allow calls of tools that are not among `tools`, too."""
    reasoning_effort: Literal["none", "default", "low", "medium", "high"] | None
    reasoning_format: Literal["hidden", "raw", "parsed"] | None
    """Not together with `include_reasoning`; `raw` not with JSON modes or tools."""
    include_reasoning: bool | None
    service_tier: Literal["auto", "on_demand", "flex", "performance"] | None
    user: str | None
    n: int | None
    """Only 1 is supported."""
    documents: Iterable[Document] | None
    citation_options: Literal["enabled", "disabled"] | None
    compound_custom: CompoundCustom | None
    search_settings: SearchSettings | None
    include_domains: Iterable[str] | None
    """The old form of `search_settings`."""
    exclude_domains: Iterable[str] | None
    """The old form of `search_settings`."""
    functions: Iterable[FunctionDefinition] | None
    """The old form of `tools`."""
    function_call: Literal["none", "auto", "required"] | FunctionName | None
    """The old form of `tool_choice`."""
    frequency_penalty: float | None
    """Not supported by any model yet, like the rest below: the server may answer 400."""
    presence_penalty: float | None
    logit_bias: dict[str, int] | None
    logprobs: bool | None
    top_logprobs: int | None
    metadata: dict[str, str] | None
    store: bool | None


OPTIONS = frozenset(CallOptions.__annotations__)
CHAT = frozenset(ChatParams.__annotations__) | {"stream"}
REQUIRED = ("messages", "model")


SIGNATURE = Signature(
    [Parameter(name, Parameter.KEYWORD_ONLY) for name in REQUIRED]
    + [Parameter(name, Parameter.KEYWORD_ONLY, default=NOT_GIVEN) for name in sorted(CHAT.difference(REQUIRED))]
)
"""The signature of `chat.completions.create`, for code that inspects it."""


def check(given: Mapping[str, Any], known: frozenset[str], required: tuple[str, ...], call: str) -> None:
    """Raises `TypeError` for an unknown or missing parameter."""
    for name in given:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"send it with extra_body={{{name!r}: ...}} if the server knows it"
            raise TypeError(f"{call} has no parameter {name!r}: {hint}")
    missing = [name for name in required if isinstance(given.get(name, NOT_GIVEN), NotGiven)]
    if missing:
        raise TypeError(f"{call} needs {' and '.join(map(repr, missing))}")
