"""Streams that have begun when they are handed out, and close what is left of their call.

Generators here are *primed*: they yield None once, inside their `with`, and are advanced to that
point before anybody sees them. A generator that has begun runs its `finally` however it ends: read
out, closed, thrown into, or dropped unread; an async one is closed by its event loop. Core's own
wrapper around a stream does not close what it wraps.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, TypeVar, cast

from freelm_integrations.llama_index.answers import GrowingAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from llama_index.core.base.llms.types import ChatResponse

    from freelm_integrations.client import AsyncDeltaStream, DeltaStream

T = TypeVar("T")


def opened(
    deltas: DeltaStream, shape: Callable[[ChatResponse], T], ended: Callable[[], object]
) -> Generator[T, None, None]:
    """Snapshots of the stream in `shape`; returns with its first content, raises if it has none.

    However it ends, it is closed and then `ended` is called, once.
    """
    return _primed(_snapshots(deltas, shape, ended))


async def aopened(
    deltas: AsyncDeltaStream, shape: Callable[[ChatResponse], T], ended: Callable[[], object]
) -> AsyncGenerator[T, None]:
    """Snapshots of the stream in `shape`; returns with its first content, raises if it has none.

    However it ends, it is closed and then `ended` is called, once.
    """
    return await _aprimed(_asnapshots(deltas, shape, ended))


def guarded(
    outer: Generator[T, None, None], inner: Generator[T, None, None]
) -> Generator[T, None, None]:
    """What `outer` yields; at the end both are closed, first `outer`, which watches `inner`."""
    return _primed(_relay(outer, inner))


async def aguarded(
    outer: AsyncGenerator[T, None], inner: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """What `outer` yields; at the end both are closed, first `outer`, which watches `inner`."""
    return await _aprimed(_arelay(outer, inner))


def _snapshots(
    deltas: DeltaStream, shape: Callable[[ChatResponse], T], ended: Callable[[], object]
) -> Generator[T | None, None, None]:
    answer = GrowingAnswer()
    try:
        with closing(deltas):
            delta = next(deltas, None)
            yield None
            while delta is not None:
                yield shape(answer.add(delta))
                delta = next(deltas, None)
    finally:
        ended()


async def _asnapshots(
    deltas: AsyncDeltaStream, shape: Callable[[ChatResponse], T], ended: Callable[[], object]
) -> AsyncGenerator[T | None, None]:
    answer = GrowingAnswer()
    try:
        async with aclosing(deltas):
            delta = await anext(deltas, None)
            yield None
            while delta is not None:
                yield shape(answer.add(delta))
                delta = await anext(deltas, None)
    finally:
        ended()


def _relay(
    outer: Generator[T, None, None], inner: Generator[T, None, None]
) -> Generator[T | None, None, None]:
    with closing(inner), closing(outer):
        yield None
        yield from outer


async def _arelay(
    outer: AsyncGenerator[T, None], inner: AsyncGenerator[T, None]
) -> AsyncGenerator[T | None, None]:
    async with aclosing(inner), aclosing(outer):
        yield None
        async for item in outer:
            yield item


def _primed(generator: Generator[T | None, None, None]) -> Generator[T, None, None]:
    next(generator)
    return cast("Generator[T, None, None]", generator)


async def _aprimed(generator: AsyncGenerator[T | None, None]) -> AsyncGenerator[T, None]:
    await anext(generator)
    return cast("AsyncGenerator[T, None]", generator)
