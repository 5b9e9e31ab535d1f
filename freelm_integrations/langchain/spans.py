"""Every attempt of a call as a run of its own below the model's, in tracers that keep run trees.

LangSmith then shows who was asked, for how long, what came of it and who was asked next. Plain
handlers are told of failovers by events (`callbacks.py`) and hear nothing of these: to them a call
is one run. The runs are chains, as a second model run would be counted and paid for twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer

from freelm_integrations.events import AttemptDropped, AttemptFailed, AttemptStarted, CallCompleted
from freelm_integrations.langchain.errors import attempt_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from langchain_core.callbacks import (
        AsyncCallbackManagerForChainRun,
        BaseCallbackHandler,
        CallbackManagerForChainRun,
    )
    from langchain_core.exceptions import ModelError

    from freelm_integrations.chat import Json
    from freelm_integrations.events import Event

TAG = "freelm.attempt"
OUTPACED: Json = {"outcome": "outpaced"}
ABANDONED: Json = {"outcome": "abandoned"}


def tracers_in(handlers: Iterable[BaseCallbackHandler]) -> list[BaseCallbackHandler]:
    """Those that keep run trees; what streams events to a user is none of them."""
    return [
        one
        for one in handlers
        if isinstance(one, (BaseTracer, AsyncBaseTracer)) and not hasattr(one, "tap_output_iter")
    ]


class Spans:
    """The attempts of one blocking call; not thread safe."""

    def __init__(self, tracers: list[BaseCallbackHandler]) -> None:
        """Tell these."""
        self._tracers = tracers
        self._open: dict[int, CallbackManagerForChainRun] = {}

    def tell(self, event: Event, parent: UUID | None) -> None:
        """What the event means for the attempts below that run."""
        if isinstance(event, AttemptStarted):
            manager = CallbackManager(
                handlers=self._tracers, parent_run_id=parent, tags=[TAG], metadata=_facts(event)
            )
            self._open[event.attempt] = manager.on_chain_start(
                None, _facts(event), name=_name(event)
            )
        elif isinstance(event, (AttemptFailed, AttemptDropped)):
            if (span := self._open.pop(event.attempt, None)) is None:
                return
            if isinstance(event, AttemptFailed):
                span.on_chain_error(_error(event))
            else:
                span.on_chain_end(OUTPACED)
        elif isinstance(event, CallCompleted):
            self.close(_answered(event))

    def close(self, outcome: Json = ABANDONED) -> None:
        """End what is still open."""
        while self._open:
            self._open.popitem()[1].on_chain_end(outcome)


class AsyncSpans:
    """The attempts of one call on an event loop."""

    def __init__(self, tracers: list[BaseCallbackHandler]) -> None:
        """Tell these."""
        self._tracers = tracers
        self._open: dict[int, AsyncCallbackManagerForChainRun] = {}

    async def tell(self, event: Event, parent: UUID | None) -> None:
        """What the event means for the attempts below that run."""
        if isinstance(event, AttemptStarted):
            manager = AsyncCallbackManager(
                handlers=self._tracers, parent_run_id=parent, tags=[TAG], metadata=_facts(event)
            )
            self._open[event.attempt] = await manager.on_chain_start(
                None, _facts(event), name=_name(event)
            )
        elif isinstance(event, (AttemptFailed, AttemptDropped)):
            if (span := self._open.pop(event.attempt, None)) is None:
                return
            if isinstance(event, AttemptFailed):
                await span.on_chain_error(_error(event))
            else:
                await span.on_chain_end(OUTPACED)
        elif isinstance(event, CallCompleted):
            await self.close(_answered(event))

    async def close(self, outcome: Json = ABANDONED) -> None:
        """End what is still open."""
        while self._open:
            await self._open.popitem()[1].on_chain_end(outcome)


def _name(event: AttemptStarted) -> str:
    return f"{event.provider} {event.model}"


def _facts(event: AttemptStarted) -> Json:
    return {
        "attempt": event.attempt,
        "provider": event.provider,
        "model": event.model,
        "key": event.key,
    }


def _answered(event: CallCompleted) -> Json:
    usage = {"prompt_tokens": event.prompt_tokens, "completion_tokens": event.completion_tokens}
    told = {name: count for name, count in usage.items() if count is not None}
    return {"outcome": "answered", **told}


def _error(event: AttemptFailed) -> ModelError:
    status = "" if event.status is None else f" {event.status}"
    wait = "" if event.retry_after is None else f" (back in {event.retry_after:g} s)"
    return attempt_error(kind=event.kind, message=f"{event.kind}{status}: {event.message}{wait}")
