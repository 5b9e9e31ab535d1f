"""`ChatFreeLLM`: a LangChain chat model over the whole pool of free tiers."""

# ruff: noqa: TC002
# `with_fallbacks` looks up at run time what `bind_tools` and `with_structured_output` return (and
# pydantic reads the rest),
# so nothing that annotations name here may hide behind TYPE_CHECKING.
from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from inspect import signature
from math import ceil
from typing import Any, TypeVar, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict
from typing_extensions import Self, override

from freelm_integrations.errors import FreeLLMError
from freelm_integrations.langchain.answers import ChunkWriter, to_result
from freelm_integrations.langchain.arguments import as_list, call_params
from freelm_integrations.langchain.callbacks import async_reporter, reporter
from freelm_integrations.langchain.configuration import AFFINITY, PARAMS, RUN
from freelm_integrations.langchain.errors import as_model_error
from freelm_integrations.langchain.messages import to_wire
from freelm_integrations.langchain.observed import ObservedChatModel
from freelm_integrations.langchain.structured import (
    SCHEMA,
    Method,
    structured,
    told_schema,
    with_raw,
)
from freelm_integrations.langchain.tools import to_choice, to_response_format, to_tools

SENT = ("model", AFFINITY, *PARAMS)
"""Fields that go into every request."""
Hook = TypeVar("Hook", bound=Callable[..., object])


def _inspected(hook: Hook) -> Hook:
    """The hook with its signature at hand: core asks for it on every call, a fifth of its time."""
    vars(hook)["__signature__"] = signature(hook)
    return hook


class ChatFreeLLM(ObservedChatModel):
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
    @_inspected
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        told = reporter(run_manager or kwargs.get(RUN))
        try:
            completion = self.engine.blocking().chat(
                told_schema(to_wire(messages), kwargs.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, kwargs),
            )
        except FreeLLMError as error:
            raise as_model_error(error) from None
        if told is not None:
            told.finish()
        return to_result(completion)

    @override
    @_inspected
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        told = async_reporter(run_manager or kwargs.get(RUN))
        try:
            completion = await self.engine.on_loop().chat(
                told_schema(to_wire(messages), kwargs.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, kwargs),
            )
        except FreeLLMError as error:
            raise as_model_error(error) from None
        finally:
            if told is not None:
                await told.finish()
        return to_result(completion)

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        told = reporter(run_manager or kwargs.get(RUN))
        writer = ChunkWriter(whole_at_end=run_manager is not None)
        try:
            with self.engine.blocking().stream_deltas(
                told_schema(to_wire(messages), kwargs.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, kwargs),
            ) as deltas:
                for delta in deltas:
                    for chunk in writer.write(delta):
                        # Core announces chunks itself wherever it keeps the run manager to itself.
                        if run_manager is not None:
                            run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
        except FreeLLMError as error:
            raise as_model_error(error) from None
        if told is not None:
            told.finish()
        yield writer.finish()

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        told = async_reporter(run_manager or kwargs.get(RUN))
        writer = ChunkWriter(whole_at_end=run_manager is not None)
        try:
            async with self.engine.on_loop().stream_deltas(
                told_schema(to_wire(messages), kwargs.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, kwargs),
            ) as deltas:
                async for delta in deltas:
                    for chunk in writer.write(delta):
                        if run_manager is not None:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
        except FreeLLMError as error:
            raise as_model_error(error) from None
        finally:
            if told is not None:
                await told.finish()
        yield writer.finish()

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
        """
        bound, parser = structured(self, schema, method=method, strict=strict, options=kwargs)
        return with_raw(bound, parser) if include_raw else bound | parser

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

    def _request(self, stop: list[str] | None, given: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the core client's call."""
        given.pop(RUN, None)
        own = vars(self)
        params = call_params({name: own[name] for name in SENT}, given)
        if ends := as_list(stop or params.get("stop") or self.stop):
            params["stop"] = ends
        if tools := params.pop("tools", None):
            params["tools"] = shaped = to_tools(tools)
            params["tool_choice"] = to_choice(params.get("tool_choice"), shaped)
        elif "tool_choice" in params:
            del params["tool_choice"]
        if "response_format" in params:
            params["response_format"] = to_response_format(params["response_format"])
        return params
