"""What core knows of a call and keeps from the hooks: its run, and whose conversation it is.

See `callbacks.py` for what is done with the run. The conversation is LangGraph's thread: its calls
stay with the model that served the last of them, while that is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import merge_configs, var_child_runnable_config
from typing_extensions import override

from freelm_integrations.langchain.callbacks import AsyncRunRecorder, RunRecorder
from freelm_integrations.langchain.configuration import AFFINITY, RUN, ConfiguredChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.chat_model_stream import (
        AsyncChatModelStream,
        ChatModelStream,
    )
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
    from langchain_core.outputs import ChatResult
    from langchain_core.runnables import RunnableConfig


NOTES = "freelm_notes"
"""The private keyword under which the place for core's tracing notes travels to the v3 hooks."""


class ObservedChatModel(ConfiguredChatModel):
    """Finds out the run where core keeps it to itself; costs nothing where nobody listens."""

    @override
    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """The answer; calls of one `thread_id` stay with the model that served the last."""
        self._note_conversation(config, kwargs)
        return super().invoke(input, config, stop=stop, **kwargs)

    @override
    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """The answer; calls of one `thread_id` stay with the model that served the last."""
        self._note_conversation(config, kwargs)
        return await super().ainvoke(input, config, stop=stop, **kwargs)

    @override
    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """The answer in chunks; failovers are told to the handlers under this run."""
        self._note_conversation(config, kwargs)
        config = ensure_config(config)
        manager = CallbackManager.configure(
            config.get("callbacks"), self.callbacks, self.verbose, config.get("tags"), self.tags
        )
        if manager.handlers:
            kwargs[RUN] = RunRecorder(manager)
            config = merge_configs(config, {"callbacks": [kwargs[RUN]]})
        return super().stream(input, config, stop=stop, **kwargs)

    @override
    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """The answer in chunks; failovers are told to the handlers under this run."""
        self._note_conversation(config, kwargs)
        config = ensure_config(config)
        manager = AsyncCallbackManager.configure(
            config.get("callbacks"), self.callbacks, self.verbose, config.get("tags"), self.tags
        )
        if manager.handlers:
            kwargs[RUN] = AsyncRunRecorder(manager)
            config = merge_configs(config, {"callbacks": [kwargs[RUN]]})
        return super().astream(input, config, stop=stop, **kwargs)

    def _note_conversation(self, config: RunnableConfig | None, kwargs: dict[str, Any]) -> None:
        """Let the hooks know of the conversation, unless the caller has named one."""
        if self.affinity is None and AFFINITY not in kwargs:
            thread = _thread_of(config) or _thread_of(var_child_runnable_config.get())
            if thread is not None:
                kwargs[AFFINITY] = thread

    @override
    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # Where `invoke` is made to stream, core does not hand the run on.
        kwargs[RUN] = run_manager
        return super()._generate_with_cache(messages, stop, run_manager, **kwargs)

    @override
    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        kwargs[RUN] = run_manager
        return await super()._agenerate_with_cache(messages, stop, run_manager, **kwargs)

    def _iter_v2_events(self, *args: Any, stream: ChatModelStream, **kwargs: Any) -> Any:
        """Core's driver of the v3 hooks, which keeps to itself where a gateway's notes go."""
        kwargs[NOTES] = _notes_of(stream)
        return super()._iter_v2_events(*args, stream=stream, **kwargs)

    def _aiter_v2_events(self, *args: Any, stream: AsyncChatModelStream, **kwargs: Any) -> Any:
        kwargs[NOTES] = _notes_of(stream)
        return super()._aiter_v2_events(*args, stream=stream, **kwargs)


def _notes_of(stream: object) -> dict[str, Any] | None:
    """Where core collects what only its tracer is to know; private there, so it may be gone."""
    return getattr(stream, "_generation_info", None)


def _thread_of(config: RunnableConfig | None) -> str | None:
    """LangGraph's `thread_id`, if the config has one."""
    configurable = None if config is None else config.get("configurable")
    thread = None if configurable is None else configurable.get("thread_id")
    return None if thread is None else str(thread)
