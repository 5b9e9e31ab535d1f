"""`LlamaIndexFreeLLM`: the pool as a LlamaIndex model."""

# ruff: noqa: FBT001, FBT002, ARG002 - the signatures are core's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.llama_index import structured
from freelm_integrations.llama_index.calls import ChatCall, CompletionCall
from freelm_integrations.llama_index.configured import ConfiguredLLM
from freelm_integrations.llama_index.structured import StructuredCall
from freelm_integrations.llama_index.tools import conversation, cut_to_one, selections, tool_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Sequence

    from llama_index.core.base.llms.types import (
        ChatMessage,
        ChatResponse,
        ChatResponseAsyncGen,
        ChatResponseGen,
        CompletionResponse,
        CompletionResponseAsyncGen,
        CompletionResponseGen,
    )
    from llama_index.core.llms.llm import ToolSelection
    from llama_index.core.prompts import PromptTemplate
    from llama_index.core.tools.types import BaseTool
    from llama_index.core.types import Model

    from freelm_integrations.chat import Json


class LlamaIndexFreeLLM(ConfiguredLLM):
    """Free models of six providers as one LlamaIndex LLM that goes on when one of them fails.

    Takes the arguments of the core clients (`providers`, `model`, `strategy`, `timeout`, ...) and
    LlamaIndex's (`temperature`, `max_tokens`, `system_prompt`, `callback_manager`, ...); with none
    it uses every provider whose key is in the environment. Per-call arguments override the fields;
    `extra_body` and `extra_headers` are sent along as they are, to whichever provider is asked. One
    object serves any number of threads and event loops.

    Calls raise the errors of `freelm_integrations.errors`: `NoRouteAnswered` with a line a provider
    when nobody answers, `StreamInterrupted` with the text so far when a stream breaks and cannot be
    carried on.

    Examples:
        ```python
        from freelm_integrations.llama_index import LlamaIndexFreeLLM
        from llama_index.core.llms import ChatMessage

        llm = LlamaIndexFreeLLM()
        print(llm.complete("Name three rivers."))
        for chunk in llm.stream_chat([ChatMessage(content="Tell me about one of them.")]):
            print(chunk.delta, end="")
        ```
    """

    # The eight endpoints. Spans come from core, which wraps these very methods.

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer to a conversation."""
        return ChatCall(self).ask(messages, **kwargs)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The whole answer to one user message."""
        return CompletionCall(self).ask(prompt, formatted=formatted, **kwargs)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The answer as it comes; returns once it has begun: earlier errors are raised here."""
        call = ChatCall(self)
        return call.guard(call.read(messages, **kwargs))

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponseGen:
        """The answer to one user message as it comes; returns once it has begun."""
        call = CompletionCall(self)
        return call.guard(call.read(prompt, formatted=formatted, **kwargs))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer to a conversation."""
        return await ChatCall(self).aask(messages, **kwargs)

    async def acomplete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponse:
        """The whole answer to one user message."""
        return await CompletionCall(self).aask(prompt, formatted=formatted, **kwargs)

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """The answer as it comes; returns once it has begun: earlier errors are raised here."""
        call = ChatCall(self)
        return await call.aguard(await call.aread(messages, **kwargs))

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponseAsyncGen:
        """The answer to one user message as it comes; returns once it has begun."""
        call = CompletionCall(self)
        return await call.aguard(await call.aread(prompt, formatted=formatted, **kwargs))

    # Structured answers. Spans and events as core's, whose methods these replace.

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """An object of `output_cls`.

        Raises:
            ValueError: no answer fitted the class; the message shows the last one.
        """
        structured.started(output_cls, prompt, prompt_args)
        if (program := structured.program(self, output_cls, prompt)) is not None:
            found = program(llm_kwargs=dict(llm_kwargs or {}), **prompt_args)
        else:
            found = self._structured_call(output_cls, prompt, llm_kwargs, prompt_args).ask()
        return structured.ended(found)

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """An object of `output_cls`; as `structured_predict`."""
        structured.started(output_cls, prompt, prompt_args)
        if (program := structured.program(self, output_cls, prompt)) is not None:
            found = await program.acall(llm_kwargs=dict(llm_kwargs or {}), **prompt_args)
        else:
            found = await self._structured_call(output_cls, prompt, llm_kwargs, prompt_args).aask()
        return structured.ended(found)

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        if (program := structured.program(self, output_cls, prompt)) is not None:
            return program.stream_call(llm_kwargs=dict(llm_kwargs or {}), **prompt_args)
        return self._structured_call(output_cls, prompt, llm_kwargs, prompt_args).stream()

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        if (program := structured.program(self, output_cls, prompt)) is not None:
            return await program.astream_call(llm_kwargs=dict(llm_kwargs or {}), **prompt_args)
        return self._structured_call(output_cls, prompt, llm_kwargs, prompt_args).astream()

    def _structured_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None,
        prompt_args: dict[str, Any],
    ) -> StructuredCall[Model]:
        messages = self._extend_messages(prompt.format_messages(llm=self, **prompt_args))
        return StructuredCall(self, output_cls, messages, llm_kwargs)

    # Tools

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | Json | None = None,
        **kwargs: Any,
    ) -> Json:
        request = tool_request(
            tools,
            tool_choice=tool_choice,
            tool_required=tool_required,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
        )
        return {"messages": conversation(chat_history, user_msg), **request, **kwargs}

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        return response if allow_parallel_tool_calls else cut_to_one(response)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls of an answer, or of a stream so far.

        Raises:
            ValueError: there is none and `error_on_no_tool_call`.
        """
        return selections(response, error_on_no_tool_call=error_on_no_tool_call)
