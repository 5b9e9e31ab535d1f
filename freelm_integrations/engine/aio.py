"""The asyncio driver: the same lines as `blocking`, with await.

A task an exchange, cancelled at once when it loses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

import httpx

from freelm_integrations.engine.journal import report
from freelm_integrations.engine.steps import (
    ELAPSED,
    Broken,
    Chunk,
    Deliver,
    End,
    Launch,
    Opened,
    Refused,
    Report,
    Wait,
    advance,
)
from freelm_integrations.engine.transport import OK, headers_of, request_for, weather

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from typing import TypeAlias

    from freelm_integrations.chat import Delta
    from freelm_integrations.engine.steps import Attempt, Heard, Reply, Steps
    from freelm_integrations.events import Event

Send: TypeAlias = "Callable[[httpx.Request], Awaitable[httpx.Response]]"
"""Sends a request and gives back its response once the headers are there, the body unread."""
BACKLOG = 64
"""Replies read ahead of a slow consumer before the socket is left alone."""


async def drive(
    machine: Steps[object], exchanges: TaskExchanges, observe: Callable[[Event], object]
) -> AsyncGenerator[Delta, None]:
    """Run the machine, yielding what it delivers.

    Leases are settled before sockets close, whatever ends it.
    """
    reply: Reply | None = None
    async with aclosing(exchanges):
        with closing(machine):
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
                else:
                    exchanges.cancel(step.attempt)


def _pieces(response: httpx.Response, headers: dict[str, str]) -> AsyncIterator[bytes]:
    """The body as it comes; straight from the transport where there is nothing to unpack."""
    if "content-encoding" not in headers and isinstance(response.stream, httpx.AsyncByteStream):
        return aiter(response.stream)
    return response.aiter_bytes()


class TaskExchanges:
    """The open exchanges of one machine on one event loop.

    A task each, feeding one short backlog.
    """

    def __init__(self, send: Send) -> None:
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
            await self._listen(seconds)
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

    async def _listen(self, seconds: float) -> None:
        heard = self._heard = self._loop.create_future()
        timer = self._loop.call_later(seconds, _wake, heard)
        try:
            await heard
        finally:
            timer.cancel()
            self._heard = None

    def _tell(self, reply: Heard) -> None:
        self._replies.append(reply)
        if self._heard is not None and not isinstance(reply, Opened):  # headers can wait
            _wake(self._heard)

    async def _pump(self, attempt: Attempt) -> None:
        """Tell one httpx exchange as replies, whatever comes of it.

        If it died silently it would be waited for. The response is closed before its end is told,
        so that nothing is left to do after it.
        """
        try:
            response = await self._send(request_for(attempt))
            try:
                whole = await self._read(attempt, response)
            finally:
                await response.aclose()
            if whole:
                self._tell(End(attempt))
        except asyncio.CancelledError:
            raise
        except httpx.RequestError as error:
            self._tell(Broken(attempt, weather(error)))
        except BaseException as error:  # noqa: BLE001 - the machine re-raises what is no weather
            self._tell(Broken(attempt, error))

    async def _read(self, attempt: Attempt, response: httpx.Response) -> bool:
        """Whether it was an answer, now read to its end; a refusal is told here."""
        headers = headers_of(response)
        if response.status_code != OK:
            body = await response.aread()
            self._tell(Refused(attempt, response.status_code, headers, body))
            return False
        self._tell(Opened(attempt, headers))
        async for data in _pieces(response, headers):
            self._tell(Chunk(attempt, data))
            if len(self._replies) >= BACKLOG:
                await self._wait_for_room()
        return True

    async def _wait_for_room(self) -> None:
        self._room = asyncio.Event()
        await self._room.wait()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
