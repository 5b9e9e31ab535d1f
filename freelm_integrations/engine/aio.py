"""The asyncio driver: the same lines as `blocking`, with await.

A task an exchange, cancelled at once when it loses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from freelm_integrations.engine.journal import report
from freelm_integrations.engine.steps import (
    ELAPSED,
    Broken,
    Chunk,
    Consult,
    Deliver,
    End,
    Launch,
    Opened,
    Report,
    Wait,
    advance,
)
from freelm_integrations.engine.transport import OK, Body, told

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from freelm_integrations.chat import Delta
    from freelm_integrations.engine.steps import Attempt, Heard, Last, Machine, Reply
    from freelm_integrations.engine.transport import AsyncAnswer, AsyncSend
    from freelm_integrations.events import Event
    from freelm_integrations.pool.ledger.claim import Answer, Claim

BACKLOG = 64
"""Replies read ahead of a slow consumer before the socket is left alone."""


async def drive(
    machine: Machine,
    exchanges: TaskExchanges,
    observe: Callable[[Event], object],
    consult: Callable[[Claim], Awaitable[Answer | None]] | None = None,
) -> AsyncGenerator[Delta, None]:
    """Run the machine, yielding what it delivers; `consult` asks the ledger, where there is one.

    Leases are settled before sockets close, whatever ends it.
    """
    reply: Reply | Answer | None = None
    try:  # written out: context managers cost a call more than what they do
        while (step := advance(machine, reply)) is not None:
            reply = None
            if isinstance(step, Wait):
                reply = await exchanges.wait(step.seconds)
            elif isinstance(step, Deliver):
                yield step.delta
            elif isinstance(step, Launch):
                exchanges.launch(step.attempt)
            elif isinstance(step, Report):
                report(observe, step.event)
            elif isinstance(step, Consult):
                assert consult is not None, "who shares counts has a ledger"
                reply = await consult(step.claim)
            else:
                exchanges.cancel(step.attempt)
    finally:
        try:
            machine.close()
        finally:
            await exchanges.aclose()


class TaskExchanges:
    """The open exchanges of one machine on one event loop.

    A task each, feeding one short backlog.
    """

    def __init__(self, send: AsyncSend) -> None:
        """Send with this; both belong to the running loop."""
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._replies: deque[Heard] = deque()
        self._tasks: dict[Attempt, asyncio.Task[None]] = {}
        self._heard: asyncio.Future[None] | None = None
        self._room: asyncio.Event | None = None

    def launch(self, attempt: Attempt) -> None:
        """Start a task."""
        self._tasks[attempt] = self._loop.create_task(self._pump(attempt))

    def cancel(self, attempt: Attempt) -> None:
        """Cancel its task; `aclose` awaits it."""
        self._tasks[attempt].cancel()
        self._replies = deque(reply for reply in self._replies if reply.attempt is not attempt)

    async def wait(self, seconds: float) -> Reply:
        """The next reply of any, or Elapsed after so long; at once for 0."""
        if seconds <= 0:
            return ELAPSED
        if not self._replies:
            heard = self._heard = self._loop.create_future()
            timer = self._loop.call_later(seconds, _wake, heard)
            try:
                await heard
            finally:
                timer.cancel()
                self._heard = None
            if not self._replies:
                return ELAPSED
        reply = self._replies.popleft()
        if self._room is not None and len(self._replies) < BACKLOG:
            self._room.set()
        return reply

    async def aclose(self) -> None:
        """Cancel what is open and wait until its sockets are closed."""
        running = [task for task in self._tasks.values() if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
        self._tasks.clear()

    def _tell(self, reply: Heard) -> None:
        self._replies.append(reply)
        if self._heard is not None and not isinstance(reply, Opened):  # headers can wait
            _wake(self._heard)

    async def _pump(self, attempt: Attempt) -> None:
        """Tell one exchange as replies, whatever comes of it.

        If it died silently it would be waited for. The answer is closed before its end is told,
        so that nothing is left to do after it.
        """
        try:
            answer = await self._send(attempt)
            try:
                last: Last = await self._read(attempt, answer)
            finally:
                await answer.aclose()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the machine re-raises what is no weather
            last = Broken(attempt, error)
        self._tell(last)

    async def _read(self, attempt: Attempt, answer: AsyncAnswer) -> Last:
        """Tell what is read of a stream, and return the last reply; most answers are only that."""
        if answer.status != OK or not attempt.is_streamed:
            body = Body()
            while data := await answer.read():
                body.add(data)
            return told(attempt, answer.status, answer.headers, body)
        self._tell(Opened(attempt, answer.headers))
        while data := await answer.read():
            self._tell(Chunk(attempt, data))
            if len(self._replies) >= BACKLOG:
                await self._wait_for_room()
        return End(attempt)

    async def _wait_for_room(self) -> None:
        self._room = asyncio.Event()
        await self._room.wait()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
