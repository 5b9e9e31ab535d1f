"""One user call each, as core's callback decorators see it.

The decorators read `callback_manager`, `rate_limiter` and `to_payload` of the object whose method
they wrap. An object for each call, in place of the model itself, gives the call somewhere to keep
the stream that core's wrapper hides, so that it can be closed. The rate limiter is core's to
acquire, once a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.instrumentation.span import active_span_id
from llama_index.core.llms import callbacks

from freelm_integrations.llama_index.answers import (
    GrowingAnswer,
    chat_response,
    completion_response,
)
from freelm_integrations.llama_index.counting import counter_for
from freelm_integrations.llama_index.events import observer
from freelm_integrations.llama_index.messages import to_wire
from freelm_integrations.llama_index.streams import aguarded, aopened, guarded, opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence

    from llama_index.core.base.llms.types import (
        ChatResponse,
        ChatResponseAsyncGen,
        ChatResponseGen,
        CompletionResponse,
        CompletionResponseAsyncGen,
        CompletionResponseGen,
    )
    from llama_index.core.callbacks import CallbackManager

    from freelm_integrations.chat import Json
    from freelm_integrations.llama_index.counting import Counter
    from freelm_integrations.llama_index.llm import LlamaIndexFreeLLM

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

_decorators: Any = callbacks  # core does not say what its decorators take and give


def _as_chat(function: F) -> F:
    return cast("F", _decorators.llm_chat_callback()(function))


def _as_completion(function: F) -> F:
    return cast("F", _decorators.llm_completion_callback()(function))


class _Call:
    """What chat and completion calls share."""

    callback_manager: CallbackManager
    rate_limiter: Any

    def __init__(self, llm: LlamaIndexFreeLLM) -> None:
        """Belong to `llm`, and to the span that is active now."""
        self._llm = llm
        self.callback_manager = llm.callback_manager
        self.rate_limiter = llm.rate_limiter
        self._observer = observer(active_span_id.get())
        self._stream: Generator[Any, None, None] | None = None
        self._async_stream: AsyncGenerator[Any, None] | None = None

    def to_payload(self) -> Json:
        """What the start event says about the model."""
        return self._llm.to_payload()

    def _ask(self, messages: Sequence[ChatMessage], params: Json) -> ChatResponse:
        try:
            completion = self._llm.client.chat(
                to_wire(messages), **self._llm.call_options(params), on_event=self._observer
            )
            return chat_response(completion, self._counter(messages))
        finally:
            self._settle()

    async def _aask(self, messages: Sequence[ChatMessage], params: Json) -> ChatResponse:
        try:
            completion = await self._llm.async_client.chat(
                to_wire(messages), **self._llm.call_options(params), on_event=self._observer
            )
            return chat_response(completion, self._counter(messages))
        finally:
            self._settle()

    def _read(
        self, messages: Sequence[ChatMessage], params: Json, shape: Callable[[ChatResponse], T]
    ) -> Generator[T, None, None]:
        deltas = self._llm.client.stream_deltas(
            to_wire(messages), **self._llm.call_options(params), on_event=self._observer
        )
        answer = GrowingAnswer(self._counter(messages))
        self._stream = stream = opened(deltas, answer, shape, self._settle)
        return stream

    async def _aread(
        self, messages: Sequence[ChatMessage], params: Json, shape: Callable[[ChatResponse], T]
    ) -> AsyncGenerator[T, None]:
        deltas = self._llm.async_client.stream_deltas(
            to_wire(messages), **self._llm.call_options(params), on_event=self._observer
        )
        answer = GrowingAnswer(self._counter(messages))
        self._async_stream = stream = await aopened(deltas, answer, shape, self._settle)
        return stream

    def guard(self, watched: Generator[T, None, None]) -> Generator[T, None, None]:
        """The watched stream of this call, with the stream beneath it closed at the end."""
        return watched if self._stream is None else guarded(watched, self._stream)

    async def aguard(self, watched: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The watched stream of this call, with the stream beneath it closed at the end."""
        stream = self._async_stream
        return watched if stream is None else await aguarded(watched, stream)

    def _counter(self, messages: Sequence[ChatMessage]) -> Counter | None:
        return counter_for(self._llm.tokenizer, messages)

    def _settle(self) -> None:
        if self._observer is not None:
            self._observer.settle()


class ChatCall(_Call):
    """A call of a chat endpoint."""

    @_as_chat
    def ask(self, messages: Sequence[ChatMessage], **params: Any) -> ChatResponse:
        """The whole answer."""
        return self._ask(messages, params)

    @_as_chat
    async def aask(self, messages: Sequence[ChatMessage], **params: Any) -> ChatResponse:
        """The whole answer."""
        return await self._aask(messages, params)

    @_as_chat
    def read(self, messages: Sequence[ChatMessage], **params: Any) -> ChatResponseGen:
        """The answer as it comes, once it has begun."""
        return self._read(messages, params, _unchanged)

    @_as_chat
    async def aread(self, messages: Sequence[ChatMessage], **params: Any) -> ChatResponseAsyncGen:
        """The answer as it comes, once it has begun."""
        return await self._aread(messages, params, _unchanged)


class CompletionCall(_Call):
    """A call of a completion endpoint: one user message."""

    @_as_completion
    def ask(self, prompt: str, *, formatted: bool = False, **params: Any) -> CompletionResponse:
        """The whole answer."""
        return completion_response(
            self._ask(self._messages(prompt, is_formatted=formatted), params)
        )

    @_as_completion
    async def aask(
        self, prompt: str, *, formatted: bool = False, **params: Any
    ) -> CompletionResponse:
        """The whole answer."""
        return completion_response(
            await self._aask(self._messages(prompt, is_formatted=formatted), params)
        )

    @_as_completion
    def read(self, prompt: str, *, formatted: bool = False, **params: Any) -> CompletionResponseGen:
        """The answer as it comes, once it has begun."""
        return self._read(
            self._messages(prompt, is_formatted=formatted), params, completion_response
        )

    @_as_completion
    async def aread(
        self, prompt: str, *, formatted: bool = False, **params: Any
    ) -> CompletionResponseAsyncGen:
        """The answer as it comes, once it has begun."""
        messages = self._messages(prompt, is_formatted=formatted)
        return await self._aread(messages, params, completion_response)

    def _messages(self, prompt: str, *, is_formatted: bool) -> list[ChatMessage]:
        if not is_formatted and self._llm.completion_to_prompt is not None:
            prompt = self._llm.completion_to_prompt(prompt)
        return [ChatMessage(role=MessageRole.USER, content=prompt)]


def _unchanged(response: ChatResponse) -> ChatResponse:
    return response
