"""A job done: part after part by a blocking client, several at once on an event loop.

The two loops are twins and decide nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from freelm_integrations.errors import ContextOverflow, RequestRejected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from freelm_integrations.chat import Delta, EmbeddingRequest
    from freelm_integrations.embedding.job import Job
    from freelm_integrations.embedding.vectors import Vectors

LANES = 4
"""Requests for vectors that one client has on the way at once, on one event loop.

Frameworks start all batches of an index together; free tiers answer that with refusals.
"""
_TOO_MUCH = (ContextOverflow, RequestRejected)


class Lanes:
    """The lanes of one client, by event loop. Safe from any thread."""

    def __init__(self) -> None:
        """Open them when a loop first needs them."""
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    def here(self) -> asyncio.Semaphore:
        """Those of the running loop."""
        return self._by_loop.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(LANES))


def run(job: Job, send: Callable[[EmbeddingRequest], Generator[Delta, None, None]]) -> Vectors:
    """All vectors of the job; raises what the calls raise."""
    while (part := job.take()) is not None:
        try:
            with closing(send(job.request(part))) as deltas:
                for delta in deltas:
                    job.hear(part, delta)
        except _TOO_MUCH as error:  # noqa: PERF203 - a part is a request: that takes longer
            job.halve(part, error)
    return job.vectors()


async def run_on_loop(
    job: Job,
    send: Callable[[EmbeddingRequest], Awaitable[AsyncGenerator[Delta, None]]],
    lanes: Lanes,
) -> Vectors:
    """All vectors of the job; the first error ends the parts that are still on the way."""

    async def work(most: int | None = None) -> None:
        while most != 0 and (part := job.take()) is not None:
            most = None if most is None else most - 1
            try:
                async with lanes.here(), aclosing(await send(job.request(part))) as deltas:
                    async for delta in deltas:
                        job.hear(part, delta)
            except _TOO_MUCH as error:
                job.halve(part, error)

    if not job.is_measured or job.left == 1:
        await work(1)
    workers = [asyncio.ensure_future(work()) for _ in range(min(job.left, LANES))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return job.vectors()
