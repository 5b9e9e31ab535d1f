"""The objects that users of the OpenAI SDK know.

Attribute access, `model_dump()`, and nothing that acts. What that SDK's have and no provider here
ever tells can be read as None, and is not dumped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from typing_extensions import Self


class Object(BaseModel):
    """A pydantic model that keeps what it does not know, as that SDK's do."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    def to_dict(self) -> dict[str, Any]:
        """The fields that say something, as plain data."""
        return self.model_dump(exclude_none=True)

    def to_json(self, *, indent: int | None = 2) -> str:
        """The fields that say something, as JSON text."""
        return self.model_dump_json(exclude_none=True, indent=indent)


class Function(Object):
    """Which function a tool call names; in a stream the arguments arrive in pieces."""

    name: str | None = None
    arguments: str = ""


class ChatCompletionMessageToolCall(Object):
    """One finished tool call."""

    id: str
    function: Function
    type: Literal["function"] = "function"


class ChatCompletionMessage(Object):
    """The assistant's message; `reasoning` holds what the model thought aloud, if anything."""

    annotations: ClassVar[None] = None
    audio: ClassVar[None] = None
    function_call: ClassVar[None] = None
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCompletionMessageToolCall] | None = None
    reasoning: str | None = None


class PromptTokensDetails(Object):
    """Of the prompt's tokens, how many came from a cache."""

    audio_tokens: ClassVar[None] = None
    cache_write_tokens: ClassVar[None] = None
    image_tokens: ClassVar[None] = None
    text_tokens: ClassVar[None] = None
    cached_tokens: int | None = None


class CompletionTokensDetails(Object):
    """Of the answer's tokens, how many were thinking."""

    accepted_prediction_tokens: ClassVar[None] = None
    audio_tokens: ClassVar[None] = None
    rejected_prediction_tokens: ClassVar[None] = None
    text_tokens: ClassVar[None] = None
    reasoning_tokens: int | None = None


class CompletionUsage(Object):
    """Tokens, as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class TopLogprob(Object):
    """A token that might have stood at a place, and its log probability."""

    token: str = ""
    logprob: float = 0.0
    bytes: list[int] | None = None


class ChatCompletionTokenLogprob(TopLogprob):
    """The token that stands at a place, and the likeliest there."""

    top_logprobs: list[TopLogprob] = []


class ChoiceLogprobs(Object):
    """Log probabilities, token by token, where they were asked for and told."""

    content: list[ChatCompletionTokenLogprob] | None = None
    refusal: list[ChatCompletionTokenLogprob] | None = None


class Choice(Object):
    """The one choice of an answer."""

    index: int = 0
    message: ChatCompletionMessage
    finish_reason: str = "stop"
    logprobs: ChoiceLogprobs | None = None


class ChatCompletion(Object):
    """A whole answer.

    `freelm` tells who gave it: provider, model, key fingerprint, attempts, integrity.
    """

    id: str
    choices: list[Choice]
    created: int
    model: str
    object: Literal["chat.completion"] = "chat.completion"
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    service_tier: ClassVar[None] = None  # each provider has words of its own for its tiers
    metadata: ClassVar[None] = None
    moderation: ClassVar[None] = None
    freelm: dict[str, Any] = {}


class ChoiceDeltaToolCall(Object):
    """A piece of a tool call; `id` and the name come with its first piece only."""

    index: int
    id: str | None = None
    function: Function | None = None
    type: Literal["function"] | None = None


class ChoiceDelta(Object):
    """What a chunk adds."""

    audio: ClassVar[None] = None
    function_call: ClassVar[None] = None
    refusal: ClassVar[None] = None
    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: list[ChoiceDeltaToolCall] | None = None
    reasoning: str | None = None


class ChunkChoice(Object):
    """The one choice of a chunk."""

    index: int = 0
    delta: ChoiceDelta
    finish_reason: str | None = None
    logprobs: Any = None


class ChatCompletionChunk(Object):
    """A piece of a streamed answer; the first one's `freelm` tells who speaks."""

    moderation: ClassVar[None] = None
    obfuscation: ClassVar[None] = None
    service_tier: ClassVar[None] = None
    system_fingerprint: ClassVar[None] = None
    id: str
    choices: list[ChunkChoice]
    created: int
    model: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    usage: CompletionUsage | None = None
    freelm: dict[str, Any] | None = None


class Model(Object):
    """One model that may be called now."""

    shutdown_date: ClassVar[None] = None
    id: str
    created: int = 0
    object: Literal["model"] = "model"
    owned_by: str = ""


class ModelPage(Object):
    """The models, as that SDK's page: iterate it, plainly or with `async for`, or read `data`.

    There is one page of them.
    """

    data: list[Model]
    object: Literal["list"] = "list"

    def __iter__(self) -> Any:
        """The models one by one."""
        return iter(self.data)

    async def __aiter__(self) -> AsyncIterator[Model]:
        """The models one by one."""
        for model in self.data:
            yield model

    def has_next_page(self) -> bool:
        """Never."""
        return False

    def next_page_info(self) -> None:
        """None: there is no other page."""

    def iter_pages(self) -> Iterator[Self]:
        """This page."""
        yield self


class Embedding(Object):
    """One vector: a list of numbers, or base64 where that was asked for."""

    index: int
    embedding: list[float] | str
    object: Literal["embedding"] = "embedding"


class EmbeddingUsage(Object):
    """Tokens, as far as the providers told."""

    prompt_tokens: int
    total_tokens: int


class CreateEmbeddingResponse(Object):
    """Vectors in the order of the texts.

    `model` is what to pass to get more that compare with these; `freelm` tells who gave them.
    """

    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    object: Literal["list"] = "list"
    freelm: dict[str, Any] = {}


class ParsedFunction(Function):
    """A tool call's function; `parsed_arguments` where the tool is strict."""

    parsed_arguments: Any = None


class ParsedFunctionToolCall(ChatCompletionMessageToolCall):
    """A tool call with its arguments read."""

    function: ParsedFunction  # pyright: ignore[reportIncompatibleVariableOverride]


class ParsedChatCompletionMessage(ChatCompletionMessage):
    """The assistant's message; `parsed` is the object it spells, None beside tool calls."""

    parsed: Any = None
    tool_calls: list[ParsedFunctionToolCall] | None = None  # type: ignore[assignment]


class ParsedChoice(Choice):
    """The one choice of an answer that was read."""

    message: ParsedChatCompletionMessage  # pyright: ignore[reportIncompatibleVariableOverride]


class ParsedChatCompletion(ChatCompletion):
    """A whole answer, read into the class that was asked for."""

    choices: list[ParsedChoice]  # type: ignore[assignment]
