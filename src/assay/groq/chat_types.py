"""The answers of chat completions: whole ones and the chunks of a stream.

Names and fields are those of Groq's API reference; a field that the server left out is None.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from assay.groq.answer import Answer

ServiceTier: TypeAlias = Literal["auto", "on_demand", "flex", "performance"]
FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class PromptTokensDetails(Answer):
    cached_tokens: int | None = None


class CompletionTokensDetails(Answer):
    reasoning_tokens: int | None = None


class CompletionUsage(Answer):
    """Tokens, and Groq's times in seconds."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    queue_time: float | None = None
    prompt_time: float | None = None
    completion_time: float | None = None
    total_time: float | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class Function(Answer):
    name: str
    arguments: str
    """JSON as the model wrote it; it need not be valid."""


class ChatCompletionMessageToolCall(Answer):
    id: str
    type: Literal["function"]
    function: Function


class DocumentCitation(Answer):
    document_id: str
    start_index: int
    end_index: int


class FunctionCitation(Answer):
    tool_call_id: str
    start_index: int
    end_index: int


class Annotation(Answer):
    type: Literal["document_citation", "function_citation"]
    document_citation: DocumentCitation | None = None
    function_citation: FunctionCitation | None = None


class SearchResult(Answer):
    title: str | None = None
    url: str | None = None
    content: str | None = None
    score: float | None = None


class SearchResults(Answer):
    results: list[SearchResult] | None = None
    images: list[str] | None = None


class BrowserResult(Answer):
    title: str
    url: str
    content: str | None = None
    live_view_url: str | None = None


class CodeResult(Answer):
    text: str | None = None
    png: str | None = None
    """Base64."""
    chart: dict[str, Any] | None = None
    charts: list[dict[str, Any]] | None = None


class ExecutedTool(Answer):
    """A tool that the server ran by itself (compound systems, browser search, code)."""

    index: int
    type: str
    arguments: str
    output: str | None = None
    search_results: SearchResults | None = None
    code_results: list[CodeResult] | None = None
    browser_results: list[BrowserResult] | None = None


class ChatCompletionMessage(Answer):
    role: Literal["assistant"]
    content: str | None = None
    reasoning: str | None = None
    """With `reasoning_format="parsed"`."""
    tool_calls: list[ChatCompletionMessageToolCall] | None = None
    executed_tools: list[ExecutedTool] | None = None
    annotations: list[Annotation] | None = None
    function_call: Function | None = None


class TopLogprob(Answer):
    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(TopLogprob):
    top_logprobs: list[TopLogprob]


class Logprobs(Answer):
    content: list[TokenLogprob] | None = None


class Choice(Answer):
    index: int
    message: ChatCompletionMessage
    finish_reason: FinishReason
    logprobs: Logprobs | None = None


class ModelUsage(Answer):
    model: str
    usage: CompletionUsage


class UsageBreakdown(Answer):
    """What each model behind a compound system used."""

    models: list[ModelUsage] | None = None


class Debug(Answer):
    """With `extra_body={"debug": True}`."""

    input_token_ids: list[int] | None = None
    input_tokens: list[str] | None = None
    output_token_ids: list[int] | None = None
    output_tokens: list[str] | None = None


class CacheUsage(Answer):
    dram_cached_tokens: int | None = None
    sram_cached_tokens: int | None = None


class XGroq(Answer):
    """Groq's own words on a request; `id` is what its support asks for."""

    id: str
    seed: int | None = None
    usage: CacheUsage | None = None
    debug: Debug | None = None


class McpTool(Answer):
    name: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    annotations: Any = None


class McpListTools(Answer):
    id: str | None = None
    type: str | None = None
    server_label: str | None = None
    tools: list[McpTool] | None = None


class ChatCompletion(Answer):
    id: str
    object: Literal["chat.completion"]
    created: int
    """Seconds since 1970."""
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    service_tier: ServiceTier | None = None
    usage_breakdown: UsageBreakdown | None = None
    x_groq: XGroq | None = None
    mcp_list_tools: list[McpListTools] | None = None


class FunctionDelta(Answer):
    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(Answer):
    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionDelta | None = None


class ChoiceDelta(Answer):
    role: Literal["system", "user", "assistant", "tool"] | None = None
    content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    executed_tools: list[ExecutedTool] | None = None
    annotations: list[Annotation] | None = None
    function_call: FunctionDelta | None = None


class ChunkChoice(Answer):
    index: int
    delta: ChoiceDelta
    finish_reason: FinishReason | None = None
    logprobs: Logprobs | None = None


class ChunkXGroq(Answer):
    """In the first chunk `id`; in the last `usage`, or `error` when the server stopped early."""

    id: str | None = None
    seed: int | None = None
    usage: CompletionUsage | None = None
    usage_breakdown: UsageBreakdown | None = None
    error: str | None = None
    debug: Debug | None = None


class ChatCompletionChunk(Answer):
    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    service_tier: ServiceTier | None = None
    x_groq: ChunkXGroq | None = None
