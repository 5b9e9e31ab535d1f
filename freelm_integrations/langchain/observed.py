"""The run of every call, carried to the hooks that core leaves without it.

See `callbacks.py` for what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import merge_configs
from typing_extensions import override

from freelm_integrations.langchain.callbacks import AsyncRunRecorder, RunRecorder
from freelm_integrations.langchain.configuration import RUN, ConfiguredChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.outputs import ChatResult
    from langchain_core.runnables import RunnableConfig


class ObservedChatModel(ConfiguredChatModel):
    """Finds out the run where core keeps it to itself; costs nothing where nobody listens."""

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
        config = ensure_config(config)
        manager = AsyncCallbackManager.configure(
            config.get("callbacks"), self.callbacks, self.verbose, config.get("tags"), self.tags
        )
        if manager.handlers:
            kwargs[RUN] = AsyncRunRecorder(manager)
            config = merge_configs(config, {"callbacks": [kwargs[RUN]]})
        return super().astream(input, config, stop=stop, **kwargs)

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
