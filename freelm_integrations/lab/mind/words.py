"""Where a played model's text comes from: the deterministic maker, a callable of the user, or a real small model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

from freelm_integrations.lab.loose import Json
from freelm_integrations.lab.mind.plain import plain_words

WordsCallable = Callable[[list[dict[str, Any]]], Iterable[str]]
WordsChoice = Literal["auto", "model", "plain"] | WordsCallable


class WordSource(Protocol):
    """Gives the pieces of an answer's text."""

    def pieces(self, messages: list[Json], most: int | None) -> AsyncIterator[str]:
        """The pieces of an answer to these messages, about so many at most."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class PlainWords:
    """The deterministic maker."""

    async def pieces(self, messages: list[Json], most: int | None) -> AsyncIterator[str]:
        """All pieces, at once."""
        for piece in plain_words(messages):
            yield piece

    def close(self) -> None:
        """Nothing is held."""


class CallableWords:
    """A callable of the user, run in a thread of its own so that it may take its time."""

    def __init__(self, make: WordsCallable) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="freelm-lab-words")

    async def pieces(self, messages: list[Json], most: int | None) -> AsyncIterator[str]:
        """The callable's pieces as they come."""
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._pool, lambda: iter(self._make(messages)))
        while (piece := await loop.run_in_executor(self._pool, _next, made)) is not None:
            yield piece

    def close(self) -> None:
        """Let go of the threads; a callable still at work ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _next(made: Iterator[str]) -> str | None:
    return next(made, None)


def word_source(choice: WordsChoice) -> WordSource:
    """The source a lab was asked for. Raises RuntimeError if `model` is asked for and there is none."""
    if callable(choice):
        return CallableWords(choice)
    if choice == "plain":
        return PlainWords()
    from freelm_integrations.lab.mind.model import ModelWords, is_model_there  # noqa: PLC0415 - costs an import

    if is_model_there():
        return ModelWords()
    if choice == "model":
        raise RuntimeError(
            "no local model: install freelm-integrations[local] and name a GGUF file, or words='plain'"
        )
    return PlainWords()
