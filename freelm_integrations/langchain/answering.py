"""The hooks core calls: whole, streamed, and as events of the v3 protocol, blocking and async."""

from __future__ import annotations

from contextlib import aclosing, closing
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.utils.utils import LC_ID_PREFIX
from pydantic import ConfigDict
from typing_extensions import override

from freelm_integrations.errors import FreeLLMError
from freelm_integrations.langchain.answers import to_result
from freelm_integrations.langchain.arguments import as_list, call_params
from freelm_integrations.langchain.callbacks import async_reporter, reporter
from freelm_integrations.langchain.chunks import ChunkWriter
from freelm_integrations.langchain.configuration import AFFINITY, PARAMS, RUN
from freelm_integrations.langchain.errors import as_model_error
from freelm_integrations.langchain.messages import to_wire
from freelm_integrations.langchain.observed import NOTES, ObservedChatModel
from freelm_integrations.langchain.protocol import EventWriter
from freelm_integrations.langchain.structured import SCHEMA, told_schema
from freelm_integrations.langchain.tools import to_choice, to_response_format, to_tools

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatGenerationChunk, ChatResult
    from langchain_protocol.protocol import MessagesData

    from freelm_integrations.chat import Delta
    from freelm_integrations.langchain.callbacks import AsyncRun, Run

SENT = ("model", AFFINITY, *PARAMS)
"""Fields that go into every request."""
Hook = TypeVar("Hook", bound="Callable[..., object]")


def _inspected(hook: Hook) -> Hook:
    """The hook with its signature at hand: core asks for it on every call, a fifth of its time."""
    vars(hook)["__signature__"] = signature(hook)
    return hook


class AnsweringChatModel(ObservedChatModel):
    """Answers calls through the core clients."""

    # The validator of this class is never used.
    model_config = ConfigDict(defer_build=True)

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
        finally:
            if told is not None:
                told.close()
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
        writer = ChunkWriter(whole_at_end=run_manager is not None)
        run = run_manager or kwargs.get(RUN)
        with closing(self._deltas(messages, stop, run, kwargs)) as deltas:
            for delta in deltas:
                for chunk in writer.write(delta):
                    # Core announces chunks itself wherever it keeps the run manager to itself.
                    if run_manager is not None:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        yield writer.finish()

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        writer = ChunkWriter(whole_at_end=run_manager is not None)
        run = run_manager or kwargs.get(RUN)
        async with aclosing(self._adeltas(messages, stop, run, kwargs)) as deltas:
            async for delta in deltas:
                for chunk in writer.write(delta):
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        yield writer.finish()

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> Iterator[MessagesData]:
        """Core calls this for the v3 protocol, and tells nobody of tokens then: that is ours."""
        notes = kwargs.pop(NOTES, None)
        writer = EventWriter(f"{LC_ID_PREFIX}-{run_manager.run_id}")
        tokens = ChunkWriter(whole_at_end=True) if run_manager.handlers else None
        with closing(self._deltas(messages, stop, run_manager, kwargs)) as deltas:
            for delta in deltas:
                for chunk in () if tokens is None else tokens.write(delta):
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield from writer.write(delta)
        if notes is not None:
            notes.update(writer.note())
        yield from writer.finish()

    async def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> AsyncIterator[MessagesData]:
        """The same on an event loop."""
        notes = kwargs.pop(NOTES, None)
        writer = EventWriter(f"{LC_ID_PREFIX}-{run_manager.run_id}")
        tokens = ChunkWriter(whole_at_end=True) if run_manager.handlers else None
        async with aclosing(self._adeltas(messages, stop, run_manager, kwargs)) as deltas:
            async for delta in deltas:
                for chunk in () if tokens is None else tokens.write(delta):
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                for event in writer.write(delta):
                    yield event
        if notes is not None:
            notes.update(writer.note())
        for event in writer.finish():
            yield event

    def _deltas(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run: Run | None,
        given: dict[str, Any],
    ) -> Generator[Delta]:
        """What is answered, piece by piece, and the run told of it; errors are those of core."""
        told = reporter(run)
        try:
            with self.engine.blocking().stream_deltas(
                told_schema(to_wire(messages), given.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, given),
            ) as deltas:
                yield from deltas
        except FreeLLMError as error:
            raise as_model_error(error) from None
        finally:
            if told is not None:
                told.close()
        if told is not None:
            told.finish()

    async def _adeltas(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run: AsyncRun | None,
        given: dict[str, Any],
    ) -> AsyncGenerator[Delta]:
        """The same on an event loop."""
        told = async_reporter(run)
        try:
            async with self.engine.on_loop().stream_deltas(
                told_schema(to_wire(messages), given.pop(SCHEMA, None)),
                on_event=None if told is None else told.observe,
                **self._request(stop, given),
            ) as deltas:
                async for delta in deltas:
                    yield delta
        except FreeLLMError as error:
            raise as_model_error(error) from None
        finally:
            if told is not None:
                await told.finish()

    def _request(self, stop: list[str] | None, given: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the core client's call."""
        given.pop(RUN, None)
        own = vars(self)
        defaults = {name: value for name in SENT if (value := own[name]) is not None}
        params = call_params(defaults, given)
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
