"""`batch` and its kin as batches: they wait for openings, behind whoever asks for one answer.

Core makes as many calls at a time as the machine has processors, and a few; here what is sensible
for windows that open all at once is the default. What core makes of a chain's `batch` comes through
here as well, but not `batch_as_completed` of a chain: that invokes its steps one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables.config import get_config_list
from pydantic import ConfigDict
from typing_extensions import override

from freelm_integrations.batches.batch import PATIENCE, Batch, current_batch, joined
from freelm_integrations.langchain.answering import AnsweringChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import RunnableConfig

AT_ONCE = 64
"""Calls of a batch made at a time, on a thread each, where there is no `max_concurrency`."""
AT_ONCE_ON_LOOP = 256
"""The same of tasks."""


class BatchedChatModel(AnsweringChatModel):
    """Makes batches wait their turn, unless the model was told not to wait."""

    # The validator of this class is never used.
    model_config = ConfigDict(defer_build=True)

    @override
    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[AIMessage]:
        """The answers, in the order of the inputs; waits for openings (see `batching`)."""
        configs = _crowded(config, len(inputs), AT_ONCE)
        with self._batched(len(inputs)):
            return super().batch(inputs, configs, return_exceptions=return_exceptions, **kwargs)

    @override
    async def abatch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[AIMessage]:
        """The answers, in the order of the inputs; waits for openings (see `batching`)."""
        configs = _crowded(config, len(inputs), AT_ONCE_ON_LOOP)
        with self._batched(len(inputs)):
            return await super().abatch(
                inputs, configs, return_exceptions=return_exceptions, **kwargs
            )

    @override
    def batch_as_completed(  # type: ignore[override]  # core's overloads say the same at length
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> Iterator[tuple[int, AIMessage | Exception]]:
        """(place, answer) of each input as it comes; waits for openings (see `batching`)."""
        configs = _crowded(config, len(inputs), AT_ONCE)
        run: Any = super().batch_as_completed(
            inputs, configs, return_exceptions=cast("Any", return_exceptions), **kwargs
        )
        batch = self._batch_of(len(inputs))
        while True:
            with joined(batch):  # not while the caller has its turn
                found = next(run, None)
            if found is None:
                return
            yield found

    @override
    async def abatch_as_completed(  # type: ignore[override]  # core's overloads say the same
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, AIMessage | Exception]]:
        """(place, answer) of each input as it comes; waits for openings (see `batching`)."""
        configs = _crowded(config, len(inputs), AT_ONCE_ON_LOOP)
        run: Any = super().abatch_as_completed(
            inputs, configs, return_exceptions=cast("Any", return_exceptions), **kwargs
        )
        batch = self._batch_of(len(inputs))
        while True:
            with joined(batch):
                found = await anext(run, None)
            if found is None:
                return
            yield found

    def _batched(self, size: int) -> AbstractContextManager[None]:
        """Make calls inside part of a batch; one call alone is none."""
        return joined(self._batch_of(size))

    def _batch_of(self, size: int) -> Batch | None:
        """The batch around this, which so many calls join, or a new one; one alone is none."""
        batch = current_batch()
        if batch is not None:
            batch.expect(size)
        elif size > 1:
            patience = PATIENCE if self.timeout is None else self.timeout
            batch = Batch(size, wait=self.wait is not False, patience=patience)
        return batch


def _crowded(
    config: RunnableConfig | Sequence[RunnableConfig] | None, size: int, at_once: int
) -> list[RunnableConfig]:
    """A config an input, the first of which says how many are made at a time."""
    configs = get_config_list(config, size)
    if configs and configs[0].get("max_concurrency") is None:
        configs[0] = {**configs[0], "max_concurrency": min(size, at_once)}
    return configs
