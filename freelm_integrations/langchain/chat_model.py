"""`ChatFreeLLM`: a LangChain chat model over the whole pool of free tiers."""

# ruff: noqa: TC002, TC003
# `with_fallbacks` looks up at run time what `bind_tools` and `with_structured_output` return (and
# pydantic reads the rest),
# so nothing that annotations name here may hide behind TYPE_CHECKING.
from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict
from typing_extensions import Self, override

from freelm_integrations.langchain.batched import BatchedChatModel
from freelm_integrations.langchain.structured import Method, structured, with_raw
from freelm_integrations.langchain.tools import to_choice, to_tools
from freelm_integrations.langchain.validated import unless_refused


class ChatFreeLLM(BatchedChatModel):
    """Chat over the free tiers of six providers, with failover, as one LangChain model.

    Setup:
        `pip install "freelm-integrations[langchain]"` and at least one key in the environment:
        `GROQ_API_KEY`, `GEMINI_API_KEY`, `MISTRAL_API_KEY`, `OPENROUTER_API_KEY`,
        `CEREBRAS_API_KEY`, `NVIDIA_API_KEY`. Several keys of one: `FREELM_GROQ_KEYS=a,b`.

    Key init args, completion:
        `model` (alias, tag, id, family, or a list of these), `temperature`, `max_tokens`, `top_p`,
        `stop`, `seed`, `extra_body`.

    Key init args, providers and routing:
        `api_key` or `providers`, `strategy`, `timeout`, `attempt_timeout`, `max_attempts` (or
        `max_retries`), `hedge`, `wait`, `on_interrupt`, `allow_training`, `free_only`, `on_event`.

    Instantiate:
        ```python
        from freelm_integrations.langchain import ChatFreeLLM

        llm = ChatFreeLLM(model="auto", temperature=0)
        ```

    Invoke, stream, async:
        ```python
        llm.invoke([("system", "Be brief."), ("human", "What is a mutex?")])
        for chunk in llm.stream("Count to five."):
            print(chunk.text, end="")
        await llm.ainvoke("Hello")
        ```

    Tool calling and agents:
        `llm.bind_tools([function, PydanticClass], tool_choice="any")`; works with `create_agent`
        and LangGraph. Requests with tools go to routes that can call them.

    Structured output, JSON mode, image input:
        `llm.with_structured_output(Schema, method=...)` with `function_calling`, `json_schema` or
        `json_mode`; images as any LangChain content block, sent to models that see.

    Token usage and response metadata:
        `message.usage_metadata` in both modes; `message.response_metadata` tells `model_name` (who
        answered), `finish_reason`, `model_provider` (always `freelm`) and `freelm`: provider,
        model, key fingerprint, every attempt, and integrity. In a stream that was carried on
        elsewhere, `freelm["resumed"]` lists who took over, `freelm["seams"]` at which character.

    Failover, key rotation, events, errors:
        Handlers see the custom events `freelm.attempt_failed`, `freelm.attempt_dropped` (another
        spoke first), `freelm.provider_switched`, `freelm.resumed` (a cut stream goes on elsewhere)
        and `freelm.exhausted` under the model's own run, and `on_retry` except in bare `stream` and
        `astream`. `FreeLLMCallbackHandler` counts them. What is raised is both
        one of this package's errors and one of LangChain's `Model...Error` family, with `attempts`
        and `retry_after`.

    Conversations:
        Calls of one LangGraph thread (`thread_id`), or of one `affinity`, stay with the model that
        served the last of them while it is well: prompt caches, signatures and style last.

    Safe to share between threads and event loops. Copies, bindings and `configurable_fields` share
    one engine; pickles leave the keys behind and read them from the environment again.
    """

    model_config = ConfigDict(defer_build=False)

    @override
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools to call.

        Args:
            tools: functions, Pydantic classes, TypedDicts, LangChain tools or OpenAI-shaped dicts.
            tool_choice: `"auto"`, `"none"`, `"any"` or `"required"` or True, a tool's name, or an
                OpenAI-shaped dict.
            strict: whether arguments must fit the schema; told to providers only if given.
            parallel_tool_calls: whether several calls in one answer are welcome.
            **kwargs: bound along, for example `response_format`.

        Raises:
            InvalidOption: `tool_choice` names no tool that is there.
        """
        if tools:
            kwargs["tools"] = shaped = to_tools(tools, strict=strict)
            kwargs["tool_choice"] = to_choice(tool_choice, shaped)
            kwargs["parallel_tool_calls"] = parallel_tool_calls
        return self.bind(**{name: value for name, value in kwargs.items() if value is not None})

    @override
    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """The model giving values instead of messages.

        Args:
            schema: a Pydantic class (instances come back), a TypedDict, a JSON schema or an OpenAI
                tool (dicts do). May be left out with `json_mode`.
            method: `function_calling`, `json_schema` or `json_mode`; with the last, the prompt must
                ask for JSON.
            include_raw: give `{"raw", "parsed", "parsing_error"}` and raise nothing.
            strict: whether the provider must enforce the schema; told to it only if given.
            **kwargs: bound along.

        Raises:
            InvalidOption: an unknown method, or no schema where the method needs one.
            AnswerRefused: when it runs, and the model says that it will not.
        """
        bound, parser = structured(self, schema, method=method, strict=strict, options=kwargs)
        return with_raw(bound, parser) if include_raw else bound | unless_refused(parser)

    @override
    def get_num_tokens(self, text: str) -> int:
        """An offline estimate, four characters a token; `custom_get_token_ids` counts exactly."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return ceil(len(text) / 4)

    @override
    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """An estimate made offline, tools included."""
        if self.custom_get_token_ids is not None:
            return super().get_num_tokens_from_messages(messages, tools)
        shaped = cast("list[dict[str, Any] | BaseTool]", to_tools(tools or ()))
        return count_tokens_approximately(messages, tools=shaped or None)

    def close(self) -> None:
        """Close idle connections of blocking calls; a later call opens new ones."""
        self.engine.close()

    async def aclose(self) -> None:
        """Close the running event loop's idle connections; a later call opens new ones."""
        await self.engine.aclose()

    def __enter__(self) -> Self:
        """The model itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """The model itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.aclose()
