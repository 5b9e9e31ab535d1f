"""What happens inside a call -> LangChain's callbacks, under the run id of the model itself.

Core hands a run manager to the hooks in some of its call paths only (not in `stream`, `astream`,
nor wherever `invoke` is made to stream), and `dispatch_custom_event` raises outside a chain. So the
run is found out another way there: a handler that notes the run's id rides along, and the events go
to the handlers the call was configured with.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    CallbackManager,
    CallbackManagerForLLMRun,
)

from freelm_integrations.events import (
    AttemptDropped,
    AttemptFailed,
    Exhausted,
    ProviderSwitched,
    Resumed,
)
from freelm_integrations.langchain.errors import attempt_error
from freelm_integrations.langchain.spans import AsyncSpans, Spans, tracers_in

if TYPE_CHECKING:
    from uuid import UUID

    from tenacity import RetryCallState

    from freelm_integrations.events import Event

TOLD = (AttemptDropped, AttemptFailed, ProviderSwitched, Resumed, Exhausted)
"""The events handlers see, as custom events named after them; the rest is for observers of the
client."""

Run: TypeAlias = Union[CallbackManagerForLLMRun, "RunRecorder"]
AsyncRun: TypeAlias = Union[AsyncCallbackManagerForLLMRun, "AsyncRunRecorder"]


class _Recorder(BaseCallbackHandler):
    """Notes the id of the run it is started with; told nothing else."""

    run_inline = True
    run_id: UUID | None = None

    @property
    def ignore_llm(self) -> bool:
        """No word of tokens and ends."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """No word of what it is there for others to be told."""
        return True

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Note it."""
        del args, kwargs
        self.run_id = run_id


class RunRecorder(_Recorder):
    """The run of a blocking call whose hook gets no run manager; `manager` knows its handlers."""

    def __init__(self, manager: CallbackManager) -> None:
        """Keep whom to tell."""
        self.manager = manager


class AsyncRunRecorder(_Recorder):
    """The same on an event loop."""

    def __init__(self, manager: AsyncCallbackManager) -> None:
        """Keep whom to tell."""
        self.manager = manager


class Reporter:
    """Tells a blocking run's handlers what its call does. One per call."""

    def __init__(self, run: Run) -> None:
        """Keep the run; its id may not be known yet."""
        self._run = run
        self._failed: AttemptFailed | None = None
        self._error: Exception | None = None
        tracers = tracers_in(_listeners(run))
        self._spans = Spans(tracers) if tracers else None

    def observe(self, event: Event) -> None:
        """Tell one event.

        An error of a handler is kept: core says whether it is one to raise, `finish` when.
        """
        is_told = isinstance(event, TOLD)
        if not is_told and self._spans is None:
            return
        try:
            if self._spans is not None:
                self._spans.tell(event, self._run.run_id)
            if is_told:
                self._tell(event)
        except Exception as error:  # noqa: BLE001 - whatever a handler with `raise_error` raises
            self._error = self._error or error

    def close(self) -> None:
        """The call is over, however it ended."""
        if self._spans is not None:
            self._spans.close()

    def finish(self) -> None:
        """Raise what a handler marked `raise_error` raised."""
        if self._error is not None:
            raise self._error

    def _tell(self, event: Event) -> None:
        run = self._run
        manager = run.manager if isinstance(run, RunRecorder) else _manager_of(run)
        manager.on_custom_event(event.name, event.to_dict(), run_id=run.run_id)
        if isinstance(event, AttemptFailed):
            self._failed = event
        elif isinstance(event, ProviderSwitched) and not isinstance(run, RunRecorder):
            run.on_retry(_retry_state(self._failed, event))


class AsyncReporter:
    """Tells an async run's handlers what its call does, each in its turn. One per call."""

    def __init__(self, run: AsyncRun) -> None:
        """Keep the run; its id may not be known yet."""
        self._run = run
        self._failed: AttemptFailed | None = None
        self._last: asyncio.Task[None] | None = None
        tracers = tracers_in(_listeners(run))
        self._spans = AsyncSpans(tracers) if tracers else None

    def observe(self, event: Event) -> None:
        """Have one event told as soon as the loop turns, after those before it."""
        if self._spans is not None or isinstance(event, TOLD):
            loop = asyncio.get_running_loop()
            self._last = loop.create_task(self._tell(event, after=self._last))

    async def finish(self) -> None:
        """Wait until all is told; raise what a handler marked `raise_error` raised."""
        try:
            if self._last is not None:
                await self._last
        finally:
            if self._spans is not None:
                await self._spans.close()

    async def _tell(self, event: Event, *, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await after
        run = self._run
        if self._spans is not None:
            await self._spans.tell(event, run.run_id)
        if not isinstance(event, TOLD):
            return
        manager = run.manager if isinstance(run, AsyncRunRecorder) else _async_manager_of(run)
        await manager.on_custom_event(event.name, event.to_dict(), run_id=run.run_id)
        if isinstance(event, AttemptFailed):
            self._failed = event
        elif isinstance(event, ProviderSwitched) and not isinstance(run, AsyncRunRecorder):
            await run.on_retry(_retry_state(self._failed, event))


def reporter(run: Run | None) -> Reporter | None:
    """A reporter for the run, or None where nobody listens."""
    return None if run is None or not _listeners(run) else Reporter(run)


def async_reporter(run: AsyncRun | None) -> AsyncReporter | None:
    """A reporter for the run, or None where nobody listens."""
    return None if run is None or not _listeners(run) else AsyncReporter(run)


def _listeners(run: Run | AsyncRun) -> list[BaseCallbackHandler]:
    return (
        run.manager.handlers if isinstance(run, (RunRecorder, AsyncRunRecorder)) else run.handlers
    )


def _manager_of(run: CallbackManagerForLLMRun) -> CallbackManager:
    return CallbackManager(
        handlers=run.handlers,
        inheritable_handlers=run.inheritable_handlers,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
        metadata=run.metadata,
    )


def _async_manager_of(run: AsyncCallbackManagerForLLMRun) -> AsyncCallbackManager:
    return AsyncCallbackManager(
        handlers=run.handlers,
        inheritable_handlers=run.inheritable_handlers,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
        metadata=run.metadata,
    )


def _retry_state(failed: AttemptFailed | None, switched: ProviderSwitched) -> RetryCallState:
    """What core's tracers expect of a retry: tenacity's record of it."""
    from tenacity import RetryCallState, Retrying  # noqa: PLC0415 - only a failover needs it

    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = switched.attempt
    kind = switched.reason if failed is None else failed.kind
    words = (
        "" if failed is None else f"{failed.provider} ({failed.model}): {failed.message or kind}"
    )
    error = attempt_error(kind=kind, message=words)
    state.set_exception((type(error), error, None))
    return state
