"""Streams that have begun when they are handed out, and close what is left of their call.

Generators here are *primed*: they yield None once, inside their `with`, and are advanced to that
point before anybody sees them. A generator that has begun runs its `finally` however it ends: read
out, closed, thrown into, or dropped unread. Core's own wrapper around a stream does not close what
it wraps.

An async generator that is dropped is closed by its event loop, unless the loop does not know of it:
loops that `nest_asyncio` has patched know of none, and Python then complains of each. So what is
handed out holds the generators, and hands them to the loop itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from llama_index.core.base.llms.types import ChatResponse

    from freelm_integrations.delta_streams import AsyncDeltaStream, DeltaStream
    from freelm_integrations.llama_index.answers import GrowingAnswer

T = TypeVar("T")


def opened(
    deltas: DeltaStream,
    answer: GrowingAnswer,
    shape: Callable[[ChatResponse], T],
    ended: Callable[[], object],
) -> Generator[T, None, None]:
    """Snapshots of the growing `answer` in `shape`; returns with its first content.

    Raises what the call raises if it has none. However it ends, it is closed and then `ended` is
    called, once.
    """
    return _primed(_snapshots(deltas, answer, shape, ended))


async def aopened(
    deltas: AsyncDeltaStream,
    answer: GrowingAnswer,
    shape: Callable[[ChatResponse], T],
    ended: Callable[[], object],
) -> AsyncGenerator[T, None]:
    """Snapshots of the growing `answer` in `shape`; returns with its first content.

    Raises what the call raises if it has none. However it ends, it is closed and then `ended` is
    called, once.
    """
    return await _aprimed(_asnapshots(deltas, answer, shape, ended))


def guarded(
    outer: Generator[T, None, None], inner: Generator[T, None, None]
) -> Generator[T, None, None]:
    """What `outer` yields; at the end both are closed, first `outer`, which watches `inner`."""
    return _primed(_relay(outer, inner))


async def aguarded(
    outer: AsyncGenerator[T, None], inner: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """What `outer` yields; at the end both are closed, first `outer`, which watches `inner`."""
    return _Held(await _aprimed(_arelay(outer, inner)))


class _Held(AsyncGenerator[T, None], Generic[T]):
    """A generator that has begun, closed on its loop when this is dropped."""

    def __init__(self, generator: AsyncGenerator[T, None]) -> None:
        self._generator = generator
        self._loop = asyncio.get_running_loop()

    @override
    def __anext__(self) -> Coroutine[Any, Any, T]:
        return self._generator.__anext__()

    @override
    def asend(self, value: None) -> Coroutine[Any, Any, T]:
        return self._generator.asend(value)

    @override
    def athrow(self, *error: Any) -> Coroutine[Any, Any, T]:
        return self._generator.athrow(*error)

    @override
    def aclose(self) -> Coroutine[Any, Any, None]:
        return self._generator.aclose()

    def __del__(self) -> None:
        if getattr(self._generator, "ag_frame", None) is None:
            return
        # A loop that is no more cannot be waited for: then only the leases are given back.
        with suppress(RuntimeError, StopIteration):
            if self._loop.is_closed():
                self.aclose().send(None)
            else:
                self._loop.call_soon_threadsafe(self._loop.create_task, self.aclose())


def _snapshots(
    deltas: DeltaStream,
    answer: GrowingAnswer,
    shape: Callable[[ChatResponse], T],
    ended: Callable[[], object],
) -> Generator[T | None, None, None]:
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
    deltas: AsyncDeltaStream,
    answer: GrowingAnswer,
    shape: Callable[[ChatResponse], T],
    ended: Callable[[], object],
) -> AsyncGenerator[T | None, None]:
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
        try:
            yield None
        except GeneratorExit:
            next(outer, None)  # the first piece is at hand; handlers hear an end of what has begun
            raise
        yield from outer


async def _arelay(
    outer: AsyncGenerator[T, None], inner: AsyncGenerator[T, None]
) -> AsyncGenerator[T | None, None]:
    async with aclosing(inner), aclosing(outer):
        try:
            yield None
        except GeneratorExit:
            await anext(outer, None)
            raise
        async for item in outer:
            yield item


def _primed(generator: Generator[T | None, None, None]) -> Generator[T, None, None]:
    next(generator)
    return cast("Generator[T, None, None]", generator)


async def _aprimed(generator: AsyncGenerator[T | None, None]) -> AsyncGenerator[T, None]:
    await anext(generator)
    return cast("AsyncGenerator[T, None]", generator)
