"""Where text comes from: the deterministic maker, a callable, or a real small model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from freelm_integrations.lab.mind.plain import plain_words

if TYPE_CHECKING:
    from freelm_integrations.lab.loose import Json

WordsCallable = Callable[[list[dict[str, Any]]], Iterable[str]]
WordsChoice = Literal["auto", "model", "plain"] | WordsCallable


class WordSource(Protocol):
    """Gives the pieces of an answer's text.

    `is_stable`: the same messages are always answered alike, so that an answer can be told from
    its middle on.
    """

    is_stable: bool

    def pieces(self, messages: list[Json], _most: int | None, /) -> AsyncIterator[str]:
        """The pieces of an answer to these messages, about so many at most."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class PlainWords:
    """The deterministic maker."""

    is_stable = True

    async def pieces(self, messages: list[Json], _most: int | None) -> AsyncIterator[str]:
        """All pieces, at once."""
        for piece in plain_words(messages):
            yield piece

    def close(self) -> None:
        """Nothing is held."""


class CallableWords:
    """A callable of the user, run in a thread of its own so that it may take its time.

    It is taken for stable: one that is not gives an answer that the text at hand does not begin,
    and is then shown that text.
    """

    is_stable = True

    def __init__(self, make: WordsCallable) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="freelm-lab-words")

    async def pieces(self, messages: list[Json], _most: int | None) -> AsyncIterator[str]:
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
    """The source a lab was asked for. Raises RuntimeError for a model that is not there."""
    if callable(choice):
        return CallableWords(choice)
    if choice == "plain":
        return PlainWords()
    model = import_module("freelm_integrations.lab.mind.model")  # only where it may be used
    if model.is_model_there():
        source: WordSource = model.ModelWords()
        return source
    if choice == "model":
        raise RuntimeError(
            "no local model: install freelm-integrations[local] and name a GGUF file, or "
            "words='plain'"
        )
    return PlainWords()
